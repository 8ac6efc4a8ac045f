package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stdinPath stands for standard input, as in kubectl, and stdinName is how
// positions call it.
const (
	stdinPath = "-"
	stdinName = "<stdin>"
)

func (l *loader) path(path string, stdin io.Reader) {
	if path == stdinPath {
		contents, err := readAll(stdin)
		if err != nil {
			l.unreadable(stdinName, err)
			return
		}
		l.file(stdinName, contents)
		return
	}
	stat, err := os.Stat(path)
	if err != nil {
		l.unreadable(path, err)
		return
	}
	if stat.IsDir() {
		l.directory(path)
		return
	}
	l.open(path)
}

// directory reads every manifest below path in lexical order.
func (l *loader) directory(path string) {
	found := 0
	// The walk itself never fails, as each entry's error becomes a problem.
	_ = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.unreadable(name, err)
		case entry.IsDir():
		case isManifest(name):
			found++
			l.open(name)
		}
		return nil
	})
	if found == 0 {
		l.unreadable(path, errors.New("there is no .yaml, .yml or .json file in this directory or below"))
	}
}

func (l *loader) open(name string) {
	if isKustomization(name) {
		l.set.Skipped = append(l.set.Skipped, Skipped{Position: Position{File: name}})
		return
	}
	contents, err := readFile(name)
	if err != nil {
		l.unreadable(name, err)
		return
	}
	l.file(name, contents)
}

func (l *loader) unreadable(name string, err error) {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	l.problems = append(l.problems, Problem{
		Position: Position{File: name},
		Message:  fmt.Sprintf("can't be read: %v", err),
	})
}

func isManifest(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// isKustomization goes by the name, because these files need no kind.
func isKustomization(name string) bool {
	switch filepath.Base(name) {
	case "kustomization.yaml", "kustomization.yml":
		return true
	}
	return false
}
