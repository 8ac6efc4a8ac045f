package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// bundle is the files of one, by their paths in its folder.
type bundle struct {
	name  string
	files map[string][]byte
}

func (b *bundle) folder(into string) string { return filepath.Join(into, b.name) }

// write replaces the bundle's folder, so that a file that is no longer part of
// it doesn't stay.
func (b *bundle) write(into string) error {
	if err := os.RemoveAll(b.folder(into)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		path := filepath.Join(b.folder(into), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, b.files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compare fails where the folder is not what would be written.
func (b *bundle) compare(into string) error {
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		if is, err := os.ReadFile(filepath.Join(b.folder(into), name)); err != nil || string(is) != string(b.files[name]) {
			stale = append(stale, name)
		}
	}
	err := filepath.WalkDir(b.folder(into), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(b.folder(into), path)
		if b.files[filepath.ToSlash(name)] == nil {
			stale = append(stale, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(stale) > 0 {
		return fmt.Errorf("bundle %s is not current: %s; run make bundle", b.folder(into), strings.Join(stale, ", "))
	}
	return nil
}
