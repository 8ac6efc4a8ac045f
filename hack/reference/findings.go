package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
)

// writeFindings writes the catalogue of what the operator finds.
func writeFindings(out io.Writer) error {
	_, _ = fmt.Fprint(out, `## Findings

What the manager, its webhook and `+"`kubectl ra plan`"+` find, by reason. `+"`kubectl ra plan`"+`
prints the reasons; conditions, events and warnings have the messages, which name the
object and say what to do. *Invalid* waits for somebody to change an object, *Pending* for
something that is not there yet, *Retryable* is tried again, and a *Notice* blocks
nothing. What a finding is about is left out, and everything else goes on.

| reason | about | outcome | text | what to do |
|---|---|---|---|---|
`)
	for _, r := range finding.Catalogue() {
		_, _ = fmt.Fprintf(out, "| `%s` | %s | %s | %s | %s |\n", r.Name, listed(r.Scopes), listed(r.Outcomes), cell(r.Meaning), cell(r.Remedy))
	}
	_, _ = fmt.Fprintln(out)
	return nil
}

func listed[T any](list []T) string {
	words := make([]string, 0, len(list))
	for _, word := range list {
		words = append(words, fmt.Sprint(word))
	}
	return strings.Join(words, ", ")
}
