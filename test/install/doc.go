// Package install tests what people install: the container image, the
// kustomizations and the Helm chart, with the tools that people use, against a
// real API server. There is no kubelet: a test that needs the manager at work
// runs the binary with exactly the arguments and environment that the installed
// Deployment has, as the service account that was installed.
//
// It must never take a path that users don't: no rights beyond those installed,
// no flags beyond those of the Deployment.
package install
