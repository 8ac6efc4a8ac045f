package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// FuzzFile feeds the loader anything: it must neither crash nor hang, every
// problem must point into the file, and what it takes must be usable.
func FuzzFile(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds in testdata: %v", err)
	}
	for _, seed := range seeds {
		text, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, seed := range []string{
		"", "---", "%YAML 1.2\n---\na: b\n...\n", "a: &a\n  b: *a\n", "? {a: b}\n: c\n", "<<: {kind: Node}\napiVersion: v1\n",
		`{"apiVersion":"v1","kind":"List","items":[{"kind":"Node"},null,[]]}`, "- !!binary gIGC\n", "a: 1e999\nb: .inf\nc: 0x1f\nd: 2001-01-01\n",
		"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items: [{}]\n", "kind: \xff", "a:\r\n  b: c\r\n---\rd: e\r",
		goodRA, strings.ReplaceAll(goodRA, "\n", "\r\n"),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l := loader{set: &Set{}, seen: map[identity]int{}}
		l.file("in.yaml", text)
		lines := 1 + strings.Count(string(text), "\n") + strings.Count(string(text), "\r") +
			strings.Count(string(text), "\u0085") + strings.Count(string(text), "\u2028") + strings.Count(string(text), "\u2029")
		for _, problem := range l.problems {
			if problem.Message == "" || problem.Line < 0 || problem.Line > lines+1 {
				t.Errorf("not helpful in a file of %d lines: %v", lines, problem)
			}
		}
		for _, object := range l.set.Items {
			if object.GetName() == "" || object.Line < 1 {
				t.Errorf("taken without a name or place: %v", object.Position)
			}
		}
		objects := l.set.Objects()
		if _, err := l.set.Overlay(objects); err != nil {
			t.Errorf("on top of itself: %v", err)
		}
		_ = snapshot.Snapshot(objects, settings)
	})
}
