package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

func payloadOf(stage string) string { return filepath.Join(stage, "payload") }
func guestOf(stage string) string   { return filepath.Join(stage, "guest") }

// stage makes a folder with the guest's binary and the payload. The caller
// removes it, also after an error.
func (o options) stage(ctx context.Context, cache *cache, l line) (string, worklist.Worklist, error) {
	list := worklist.Worklist{Env: forwarded()}
	stage, err := os.MkdirTemp(cache.base, "run-")
	if err != nil {
		return "", list, err
	}
	source := filepath.Join(payloadOf(stage), "src")
	if err := os.MkdirAll(source, 0o755); err != nil {
		return stage, list, err
	}
	// Some tests find the repository's top by this file.
	if err := copyFile(filepath.Join(cache.module, "go.mod"), filepath.Join(source, "go.mod")); err != nil {
		return stage, list, err
	}
	if err := goBuild(ctx, cache.module, "build", "-trimpath", "-ldflags=-s -w", "-o", guestOf(stage), "./hack/vm/guest"); err != nil {
		return stage, list, err
	}
	if err := o.compile(ctx, cache, l, stage, &list); err != nil {
		return stage, list, err
	}
	for _, path := range o.with {
		if err := copyTree(filepath.Join(cache.module, path), filepath.Join(source, path)); err != nil {
			return stage, list, fmt.Errorf("-with %s: %w", path, err)
		}
	}
	return stage, list, list.Write(payloadOf(stage))
}

// compile builds the test binary of every package that has tests.
func (o options) compile(ctx context.Context, cache *cache, l line, stage string, list *worklist.Worklist) error {
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
		build := append([]string{"test", "-c", "-ldflags=-s -w", "-o", filepath.Join(payloadOf(stage), test.Binary)}, l.build...)
		if err := goBuild(ctx, cache.module, append(build, name)...); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(payloadOf(stage), test.Dir), 0o755); err != nil {
			return err
		}
		testdata := filepath.Join(folder, "testdata")
		if _, err := os.Stat(testdata); err == nil {
			if err := copyTree(testdata, filepath.Join(payloadOf(stage), test.Dir, "testdata")); err != nil {
				return fmt.Errorf("copy %s: %w", testdata, err)
			}
		}
		list.Tests = append(list.Tests, test)
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
		if strings.HasPrefix(variable, "OVNBGP_") && !strings.HasPrefix(variable, "OVNBGP_DEBIAN_MIRROR=") {
			env = append(env, variable)
		}
	}
	return env
}
