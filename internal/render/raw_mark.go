package render

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// RawMarkPrefix starts the names of marks: prefix-lists by which FRR's running
// configuration shows which raw text it has. Nothing refers to them.
const RawMarkPrefix = RawPrefix + "text-"

// marked is the text with its mark at the end, where FRR comes to it last.
func marked(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%sip prefix-list %s%016x seq 5 deny any\n", text, RawMarkPrefix, xxhash.Sum64String(text))
}

// unmarked is the text without its mark.
func unmarked(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if RawMarkIn(strings.Fields(line)) == "" {
			out.WriteString(line)
		}
	}
	return out.String()
}

// RawMark is the name of the mark in a text, "" if there is none.
func RawMark(text string) string {
	for line := range strings.Lines(text) {
		if mark := RawMarkIn(strings.Fields(line)); mark != "" {
			return mark
		}
	}
	return ""
}

// RawMarkIn is the name of the mark that a line of FRR's configuration has, by its words.
func RawMarkIn(words []string) string {
	if len(words) < 3 || words[1] != "prefix-list" || !strings.HasPrefix(words[2], RawMarkPrefix) {
		return ""
	}
	return words[2]
}

// RawForms are the forms of the lines of a text, as hashes, sorted: the lines without what
// differs from node to node, but with what a policy or a template sets. So a prefix, a
// neighbor, a VRF or one entry more makes no new form, and another MED does.
func RawForms(text string) []uint64 {
	var out []uint64
	var context []string
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) == 0 || RawMarkIn(words) != "" {
			continue
		}
		indent := min(len(line)-len(strings.TrimLeft(line, " ")), len(context))
		context = append(context[:indent], form(line))
		out = append(out, xxhash.Sum64String(strings.Join(context, "\n")))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// form is a line with placeholders.
func form(line string) string {
	words := strings.Fields(line)
	for i, word := range words {
		before := ""
		if i > 0 {
			before = words[i-1]
		}
		switch {
		case strings.HasPrefix(word, RawPrefix):
			words[i] = "NAME"
		case before == "seq", words[0] == "route-map" && i == 3:
			words[i] = "N"
		case before == "neighbor", before == "route-map" && i == 1:
			words[i] = "NEIGHBOR"
		case before == "vrf":
			words[i] = "VRF"
		case i == 2 && words[0] == "router":
			words[i] = "ASN"
		default:
			words[i] = addressForm(word)
		}
	}
	return strings.Join(words, " ")
}

func addressForm(word string) string {
	address, err := netip.ParseAddr(word)
	if prefix, wrong := netip.ParsePrefix(word); wrong == nil {
		address, err = prefix.Addr(), nil
	}
	switch {
	case err != nil:
		return word
	case address.Is4():
		return "IPV4"
	default:
		return "IPV6"
	}
}
