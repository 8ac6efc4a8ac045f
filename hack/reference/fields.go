package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/config/crd"
)

// writeFields writes every field of every CRD that is installed.
func writeFields(out io.Writer) error {
	_, _ = fmt.Fprint(out, "## Fields\n\n")
	files, err := crd.Bases.ReadDir("bases")
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := crd.Bases.ReadFile("bases/" + file.Name())
		if err != nil {
			return err
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(content, &definition); err != nil {
			return fmt.Errorf("%s: %w", file.Name(), err)
		}
		if err := writeKind(out, &definition); err != nil {
			return fmt.Errorf("%s: %w", file.Name(), err)
		}
	}
	return nil
}

func writeKind(out io.Writer, d *apiextensionsv1.CustomResourceDefinition) error {
	names := d.Spec.Names
	for i := range d.Spec.Versions {
		v := &d.Spec.Versions[i]
		root := v.Schema.OpenAPIV3Schema
		_, _ = fmt.Fprintf(out, "### %s\n\n`%s/%s`, %s; `kubectl get %s`", names.Kind, d.Spec.Group, v.Name, strings.ToLower(string(d.Spec.Scope)), names.Plural)
		if len(names.ShortNames) > 0 {
			_, _ = fmt.Fprintf(out, " or `%s`", strings.Join(names.ShortNames, "`, `"))
		}
		_, _ = fmt.Fprintf(out, ". %s\n\n| field | type | text |\n|---|---|---|\n", cell(root.Description))
		for _, name := range []string{"spec", "status"} {
			if field, found := root.Properties[name]; found {
				if err := writeField(out, name, &field, slices.Contains(root.Required, name)); err != nil {
					return err
				}
			}
		}
		_, _ = fmt.Fprintln(out)
	}
	return nil
}

// wellKnown are types of Kubernetes' own, whose fields everybody knows: their
// schema says no more than their documentation.
func wellKnown(field *apiextensionsv1.JSONSchemaProps) string {
	has := func(s *apiextensionsv1.JSONSchemaProps, names ...string) bool {
		return s != nil && !slices.ContainsFunc(names, func(n string) bool { _, found := s.Properties[n]; return !found })
	}
	switch {
	case has(field, "matchLabels", "matchExpressions"):
		return "label selector"
	case field.Items != nil && has(field.Items.Schema, "lastTransitionTime", "reason", "status", "type"):
		return "conditions"
	default:
		return ""
	}
}

func writeField(out io.Writer, path string, field *apiextensionsv1.JSONSchemaProps, required bool) error {
	kind := wellKnown(field)
	inner := field
	if kind == "" {
		kind = field.Type
		if field.Items != nil {
			inner = field.Items.Schema
			kind = "list of " + inner.Type + "s"
		} else if field.AdditionalProperties != nil {
			kind = "map"
		}
		if field.Format != "" {
			kind += " (" + field.Format + ")"
		}
	}
	if field.Description == "" {
		return fmt.Errorf("the field %s has no description", path)
	}
	text := cell(field.Description)
	rules := constraints(field)
	if inner != field {
		rules = append(rules, constraints(inner)...)
	}
	if required {
		rules = append([]string{"required"}, rules...)
	}
	if len(rules) > 0 {
		text += " *" + strings.Join(rules, "; ") + "*"
	}
	_, _ = fmt.Fprintf(out, "| `%s` | %s | %s |\n", path, kind, text)
	if wellKnown(field) != "" {
		return nil
	}
	if inner != field {
		path += "[]"
	}
	for _, name := range slices.Sorted(maps.Keys(inner.Properties)) {
		child := inner.Properties[name]
		if err := writeField(out, path+"."+name, &child, slices.Contains(inner.Required, name)); err != nil {
			return err
		}
	}
	return nil
}

// constraints are what the API server checks.
func constraints(field *apiextensionsv1.JSONSchemaProps) (out []string) {
	if field.Default != nil {
		out = append(out, "default `"+string(field.Default.Raw)+"`")
	}
	var values []string
	for _, v := range field.Enum {
		var text string
		if json.Unmarshal(v.Raw, &text) != nil || text == "" {
			text = string(v.Raw)
		}
		values = append(values, "`"+text+"`")
	}
	if len(values) > 0 {
		out = append(out, "one of "+strings.Join(values, ", "))
	}
	limits := func(what string, least, most *int64) {
		switch {
		case least != nil && most != nil && *least == *most:
			out = append(out, fmt.Sprintf("exactly %d%s", *least, what))
		case least != nil && most != nil:
			out = append(out, fmt.Sprintf("%d to %d%s", *least, *most, what))
		case most != nil:
			out = append(out, fmt.Sprintf("at most %d%s", *most, what))
		case least != nil && *least > 0:
			out = append(out, fmt.Sprintf("at least %d%s", *least, what))
		}
	}
	whole := func(n *float64) *int64 {
		if n == nil {
			return nil
		}
		i := int64(*n)
		return &i
	}
	limits("", whole(field.Minimum), whole(field.Maximum))
	limits(" characters", field.MinLength, field.MaxLength)
	limits(" items", field.MinItems, field.MaxItems)
	for i := range field.XValidations {
		if message := field.XValidations[i].Message; message != "" {
			out = append(out, cell(message))
		}
	}
	return out
}
