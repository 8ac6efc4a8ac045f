package ovnk

import (
	"encoding/json"
	"fmt"
	"strings"
)

// scanner reads JSON in one pass and hands out parts of its input where it
// can. encoding/json takes ten times as long for the annotations of a node
// with hundreds of networks, and keeps the last of duplicate keys silently.
type scanner struct {
	in string
	at int
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.in); s.at++ {
		switch s.in[s.at] {
		case ' ', '\t', '\n', '\r':
		default:
			return s.in[s.at]
		}
	}
	return 0
}

// accept steps over c if it comes next.
func (s *scanner) accept(c byte) bool {
	// A NUL in the input looks like its end to peek.
	if s.peek() != c || s.at == len(s.in) {
		return false
	}
	s.at++
	return true
}

// wanted is the error for anything else than what was wanted.
func (s *scanner) wanted(what string) error {
	s.peek()
	if s.at == len(s.in) {
		return fmt.Errorf("it ends where %s should be", what)
	}
	found := s.in[s.at:]
	if len(found) > 20 {
		found = found[:20] + "…"
	}
	return fmt.Errorf("at byte %d there is %q where %s should be", s.at+1, found, what)
}

// object reads an object and calls member with the scanner before the value.
func (s *scanner) object(member func(key string) error) error {
	if !s.accept('{') {
		return s.wanted("an object {…}")
	}
	if s.accept('}') {
		return nil
	}
	for {
		key, err := s.text()
		if err != nil {
			return err
		}
		if !s.accept(':') {
			return s.wanted("a colon")
		}
		if err := member(key); err != nil {
			return err
		}
		if s.accept('}') {
			return nil
		}
		if !s.accept(',') {
			return s.wanted("a comma or }")
		}
	}
}

// list reads a list and calls item with the scanner before each item.
func (s *scanner) list(item func() error) error {
	if !s.accept('[') {
		return s.wanted("a list […]")
	}
	if s.accept(']') {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.accept(']') {
			return nil
		}
		if !s.accept(',') {
			return s.wanted("a comma or ]")
		}
	}
}

// text reads a string.
func (s *scanner) text() (string, error) {
	if s.peek() != '"' {
		return "", s.wanted("a string in double quotes")
	}
	start := s.at
	plain := true
	for i := start + 1; i < len(s.in); i++ {
		switch c := s.in[i]; {
		case c == '"':
			s.at = i + 1
			if plain {
				return s.in[start+1 : i], nil
			}
			return unquote(s.in[start : i+1])
		case c == '\\':
			plain = false
			i++
		case c < ' ' || c > '~':
			plain = false
		}
	}
	return "", fmt.Errorf("at byte %d a string begins that does not end", start+1)
}

func unquote(quoted string) (string, error) {
	var text string
	if err := json.Unmarshal([]byte(quoted), &text); err != nil {
		return "", fmt.Errorf("%s is not a string: %w", quoted, err)
	}
	return text, nil
}

// skip steps over a value that is of no interest here.
func (s *scanner) skip() error {
	s.peek()
	start, depth := s.at, 0
	for s.at < len(s.in) {
		switch c := s.in[s.at]; {
		case c == '"':
			if _, err := s.text(); err != nil {
				return err
			}
			continue
		case c == '{' || c == '[':
			depth++
		case depth == 0 && strings.IndexByte(",]}", c) >= 0:
			return s.valid(start)
		case c == '}' || c == ']':
			depth--
		}
		s.at++
	}
	return s.valid(start)
}

func (s *scanner) valid(start int) error {
	if json.Valid([]byte(s.in[start:s.at])) {
		return nil
	}
	s.at = start
	return s.wanted("a value")
}

// end makes sure that nothing follows.
func (s *scanner) end() error {
	if s.peek(); s.at < len(s.in) {
		return s.wanted("the end")
	}
	return nil
}

// read applies a reader to the whole of an annotation's value.
func read(annotation, value string, reader func(s *scanner) error) error {
	s := scanner{in: value}
	err := reader(&s)
	if err == nil {
		err = s.end()
	}
	return malformed(annotation, err)
}

func malformed(annotation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("annotation %s is malformed: %w", annotation, err)
}

func twice(what, key string) error { return fmt.Errorf("%s %q is in it twice", what, key) }
