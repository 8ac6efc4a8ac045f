package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/spelling"
)

// maxFieldEdits is how far a field or a value may be from what was meant.
const maxFieldEdits = 3

// nearest is the word that was probably meant, "" where none is near.
func nearest(word string, words []string) string {
	for _, w := range words {
		if strings.EqualFold(w, word) {
			return w
		}
	}
	return spelling.Closest(word, words, maxFieldEdits)
}

// didYouMean is the end of a message, "" where nothing is near.
func didYouMean(word string, words []string) string {
	if meant := nearest(word, words); meant != "" {
		return fmt.Sprintf("; did you mean %s?", meant)
	}
	return ""
}

// unknownField reports a field that the schema doesn't have at that place.
func unknownField(path string, fieldsOf func(steps []string) []string) string {
	steps := pathSteps(path)
	if len(steps) == 0 {
		return path + ": unknown field"
	}
	last := len(steps) - 1
	return path + ": unknown field" + didYouMean(steps[last], fieldsOf(steps[:last]))
}

// fieldsOf are the fields that an object of a CRD's schema has at a place.
func (j *judge) fieldsOf(steps []string) []string {
	at := j.structural
	for _, step := range steps {
		if at = below(at, step); at == nil {
			return nil
		}
	}
	return slices.Sorted(maps.Keys(at.Properties))
}

func below(at *structuralschema.Structural, step string) *structuralschema.Structural {
	if property, found := at.Properties[step]; found {
		return &property
	}
	if at.AdditionalProperties != nil {
		return at.AdditionalProperties.Structural
	}
	return at.Items
}

// fieldsOfType are the fields that JSON of a Go type has at a place.
func fieldsOfType(t reflect.Type, steps []string) []string {
	t = element(t)
	for _, step := range steps {
		switch t.Kind() {
		case reflect.Slice, reflect.Map:
			t = element(t.Elem())
		case reflect.Struct:
			next, found := jsonFields(t)[step]
			if !found {
				return nil
			}
			t = element(next)
		default:
			return nil
		}
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return slices.Sorted(maps.Keys(jsonFields(t)))
}

func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func jsonFields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "" && name != "-" {
			out[name] = f.Type
		}
	}
	return out
}

// unsupported reports a value that is none of those that a field takes.
func unsupported(err *field.Error) string {
	var takes []string
	for _, match := range quoted.FindAllStringSubmatch(err.Detail, -1) {
		takes = append(takes, match[1])
	}
	value, _ := err.BadValue.(string)
	return err.ErrorBody() + didYouMean(value, takes)
}

// quoting says what to do about a value that YAML takes for another kind than the
// field's: `advertise: yes` is no text, and `asn: "64512"` no number.
func (e *entry) quoting(path, wanted, got string) string {
	written := e.written(path)
	switch {
	case wanted == "string" && (got == "boolean" || got == "integer" || got == "number"):
		return inQuotes(written)
	case (wanted == "integer" || wanted == "number") && got == "string" && isNumber(written),
		wanted == "boolean" && got == "string" && (written == "true" || written == "false"):
		return "; write it without quotes: " + written
	}
	return ""
}

func inQuotes(written string) string {
	if written == "" {
		return "; put it in quotes"
	}
	return fmt.Sprintf("; put it in quotes: %q", written)
}

func isNumber(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil
}

// maxWritten is how much of a value a message repeats.
const maxWritten = 64

// written is how a value of the object is written, "" for anything but a short one,
// and for values that must not appear in a log.
func (e *entry) written(path string) string {
	node := find(e.root, e.at(path))
	if node == nil || node.Kind != yamlv3.ScalarNode || len(node.Value) > maxWritten || e.kind() == "Secret" {
		return ""
	}
	return node.Value
}

// wrongType reports a value of a type that the schema doesn't allow there.
func (e *entry) wrongType(err *field.Error) string {
	text := describe(err)
	wanted, got, found := strings.Cut(text, ": ")
	if !found {
		return text
	}
	return text + e.quoting(err.Field, wanted[strings.LastIndex(wanted, " ")+1:], strings.Trim(got, `"`))
}

// jsonKinds are the schema's words for those of encoding/json.
var jsonKinds = map[string]string{"bool": "boolean", "number": "number", "string": "string"}

func (e *entry) wrongGoType(path string, err *json.UnmarshalTypeError) string {
	wanted := err.Type.String()
	switch err.Type.Kind() {
	case reflect.Int, reflect.Int32, reflect.Int64:
		wanted = "integer"
	case reflect.String, reflect.Bool:
		wanted = jsonKinds[err.Type.Kind().String()]
	default:
	}
	return fmt.Sprintf("%s: a %s can't be used here, it must be %s%s", path, err.Value, err.Type, e.quoting(path, wanted, jsonKinds[err.Value]))
}
