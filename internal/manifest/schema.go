package manifest

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/config/crd"
)

// frrK8sCRDs are copies from the frr-k8s module, which has no Go package that
// would hand them out.
//
//go:embed crds/*.yaml
var frrK8sCRDs embed.FS

// judge applies one version of a CRD to objects, as the API server does on
// creation.
type judge struct {
	structural *structuralschema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// schema defaults the content in place and returns what the CRD has against
// it.
func (e *entry) schema(content map[string]any) Problems {
	gvk := schema.FromAPIVersionAndKind(content["apiVersion"].(string), e.kind())
	judge, err := judgeFor(gvk)
	if err != nil {
		return Problems{e.problem("", "%v", err)}
	}
	fillTimes(content)
	var problems Problems
	// To find a line takes as long as the document is large.
	unknown := judge.prune(content)
	if fromCluster(content) {
		e.unknown, unknown = unknown, nil
	}
	for i, path := range unknown {
		if i > maxProblems {
			return append(problems, make(Problems, len(unknown)-i)...)
		}
		problems = append(problems, e.problem(path, "%s", unknownField(path, judge.fieldsOf)))
	}
	for _, err := range judge.validate(content) {
		problems = append(problems, e.fieldProblem(err))
	}
	return problems
}

// fillTimes dates conditions that say nothing of their time, which CRDs
// require: the plan prints none, so that equal plans are equal, and has to take
// its own output.
func fillTimes(content map[string]any) {
	status, _ := content["status"].(map[string]any)
	conditions, _ := status["conditions"].([]any)
	for _, condition := range conditions {
		if fields, ok := condition.(map[string]any); ok && fields["lastTransitionTime"] == nil {
			fields["lastTransitionTime"] = "1970-01-01T00:00:00Z"
		}
	}
}

// prune removes unknown fields, sets defaults, and returns the paths of what
// it removed.
func (j *judge) prune(content map[string]any) []string {
	unknown := pruning.PruneWithOptions(content, j.structural, true,
		structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	defaulting.PruneNonNullableNullsWithoutDefaults(content, j.structural)
	defaulting.Default(content, j.structural)
	return unknown
}

func (j *judge) validate(content map[string]any) field.ErrorList {
	ctx := context.Background()
	errs := validation.ValidateCustomResource(nil, content, j.validator)
	errs = append(errs, objectmeta.Validate(ctx, nil, content, j.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, j.structural, content)...)
	if j.rules != nil && !blocksRules(errs) {
		found, _ := j.rules.Validate(ctx, nil, j.structural, content, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, found...)
	}
	return errs
}

// blocksRules reports whether CEL rules would run into values that they were
// not written for; the API server leaves them out then, too.
func blocksRules(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong,
			field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}

// judges are made on first use: compiling CEL rules takes its time.
var judges sync.Map

func judgeFor(gvk schema.GroupVersionKind) (*judge, error) {
	made, _ := judges.LoadOrStore(gvk, sync.OnceValues(func() (*judge, error) { return newJudge(gvk) }))
	return made.(func() (*judge, error))()
}

func newJudge(gvk schema.GroupVersionKind) (*judge, error) {
	definition, err := definitionOf(gvk)
	if err != nil {
		return nil, err
	}
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(definition, &internal, nil); err != nil {
		return nil, fmt.Errorf("the CRD of %s can't be used: %w", gvk.Kind, err)
	}
	structural, err := structuralschema.NewStructural(&internal)
	if err != nil {
		return nil, fmt.Errorf("the CRD of %s can't be used: %w", gvk.Kind, err)
	}
	validator, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, fmt.Errorf("the CRD of %s can't be used: %w", gvk.Kind, err)
	}
	return &judge{
		structural: structural,
		validator:  validator,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
}

// definitionOf finds the schema of a kind among the CRDs that come with this
// program.
func definitionOf(gvk schema.GroupVersionKind) (*apiextensionsv1.JSONSchemaProps, error) {
	definitions, err := definitions()
	if err != nil {
		return nil, err
	}
	for i := range definitions {
		spec := &definitions[i].Spec
		if spec.Group != gvk.Group || spec.Names.Kind != gvk.Kind {
			continue
		}
		for j := range spec.Versions {
			if spec.Versions[j].Name == gvk.Version && spec.Versions[j].Schema != nil {
				return spec.Versions[j].Schema.OpenAPIV3Schema, nil
			}
		}
	}
	return nil, fmt.Errorf("this program has no CRD of %s", gvk)
}

var definitions = sync.OnceValues(func() ([]apiextensionsv1.CustomResourceDefinition, error) {
	var all []apiextensionsv1.CustomResourceDefinition
	for _, files := range []fs.FS{crd.Bases, frrK8sCRDs} {
		err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(files, path)
			if err != nil {
				return err
			}
			var definition apiextensionsv1.CustomResourceDefinition
			if err := yaml.UnmarshalStrict(text, &definition); err != nil {
				return fmt.Errorf("CRD %s can't be read: %w", path, err)
			}
			all = append(all, definition)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
})
