package manifest

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// endless is a stream like /dev/zero.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func loadText(text io.Reader) (*Set, error) { return Load([]string{"-"}, text) }

func TestInputWithoutEndIsLeft(t *testing.T) {
	if _, err := loadText(endless{}); err == nil || !strings.Contains(err.Error(), "more than 256 MiB") {
		t.Errorf("an endless stream: %v", err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	// Nobody else opens it: without O_NONBLOCK the test would wait here.
	held, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := Load([]string{pipe}, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a pipe by its name: %v", err)
	}
}

// A megabyte of aliases once took 8 GB, and Go's own exit code 2, which is that
// of a plan with findings.
func TestAliasesAreSizedBeforeTheyAreExpanded(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [" + strings.Repeat("x,", 100000) + "x]\n")
	for i := range 30 {
		fmt.Fprintf(&bomb, "a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	bomb.WriteString("apiVersion: v1\nkind: Node\nmetadata: {name: *a30}\n")
	if _, err := loadText(strings.NewReader(bomb.String())); err == nil || !strings.Contains(err.Error(), "aliases (*name) expand to") {
		t.Errorf("a bomb: %v", err)
	}
	if _, err := loadText(strings.NewReader("a: &a [*a]\n")); err == nil {
		t.Error("an anchor within itself is no error")
	}
	// What people write with aliases is read.
	modest := "apiVersion: v1\nkind: Node\nmetadata: {name: &name worker-1, labels: {kubernetes.io/hostname: *name}}\n"
	set, err := loadText(strings.NewReader(modest))
	if err != nil || len(set.Items) != 1 || set.Items[0].GetLabels()["kubernetes.io/hostname"] != "worker-1" {
		t.Errorf("an alias: %v", err)
	}
}

func TestProblemsAreFewAndCounted(t *testing.T) {
	var wild strings.Builder
	wild.WriteString("apiVersion: frrk8s.metallb.io/v1beta1\nkind: FRRConfiguration\nmetadata: {name: x, namespace: y}\nspec:\n")
	for i := range 50000 {
		fmt.Fprintf(&wild, "  field%d: 1\n", i)
	}
	_, err := loadText(strings.NewReader(wild.String()))
	if err == nil {
		t.Fatal("50,000 unknown fields are no problem")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxProblems+1 || !strings.Contains(lines[maxProblems], "more problems of this object") {
		t.Errorf("%d lines, the last of them %q", len(lines), lines[len(lines)-1])
	}
}

func TestProblemsForgeNoLines(t *testing.T) {
	_, err := loadText(strings.NewReader("apiVersion: v1\nkind: \"Node\\e[31m\\nError: all is well\"\nmetadata: {name: x}\n"))
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("%q", err)
	}
}

// An object that an API server stored has the fields of its release.
func TestFieldsOfANewerClusterAreNoted(t *testing.T) {
	const written = "apiVersion: frrk8s.metallb.io/v1beta1\nkind: FRRConfiguration\nmetadata: {name: x, namespace: ns%s}\n" +
		"spec: {bgp: {routers: [{asn: 64512, neighbors: [{address: 192.0.2.1, asn: 65000, nextHopSelf: true}]}]}}\n"
	if _, err := loadText(strings.NewReader(fmt.Sprintf(written, ""))); err == nil || !strings.Contains(err.Error(), "nextHopSelf: unknown field") {
		t.Errorf("a person's: %v", err)
	}
	set, err := loadText(strings.NewReader(fmt.Sprintf(written, ", uid: 0c5b, resourceVersion: \"7\"")))
	if err != nil || len(set.Items) != 1 {
		t.Fatalf("a cluster's: %v", err)
	}
	if notes := strings.Join(set.Notes(), "\n"); !strings.Contains(notes, "nextHopSelf") {
		t.Errorf("notes: %q", notes)
	}
	node := "apiVersion: v1\nkind: Node\nmetadata: {name: x, uid: 0c5b}\nspec: {someday: true}\n"
	if set, err := loadText(strings.NewReader(node)); err != nil || !strings.Contains(strings.Join(set.Notes(), ""), "spec.someday") {
		t.Errorf("a Node: %v", err)
	}
}
