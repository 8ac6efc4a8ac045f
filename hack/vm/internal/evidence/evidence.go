// Package evidence copies a folder of plain files as a tar stream: the evidence of
// failed tests, for a person to read, and the small results of those that passed.
package evidence

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Pack writes the folder's files. Sockets, devices and the like are left out,
// and so are files that vanish meanwhile.
func Pack(folder string, to io.Writer) error {
	archive := tar.NewWriter(to)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return packFile(archive, path, name)
	})
	if err != nil {
		return fmt.Errorf("pack %s: %w", folder, err)
	}
	return archive.Close()
}

func packFile(archive *tar.Writer, path, name string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: filepath.ToSlash(name), Mode: 0o644, Size: stat.Size(), ModTime: stat.ModTime()}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	// A log may still grow; what the header promised is what there is room for.
	_, err = io.CopyN(archive, file, stat.Size())
	return err
}

// Unpack writes the files below the folder and says how many there were.
func Unpack(from io.Reader, folder string) (int, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	archive := tar.NewReader(from)
	for count := 0; ; count++ {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err == nil {
			err = unpackFile(root, header.Name, archive)
		}
		if err != nil {
			return count, fmt.Errorf("unpack into %s: %w", folder, err)
		}
	}
}

func unpackFile(root *os.Root, name string, text io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, text); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}
