package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	yamlv3 "go.yaml.in/yaml/v3"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// document is one document of a file.
type document struct {
	file   string
	number int
	// line is the file's line on which text starts.
	line int
	text []byte
	json bool
}

// split cuts a file into its documents by text, so that a syntax error in one
// leaves the others readable.
func split(contents []byte) ([]document, error) {
	contents = bytes.TrimPrefix(contents, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(contents) {
		return nil, errors.New("is not UTF-8 text")
	}
	if documents, ok := splitJSON(contents); ok {
		return documents, nil
	}
	return splitYAML(contents), nil
}

// splitJSON succeeds where the file is one JSON value after the other.
func splitJSON(contents []byte) ([]document, bool) {
	if trimmed := bytes.TrimLeft(contents, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return nil, false
	}
	var documents []document
	decoder := json.NewDecoder(bytes.NewReader(contents))
	for {
		before := decoder.InputOffset()
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return documents, true
		}
		if err != nil {
			return nil, false
		}
		start := int(before) + bytes.Index(contents[before:], value)
		documents = append(documents, document{
			number: len(documents) + 1,
			line:   1 + bytes.Count(contents[:start], []byte("\n")),
			text:   value,
			json:   true,
		})
	}
}

func splitYAML(contents []byte) []document {
	var documents []document
	current := document{line: 1}
	marked := false
	flush := func() {
		// What stands before the first "---" is a document only if it isn't
		// just a comment.
		if marked || hasContent(current.text) {
			current.number = len(documents) + 1
			documents = append(documents, current)
		}
	}
	for i, line := range bytes.SplitAfter(contents, []byte("\n")) {
		if isMarker(line) && !endsInDirective(current.text) {
			flush()
			current, marked = document{line: i + 1}, true
		}
		current.text = append(current.text, line...)
	}
	flush()
	return documents
}

// isMarker reports whether the line starts a document (YAML 1.2, 9.1.2).
func isMarker(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	return found && (len(rest) == 0 || strings.ContainsRune(" \t\r\n", rune(rest[0])))
}

// endsInDirective reports whether text is only directives such as "%YAML 1.2",
// which belong to the document after the marker.
func endsInDirective(text []byte) bool {
	directive := false
	for line := range bytes.Lines(text) {
		trimmed := bytes.TrimSpace(line)
		switch {
		case len(trimmed) == 0 || trimmed[0] == '#':
		case line[0] == '%':
			directive = true
		default:
			return false
		}
	}
	return directive
}

func hasContent(text []byte) bool {
	for line := range bytes.Lines(text) {
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 && trimmed[0] != '#' {
			return true
		}
	}
	return false
}

// entries parses the document and expands a List into what it holds.
func (d *document) entries() ([]entry, Problems) {
	root, err := d.nodes()
	if err != nil && !d.json {
		return nil, d.syntaxProblem(err)
	}
	if err := tooLarge(root, len(d.text)); err != nil {
		return nil, d.syntaxProblem(err)
	}
	value, err := d.value()
	if err != nil {
		return nil, d.syntaxProblem(err)
	}
	if value == nil {
		return nil, nil
	}
	var problems Problems
	for _, duplicate := range duplicateKeys(root) {
		problems = append(problems, Problem{
			Position: Position{File: d.file, Document: d.number, Line: d.line + duplicate.line - 1},
			Message:  fmt.Sprintf("key %q is already set on line %d; keep one of them", duplicate.key, d.line+duplicate.first-1),
		})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return d.expand(entry{document: d, root: root, value: value}, 0)
}

// nodes parses the document for its positions; nil where it is empty.
func (d *document) nodes() (*yamlv3.Node, error) {
	decoder := yamlv3.NewDecoder(bytes.NewReader(d.text))
	var root, second yamlv3.Node
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
		return &root, nil
	case err != nil:
		return nil, err
	default:
		return nil, fmt.Errorf(`yaml: line %d: another document starts without "---"`, max(second.Line, 1))
	}
}

// value parses the document with the parser that kubectl uses, so that both
// agree on what "yes" or "0x10" means. Integers stay integers.
func (d *document) value() (any, error) {
	text := d.text
	if !d.json {
		converted, err := yaml.YAMLToJSON(d.text)
		if err != nil {
			return nil, err
		}
		text = converted
	}
	var value any
	if err := utiljson.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	return value, nil
}

var (
	yamlLine = regexp.MustCompile(`(?s)^(?:.*?)yaml: (?:line (\d+): )?(.*)$`)
	// The YAML parser counts lines from 0 in its grammar's errors and from 1 in
	// its scanner's.
	yamlGrammar = regexp.MustCompile(`^(did not find expected|found undefined tag|found duplicate %|found incompatible YAML)`)
)

// syntaxProblem moves the line that the parser names, which counts within the
// document, to where it is in the file.
func (d *document) syntaxProblem(err error) Problems {
	line, message := d.line, err.Error()
	if match := yamlLine.FindStringSubmatch(message); match != nil {
		message = match[2]
		if within, err := strconv.Atoi(match[1]); err == nil {
			line += within - 1
			if yamlGrammar.MatchString(message) {
				line++
			}
		}
	}
	return Problems{{
		Position: Position{File: d.file, Document: d.number, Line: line},
		Message:  "is not valid YAML: " + strings.TrimSpace(message),
	}}
}
