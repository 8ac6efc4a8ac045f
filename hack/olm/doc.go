// Command olm generates the bundles with which the Operator Lifecycle Manager
// installs the manager. CRDs, roles, Deployment and webhook come from the other
// folders of config/, and every field's descriptor comes from its description in
// the CRD. What only OLM needs is in config/olm/base.
//
// The same input gives the same bytes. operator-framework's own validators then
// check the bundles, and their output is printed.
package main
