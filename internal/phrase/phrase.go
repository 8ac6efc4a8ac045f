// Package phrase has the few turns that all texts for people share: lists that are
// counted beyond a length, numbers, and cutting between two characters. It knows
// nothing of the texts' subjects.
package phrase

import (
	"strconv"
	"strings"
)

// List joins the first names, at most so many, and counts the rest.
func List(names []string, most int) string { return ListOf(names, len(names), most) }

// ListOf is List for a caller that has only the first of count names.
func ListOf(first []string, count, most int) string {
	shown := first[:min(len(first), most)]
	text := strings.Join(shown, ", ")
	switch rest := count - len(shown); {
	case rest <= 0:
		return text
	case len(shown) == 0:
		return Number(rest)
	default:
		return text + " and " + Number(rest) + " more"
	}
}

// Number writes thousands apart.
func Number(n int) string {
	text := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(text) - 3; i > start; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Count is a number with its noun, whose plural takes an s.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}

const ellipsis = "…"

// Cut shortens text to a number of bytes, between two characters.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	if limit < len(ellipsis) {
		return ""
	}
	return strings.ToValidUTF8(text[:limit-len(ellipsis)], "") + ellipsis
}

// Line puts text on one line, as HTTP headers and tables need it.
func Line(text string) string { return strings.Join(strings.Fields(text), " ") }
