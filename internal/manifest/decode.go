package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kjson "sigs.k8s.io/json"
)

// decode turns the entry into its Go type, defaulted as the API server would.
func (e *entry) decode() (client.Object, Problems) {
	content, _ := e.value.(map[string]any)
	problems := e.metadata(content)
	if e.known.custom {
		problems = append(problems, e.schema(content)...)
		if len(problems) > 0 {
			return nil, problems
		}
	}
	object, found := e.typed(content, len(problems) > 0)
	if problems = append(problems, found...); len(problems) > 0 {
		return nil, problems
	}
	if e.known.custom && object.GetGeneration() == 0 {
		// The API server gives new custom objects generation 1.
		object.SetGeneration(1)
	}
	return object, nil
}

// metadata judges the part that all kinds share, and sets the namespace as
// kubectl does.
func (e *entry) metadata(content map[string]any) Problems {
	written, found := content["metadata"]
	if !found || written == nil {
		return Problems{e.problem("", "metadata.name is missing")}
	}
	if problems := e.unquoted(written); len(problems) > 0 {
		return problems
	}
	text, err := json.Marshal(written)
	if err != nil {
		return Problems{e.problem("metadata", "metadata can't be read: %v", err)}
	}
	var meta metav1.ObjectMeta
	strict, err := kjson.UnmarshalStrict(text, &meta)
	if err != nil {
		return Problems{e.typeProblem("metadata", err)}
	}
	problems := e.strictProblems("metadata", strict, &meta)
	if meta.Name == "" {
		// A generated name is not known before the object is created.
		return append(problems, e.problem("metadata", "metadata.name is missing"))
	}
	e.setNamespace(content, &meta)
	for _, err := range apimachineryvalidation.ValidateObjectMeta(&meta, e.known.namespaced,
		apimachineryvalidation.NameIsDNSSubdomain, field.NewPath("metadata")) {
		problems = append(problems, e.fieldProblem(err))
	}
	return problems
}

// unquoted finds labels and annotations whose values YAML doesn't take as
// text: the decoder would name only the first, and not by its key.
func (e *entry) unquoted(metadata any) Problems {
	var problems Problems
	fields, _ := metadata.(map[string]any)
	for _, name := range []string{"labels", "annotations"} {
		pairs, _ := fields[name].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(pairs)) {
			if _, isText := pairs[key].(string); !isText && pairs[key] != nil {
				path := fmt.Sprintf("metadata.%s[%s]", name, key)
				problems = append(problems, e.problem(path, "%s: must be text%s", path, inQuotes(e.written(path))))
			}
		}
	}
	return problems
}

func (e *entry) setNamespace(content map[string]any, meta *metav1.ObjectMeta) {
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		return
	}
	switch {
	case e.known.namespaced && meta.Namespace == "":
		meta.Namespace = metav1.NamespaceDefault
		metadata["namespace"] = meta.Namespace
	case !e.known.namespaced && meta.Namespace != "":
		meta.Namespace = ""
		delete(metadata, "namespace")
	}
}

// typed decodes the content. A CRD's schema has judged the fields of custom
// objects already, and it may be wider than the Go type.
func (e *entry) typed(content map[string]any, withoutMetadata bool) (client.Object, Problems) {
	object := e.known.new()
	if u, untyped := object.(*unstructured.Unstructured); untyped {
		u.Object = content
		return u, nil
	}
	if withoutMetadata {
		content = maps.Clone(content)
		delete(content, "metadata")
	}
	text, err := json.Marshal(content)
	if err != nil {
		return nil, Problems{e.problem("", "can't be read: %v", err)}
	}
	if e.known.custom {
		if err := kjson.UnmarshalCaseSensitivePreserveInts(text, object); err != nil {
			return nil, Problems{e.typeProblem("", err)}
		}
		return object, nil
	}
	strict, err := kjson.UnmarshalStrict(text, object)
	if err != nil {
		return nil, Problems{e.typeProblem("", err)}
	}
	if fromCluster(content) {
		for _, err := range strict {
			if match := strictError.FindStringSubmatch(err.Error()); len(match) > 2 && match[1] == "unknown" {
				e.unknown = append(e.unknown, match[2])
			}
		}
		strict = nil
	}
	return object, e.strictProblems("", strict, object)
}

// fromCluster reports whether an API server stored the object, as one of a dump. It
// took the object as it is: a field that is not known here is one of a newer
// release, and no typing error.
func fromCluster(content map[string]any) bool {
	metadata, _ := content["metadata"].(map[string]any)
	uid, _ := metadata["uid"].(string)
	version, _ := metadata["resourceVersion"].(string)
	fields, _ := metadata["managedFields"].([]any)
	return uid != "" || version != "" || len(fields) > 0
}

var (
	strictError = regexp.MustCompile(`^(unknown|duplicate) field "(.*)"$`)
	quoted      = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
)

// strictProblems are those with the fields of a Go value that starts at prefix.
func (e *entry) strictProblems(prefix string, errs []error, value any) Problems {
	var problems Problems
	fieldsOf := func(steps []string) []string {
		return fieldsOfType(reflect.TypeOf(value), steps[len(pathSteps(prefix)):])
	}
	for i, err := range errs {
		if i > maxProblems {
			return append(problems, make(Problems, len(errs)-i)...)
		}
		path, message := prefix, orObject(prefix)+": "+err.Error()
		if match := strictError.FindStringSubmatch(err.Error()); match != nil {
			path = join(prefix, match[2])
			message = path + ": duplicate field"
			if match[1] == "unknown" {
				message = unknownField(path, fieldsOf)
			}
		}
		problems = append(problems, e.problem(path, "%s", message))
	}
	return problems
}

// typeProblem reports a value of the wrong Go type. Not all such errors name the
// field; then the value that they quote leads to the line.
func (e *entry) typeProblem(prefix string, err error) Problem {
	var typeError *json.UnmarshalTypeError
	if errors.As(err, &typeError) && typeError.Field != "" {
		path := join(prefix, typeError.Field)
		return e.problem(path, "%s", e.wrongGoType(path, typeError))
	}
	problem := e.problem(prefix, "%v", err)
	// The last quote is the value as a whole: `unknown unit "x" in duration "30x"`.
	if quotes := quoted.FindAllStringSubmatch(err.Error(), -1); len(quotes) > 0 {
		if line := locateScalar(find(e.root, e.path), quotes[len(quotes)-1][1]); line > 0 {
			problem.Line = e.document.line + line - 1
		}
	}
	return problem
}

// fieldProblem reports a field error without dumping whole objects, as errors of
// CEL rules would.
func (e *entry) fieldProblem(err *field.Error) Problem {
	text := describe(err)
	switch err.Type {
	case field.ErrorTypeTypeInvalid:
		text = e.wrongType(err)
	case field.ErrorTypeNotSupported:
		text = unsupported(err)
	default:
	}
	return e.problem(err.Field, "%s: %s", orObject(err.Field), text)
}

func describe(err *field.Error) string {
	// The schema validator repeats the path in front of each message.
	detail := strings.TrimPrefix(err.Detail, err.Field+" in body ")
	switch err.Type {
	case field.ErrorTypeRequired:
		return strings.TrimSuffix("is required: "+detail, ": ")
	case field.ErrorTypeTypeInvalid:
		return detail
	case field.ErrorTypeInvalid:
		switch value := err.BadValue.(type) {
		case string:
			return fmt.Sprintf("%s (it is %q)", detail, value)
		case bool, int, int32, int64, uint32, float64:
			return fmt.Sprintf("%s (it is %v)", detail, value)
		}
		return detail
	}
	return err.ErrorBody()
}

func orObject(path string) string {
	if path == "" || path == "<nil>" {
		return "the object"
	}
	return path
}

func join(prefix, path string) string {
	switch {
	case prefix == "":
		return path
	case path == "" || strings.HasPrefix(path, "["):
		return prefix + path
	}
	return prefix + "." + path
}
