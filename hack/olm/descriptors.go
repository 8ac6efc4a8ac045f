package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// How a console shows a field.
const (
	asText       = "urn:alm:descriptor:text"
	asConditions = "urn:alm:descriptor:io.kubernetes.conditions"
	inForm       = "urn:alm:descriptor:com.tectonic.ui:"
)

// described is the CRD as the catalog shows it: with every field of spec and
// status, in the words of the CRD.
func (c *crd) described() (v1alpha1.CRDDescription, error) {
	served := &c.Spec.Versions[0]
	schema := served.Schema.OpenAPIV3Schema
	out := v1alpha1.CRDDescription{
		Name: c.Name, Version: served.Name, Kind: c.Spec.Names.Kind,
		DisplayName: displayName(c.Spec.Names.Kind), Description: oneLine(schema.Description),
	}
	if len(c.Spec.Versions) > 1 {
		return out, fmt.Errorf("CRD %s has several versions, and an example and descriptors for the first only", c.Name)
	}
	walk := walker{kind: c.Spec.Names.Kind}
	walk.fields(schema.Properties["spec"], "", func(f field) {
		out.SpecDescriptors = append(out.SpecDescriptors, v1alpha1.SpecDescriptor{
			Path: f.path, DisplayName: f.displayName, Description: f.description, XDescriptors: f.inForm(),
		})
	})
	walk.fields(schema.Properties["status"], "", func(f field) {
		out.StatusDescriptors = append(out.StatusDescriptors, v1alpha1.StatusDescriptor{
			Path: f.path, DisplayName: f.displayName, Description: f.description, XDescriptors: f.inStatus(),
		})
	})
	return out, walk.problem
}

// field is one of spec or status.
type field struct {
	name, parent, path       string
	displayName, description string
	schema                   apiextensionsv1.JSONSchemaProps
}

type walker struct {
	kind    string
	problem error
}

// fields visits all fields below a schema, by name. Of conditions and label
// selectors, which a console shows as a whole, it visits none below them.
func (w *walker) fields(schema apiextensionsv1.JSONSchemaProps, path string, visit func(field)) {
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		f := field{
			name: name, path: strings.TrimPrefix(path+"."+name, "."), parent: path[strings.LastIndex(path, ".")+1:],
			displayName: displayName(name), schema: schema.Properties[name],
		}
		f.description = oneLine(f.schema.Description)
		if f.description == "" && w.problem == nil {
			w.problem = fmt.Errorf("field %s of %s has no description", f.path, w.kind)
		}
		visit(f)
		if f.whole() {
			continue
		}
		below := f.path
		inner := f.schema
		if inner.Type == "array" {
			below, inner = below+"[0]", *inner.Items.Schema
		}
		w.fields(inner, below, visit)
	}
}

func (f *field) whole() bool { return f.conditions() || f.selector() }

func (f *field) conditions() bool {
	return f.name == "conditions" && f.schema.Type == "array"
}

func (f *field) selector() bool {
	_, labels := f.schema.Properties["matchLabels"]
	_, expressions := f.schema.Properties["matchExpressions"]
	return labels && expressions
}

// inForm says which control of a form is for the field.
func (f *field) inForm() []string {
	s := &f.schema
	switch {
	case f.selector():
		return []string{inForm + "selector:" + f.selects()}
	case s.Type == "boolean":
		return []string{inForm + "booleanSwitch"}
	case s.Type == "integer":
		return []string{inForm + "number"}
	case s.Type == "string" && len(s.Enum) > 0:
		var out []string
		for _, value := range s.Enum {
			out = append(out, inForm+"select:"+strings.Trim(string(value.Raw), `"`))
		}
		return out
	case s.Type == "string":
		return []string{inForm + "text"}
	case s.Type == "array" && s.Items.Schema.Type == "object":
		return []string{inForm + "arrayFieldGroup:" + f.path}
	case s.Type == "object":
		return []string{inForm + "fieldGroup:" + f.path}
	default:
		return nil
	}
}

func (f *field) inStatus() []string {
	switch {
	case f.conditions():
		return []string{asConditions}
	case f.schema.Type == "string" || f.schema.Type == "integer":
		return []string{asText}
	default:
		return nil
	}
}

// selects is what a label selector selects, as GROUP:VERSION:KIND.
func (f *field) selects() string {
	switch f.name {
	case "nodeSelector":
		return "core:v1:Node"
	case "namespaceSelector":
		return "core:v1:Namespace"
	case "podSelector":
		return "core:v1:Pod"
	case "frrConfigurationSelector":
		return "frrk8s.metallb.io:v1beta1:FRRConfiguration"
	}
	switch f.parent {
	case "networkAttachmentDefinitionSelector":
		return "k8s.cni.cncf.io:v1:NetworkAttachmentDefinition"
	case "secondaryUserDefinedNetworkSelector":
		return "k8s.ovn.org:v1:UserDefinedNetwork"
	default:
		return "k8s.ovn.org:v1:ClusterUserDefinedNetwork"
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
