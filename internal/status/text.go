package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

const (
	// maxMessage is just below the API's limit of a condition's message.
	maxMessage = 32767
	// maxReasonMessage keeps status.status, a column of kubectl get, readable.
	maxReasonMessage = 4096
	// maxFinding is how much of one finding's message is shown.
	maxFinding = 1024
	maxNames   = 5
	maxGroups  = 10
)

// sentence is a list of clauses.
type sentence struct{ clauses []string }

func (s *sentence) add(clause string) {
	if clause != "" {
		s.clauses = append(s.clauses, clause)
	}
}

func (s *sentence) addf(format string, args ...any) { s.add(fmt.Sprintf(format, args...)) }

func (s *sentence) empty() bool { return len(s.clauses) == 0 }

// String joins the clauses.
func (s *sentence) String() string { return strings.Join(s.clauses, "; ") }

// objectFindings are the messages of what was left out for the whole object.
func objectFindings(findings []model.Finding) string {
	var messages []string
	for _, f := range findings {
		if f.Blocks() {
			messages = append(messages, phrase.Cut(f.Message, maxFinding))
		}
	}
	return limited(messages)
}

// notices are the messages that block nothing.
func notices(findings []model.Finding, ofNodes []model.NodeFinding) string {
	var messages []string
	for _, f := range findings {
		if !f.Blocks() {
			messages = append(messages, phrase.Cut(f.Message, maxFinding))
		}
	}
	for _, f := range ofNodes {
		if !f.Blocks() {
			messages = append(messages, fmt.Sprintf("%s (%s)", phrase.ListOf(f.Nodes, f.Count, maxNames), phrase.Cut(f.Message, maxFinding)))
		}
	}
	return limited(messages)
}

// nodeFindings names the nodes of blocking findings, one group per reason.
// total bounds the count of a group: nodes with two findings count once.
func nodeFindings(findings []model.NodeFinding, total int) string {
	var messages []string
	for _, g := range groupByReason(findings) {
		count := min(g.count, total)
		if g.complete {
			count = len(g.nodes)
		}
		message := phrase.Cut(g.messages[0], maxFinding)
		if len(g.messages) > 1 {
			message = "for example: " + message
		}
		messages = append(messages, fmt.Sprintf("%s (%s)", phrase.ListOf(g.nodes, count, maxNames), message))
	}
	return limited(messages)
}

// group is what nodes share for one reason.
type group struct {
	reason   string
	nodes    []string
	messages []string
	count    int
	// complete is set where nodes names all.
	complete bool
}

// groupByReason puts the groups with the most nodes first.
func groupByReason(findings []model.NodeFinding) []*group {
	byReason := map[string]*group{}
	var groups []*group
	for _, f := range findings {
		if !f.Blocks() {
			continue
		}
		g := byReason[f.Reason]
		if g == nil {
			g = &group{reason: f.Reason, complete: true}
			byReason[f.Reason] = g
			groups = append(groups, g)
		}
		g.nodes = append(g.nodes, f.Nodes...)
		g.messages = append(g.messages, f.Message)
		g.count += f.Count
		g.complete = g.complete && len(f.Nodes) == f.Count
	}
	for _, g := range groups {
		slices.Sort(g.nodes)
		g.nodes = slices.Compact(g.nodes)
		slices.Sort(g.messages)
		g.messages = slices.Compact(g.messages)
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(-cmp.Compare(a.count, b.count), cmp.Compare(a.reason, b.reason))
	})
	return groups
}

// limited joins the first messages and counts the rest.
func limited(messages []string) string {
	if rest := len(messages) - maxGroups; rest > 0 {
		messages = append(messages[:maxGroups:maxGroups], "and "+phrase.Number(rest)+" more findings")
	}
	return strings.Join(messages, "; ")
}

func label(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

func nodes(count int) string { return phrase.Count(count, "node") }

func allNodes(count int) string {
	return label(count == 1, "the one node", "all "+nodes(count))
}

// areNodes begins a clause about nodes.
func areNodes(count int) string {
	if count == 1 {
		return "1 node is"
	}
	return nodes(count) + " are"
}
