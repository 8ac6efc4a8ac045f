package manifest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Object is an object with the place where it was written.
type Object struct {
	client.Object
	Position
}

// Skipped is an object of a kind that has no part in a plan.
type Skipped struct {
	Position
	// Kind is empty for files that belong to a tool, as kustomization.yaml.
	Kind string
}

// Set is what was read, in the order of files and documents.
type Set struct {
	Items   []Object
	Skipped []Skipped
	// unknown are objects of a cluster that have fields which are not known here,
	// by kind and fields.
	unknown map[string]int
}

// Load reads the manifests of all paths: files, directories with all that is
// below them, and "-" for stdin. The error is of type Problems and has all of
// them; the set then holds what could be read.
func Load(paths []string, stdin io.Reader) (*Set, error) {
	l := loader{set: &Set{}, seen: map[identity]int{}}
	for _, path := range paths {
		l.path(path, stdin)
	}
	if len(l.problems) > 0 {
		return l.set, l.problems
	}
	return l.set, nil
}

type identity struct {
	schema.GroupKind
	client.ObjectKey
}

type loader struct {
	set      *Set
	problems Problems
	// seen has the place of each object in the set.
	seen map[identity]int
}

// file reads one file's contents. It has no part in how they were opened, so
// that the fuzzer can feed it.
func (l *loader) file(name string, contents []byte) {
	var problems Problems
	documents, err := split(contents)
	if err != nil {
		l.problems = append(l.problems, Problem{Position: Position{File: name}, Message: err.Error()})
		return
	}
	for i := range documents {
		d := &documents[i]
		d.file = name
		entries, found := d.entries()
		problems = append(problems, found...)
		for _, entry := range entries {
			problems = append(problems, l.entry(entry)...)
		}
	}
	problems.sortWithin()
	l.problems = append(l.problems, problems.capped(maxAllProblems, "this file")...)
}

func (l *loader) entry(e entry) Problems {
	if e.skip {
		l.set.Skipped = append(l.set.Skipped, Skipped{Position: e.position(""), Kind: e.kind()})
		return nil
	}
	object, problems := e.decode()
	if len(problems) > 0 {
		return problems.capped(maxProblems, "this object")
	}
	if len(e.unknown) > 0 {
		l.set.noteUnknown(e.kind(), e.unknown)
	}
	return l.add(Object{Object: object, Position: e.position("")}, e.title())
}

// add takes an object once. The same object may be written in several places
// as long as it is the same: stories that build on each other repeat things,
// and a plan's output repeats its input with another status.
func (l *loader) add(o Object, title string) Problems {
	id := identity{o.GetObjectKind().GroupVersionKind().GroupKind(), client.ObjectKeyFromObject(o.Object)}
	at, found := l.seen[id]
	if !found {
		l.seen[id] = len(l.set.Items)
		l.set.Items = append(l.set.Items, o)
		return nil
	}
	before := &l.set.Items[at]
	same, err := merge(before, &o)
	if err != nil {
		return Problems{{Position: o.Position, Object: title, Message: err.Error()}}
	}
	if same {
		return nil
	}
	return Problems{{
		Position: o.Position,
		Object:   title,
		Message:  fmt.Sprintf("is written differently at %s; keep one of them", before.Position),
	}}
}

// merge reports whether two objects are the same, and keeps in the first one
// the status that either of them has.
func merge(first, second *Object) (same bool, err error) {
	a, err := runtime.DefaultUnstructuredConverter.ToUnstructured(first.Object)
	if err != nil {
		return false, err
	}
	b, err := runtime.DefaultUnstructuredConverter.ToUnstructured(second.Object)
	if err != nil {
		return false, err
	}
	statusA, statusB := a["status"], b["status"]
	delete(a, "status")
	delete(b, "status")
	switch {
	case !apiequality.Semantic.DeepEqual(a, b):
		return false, nil
	case isEmpty(statusA):
		first.Object = second.Object
		return true, nil
	default:
		return isEmpty(statusB) || apiequality.Semantic.DeepEqual(statusA, statusB), nil
	}
}

func isEmpty(status any) bool {
	fields, _ := status.(map[string]any)
	return len(fields) == 0
}

// Notes say, for people, what was skipped: one per file and kind.
func (s *Set) Notes() []string {
	type group struct{ file, kind string }
	counts := map[group]int{}
	var order []group
	for i := range s.Skipped {
		g := group{s.Skipped[i].File, s.Skipped[i].Kind}
		if counts[g] == 0 {
			order = append(order, g)
		}
		counts[g]++
	}
	notes := make([]string, 0, len(order))
	for _, g := range order {
		switch {
		case g.kind == "":
			notes = append(notes, fmt.Sprintf("%s: skipped, as it is kustomize's own", g.file))
		case counts[g] > 1:
			notes = append(notes, fmt.Sprintf("%s: skipped %d of kind %s, which have no part in a plan", g.file, counts[g], g.kind))
		default:
			notes = append(notes, fmt.Sprintf("%s: skipped 1 of kind %s, which has no part in a plan", g.file, g.kind))
		}
	}
	for _, text := range slices.Sorted(maps.Keys(s.unknown)) {
		notes = append(notes, fmt.Sprintf("%d %s; this version does not know them, and plans without them", s.unknown[text], text))
	}
	return notes
}

// maxUnknown is how many unknown fields of an object a note names.
const maxUnknown = 5

func (s *Set) noteUnknown(kind string, fields []string) {
	if s.unknown == nil {
		s.unknown = map[string]int{}
	}
	named := fields
	if len(named) > maxUnknown {
		named = append(slices.Clone(named[:maxUnknown]), fmt.Sprintf("and %d more", len(fields)-maxUnknown))
	}
	s.unknown["of kind "+kind+" have the fields "+strings.Join(named, ", ")]++
}
