package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/manifest"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// plan runs the command and returns what it prints.
func plan(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(context.Background(), append([]string{"plan"}, args...), strings.NewReader(""), &out, &errs); code != want {
		t.Fatalf("plan %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// One cluster, step by step: what is planned there equals what is planned from
// the same files, and nothing but the test writes to it.
func TestCluster(t *testing.T) {
	cluster := controlplane.StartForTest(t, controlplane.Options{})
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := cluster.WriteKubeconfig(kubeconfig); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := snapshot.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	direct, err := client.New(cluster.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	api := client.WithFieldValidation(direct, metav1.FieldValidationStrict)
	t.Chdir("testdata")

	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "frr-k8s-system"}}
	if err := api.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	set, err := manifest.Load([]string{"stories/cluster", "stories/default-import-export"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range set.Items {
		if err := api.Create(t.Context(), object.Object); err != nil {
			t.Fatalf("%s: %v", object.Position, err)
		}
	}

	live, _ := plan(t, exitFine, "--kubeconfig", kubeconfig)
	offline, _ := plan(t, exitFine, "-f", "stories/cluster", "-f", "stories/default-import-export")
	if live != offline {
		t.Errorf("the cluster's plan:\n%s\ndiffers from the files':\n%s", live, offline)
	}

	diff, _ := plan(t, exitFine, "--kubeconfig", kubeconfig, "-o", "diff")
	if !strings.Contains(diff, "--- /dev/null\n+++ plan/FRRConfiguration/frr-k8s-system/ovnbgp-worker-1\n") {
		t.Errorf("nothing is rendered yet, but the diff has no new objects:\n%s", diff)
	}
	carryOut(t, api, kubeconfig)
	if diff, _ = plan(t, exitFine, "--kubeconfig", kubeconfig, "-o", "diff"); diff != "" {
		t.Errorf("all is written, but the diff is:\n%s", diff)
	}

	diff, _ = plan(t, exitFine, "--kubeconfig", kubeconfig, "-f", "stories/cudn-leak-and-export", "-o", "diff", "--node", "worker-2")
	for _, want := range []string{
		"+++ plan/FRRConfiguration/frr-k8s-system/ovnbgp-worker-2\n", "+            - 22.100.0.0/16\n", "+      vrf: tlv\n",
		"+++ plan/RouteAdvertisements/default-tlv\n",
	} {
		if !strings.Contains(diff, want) {
			t.Errorf("the diff with a file on top lacks %q:\n%s", want, diff)
		}
	}
	if strings.Contains(diff, "ovnbgp-worker-1") || strings.Contains(diff, "/dev/null\n+++ plan/FRR") {
		t.Errorf("the diff of worker-2 has more than that:\n%s", diff)
	}
	var network ovnv1.ClusterUserDefinedNetwork
	if err := api.Get(t.Context(), client.ObjectKey{Name: "tlv"}, &network); !apierrors.IsNotFound(err) {
		t.Errorf("a plan wrote to the cluster: %v", err)
	}

	// kubectl's own flags hold, and mean the cluster also beside files.
	if _, stderr := plan(t, exitUnable, "--kubeconfig", kubeconfig, "-f", "stories/egress-ip", "--as", "nobody"); !strings.Contains(stderr, `User "nobody" cannot list`) {
		t.Errorf("it was read as somebody else: %s", stderr)
	}

	t.Run("the API server refuses what the loader refuses", func(t *testing.T) {
		agree(t, api)
	})
}

// carryOut writes what -o yaml prints, as the manager would.
func carryOut(t *testing.T, api client.Client, kubeconfig string) {
	t.Helper()
	stream, _ := plan(t, exitFine, "--kubeconfig", kubeconfig, "-o", "yaml")
	for _, text := range strings.Split(stream, "\n---\n") {
		var object unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
			t.Fatal(err)
		}
		if object.GetKind() == "FRRConfiguration" {
			if err := api.Create(t.Context(), object.DeepCopy(), client.FieldOwner(model.FieldManager)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var ra ovnv1.RouteAdvertisements
		if err := api.Get(t.Context(), client.ObjectKey{Name: object.GetName()}, &ra); err != nil {
			t.Fatal(err)
		}
		name := ra.ObjectMeta
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &ra); err != nil {
			t.Fatal(err)
		}
		ra.ObjectMeta = name
		for i := range ra.Status.Conditions {
			ra.Status.Conditions[i].LastTransitionTime = metav1.Now()
		}
		if err := api.Status().Update(t.Context(), &ra); err != nil {
			t.Fatal(err)
		}
	}
	var configs frrk8sv1beta1.FRRConfigurationList
	if err := api.List(t.Context(), &configs, client.HasLabels{model.LabelGenerated}); err != nil || len(configs.Items) != 3 {
		t.Fatalf("got %d generated FRRConfigurations (%v), want 3", len(configs.Items), err)
	}
}

// agree takes objects that the loader refuses, and those that it takes, to the
// API server.
func agree(t *testing.T, api client.Client) {
	files, err := filepath.Glob("judged/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		_, offline := manifest.Load([]string{file}, nil)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var object unstructured.Unstructured
		if err := yaml.Unmarshal(text, &object.Object); err != nil {
			t.Fatal(err)
		}
		online := api.Create(t.Context(), &object, client.DryRunAll)
		if (online == nil) != (offline == nil) {
			t.Errorf("%s: the API server says %v, the loader %v", file, online, offline)
		}
		if refused := !strings.HasPrefix(filepath.Base(file), "good-"); refused != (offline != nil) {
			t.Errorf("%s: the loader says %v", file, offline)
		}
	}
}

func TestUnreachableCluster(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	// Port 1 is refused at once.
	if err := os.WriteFile(kubeconfig, []byte(`apiVersion: v1
kind: Config
current-context: none
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none}}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr := plan(t, exitUnable, "--kubeconfig", kubeconfig)
	if stdout != "" || !strings.HasPrefix(stderr, "Error: the cluster at http://127.0.0.1:1 can't be ") {
		t.Errorf("got %q, %q", stdout, stderr)
	}
}
