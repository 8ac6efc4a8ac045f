package install

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the tests look at of the OCI image format, read without the library
// that wrote it.
type (
	descriptor struct {
		MediaType   string            `json:"mediaType"`
		Digest      string            `json:"digest"`
		Annotations map[string]string `json:"annotations"`
		Platform    struct {
			OS           string `json:"os"`
			Architecture string `json:"architecture"`
		} `json:"platform"`
	}
	imageIndex struct {
		Manifests []descriptor `json:"manifests"`
	}
	imageManifest struct {
		Config descriptor   `json:"config"`
		Layers []descriptor `json:"layers"`
	}
	imageConfig struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Created      string `json:"created"`
		Config       struct {
			User       string
			Entrypoint []string
			Env        []string
			Labels     map[string]string
		} `json:"config"`
	}
)

// assemble builds the image from prebuilt binaries, as `make image` does, into
// an OCI image layout.
func assemble(t *testing.T) (layout string) {
	t.Helper()
	folder := t.TempDir()
	assembler := filepath.Join(folder, "assemble")
	must(t, "go", "build", "-C", "hack/image", "-o", assembler, ".")
	programs := filepath.Join(folder, "bin")
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(programs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(programs, "linux-"+runtime.GOARCH), os.DirFS(built)); err != nil {
		t.Fatal(err)
	}
	var layouts []string
	for _, name := range []string{"first", "second"} {
		layouts = append(layouts, filepath.Join(folder, name))
		must(t, assembler, "-binaries="+programs, "-platforms=linux/"+runtime.GOARCH, "-image=registry.example.com/ovn-bgp-operator:v1",
			"-version="+version, "-commit="+commit, "-created="+date, "-layout="+filepath.Join(folder, name), "-archive="+filepath.Join(folder, name+".tar"))
	}
	if diff := cmp.Diff(digests(t, layouts[0]), digests(t, layouts[1])); diff != "" {
		t.Errorf("the same input gives other bytes:\n%s", diff)
	}
	if file(t, layouts[0]+".tar") != file(t, layouts[1]+".tar") {
		t.Error("the same input gives another archive")
	}
	return layouts[0]
}

func file(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func digests(t *testing.T, folder string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		sum := sha256.Sum256([]byte(file(t, path)))
		out[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// blob reads a blob and holds it against its digest.
func blob(t *testing.T, layout string, d descriptor) []byte {
	t.Helper()
	algorithm, digest, _ := strings.Cut(d.Digest, ":")
	content := []byte(file(t, filepath.Join(layout, "blobs", algorithm, digest)))
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != digest {
		t.Errorf("blob %s has another content", d.Digest)
	}
	return content
}

func parse[T any](t *testing.T, content []byte) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(content, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// only returns the index's one manifest.
func only(t *testing.T, index imageIndex) descriptor {
	t.Helper()
	if len(index.Manifests) != 1 {
		t.Fatalf("%d manifests, not one: %v", len(index.Manifests), index)
	}
	return index.Manifests[0]
}

// unpack extracts the layers, and looks at every entry.
func unpack(t *testing.T, layout string, layers []descriptor, into string) {
	t.Helper()
	for _, layer := range layers {
		packed, err := gzip.NewReader(bytes.NewReader(blob(t, layout, layer)))
		if err != nil {
			t.Fatal(err)
		}
		for entries := tar.NewReader(packed); ; {
			header, err := entries.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if header.Uid != 0 || header.Gid != 0 || header.Mode&0o7022 != 0 {
				t.Errorf("%s belongs to %d:%d with mode %o: others than root could write it", header.Name, header.Uid, header.Gid, header.Mode)
			}
			path := filepath.Join(into, filepath.Clean("/"+header.Name))
			switch header.Typeflag {
			case tar.TypeDir:
				err = os.MkdirAll(path, header.FileInfo().Mode().Perm())
			case tar.TypeReg:
				if header.Mode&0o222 != 0 {
					t.Errorf("%s can be written: mode %o", header.Name, header.Mode)
				}
				var content []byte
				if content, err = io.ReadAll(entries); err == nil {
					err = os.WriteFile(path, content, header.FileInfo().Mode().Perm())
				}
			default:
				t.Errorf("%s is neither a file nor a folder", header.Name)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestTheImage(t *testing.T) {
	layout := assemble(t)
	tagged := only(t, parse[imageIndex](t, []byte(file(t, filepath.Join(layout, "index.json")))))
	if tagged.Annotations["org.opencontainers.image.ref.name"] != "v1" {
		t.Errorf("the layout's index names it %v", tagged.Annotations)
	}
	entry := only(t, parse[imageIndex](t, blob(t, layout, tagged)))
	if entry.Platform.OS != "linux" || entry.Platform.Architecture != runtime.GOARCH {
		t.Errorf("the image is for %v", entry.Platform)
	}
	manifest := parse[imageManifest](t, blob(t, layout, entry))
	config := parse[imageConfig](t, blob(t, layout, manifest.Config))
	if config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{"/usr/local/bin/manager"}) || config.Created != date {
		t.Errorf("it is configured as %+v", config)
	}
	sameAsDockerfile(t, &config)

	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	unpack(t, layout, manifest.Layers, folder)
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(file(t, filepath.Join(folder, "etc/ssl/certs/ca-certificates.crt")))) {
		t.Error("there are no root certificates in it")
	}
	for program, help := range map[string]string{"manager": "--observe-only", "agent": "--manage-vrfs", "kubectl-ra": "plan"} {
		for flag, want := range map[string][]string{"--version": {version, commit, date}, "--help": {help}} {
			output := inImage(t, folder, "/usr/local/bin/"+program, flag)
			for _, text := range want {
				if !strings.Contains(output, text) {
					t.Errorf("%s %s prints nothing of %q:\n%s", program, flag, text, output)
				}
			}
		}
	}
}

// inImage runs a program of the image with nothing but the image around it, as
// the image's user, where root runs the test; otherwise just runs it.
func inImage(t *testing.T, folder, program string, arguments ...string) string {
	t.Helper()
	run := exec.Command(program, arguments...)
	run.Env, run.Dir = []string{}, "/"
	if os.Geteuid() == 0 {
		run.SysProcAttr = &syscall.SysProcAttr{Chroot: folder, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	} else {
		run.Path = filepath.Join(folder, program)
		t.Log("not root: the programs run outside of the image and as this user")
	}
	output, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", program, err, output)
	}
	return string(output)
}

// sameAsDockerfile holds the configuration against the Dockerfile's.
func sameAsDockerfile(t *testing.T, config *imageConfig) {
	t.Helper()
	_, final, found := strings.Cut(file(t, filepath.Join(root(t), "Dockerfile")), "\nFROM scratch\n")
	if !found {
		t.Fatal("the Dockerfile does not end with an image from scratch")
	}
	final = strings.NewReplacer("\\\n", "", "${VERSION}", version, "${COMMIT}", commit, "${DATE}", date).Replace(final)
	for instruction, want := range map[string]string{
		"USER": config.Config.User, "ENV": strings.Join(config.Config.Env, " "),
		"ENTRYPOINT": `["` + strings.Join(config.Config.Entrypoint, `", "`) + `"]`,
	} {
		if !strings.Contains(final, "\n"+instruction+" "+want+"\n") {
			t.Errorf("the Dockerfile's %s is not %s", instruction, want)
		}
	}
	labels := map[string]string{}
	for _, match := range regexp.MustCompile(`(org\.[a-z.]+)="([^"]*)"`).FindAllStringSubmatch(final, -1) {
		labels[match[1]] = match[2]
	}
	if diff := cmp.Diff(labels, config.Config.Labels); diff != "" {
		t.Errorf("labels of the Dockerfile (-) and of the image (+):\n%s", diff)
	}
	for _, path := range []string{"--chmod=0444 /etc/ssl/certs/ca-certificates.crt", "--chmod=0555 /out/ /usr/local/bin/"} {
		if !strings.Contains(final, path) {
			t.Errorf("the Dockerfile doesn't copy %s", path)
		}
	}
}
