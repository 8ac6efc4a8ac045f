package evidence

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestWhatIsPackedIsUnpacked(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	files := map[string]string{"convergence.txt": "42 ms\n", "node1/frr/running.conf": "router bgp 64512\n", "empty": ""}
	for name, text := range files {
		path := filepath.Join(from, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(from, "link")); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := Pack(from, &archive); err != nil {
		t.Fatal(err)
	}
	count, err := Unpack(&archive, to)
	if err != nil || count != len(files) {
		t.Fatalf("unpacked %d files, want %d: %v", count, len(files), err)
	}
	for name, want := range files {
		if text, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(text) != want {
			t.Errorf("%s holds %q, want %q: %v", name, text, want, err)
		}
	}
}
