package preview

import (
	"encoding/json"
	"fmt"
	"io"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
)

// YAML prints the FRRConfigurations, and the RouteAdvertisements and policies with their
// status, as a stream of documents. Nothing is masked, so that it can be
// applied.
func (p *Preview) YAML(w io.Writer) error {
	separator := ""
	return p.each(func(document map[string]any) error {
		text, err := yaml.Marshal(document)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s%s", separator, text)
		separator = "---\n"
		return err
	})
}

// JSON prints the same as one v1 List. It goes item by item, because thousands
// of nodes don't fit into memory several times.
func (p *Preview) JSON(w io.Writer) error {
	out := &printer{w: w}
	out.printf("{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"metadata\": {},\n  \"items\": [")
	separator := "\n    "
	err := p.each(func(document map[string]any) error {
		text, err := json.MarshalIndent(document, "    ", "  ")
		if err != nil {
			return err
		}
		out.write(separator, string(text))
		separator = ",\n    "
		return out.err
	})
	if err != nil {
		return err
	}
	out.printf("\n  ]\n}\n")
	return out.err
}

func (p *Preview) each(print func(document map[string]any) error) error {
	show := func(object client.Object) error {
		document, err := content(object)
		if err != nil {
			return err
		}
		return print(document)
	}
	for _, config := range p.Configs {
		if err := show(config); err != nil {
			return err
		}
	}
	for _, ra := range p.RouteAdvertisements {
		if err := show(ra); err != nil {
			return err
		}
	}
	for _, policy := range p.Policies {
		if err := show(policy); err != nil {
			return err
		}
	}
	for _, policy := range p.Drains {
		if err := show(policy); err != nil {
			return err
		}
	}
	return nil
}

// content is an object without what only an API server can say, and without
// times, which would make two equal plans differ.
func content(object client.Object) (map[string]any, error) {
	out, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("%s can't be shown: %w", object.GetName(), err)
	}
	// Lists of a client come without kinds.
	switch object.(type) {
	case *ovnv1.RouteAdvertisements:
		out["apiVersion"], out["kind"] = ovnv1.GroupVersion.String(), "RouteAdvertisements"
	case *v1alpha1.RoutePolicy:
		out["apiVersion"], out["kind"] = v1alpha1.GroupVersion.String(), "RoutePolicy"
	case *v1alpha1.DrainPolicy:
		out["apiVersion"], out["kind"] = v1alpha1.GroupVersion.String(), "DrainPolicy"
	case *frrk8sv1beta1.FRRConfiguration:
		out["apiVersion"], out["kind"] = frrk8sv1beta1.GroupVersion.String(), "FRRConfiguration"
		dropEmpty(out)
	}
	metadata, _ := out["metadata"].(map[string]any)
	kept := map[string]any{}
	for _, key := range []string{"name", "namespace", "labels", "annotations"} {
		if value, found := metadata[key]; found {
			kept[key] = value
		}
	}
	out["metadata"] = kept
	settle(out)
	return out, nil
}

// settle removes from a status what is not of the plan.
func settle(out map[string]any) {
	fields, _ := out["status"].(map[string]any)
	reports := []any{fields}
	if ancestors, ok := fields["ancestors"].([]any); ok {
		reports = ancestors
	}
	for _, report := range reports {
		report, _ := report.(map[string]any)
		conditions, _ := report["conditions"].([]any)
		for _, condition := range conditions {
			if condition, ok := condition.(map[string]any); ok {
				delete(condition, "lastTransitionTime")
			}
		}
	}
	// How far a draining node is, only time tells.
	if out["kind"] == "DrainPolicy" {
		delete(fields, "nodes")
	}
	if len(fields) == 0 {
		delete(out, "status")
	}
}

// dropEmpty removes the empty objects that Go structs leave behind, such as
// "raw: {}". In an FRRConfiguration none of them says anything but the node
// selector, which says "all nodes".
func dropEmpty(fields map[string]any) {
	for key, value := range fields {
		switch value := value.(type) {
		case map[string]any:
			dropEmpty(value)
			if len(value) == 0 && key != "nodeSelector" {
				delete(fields, key)
			}
		case []any:
			for _, item := range value {
				if item, ok := item.(map[string]any); ok {
					dropEmpty(item)
				}
			}
		}
	}
}
