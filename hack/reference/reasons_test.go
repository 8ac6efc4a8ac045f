package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// found reads the constants of a file with this text.
func found(t *testing.T, text string) (declared, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "constants.go")
	if err := os.WriteFile(path, []byte("package constants\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	var d declared
	err := d.read(path)
	return d, err
}

func TestReasonsAreReadFromWhatStandsBesideThem(t *testing.T) {
	d, err := found(t, `
//reference:reasons Thing Ready Good
const (
	// Ready False or Unknown, Good False: it is <not> there.
	// Do: make it.
	missing = "Missing"
)
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []reason{
		{"Thing", "Ready", "False or Unknown", "Missing", "It is &lt;not&gt; there.", "Make it."},
		{"Thing", "Good", "False", "Missing", "It is &lt;not&gt; there.", "Make it."},
	}
	if !slices.Equal(d.reasons, want) {
		t.Errorf("%+v", d.reasons)
	}
	if err := d.check(); err == nil || !strings.Contains(err.Error(), "condition Ready, which is not declared") {
		t.Errorf("%v", err)
	}
}

func TestReasonsWithoutATextAreErrors(t *testing.T) {
	for _, text := range []string{
		"//reference:reasons Thing Ready\nconst (\n\tmissing = \"Missing\"\n)",
		"//reference:reasons Thing Ready\nconst (\n\t// False: it is not there.\n\tmissing = \"Missing\"\n)",
		"//reference:reasons Thing Ready\nconst (\n\t// Maybe: it is not there.\n\t// Do: make it.\n\tmissing = \"Missing\"\n)",
		"//reference:reasons Thing Ready Good\nconst (\n\t// False: it is not there.\n\t// Do: make it.\n\tmissing = \"Missing\"\n)",
		"//reference:reason Thing Ready\nconst (\n\t// False: it is not there.\n\t// Do: make it.\n\tmissing = \"Missing\"\n)",
		"//reference:skipped\nconst (\n\t// It is not there.\n\tmissing = \"Missing\"\n)",
	} {
		if _, err := found(t, text); err == nil {
			t.Errorf("no error of\n%s", text)
		}
	}
}
