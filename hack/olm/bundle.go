package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/blang/semver/v4"
	"github.com/operator-framework/api/pkg/lib/version"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// The channel says what to expect of what is in it.
const channel = "candidate"

// annotations tell a catalog what a bundle is. The image's labels say the same.
func (e *edition) annotations() [][2]string {
	const prefix = "operators.operatorframework.io.bundle."
	return [][2]string{
		{prefix + "mediatype.v1", "registry+v1"},
		{prefix + "manifests.v1", "manifests/"},
		{prefix + "metadata.v1", "metadata/"},
		{prefix + "package.v1", e.packageName},
		{prefix + "channels.v1", channel},
		{prefix + "channel.default.v1", channel},
	}
}

func (s *sources) bundle(e *edition, release, image string) (*bundle, error) {
	csv, err := s.csv(e, release, image)
	if err != nil {
		return nil, err
	}
	b := &bundle{name: e.name, files: map[string][]byte{}}
	if b.files["manifests/"+e.packageName+".clusterserviceversion.yaml"], err = manifest(csv); err != nil {
		return nil, err
	}
	for i := range s.crds {
		if e.owns(&s.crds[i]) {
			b.files["manifests/"+s.crds[i].file] = s.crds[i].text
		}
	}
	for i := range s.extra {
		o := &s.extra[i]
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			return nil, err
		}
		b.files[fmt.Sprintf("manifests/%s.%s.yaml", o.GetName(), strings.ToLower(o.GetKind()))] = text
	}
	var annotations, dockerfile bytes.Buffer
	fmt.Fprintln(&annotations, "annotations:")
	fmt.Fprintln(&dockerfile, "FROM scratch")
	for _, a := range e.annotations() {
		fmt.Fprintf(&annotations, "  %s: %s\n", a[0], a[1])
		fmt.Fprintf(&dockerfile, "LABEL %s=%s\n", a[0], a[1])
	}
	fmt.Fprint(&dockerfile, "COPY manifests /manifests/\nCOPY metadata /metadata/\n")
	b.files["metadata/annotations.yaml"] = annotations.Bytes()
	b.files["bundle.Dockerfile"] = dockerfile.Bytes()
	return b, nil
}

func (s *sources) csv(e *edition, release, image string) (*v1alpha1.ClusterServiceVersion, error) {
	csv := s.base.DeepCopy()
	parsed, err := semver.Parse(release)
	if err != nil {
		return nil, fmt.Errorf("--version: %w", err)
	}
	csv.Name = e.packageName + ".v" + release
	csv.Spec.Version = version.OperatorVersion{Version: parsed}
	csv.Spec.DisplayName = e.displayName
	csv.Spec.Description = strings.TrimSpace(csv.Spec.Description) + "\n\n" + e.sentence + "\n"
	csv.Spec.Icon = []v1alpha1.Icon{{Data: base64.StdEncoding.EncodeToString(s.icon), MediaType: "image/svg+xml"}}
	csv.Spec.NativeAPIs = e.needs
	csv.Spec.RelatedImages = []v1alpha1.RelatedImage{{Name: "ovn-bgp-operator", Image: image}}
	csv.Spec.InstallStrategy = v1alpha1.NamedInstallStrategy{
		StrategyName: v1alpha1.InstallStrategyNameDeployment,
		StrategySpec: s.strategy(image),
	}
	csv.Spec.WebhookDefinitions = s.webhooks()
	examples := []unstructured.Unstructured{}
	for i := range s.crds {
		c := &s.crds[i]
		if !e.owns(c) {
			continue
		}
		owned, err := c.described()
		if err != nil {
			return nil, err
		}
		csv.Spec.CustomResourceDefinitions.Owned = append(csv.Spec.CustomResourceDefinitions.Owned, owned)
		example, found := s.examples[c.Spec.Names.Kind]
		if !found {
			return nil, fmt.Errorf("there is no example of a %s: put one into config/olm/base/examples", c.Spec.Names.Kind)
		}
		examples = append(examples, example)
	}
	text, err := json.MarshalIndent(examples, "", "  ")
	if err != nil {
		return nil, err
	}
	csv.Annotations["alm-examples"] = string(text)
	csv.Annotations["containerImage"] = image
	// A newer version takes the place of any older one: versions in between
	// need not be installed, as the manager rewrites what an older one wrote.
	csv.Annotations["olm.skipRange"] = "<" + release
	return csv, nil
}

// manifest leaves out what is OLM's to write.
func manifest(csv *v1alpha1.ClusterServiceVersion) ([]byte, error) {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(csv)
	if err != nil {
		return nil, err
	}
	delete(object, "status")
	unstructured.RemoveNestedField(object, "spec", "cleanup")
	unstructured.RemoveNestedField(object, "spec", "apiservicedefinitions")
	return yaml.Marshal(object)
}
