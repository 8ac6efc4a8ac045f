// Package printable makes text from objects safe for a terminal and a log line.
//
// It must never change visible text, only invisible characters.
package printable

import (
	"fmt"
	"strings"
	"unicode"
)

// Line returns text with everything escaped that would do something to a terminal
// instead of being shown: control characters, among them newlines and the ESC of
// colors and cursor movements, and marks that turn the direction of writing. Whoever
// may name an object must not forge the lines around it.
func Line(text string) string { return escape(text, "") }

// Cells is Line for cells that tabs separate.
func Cells(text string) string { return escape(text, "\t") }

func escape(text, but string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return hidden(r, but) }) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		switch {
		case !hidden(r, but):
			out.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&out, `\x%02x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

func hidden(r rune, but string) bool {
	return (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) && !strings.ContainsRune(but, r)
}
