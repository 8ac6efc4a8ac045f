package manifest

import (
	"fmt"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// maxListDepth bounds Lists of Lists, which no one writes on purpose.
const maxListDepth = 5

// entry is one object of a document, which is the whole document or an item
// of its List.
type entry struct {
	document *document
	root     *yamlv3.Node
	// path leads from the document to the object; empty for the document.
	path  string
	value any
	known kind
	skip  bool
	// unknown are fields of an object from a cluster that are not known here.
	unknown []string
}

// at leads from the document to a field of the object; "" is the object.
func (e *entry) at(field string) string {
	if field == "" {
		return e.path
	}
	return join(e.path, field)
}

// position is where a field of the object is written; "" is the object.
func (e *entry) position(field string) Position {
	return Position{
		File:     e.document.file,
		Document: e.document.number,
		Line:     e.document.line + locate(e.root, e.at(field)) - 1,
	}
}

func (e *entry) problem(field, format string, args ...any) Problem {
	return Problem{Position: e.position(field), Object: e.title(), Message: fmt.Sprintf(format, args...)}
}

func (e *entry) kind() string {
	object, _ := e.value.(map[string]any)
	kind, _ := object["kind"].(string)
	return kind
}

// title is how messages call the object, "" while nothing is known of it.
func (e *entry) title() string {
	object, _ := e.value.(map[string]any)
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	if e.kind() == "" {
		return ""
	}
	if namespace, _ := metadata["namespace"].(string); namespace != "" && name != "" {
		name = namespace + "/" + name
	}
	return strings.TrimSpace(e.kind() + " " + name)
}

// expand finds out what the entry is, and opens Lists.
func (d *document) expand(e entry, depth int) ([]entry, Problems) {
	object, ok := e.value.(map[string]any)
	if !ok {
		return nil, Problems{e.problem("", "is not an object with apiVersion and kind")}
	}
	gvk, problems := e.groupVersionKind(object)
	if len(problems) > 0 {
		return nil, problems
	}
	if items, isList := object["items"].([]any); isList && strings.HasSuffix(gvk.Kind, "List") {
		return d.items(e, gvk, items, depth)
	}
	if gvk == (schema.GroupVersionKind{Version: "v1", Kind: "List"}) {
		return nil, Problems{e.problem("items", "items of a List must be a list of objects")}
	}
	known, skip, err := classify(gvk)
	if err != nil {
		return nil, Problems{e.problem("kind", "%v", err)}
	}
	e.known, e.skip = known, skip || encrypted(gvk, object)
	return []entry{e}, nil
}

// encrypted reports whether the object is a Secret that SOPS encrypted for a
// repository: what an API server would get is somewhere else.
func encrypted(gvk schema.GroupVersionKind, object map[string]any) bool {
	return gvk == corev1.SchemeGroupVersion.WithKind("Secret") && object["sops"] != nil
}

func (e *entry) groupVersionKind(object map[string]any) (schema.GroupVersionKind, Problems) {
	var problems Problems
	read := func(name string) string {
		switch value := object[name].(type) {
		case nil:
			problems = append(problems, e.problem("", "%s is missing", name))
		case string:
			if value == "" {
				problems = append(problems, e.problem(name, "%s is empty", name))
			}
			return value
		default:
			problems = append(problems, e.problem(name, "%s must be a string", name))
		}
		return ""
	}
	apiVersion, kind := read("apiVersion"), read("kind")
	version, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		problems = append(problems, e.problem("apiVersion", "apiVersion %q must be a version or group/version", apiVersion))
	}
	return version.WithKind(kind), problems
}

// items expands a List. Items of a typed list, such as NodeList, may leave out
// what the list already says.
func (d *document) items(e entry, gvk schema.GroupVersionKind, items []any, depth int) ([]entry, Problems) {
	if depth == maxListDepth {
		return nil, Problems{e.problem("", "Lists are nested more than %d deep", maxListDepth)}
	}
	var entries []entry
	var problems Problems
	for i, item := range items {
		path := fmt.Sprintf("items[%d]", i)
		if e.path != "" {
			path = e.path + "." + path
		}
		if object, ok := item.(map[string]any); ok && gvk.Kind != "List" {
			if object["kind"] == nil {
				object["kind"] = strings.TrimSuffix(gvk.Kind, "List")
			}
			if object["apiVersion"] == nil {
				object["apiVersion"] = gvk.GroupVersion().String()
			}
		}
		inner, found := d.expand(entry{document: d, root: e.root, path: path, value: item}, depth+1)
		entries = append(entries, inner...)
		problems = append(problems, found...)
	}
	return entries, problems
}
