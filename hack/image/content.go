package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	binFolder       = "usr/local/bin"
	certificateFile = "etc/ssl/certs/ca-certificates.crt"
	// user is nobody's: it owns no file in the image.
	user = "65532:65532"
)

// content is what every platform's image has in common.
type content struct {
	certificates    []byte
	version, commit string
	created         time.Time
}

// image assembles the image of one platform from the binaries in a folder.
func (c *content) image(platform, binaries string) (v1.Image, error) {
	target, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	programs, err := filepath.Glob(filepath.Join(binaries, "*"))
	if err != nil {
		return nil, err
	}
	if len(programs) == 0 {
		return nil, fmt.Errorf("there are no binaries in %s", binaries)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.ConfigFile(image, &v1.ConfigFile{
		OS: target.OS, Architecture: target.Architecture, Variant: target.Variant,
		Created: v1.Time{Time: c.created},
		RootFS:  v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:       user,
			Entrypoint: []string{"/" + binFolder + "/manager"},
			Env:        []string{"PATH=/" + binFolder},
			Labels:     c.labels(),
		},
	})
	if err != nil {
		return nil, err
	}
	certificates := []file{{name: certificateFile, mode: 0o444, content: c.certificates}}
	type part struct {
		comment string
		files   []file
	}
	parts := []part{{"root certificates", certificates}}
	for _, program := range programs {
		if err := check(program, target); err != nil {
			return nil, err
		}
		executable, err := os.ReadFile(program)
		if err != nil {
			return nil, err
		}
		// A layer each: who has one release's keeps what did not change.
		name := filepath.Base(program)
		parts = append(parts, part{name, []file{{name: path.Join(binFolder, name), mode: 0o555, content: executable}}})
	}
	for _, p := range parts {
		layer, err := c.layer(p.files)
		if err != nil {
			return nil, err
		}
		image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{
			Created: v1.Time{Time: c.created}, CreatedBy: "hack/image", Comment: p.comment,
		}})
		if err != nil {
			return nil, err
		}
	}
	return image, nil
}

func (c *content) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":    "ovn-bgp-operator",
		"org.opencontainers.image.licenses": "Apache-2.0",
		"org.opencontainers.image.version":  c.version,
		"org.opencontainers.image.revision": c.commit,
		"org.opencontainers.image.created":  c.created.Format(time.RFC3339),
	}
}

// index is what a registry has under the tag: one image per platform.
func (c *content) index(images []v1.Image) (v1.ImageIndex, error) {
	index := emptyIndex()
	for _, image := range images {
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: config.Platform()},
		})
	}
	return index, nil
}

func emptyIndex() v1.ImageIndex {
	return mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
}

// file is a file in the image, which belongs to root.
type file struct {
	name    string
	mode    int64
	content []byte
}

// layer packs files with the folders above them.
func (c *content) layer(files []file) (v1.Layer, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	made := map[string]bool{".": true}
	for _, f := range files {
		if err := c.folders(w, path.Dir(f.name), made); err != nil {
			return nil, err
		}
		header := tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.content)), Mode: f.mode, ModTime: c.created, Format: tar.FormatPAX}
		if err := w.WriteHeader(&header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

func (c *content) folders(w *tar.Writer, folder string, made map[string]bool) error {
	if made[folder] {
		return nil
	}
	if err := c.folders(w, path.Dir(folder), made); err != nil {
		return err
	}
	made[folder] = true
	return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: folder + "/", Mode: 0o755, ModTime: c.created, Format: tar.FormatPAX})
}
