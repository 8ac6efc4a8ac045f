// Package install tests what users install (the container image, the kustomizations and
// the Helm chart), with the tools that users have, against a real API server. There is
// no kubelet: a test that needs a running manager starts the binary with exactly the
// arguments and environment of the installed Deployment, as the installed service
// account.
//
// It must never do what users can't: it has no rights beyond those installed, and no
// flags beyond those of the Deployment.
package install
