package ovnnb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonReader reads JSON from a stream piece by piece, so that a message of
// tens of megabytes is never in memory as a whole. Errors stick: after the
// first one every method does nothing, and err says what was wrong.
type jsonReader struct {
	in  io.Reader
	err error
	// buffer has what was read from in, of which buffer[at:end] is left.
	buffer  []byte
	at, end int
	// text is reused for every string.
	text  []byte
	depth int
	// words are texts that come again and again.
	words map[string]string
	// pairs are those of the map that was read last, and last is that map.
	pairs, lastPairs [][2]string
	last             map[string]string
}

const (
	// No row of OVN's comes near these; a stream that exceeds them is not
	// ovsdb-server's.
	maxJSONText  = 16 << 20
	maxJSONDepth = 64
)

func newJSONReader(in io.Reader) *jsonReader {
	return &jsonReader{in: in, buffer: make([]byte, 64<<10), words: map[string]string{}}
}

// fill reads more, after everything that was read before has been taken.
func (r *jsonReader) fill() {
	for r.at = 0; ; {
		var err error
		if r.end, err = r.in.Read(r.buffer); r.end > 0 {
			// An error comes again with the next call.
			return
		}
		if err != nil {
			r.err = err
			return
		}
	}
}

func (r *jsonReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("malformed JSON from ovsdb-server: "+format, args...)
	}
}

// next returns the first byte that is not white space, without taking it; 0
// after an error.
func (r *jsonReader) next() byte {
	for r.err == nil {
		for ; r.at < r.end; r.at++ {
			switch b := r.buffer[r.at]; b {
			case ' ', '\t', '\r', '\n':
			case 0:
				r.fail("a NUL where a value belongs")
				return 0
			default:
				return b
			}
		}
		r.fill()
	}
	return 0
}

func (r *jsonReader) take() byte {
	if r.err == nil && r.at == r.end {
		if r.fill(); errors.Is(r.err, io.EOF) {
			r.err = io.ErrUnexpectedEOF
		}
	}
	if r.err != nil {
		return 0
	}
	r.at++
	return r.buffer[r.at-1]
}

func (r *jsonReader) expect(want byte) {
	if got := r.next(); r.err == nil && got != want {
		r.fail("%q where %q belongs", got, want)
	}
	r.take()
}

// list calls element for each element of an array.
func (r *jsonReader) list(element func()) {
	r.enclosed('[', ']', func() { element() })
}

// object calls member for each member of an object. The key is valid until
// the next string is read.
func (r *jsonReader) object(member func(key []byte)) {
	r.enclosed('{', '}', func() {
		key := r.string()
		r.expect(':')
		if r.err == nil {
			member(key)
		}
	})
}

func (r *jsonReader) enclosed(open, end byte, item func()) {
	r.expect(open)
	if r.depth++; r.depth > maxJSONDepth {
		r.fail("nested too deeply")
	}
	defer func() { r.depth-- }()
	for first := true; r.err == nil; first = false {
		switch b := r.next(); {
		case b == end:
			r.take()
			return
		case !first:
			r.expect(',')
		}
		if r.err == nil {
			item()
		}
	}
}

// string reads a string; the result is valid until the next one is read.
func (r *jsonReader) string() []byte {
	r.expect('"')
	r.text = r.text[:0]
	for r.err == nil {
		// Nearly all bytes stand for themselves.
		from := r.at
		for r.at < r.end && standsForItself(r.buffer[r.at]) {
			r.at++
		}
		r.text = append(r.text, r.buffer[from:r.at]...)
		if len(r.text) > maxJSONText {
			r.fail("a string of more than %d bytes", maxJSONText)
		}
		switch b := r.take(); {
		case r.err != nil:
		case b == '"':
			return r.text
		case b == '\\':
			r.escape()
		case b < ' ':
			r.fail("control character in a string")
		default:
			r.text = append(r.text, b)
		}
	}
	return nil
}

// standsForItself tells the bytes of a string that need no second look.
func standsForItself(b byte) bool { return b >= ' ' && b != '"' && b != '\\' }

// word reads a string that is likely to have come before.
func (r *jsonReader) word() string {
	text := r.string()
	if known, found := r.words[string(text)]; found {
		return known
	}
	out := string(text)
	// What does not come again must not fill the memory.
	if len(r.words) < 1024 && len(out) < 256 {
		r.words[out] = out
	}
	return out
}

func (r *jsonReader) escape() {
	switch b := r.take(); b {
	case '"', '\\', '/':
		r.text = append(r.text, b)
	case 'b':
		r.text = append(r.text, '\b')
	case 'f':
		r.text = append(r.text, '\f')
	case 'n':
		r.text = append(r.text, '\n')
	case 'r':
		r.text = append(r.text, '\r')
	case 't':
		r.text = append(r.text, '\t')
	case 'u':
		r.unicode()
	default:
		r.fail("unknown escape \\%c", b)
	}
}

// unicode leaves the rare work of surrogates to the standard library.
func (r *jsonReader) unicode() {
	quoted := []byte{'"', '\\', 'u'}
	digits := func() uint32 {
		var value uint32
		for range 4 {
			b := r.take()
			quoted = append(quoted, b)
			switch {
			case b >= '0' && b <= '9':
				value = value<<4 | uint32(b-'0')
			case b|0x20 >= 'a' && b|0x20 <= 'f':
				value = value<<4 | uint32(b|0x20-'a'+10)
			default:
				r.fail("%q is no hexadecimal digit", b)
			}
		}
		return value
	}
	if high := digits(); high >= 0xd800 && high < 0xdc00 && r.err == nil {
		if b := r.take(); b != '\\' {
			r.fail("half a surrogate pair")
		}
		if b := r.take(); b != 'u' {
			r.fail("half a surrogate pair")
		}
		quoted = append(quoted, '\\', 'u')
		digits()
	}
	if r.err != nil {
		return
	}
	var text string
	if err := json.Unmarshal(append(quoted, '"'), &text); err != nil {
		r.fail("%v", err)
		return
	}
	r.text = append(r.text, text...)
}

// literal reads a number, true, false or null.
func (r *jsonReader) literal() []byte {
	r.next()
	r.text = r.text[:0]
	for r.err == nil {
		if r.at == r.end {
			if r.fill(); r.err != nil {
				return nil
			}
		}
		b := r.buffer[r.at]
		if b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b == '-' || b == '+' || b == '.' || b == 'E' {
			r.text = append(r.text, b)
			r.at++
			if len(r.text) > 64 {
				r.fail("a number of more than 64 digits")
			}
			continue
		}
		break
	}
	if len(r.text) == 0 {
		r.fail("no value where one belongs")
	} else if !json.Valid(r.text) {
		r.fail("%q is no value", r.text)
	}
	return r.text
}

// null takes a null, if one is next.
func (r *jsonReader) null() bool {
	if r.next() != 'n' {
		return false
	}
	if text := r.literal(); r.err == nil && string(text) != "null" {
		r.fail("%q is no value", text)
	}
	return true
}

// skip reads any value and forgets it.
func (r *jsonReader) skip() {
	switch r.next() {
	case 0:
	case '{':
		r.object(func([]byte) { r.skip() })
	case '[':
		r.list(r.skip)
	case '"':
		r.string()
	default:
		r.literal()
	}
}

// raw reads any value and returns it as JSON again. It is for small values.
func (r *jsonReader) raw() json.RawMessage {
	var out []byte
	r.appendRaw(&out)
	if r.err != nil {
		return nil
	}
	return out
}

func (r *jsonReader) appendRaw(out *[]byte) {
	if len(*out) > maxJSONText {
		r.fail("a value of more than %d bytes", maxJSONText)
	}
	separate := func(open byte) {
		if (*out)[len(*out)-1] != open {
			*out = append(*out, ',')
		}
	}
	switch r.next() {
	case 0:
	case '{':
		*out = append(*out, '{')
		r.object(func(key []byte) {
			separate('{')
			*out = appendJSONString(*out, string(key))
			*out = append(*out, ':')
			r.appendRaw(out)
		})
		*out = append(*out, '}')
	case '[':
		*out = append(*out, '[')
		r.list(func() {
			separate('[')
			r.appendRaw(out)
		})
		*out = append(*out, ']')
	case '"':
		*out = appendJSONString(*out, string(r.string()))
	default:
		*out = append(*out, r.literal()...)
	}
}

// appendJSONString appends text as a JSON string. Names and addresses need no
// escapes, so encoding/json is asked only for the others.
func appendJSONString(out []byte, text string) []byte {
	for i := range len(text) {
		if b := text[i]; b < ' ' || b == '"' || b == '\\' || b >= 0x7f {
			// A string always marshals.
			quoted, _ := json.Marshal(text)
			return append(out, quoted...)
		}
	}
	out = append(out, '"')
	out = append(out, text...)
	return append(out, '"')
}
