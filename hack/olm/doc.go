// Command olm makes the bundles with which the Operator Lifecycle Manager
// installs the manager, out of what the other folders of config/ say: CRDs,
// roles, Deployment and webhook are taken from there, and every field's
// descriptor from its description in the CRD. What only OLM wants to know
// stands in config/olm/base.
//
// The same input gives the same bytes. What it made is then judged by
// operator-framework's own validators, and their output printed.
package main
