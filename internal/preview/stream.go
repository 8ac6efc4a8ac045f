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
)

// YAML prints the FRRConfigurations and the RouteAdvertisements with their
// status as a stream of documents. Nothing is masked, so that it can be
// applied.
func (p *Preview) YAML(w io.Writer) error {
	documents, err := p.documents()
	if err != nil {
		return err
	}
	for i, document := range documents {
		text, err := yaml.Marshal(document)
		if err != nil {
			return err
		}
		if i > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// JSON prints the same as one v1 List.
func (p *Preview) JSON(w io.Writer) error {
	documents, err := p.documents()
	if err != nil {
		return err
	}
	list := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}, "items": documents}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

func (p *Preview) documents() ([]map[string]any, error) {
	documents := make([]map[string]any, 0, len(p.Configs)+len(p.RouteAdvertisements))
	for _, config := range p.Configs {
		document, err := content(config)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	for _, ra := range p.RouteAdvertisements {
		document, err := content(ra)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	return documents, nil
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
	conditions, _ := fields["conditions"].([]any)
	for _, condition := range conditions {
		if condition, ok := condition.(map[string]any); ok {
			delete(condition, "lastTransitionTime")
		}
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
