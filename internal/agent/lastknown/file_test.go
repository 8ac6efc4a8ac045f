package lastknown_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/lastknown"
)

type content struct{ Networks []string }

func file(t *testing.T) *lastknown.File {
	return &lastknown.File{Path: filepath.Join(t.TempDir(), "known.json"), Node: "n1", Kind: "View"}
}

func TestSaveAndLoad(t *testing.T) {
	f := file(t)
	var got content
	if _, err := f.Load(&got); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without a file: %v", err)
	}
	for _, name := range []string{"blue", "red"} {
		if err := f.Save(content{[]string{name}}); err != nil {
			t.Fatal(err)
		}
		written, err := f.Load(&got)
		if err != nil || len(got.Networks) != 1 || got.Networks[0] != name || time.Since(written) > time.Minute {
			t.Fatalf("%v of %s, %v", got, written, err)
		}
	}
	// What is the same is not written again.
	if err := os.Remove(f.Path); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(content{[]string{"red"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the same was written again: %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(f.Path))
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A file that can't be believed is refused, with what is wrong.
func TestLoadRefuses(t *testing.T) {
	for _, test := range []struct {
		name, want string
		change     func(t *testing.T, f *lastknown.File)
	}{
		{"another node's", `is of node "n1", not "n2"`, func(_ *testing.T, f *lastknown.File) { f.Node = "n2" }},
		{"another kind", `holds "View", not "NodeNetworks"`, func(_ *testing.T, f *lastknown.File) { f.Kind = "NodeNetworks" }},
		{"half of it", "not whole", edit(func(b []byte) []byte { return b[:len(b)/2] })},
		{"nothing in it", "not whole", edit(func([]byte) []byte { return nil })},
		{"another content", "damaged", edit(func(b []byte) []byte { return bytes.Replace(b, []byte("blue"), []byte("grey"), 1) })},
		{"a newer format", "has format 2", edit(func(b []byte) []byte { return bytes.Replace(b, []byte(`"format":1`), []byte(`"format":2`), 1) })},
		{"written by others", "others than its owner", func(t *testing.T, f *lastknown.File) {
			if err := os.Chmod(f.Path, 0o666); err != nil {
				t.Fatal(err)
			}
		}},
		{"a folder", "is no file", func(t *testing.T, f *lastknown.File) {
			if err := errors.Join(os.Remove(f.Path), os.Mkdir(f.Path, 0o700)); err != nil {
				t.Fatal(err)
			}
		}},
		{"endless", "at most", func(t *testing.T, f *lastknown.File) {
			if err := os.Truncate(f.Path, 1<<40); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := file(t)
			if err := f.Save(content{[]string{"blue"}}); err != nil {
				t.Fatal(err)
			}
			test.change(t, f)
			var got content
			if _, err := f.Load(&got); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func edit(change func([]byte) []byte) func(*testing.T, *lastknown.File) {
	return func(t *testing.T, f *lastknown.File) {
		text, err := os.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Path, change(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSaveSaysWhy(t *testing.T) {
	f := &lastknown.File{Path: filepath.Join(t.TempDir(), "missing", "known.json")}
	if err := f.Save(content{}); err == nil || !strings.Contains(err.Error(), f.Path) {
		t.Errorf("%v", err)
	}
}
