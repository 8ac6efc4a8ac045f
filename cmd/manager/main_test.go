package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// invoke runs the command with an environment that holds nothing else.
func invoke(t *testing.T, environment map[string]string, args ...string) (output string, err error) {
	t.Helper()
	var out bytes.Buffer
	err = run(t.Context(), args, func(key string) string { return environment[key] }, &out, &out)
	return out.String(), err
}

func TestHelpExplainsEveryFlag(t *testing.T) {
	help, err := invoke(t, nil, "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{
		"--kubeconfig", "--metrics-bind-address", "--metrics-secure", "--metrics-cert-dir", "--namespace",
		"--webhook", "--webhook-port", "--webhook-cert-dir", "--webhook-name", "--webhook-client-ca-file", "--webhook-client-names", "--health-probe-bind-address", "--leader-elect", "--take-over",
		"--managed-asn", "--managed-namespace", "--workers", "--kube-api-qps", "--default-network-nad", "--log-level", "--version",
	} {
		if !strings.Contains(help, flag) {
			t.Errorf("the help says nothing of %s", flag)
		}
	}
	for line := range strings.Lines(help) {
		if len(line) > helpWidth+1 {
			t.Errorf("the help has a line of %d characters: %s", len(line), line)
		}
	}
}

func TestVersion(t *testing.T) {
	output, err := invoke(t, nil, "--version")
	if err != nil || !strings.Contains(output, "go1") {
		t.Errorf("version %q, %v", output, err)
	}
}

func TestFlagsAreCheckedBeforeAnythingStarts(t *testing.T) {
	for wrong, want := range map[string]string{
		"--managed-asn=0":                                    "reserved",
		"--managed-asn=4294967295":                           "reserved",
		"--managed-asn=AS1":                                  "--managed-asn",
		"--managed-namespace=":                               "frr-k8s runs in",
		"--cluster-subnets=10.244.0.0":                       "10.244.0.0/16/24",
		"--service-subnets=10.96.0.0":                        "10.96.0.0/16",
		"--workers=0":                                        "at least 1",
		"--default-network-nad=default":                      "NAMESPACE/NAME",
		"--default-network-nad=a/b/c":                        "NAMESPACE/NAME",
		"--log-level=loud":                                   "debug, info, warn or error",
		"--log-format=xml":                                   "json or text",
		"--no-such-flag":                                     "--help",
		"--metrics-cert-dir=/nowhere":                        "/nowhere/tls.crt",
		"--metrics-cert-dir=/nowhere --metrics-secure=false": "remove one of them",
		"--webhook-port=0":                                   "1 to 65535",
		"--webhook-name=":                                    "--webhook=false",
		"--webhook-cert-dir=/nowhere":                        "/nowhere/tls.crt",
		"--webhook-client-ca-file=/nowhere":                  "/nowhere",
		"--webhook-client-ca-file=/dev/null":                 "no certificate in PEM form",
		"--webhook-client-names=kube-apiserver":              "needs --webhook-client-ca-file",
		"--leader-elect --leader-election-lease-duration=1s": "lease duration",
		"argument": "argument",
	} {
		_, err := invoke(t, map[string]string{"KUBECONFIG": "/nowhere"}, strings.Fields(wrong)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error that says %q", wrong, err, want)
		}
	}
}

func TestTheClusterIsFoundByFlagThenEnvironment(t *testing.T) {
	inFlag, inEnvironment := filepath.Join(t.TempDir(), "flag"), filepath.Join(t.TempDir(), "environment")
	environment := map[string]string{"KUBECONFIG": inEnvironment}
	_, err := invoke(t, environment)
	if err == nil || !strings.Contains(err.Error(), inEnvironment) {
		t.Errorf("without the flag: %v, want an error about %s", err, inEnvironment)
	}
	_, err = invoke(t, environment, "--kubeconfig="+inFlag)
	if err == nil || !strings.Contains(err.Error(), inFlag) {
		t.Errorf("with the flag: %v, want an error about %s", err, inFlag)
	}
	_, err = invoke(t, nil)
	if err == nil || !strings.Contains(err.Error(), "--kubeconfig") {
		t.Errorf("with neither: %v, want an error that names --kubeconfig", err)
	}
}

func TestTheWebhookSaysWhyThereIsNone(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*options)
		want   string
	}{
		{"in a pod", func(o *options) { o.namespace = "home" }, ""},
		{"switched off", func(o *options) { o.namespace, o.webhook.enabled = "home", false }, "--webhook=false"},
		{"anywhere else", func(*options) {}, "$POD_NAMESPACE"},
		{"that only observes", func(o *options) { o.namespace, o.observeOnly = "home", true }, "--observe-only"},
		{"with somebody else's certificate", func(o *options) { o.observeOnly, o.webhook.certDir = true, "/somewhere" }, ""},
	} {
		o := defaults()
		test.change(&o)
		if got := o.withoutWebhook(); (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
