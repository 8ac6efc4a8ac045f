package lastknown

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// format changes when older agents would misread a file.
	format = 1
	// atMost bounds what is read: a network takes about a kilobyte.
	atMost = 32 << 20
)

// File is a file on the node. It holds any value that JSON can express: the kind
// identifies it, and a file of another kind is refused.
type File struct {
	Path string
	// Node is whose it is.
	Node string
	Kind string

	saved [sha256.Size]byte
}

// envelope is the file's content.
type envelope struct {
	Format  int       `json:"format"`
	Kind    string    `json:"kind"`
	Node    string    `json:"node"`
	Written time.Time `json:"written"`
	// SHA256 is the content's, in hexadecimal digits.
	SHA256  string          `json:"sha256"`
	Content json.RawMessage `json:"content"`
}

// Save writes a value, if it is not what was saved last. What was there stays
// whole until the new file is.
func (f *File) Save(value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("cannot keep what is known in %s: %w", f.Path, err)
	}
	sum := sha256.Sum256(content)
	if sum == f.saved {
		return nil
	}
	text, err := json.Marshal(envelope{
		Format: format, Kind: f.Kind, Node: f.Node, Written: time.Now().UTC().Truncate(time.Second), SHA256: hex.EncodeToString(sum[:]), Content: content,
	})
	if err == nil {
		err = replace(f.Path, text)
	}
	if err != nil {
		return fmt.Errorf("cannot keep what is known in %s: %w", f.Path, err)
	}
	f.saved = sum
	return nil
}

// replace writes a file in one step, which only its owner may read.
func replace(path string, text []byte) error {
	next, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next.Name()) }()
	_, err = next.Write(text)
	// A node that loses its power must not be left with an empty file.
	if err := errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}

// Load reads the value that was saved, and returns when that was. If there is no file,
// the error is fs.ErrNotExist.
func (f *File) Load(into any) (written time.Time, err error) {
	text, err := f.read()
	if err != nil {
		return written, err
	}
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return written, fmt.Errorf("%s is not whole: %w", f.Path, err)
	}
	sum := sha256.Sum256(e.Content)
	switch {
	case e.Format != format:
		return written, fmt.Errorf("%s has format %d, and this version reads format %d", f.Path, e.Format, format)
	case e.Kind != f.Kind:
		return written, fmt.Errorf("%s holds %q, not %q", f.Path, e.Kind, f.Kind)
	case e.Node != f.Node:
		return written, fmt.Errorf("%s is of node %q, not %q", f.Path, e.Node, f.Node)
	case e.SHA256 != hex.EncodeToString(sum[:]):
		return written, fmt.Errorf("%s is damaged: its checksum is not its content's", f.Path)
	}
	decoder := json.NewDecoder(bytes.NewReader(e.Content))
	if err := decoder.Decode(into); err != nil {
		return written, fmt.Errorf("%s can't be understood: %w", f.Path, err)
	}
	return e.Written, nil
}

func (f *File) read() ([]byte, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	state, err := file.Stat()
	if err != nil {
		return nil, err
	}
	const others = 0o022
	switch {
	case !state.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file: %w", f.Path, fs.ErrInvalid)
	case state.Mode().Perm()&others != 0:
		return nil, fmt.Errorf("%s may be written by others than its owner (mode %s)", f.Path, state.Mode().Perm())
	case state.Size() > atMost:
		return nil, fmt.Errorf("%s has %d bytes; at most %d are read", f.Path, state.Size(), atMost)
	}
	return io.ReadAll(io.LimitReader(file, atMost))
}
