package main

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// built returns options for an image of a program for both platforms.
func built(t *testing.T) *options {
	t.Helper()
	folder := t.TempDir()
	source := filepath.Join(folder, "main.go")
	if err := os.WriteFile(source, []byte("package main\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, architecture := range []string{"amd64", "arm64"} {
		build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(folder, "bin", "linux-"+architecture, "manager"), source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	certificates := filepath.Join(folder, "certificates")
	if err := os.WriteFile(certificates, []byte("certificates"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &options{
		binaries: filepath.Join(folder, "bin"), certificates: certificates, platforms: "linux/amd64,linux/arm64",
		image: "registry.example.com/ovn-bgp-operator:v1", version: "v1", commit: "abc", created: "2026-01-01T00:00:00Z",
	}
}

func TestWhatIsPushedIsTheValidImageOfTheLayout(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	o := built(t)
	o.image = strings.TrimPrefix(server.URL, "http://") + "/ovn-bgp-operator:v1"
	o.layout, o.push = filepath.Join(t.TempDir(), "oci"), true
	if err := run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(o.image)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := remote.Index(tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(pushed); err != nil {
		t.Error(err)
	}
	written, err := layout.ImageIndexFromPath(o.layout)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(written); err != nil {
		t.Error(err)
	}
	manifest, err := written.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := pushed.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Digest != digest {
		t.Errorf("%s was pushed, and the layout has %v", digest, manifest.Manifests)
	}
}

func TestWhatCouldNotRunIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(t *testing.T, o *options)
		want   string
	}{
		{"another architecture", func(t *testing.T, o *options) {
			t.Helper()
			rename(t, filepath.Join(o.binaries, "linux-arm64"), filepath.Join(o.binaries, "old"))
			rename(t, filepath.Join(o.binaries, "linux-amd64"), filepath.Join(o.binaries, "linux-arm64"))
			rename(t, filepath.Join(o.binaries, "old"), filepath.Join(o.binaries, "linux-amd64"))
		}, "GOARCH=amd64"},
		{"no program", func(t *testing.T, o *options) {
			t.Helper()
			rename(t, o.certificates, filepath.Join(o.binaries, "linux-amd64", "script"))
			o.certificates = filepath.Join(o.binaries, "linux-amd64", "script")
		}, "no Linux program"},
		{"dynamically linked", func(t *testing.T, o *options) {
			t.Helper()
			o.platforms = "linux/" + runtime.GOARCH
			shell, err := os.ReadFile("/bin/sh")
			if err != nil {
				t.Skipf("SKIPPED, NOT PASSED: there is no dynamically linked program at hand: %v", err)
			}
			if err := os.WriteFile(filepath.Join(o.binaries, "linux-"+runtime.GOARCH, "shell"), shell, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "CGO_ENABLED=0"},
		{"none", func(_ *testing.T, o *options) { o.platforms = "linux/s390x" }, "no binaries"},
		{"no time", func(_ *testing.T, o *options) { o.created = "now" }, "--created"},
		{"no tag", func(_ *testing.T, o *options) { o.image = "A:b" }, "--image"},
		{"nothing to do", func(_ *testing.T, o *options) { o.layout = "" }, "--layout, --archive or --push"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := built(t)
			o.layout = filepath.Join(t.TempDir(), "oci")
			test.change(t, o)
			if err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want an error with %q", err, test.want)
			}
		})
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
