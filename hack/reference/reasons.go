package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Directives at blocks of constants say what the constants are:
//
//	//reference:conditions KIND           types of conditions
//	//reference:reasons KIND CONDITION…   reasons of one or more conditions
//	//reference:skipped                   why routes are skipped
//
// The comment of a reason is "STATUS: meaning. Do: what to do.", with several
// statuses as "False or Unknown", and where the block is for several conditions
// with the condition before the status: "Rendered False, FRRConfigured False".
const directive = "//reference:"

// reason is a reason, or with an empty name the condition itself.
type reason struct {
	kind, condition, status, name, meaning, action string
}

// declared are all that carry a directive.
type declared struct {
	conditions, reasons, skipped []reason
}

// folders are where constants with directives may be.
var folders = []string{"api", "internal"}

func writeReasons(out io.Writer) error {
	var found declared
	for _, folder := range folders {
		if err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			return found.read(path)
		}); err != nil {
			return err
		}
	}
	if err := found.check(); err != nil {
		return err
	}
	_, _ = fmt.Fprint(out, "## Conditions and reasons\n\n")
	for _, kind := range found.kinds() {
		_, _ = fmt.Fprintf(out, "### Of %s\n\n", kind)
		for _, c := range found.conditions {
			if c.kind == kind {
				_, _ = fmt.Fprintf(out, "**%s** %s\n\n", c.name, c.meaning)
				found.writeCondition(out, c)
			}
		}
	}
	_, _ = fmt.Fprint(out, "### Why routes are skipped\n\nIn `status.networks[].skipped` of a NodeRouteState, in `agent routes` and in `ovnbgp_agent_routes_skipped`.\n\n| reason | text | what to do |\n|---|---|---|\n")
	for _, r := range found.skipped {
		_, _ = fmt.Fprintf(out, "| `%s` | %s | %s |\n", r.name, r.meaning, r.action)
	}
	_, _ = fmt.Fprintln(out)
	return nil
}

func (d *declared) writeCondition(out io.Writer, c reason) {
	_, _ = fmt.Fprint(out, "| status | reason | text | what to do |\n|---|---|---|---|\n")
	for _, r := range d.reasons {
		if r.kind == c.kind && r.condition == c.name {
			_, _ = fmt.Fprintf(out, "| %s | `%s` | %s | %s |\n", r.status, r.name, r.meaning, r.action)
		}
	}
	_, _ = fmt.Fprintln(out)
}

// kinds are those with conditions, the one that people meet first at the top.
func (d *declared) kinds() []string {
	var out []string
	for _, c := range d.conditions {
		if !slices.Contains(out, c.kind) {
			out = append(out, c.kind)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return -cmp.Compare(a, b) })
	return out
}

// check finds conditions without reasons, and the other way round.
func (d *declared) check() error {
	var problems []error
	same := func(a, b reason) bool { return a.kind == b.kind && a.name == b.condition }
	for _, c := range d.conditions {
		if !slices.ContainsFunc(d.reasons, func(r reason) bool { return same(c, r) }) {
			problems = append(problems, fmt.Errorf("the condition %s of %s has no reasons", c.name, c.kind))
		}
	}
	for _, r := range d.reasons {
		if !slices.ContainsFunc(d.conditions, func(c reason) bool { return same(c, r) }) {
			problems = append(problems, fmt.Errorf("the reason %s is of %s's condition %s, which is not declared", r.name, r.kind, r.condition))
		}
	}
	if len(d.conditions) == 0 || len(d.skipped) == 0 {
		problems = append(problems, errors.New("no constants with directives were found: run this in the repository's root"))
	}
	return errors.Join(problems...)
}

func (d *declared) read(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		block, ok := declaration.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST || block.Doc == nil {
			continue
		}
		for _, line := range block.Doc.List {
			if text, found := strings.CutPrefix(line.Text, directive); found {
				if err := d.readBlock(strings.Fields(text), block); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
		}
	}
	return nil
}

func (d *declared) readBlock(words []string, block *ast.GenDecl) error {
	for _, spec := range block.Specs {
		constant := spec.(*ast.ValueSpec)
		literal, ok := constant.Values[0].(*ast.BasicLit)
		if !ok {
			return fmt.Errorf("%s is no literal", constant.Names[0])
		}
		name, err := strconv.Unquote(literal.Value)
		if err != nil || name == "" {
			continue
		}
		text := strings.Join(strings.Fields(constant.Doc.Text()), " ")
		switch {
		case words[0] == "conditions" && len(words) == 2:
			text = strings.TrimPrefix(text, constant.Names[0].Name+" ")
			d.conditions = append(d.conditions, reason{kind: words[1], name: name, meaning: cell(text)})
		case words[0] == "reasons" && len(words) > 2:
			reasons, err := readReasons(words[1], words[2:], name, text)
			if err != nil {
				return err
			}
			d.reasons = append(d.reasons, reasons...)
		case words[0] == "skipped" && len(words) == 1:
			meaning, action, found := strings.Cut(text, " Do: ")
			if !found {
				return fmt.Errorf("the comment of %s is not of the form \"meaning. Do: what to do.\"", name)
			}
			d.skipped = append(d.skipped, reason{name: name, meaning: cell(meaning), action: cell(upper(action))})
		default:
			return fmt.Errorf("the directive %q is not known", strings.Join(words, " "))
		}
	}
	return nil
}

var reasonText = regexp.MustCompile(`^([A-Za-z, ]+): (.+) Do: (.+)$`)

func readReasons(kind string, conditions []string, name, text string) (out []reason, err error) {
	malformed := fmt.Errorf("the comment of %s is not of the form \"STATUS: meaning. Do: what to do.\": %q", name, text)
	parts := reasonText.FindStringSubmatch(text)
	if parts == nil {
		return nil, malformed
	}
	for subject := range strings.SplitSeq(parts[1], ", ") {
		r := reason{kind: kind, condition: conditions[0], status: subject, name: name, meaning: cell(upper(parts[2])), action: cell(upper(parts[3]))}
		if len(conditions) > 1 {
			var found bool
			if r.condition, r.status, found = strings.Cut(subject, " "); !found || !slices.Contains(conditions, r.condition) {
				return nil, malformed
			}
		}
		for status := range strings.SplitSeq(r.status, " or ") {
			if status != "True" && status != "False" && status != "Unknown" {
				return nil, malformed
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// upper begins a sentence.
func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
