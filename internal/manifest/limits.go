package manifest

import (
	"errors"
	"fmt"
	"io"
	"os"

	yamlv3 "go.yaml.in/yaml/v3"
)

// The input is not ours, and a plan runs in CI: no input may use up the machine's
// memory. A dump of 5,000 nodes with 200 networks is 150 MiB.
const (
	maxFile = 256 << 20
	// maxExpanded is how large a document may become by its aliases, and
	// maxExpansion how many times as large as it is written.
	maxExpanded  = 1 << 20
	maxExpansion = 10
	// maxProblems of one object are reported, and maxAllProblems in all.
	maxProblems    = 20
	maxAllProblems = 200
)

// readAll reads to the end, or to a length that no one's manifests have.
func readAll(from io.Reader) ([]byte, error) {
	contents, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err == nil && len(contents) > maxFile {
		err = fmt.Errorf("it has more than %d MiB: split it, or remove what a plan does not need", maxFile>>20)
	}
	return contents, err
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // Nothing was written.
	// A device or a pipe may never end, or never begin.
	if stat, err := file.Stat(); err == nil && !stat.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file; to read a pipe, use -f -")
	}
	return readAll(file)
}

// expansion sizes nodes with all that their aliases stand for.
type expansion struct {
	sizes map[*yamlv3.Node]int
}

// tooLarge returns an error if a document's aliases would make it many times as large
// as it is written: a kilobyte of them can stand for a gigabyte.
func tooLarge(root *yamlv3.Node, written int) error {
	if root == nil {
		return nil
	}
	limit := max(maxExpanded, maxExpansion*written)
	e := expansion{sizes: map[*yamlv3.Node]int{}}
	if e.size(root, limit) > limit {
		return fmt.Errorf("yaml: its aliases (*name) expand to more than %d KiB from %d bytes of text: write the values out", limit>>10, written)
	}
	return nil
}

// size stops counting beyond the limit.
func (e *expansion) size(n *yamlv3.Node, limit int) int {
	if known, found := e.sizes[n]; found {
		return known
	}
	// An anchor that contains its own alias has no end.
	e.sizes[n] = limit + 1
	total := len(n.Value) + 1
	if n.Alias != nil {
		total += e.size(n.Alias, limit)
	}
	for _, child := range n.Content {
		if total > limit {
			break
		}
		total += e.size(child, limit)
	}
	e.sizes[n] = min(total, limit+1)
	return e.sizes[n]
}

// capped keeps as many problems as a person reads, and counts the others.
func (p Problems) capped(most int, what string) Problems {
	if len(p) <= most {
		return p
	}
	last := p[most]
	last.Message = fmt.Sprintf("and %d more problems of %s", len(p)-most, what)
	return append(p[:most:most], last)
}
