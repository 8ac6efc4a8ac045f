package main

import (
	"fmt"
	"io"

	"github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/api/pkg/validation"
	interfaces "github.com/operator-framework/api/pkg/validation/interfaces"
)

// validators are all of operator-framework's that judge a bundle's folder. Left
// out are the one that pulls the image, the one for OperatorGroups, and those
// that their authors replaced.
var validators = []struct {
	name string
	interfaces.Validator
}{
	{"ClusterServiceVersionValidator", validation.ClusterServiceVersionValidator},
	{"CustomResourceDefinitionValidator", validation.CustomResourceDefinitionValidator},
	{"BundleValidator", validation.BundleValidator},
	{"OperatorHubV2Validator", validation.OperatorHubV2Validator},
	{"StandardCapabilitiesValidator", validation.StandardCapabilitiesValidator},
	{"StandardCategoriesValidator", validation.StandardCategoriesValidator},
	{"ObjectValidator", validation.ObjectValidator},
	{"AlphaDeprecatedAPIsValidator", validation.AlphaDeprecatedAPIsValidator},
	{"GoodPracticesValidator", validation.GoodPracticesValidator},
}

// validate prints what the validators say of the bundle in the folder, and
// fails on a warning as on an error.
func validate(folder string, out io.Writer) error {
	bundle, err := manifests.GetBundleFromDir(folder)
	if err != nil {
		return fmt.Errorf("bundle %s: %w", folder, err)
	}
	objects := bundle.ObjectsToValidate()
	found := 0
	for _, v := range validators {
		judged, complaints := 0, 0
		for _, result := range v.Validate(objects...) {
			judged++
			for _, problem := range append(result.Errors, result.Warnings...) {
				complaints++
				fmt.Fprintf(out, "%s: %s: %v\n", folder, v.name, problem)
			}
		}
		if judged == 0 {
			return fmt.Errorf("%s judged nothing of bundle %s", v.name, folder)
		}
		found += complaints
		fmt.Fprintf(out, "%s: %s: %d judged, %d errors and warnings\n", folder, v.name, judged, complaints)
	}
	if found > 0 {
		return fmt.Errorf("operator-framework's validators found %d problems in bundle %s", found, folder)
	}
	return nil
}
