package manifest

import (
	"strconv"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// locate returns the line, within the document, of what a field path such as
// spec.networkSelectors[0].networkSelectionType names. Where it isn't written,
// as for a missing field, the nearest field around it counts.
func locate(root *yamlv3.Node, path string) int {
	line, _ := walk(root, path)
	return line
}

// find returns what a field path names, or what is nearest around it.
func find(root *yamlv3.Node, path string) *yamlv3.Node {
	_, node := walk(root, path)
	return node
}

func walk(root *yamlv3.Node, path string) (line int, node *yamlv3.Node) {
	if root == nil {
		return 1, nil
	}
	node = content(root)
	line = node.Line
	steps := pathSteps(path)
	for len(steps) > 0 {
		key, value, taken := child(node, steps)
		if taken == 0 {
			break
		}
		line, node, steps = key.Line, content(value), steps[taken:]
	}
	return max(line, 1), node
}

// content looks through documents and aliases. YAML forbids an alias to
// something that holds it only in parsers that build values, hence the bound.
func content(node *yamlv3.Node) *yamlv3.Node {
	for range 100 {
		switch {
		case node.Kind == yamlv3.DocumentNode && len(node.Content) > 0:
			node = node.Content[0]
		case node.Kind == yamlv3.AliasNode && node.Alias != nil:
			node = node.Alias
		default:
			return node
		}
	}
	return node
}

// child finds the node that the first steps name, and how many steps that
// takes: a key that has dots is split up in paths.
func child(node *yamlv3.Node, steps []string) (key, value *yamlv3.Node, taken int) {
	switch node.Kind {
	case yamlv3.MappingNode:
		for taken := len(steps); taken > 0; taken-- {
			name := strings.Join(steps[:taken], ".")
			for i := 0; i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == name {
					return node.Content[i], node.Content[i+1], taken
				}
			}
		}
	case yamlv3.SequenceNode:
		if i, err := strconv.Atoi(steps[0]); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i], 1
		}
	}
	return nil, nil, 0
}

// pathSteps cuts a field path at its dots and brackets; a bracket's content
// stays whole.
func pathSteps(path string) []string {
	var steps []string
	for path != "" {
		if rest, found := strings.CutPrefix(path, "["); found {
			inner, after, _ := strings.Cut(rest, "]")
			steps, path = append(steps, inner), strings.TrimPrefix(after, ".")
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return append(steps, path)
		}
		if end > 0 {
			steps = append(steps, path[:end])
		}
		path = path[end:]
		path = strings.TrimPrefix(path, ".")
	}
	return steps
}

// locateScalar returns the line of the first scalar with this text, 0 without
// one. It serves errors of the Go types, which quote a value but no path.
func locateScalar(node *yamlv3.Node, text string) int {
	if node == nil {
		return 0
	}
	if node.Kind == yamlv3.ScalarNode && node.Value == text {
		return node.Line
	}
	for _, inner := range node.Content {
		if line := locateScalar(inner, text); line > 0 {
			return line
		}
	}
	return 0
}

type duplicateKey struct {
	key         string
	line, first int
}

// duplicateKeys finds keys that are set twice in one mapping, of which parsers
// silently drop one.
func duplicateKeys(node *yamlv3.Node) []duplicateKey {
	if node == nil {
		return nil
	}
	var found []duplicateKey
	if node.Kind == yamlv3.MappingNode {
		lines := map[string]int{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			if key.Kind != yamlv3.ScalarNode {
				continue
			}
			if first, twice := lines[key.Value]; twice {
				found = append(found, duplicateKey{key: key.Value, line: key.Line, first: first})
				continue
			}
			lines[key.Value] = key.Line
		}
	}
	for _, inner := range node.Content {
		found = append(found, duplicateKeys(inner)...)
	}
	return found
}
