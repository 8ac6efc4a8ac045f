package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// query is what is printed of one.
type query struct {
	File      string     `json:"file"`
	Place     string     `json:"place"`
	Expr      string     `json:"expr"`
	Selectors []selector `json:"selectors"`
	// Groups are the labels that results are grouped or joined by.
	Groups []string `json:"groups"`
}

type selector struct {
	Metric string `json:"metric"`
	// Labels are those that matchers name; Values the ones that have to be
	// equal.
	Labels []string          `json:"labels"`
	Values map[string]string `json:"values"`
}

// dashboard has what is read of one.
type dashboard struct {
	Panels     []panel `json:"panels"`
	Templating struct {
		List []struct {
			Name  string          `json:"name"`
			Type  string          `json:"type"`
			Query json.RawMessage `json:"query"`
		} `json:"list"`
	} `json:"templating"`
}

type panel struct {
	Title   string `json:"title"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
	Panels []panel `json:"panels"`
}

func main() {
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "selectors DASHBOARD.json... RULES.yaml...") }
	flag.Parse()
	var found []query
	for _, path := range flag.Args() {
		read := rules
		if strings.HasSuffix(path, ".json") {
			read = panels
		}
		queries, err := read(path)
		if err != nil {
			fmt.Fprintf(os.Stderr, "Error: %s: %v\n", path, err)
			os.Exit(1)
		}
		found = append(found, queries...)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(found); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func rules(path string) ([]query, error) {
	groups, problems := rulefmt.ParseFile(path, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.Default())
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	var out []query
	for _, group := range groups.Groups {
		for i := range group.Rules {
			q, err := parse(path, group.Rules[i].Alert+group.Rules[i].Record, group.Rules[i].Expr)
			if err != nil {
				return nil, err
			}
			out = append(out, q)
		}
	}
	return out, nil
}

func panels(path string) ([]query, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, err
	}
	var out []query
	add := func(place, expr string) error {
		q, err := parse(path, place, expr)
		out = append(out, q)
		return err
	}
	for _, variable := range d.Templating.List {
		if variable.Type != "query" {
			continue
		}
		expr, err := labelValues(variable.Query)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", variable.Name, err)
		}
		if err := add("variable "+variable.Name, expr); err != nil {
			return nil, err
		}
	}
	var walk func([]panel) error
	walk = func(panels []panel) error {
		for i := range panels {
			for _, target := range panels[i].Targets {
				if err := add("panel "+panels[i].Title, target.Expr); err != nil {
					return err
				}
			}
			if err := walk(panels[i].Panels); err != nil {
				return err
			}
		}
		return nil
	}
	return out, walk(d.Panels)
}

// labelValues is the query of a variable label_values(SELECTOR, LABEL), with
// the label as one that it groups by.
func labelValues(text json.RawMessage) (string, error) {
	var query struct {
		Query string `json:"query"`
	}
	if err := json.Unmarshal(text, &query); err != nil {
		return "", err
	}
	match := regexp.MustCompile(`^label_values\((.*), *(\w+)\)$`).FindStringSubmatch(query.Query)
	if match == nil {
		return "", fmt.Errorf("%q is not label_values(SELECTOR, LABEL)", query.Query)
	}
	return "group by (" + match[2] + ") (" + match[1] + ")", nil
}

// Grafana puts durations and the chosen values in the place of these.
var (
	durations = regexp.MustCompile(`\$__(rate_interval|interval|range)\b`)
	variables = regexp.MustCompile(`\$\{?\w+\}?`)
)

func parse(path, place, expr string) (query, error) {
	q := query{File: path, Place: place, Expr: expr, Groups: []string{}}
	plain := variables.ReplaceAllString(durations.ReplaceAllString(expr, "5m"), ".+")
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(plain)
	if err != nil {
		return q, fmt.Errorf("%s: %s: %w", place, expr, err)
	}
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			q.Selectors = append(q.Selectors, selected(n))
		case *parser.AggregateExpr:
			q.Groups = append(q.Groups, n.Grouping...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				q.Groups = append(append(q.Groups, n.VectorMatching.MatchingLabels...), n.VectorMatching.Include...)
			}
		}
		return nil
	})
	if len(q.Selectors) == 0 {
		return q, fmt.Errorf("%s: %s asks for no metric", place, expr)
	}
	return q, nil
}

func selected(v *parser.VectorSelector) selector {
	s := selector{Metric: v.Name, Labels: []string{}, Values: map[string]string{}}
	for _, matcher := range v.LabelMatchers {
		if matcher.Name == model.MetricNameLabel {
			s.Metric = matcher.Value
			continue
		}
		s.Labels = append(s.Labels, matcher.Name)
		if matcher.Type == labels.MatchEqual {
			s.Values[matcher.Name] = matcher.Value
		}
	}
	return s
}
