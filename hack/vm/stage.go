package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/forward"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

// stage is one run's folder: the guest's binary, the payload and scratch.
type stage struct {
	folder string
	list   worklist.Worklist
	plane  *controlPlane
}

func (s stage) payload() string { return filepath.Join(s.folder, "payload") }
func (s stage) guest() string   { return filepath.Join(s.folder, "guest") }

// dialer is the way of tests to the addresses that are forwarded; nil if they
// need none.
func (s stage) dialer() forward.Dialer {
	if len(s.list.Forward) == 0 {
		return nil
	}
	return forward.Host(s.list.Forward)
}

func (s stage) remove() {
	if s.plane != nil {
		s.plane.stop()
	}
	if s.folder != "" {
		_ = os.RemoveAll(s.folder)
	}
}

// stage makes the folder and starts what the tests need outside. The caller
// removes it, also after an error.
func (o options) stage(ctx context.Context, cache *cache, l line) (stage, error) {
	s := stage{list: worklist.Worklist{Env: forwarded(), Modules: o.moduleNames(), Evidence: o.evidence != ""}}
	var err error
	if s.folder, err = os.MkdirTemp(cache.base, "run-"); err != nil {
		return s, err
	}
	source := filepath.Join(s.payload(), "src")
	if err := os.MkdirAll(source, 0o755); err != nil {
		return s, err
	}
	if o.controlPlane {
		// It starts while the binaries are built.
		if s.plane, err = startControlPlane(ctx, s); err != nil {
			return s, fmt.Errorf("start the control plane: %w", err)
		}
	}
	// Some tests find the repository's top by this file.
	if err := copyFile(filepath.Join(cache.module, "go.mod"), filepath.Join(source, "go.mod")); err != nil {
		return s, err
	}
	if err := goBuild(ctx, cache.module, "build", "-ldflags=-s -w", "-o", s.guest(), "./hack/vm/guest"); err != nil {
		return s, err
	}
	if err := o.compile(ctx, cache, l, &s); err != nil {
		return s, err
	}
	for _, path := range o.with {
		if err := copyTree(filepath.Join(cache.module, path), filepath.Join(source, path)); err != nil {
			return s, fmt.Errorf("-with %s: %w", path, err)
		}
	}
	if err := o.furnishLab(&s); err != nil {
		return s, err
	}
	return s, s.list.Write(s.payload())
}

// furnishLab adds what the flags ask for beside the tests, and tells the tests
// where it is.
func (o options) furnishLab(s *stage) error {
	tell := func(variable, folder string) {
		s.list.Env = append(s.list.Env, variable+"="+filepath.Join(worklist.Payload, folder))
	}
	if o.binaries != "" {
		if err := linkFiles(o.binaries, filepath.Join(s.payload(), worklist.Binaries)); err != nil {
			return fmt.Errorf("-binaries: %w", err)
		}
		tell(binariesVariable, worklist.Binaries)
	}
	if o.evidence != "" {
		if err := os.Mkdir(filepath.Join(s.payload(), worklist.Evidence), 0o755); err != nil {
			return err
		}
		tell(evidenceVariable, worklist.Evidence)
	}
	if s.plane != nil {
		address, err := s.plane.address()
		if err != nil {
			return err
		}
		// The kubeconfig is the same inside, as the address is.
		s.list.Forward = append(s.list.Forward, address)
		tell(kubeconfigVariable, worklist.Kubeconfig)
	}
	return nil
}

// What tests find of the lab. They are set here and not taken from the caller.
const (
	kubeconfigVariable = "OVNBGP_LAB_KUBECONFIG"
	binariesVariable   = "OVNBGP_LAB_BINARIES"
	evidenceVariable   = "OVNBGP_LAB_EVIDENCE"
)

// linkFiles saves copying where both folders are on one file system. A link of
// the folder's stands for what it leads to.
func linkFiles(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path, err := filepath.EvalSymlinks(filepath.Join(from, entry.Name()))
		if err != nil {
			return err
		}
		target := filepath.Join(to, entry.Name())
		if os.Link(path, target) == nil {
			continue
		}
		if err := copyFile(path, target); err != nil {
			return err
		}
		if err := os.Chmod(target, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// compile builds the test binary of every package that has tests.
func (o options) compile(ctx context.Context, cache *cache, l line, s *stage) error {
	if len(l.packages) == 0 {
		return nil
	}
	args := append([]string{"list", "-f", "{{.ImportPath}}\t{{.Dir}}\t{{len .TestGoFiles}}\t{{len .XTestGoFiles}}"}, l.build...)
	cmd := exec.CommandContext(ctx, "go", append(args, l.packages...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	packages, err := output(cmd)
	if err != nil {
		return err
	}
	for entry := range strings.Lines(packages) {
		fields := strings.Split(strings.TrimSpace(entry), "\t")
		if len(fields) != 4 || fields[2] == "0" && fields[3] == "0" {
			continue
		}
		name, folder := fields[0], fields[1]
		below, err := filepath.Rel(cache.module, folder)
		if err != nil || strings.HasPrefix(below, "..") {
			return fmt.Errorf("package %s is not in this repository", name)
		}
		test := worklist.Test{
			Package: name,
			Binary:  filepath.Join("bin", strings.ReplaceAll(below, "/", "-")+".test"),
			Dir:     filepath.Join("src", below),
			Args:    l.test,
			Limit:   l.limit(),
		}
		build := append([]string{"test", "-c", "-ldflags=-s -w", "-o", filepath.Join(s.payload(), test.Binary)}, l.build...)
		if err := goBuild(ctx, cache.module, append(build, name)...); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(s.payload(), test.Dir), 0o755); err != nil {
			return err
		}
		testdata := filepath.Join(folder, "testdata")
		if _, err := os.Stat(testdata); err == nil {
			if err := copyTree(testdata, filepath.Join(s.payload(), test.Dir, "testdata")); err != nil {
				return fmt.Errorf("copy %s: %w", testdata, err)
			}
		}
		s.list.Tests = append(s.list.Tests, test)
	}
	return nil
}

func goBuild(ctx context.Context, folder string, args ...string) error {
	cmd := niced(ctx, "go", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

func copyTree(from, to string) error {
	entry, err := os.Stat(from)
	if err != nil {
		return err
	}
	if entry.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return copyFile(from, to)
}

// forwarded lets a test be steered, a seed be given. Nothing else of the
// caller's environment reaches the tests.
func forwarded() []string {
	var env []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch {
		case !strings.HasPrefix(name, "OVNBGP_"):
		case slices.Contains([]string{kubeconfigVariable, binariesVariable, evidenceVariable, "OVNBGP_DEBIAN_MIRROR"}, name):
		default:
			env = append(env, variable)
		}
	}
	return env
}
