package manifest

import (
	"fmt"
	"sort"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/printable"
)

// Position is where an object, or a part of it, was written.
type Position struct {
	File string
	// Document counts from 1 within the file; 0 stands for the whole file.
	Document int
	// Line counts from 1 within the file; 0 stands for the whole file.
	Line int
}

// String returns the position in the form that editors and CI systems link.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Problem is why a manifest can't be used.
type Problem struct {
	Position
	// Object is the kind and name, as far as they are known.
	Object string
	// Message says what is wrong and, where it isn't plain, what to do.
	Message string
}

// Error returns the problem on one line.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Position.String())
	if p.Document > 0 {
		fmt.Fprintf(&b, ": document %d", p.Document)
	}
	if p.Object != "" {
		b.WriteString(": " + p.Object)
	}
	b.WriteString(": " + strings.ReplaceAll(p.Message, "\n", " "))
	return printable.Line(b.String())
}

// Problems are all the problems of one reading, in the order of files and
// lines.
type Problems []Problem

// Error returns the problems, one on each line.
func (p Problems) Error() string {
	lines := make([]string, 0, len(p))
	for i := range p {
		lines = append(lines, p[i].Error())
	}
	return strings.Join(lines, "\n")
}

// sortWithin puts a file's problems in the order of its lines. Files stay in
// the order in which they were read.
func (p Problems) sortWithin() {
	sort.SliceStable(p, func(i, j int) bool {
		if p[i].Line != p[j].Line {
			return p[i].Line < p[j].Line
		}
		return p[i].Message < p[j].Message
	})
}
