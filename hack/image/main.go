package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// options are the flags as they were given.
type options struct {
	binaries     string
	certificates string
	platforms    string
	image        string
	version      string
	commit       string
	created      string
	layout       string
	archive      string
	push         bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.binaries, "binaries", "", "folder with the binaries of each platform in OS-ARCHITECTURE/")
	flag.StringVar(&o.certificates, "certificates", "/etc/ssl/certs/ca-certificates.crt", "file with the root certificates to trust")
	flag.StringVar(&o.platforms, "platforms", "linux/amd64,linux/arm64", "platforms of the image")
	flag.StringVar(&o.image, "image", "", "name and tag of the image")
	flag.StringVar(&o.version, "version", "", "version for the labels")
	flag.StringVar(&o.commit, "commit", "", "commit for the labels")
	flag.StringVar(&o.created, "created", "", "time of everything in the image (RFC 3339); the time of the commit makes builds repeatable")
	flag.StringVar(&o.layout, "layout", "", "folder for an OCI image layout; its contents are replaced")
	flag.StringVar(&o.archive, "archive", "", "archive to write for docker load, with the first platform's image")
	flag.BoolVar(&o.push, "push", false, "push to the registry in the image's name, with the credentials of docker login")
	flag.Parse()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	tag, err := name.NewTag(o.image)
	if err != nil {
		return fmt.Errorf("--image: %w", err)
	}
	created, err := time.Parse(time.RFC3339, o.created)
	if err != nil {
		return fmt.Errorf("--created: %w", err)
	}
	certificates, err := os.ReadFile(o.certificates)
	if err != nil {
		return fmt.Errorf("--certificates: %w; install the package ca-certificates", err)
	}
	if o.layout == "" && o.archive == "" && !o.push {
		return errors.New("nothing to do: give --layout, --archive or --push")
	}
	content := content{certificates: certificates, version: o.version, commit: o.commit, created: created.UTC()}
	var images []v1.Image
	for platform := range strings.SplitSeq(o.platforms, ",") {
		folder := filepath.Join(o.binaries, strings.ReplaceAll(platform, "/", "-"))
		image, err := content.image(platform, folder)
		if err != nil {
			return fmt.Errorf("platform %s: %w", platform, err)
		}
		images = append(images, image)
	}
	index, err := content.index(images)
	if err != nil {
		return err
	}
	return write(ctx, o, tag, index, images[0])
}

func write(ctx context.Context, o *options, tag name.Tag, index v1.ImageIndex, first v1.Image) error {
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	if o.layout != "" {
		if err := writeLayout(o.layout, tag, index); err != nil {
			return fmt.Errorf("--layout: %w", err)
		}
		fmt.Printf("%s@%s is in %s\n", tag, digest, o.layout)
	}
	if o.archive != "" {
		if err := tarball.WriteToFile(o.archive, tag, first); err != nil {
			return fmt.Errorf("--archive: %w", err)
		}
		fmt.Printf("docker load --input %s\n", o.archive)
	}
	if o.push {
		err := remote.WriteIndex(tag, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
		if err != nil {
			return fmt.Errorf("--push: %w", err)
		}
		fmt.Printf("%s@%s is in the registry\n", tag, digest)
	}
	return nil
}

// writeLayout replaces the folder, whose index names the image as engines do.
func writeLayout(folder string, tag name.Tag, index v1.ImageIndex) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	path, err := layout.Write(folder, emptyIndex())
	if err != nil {
		return err
	}
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": tag.TagStr(),
		"io.containerd.image.name":          tag.Name(),
	}))
}
