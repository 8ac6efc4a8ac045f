// Package cleanup removes what the operator wrote into a cluster: generated
// FRRConfigurations, NodeNetworks, the managed RouteAdvertisements, its part of
// annotations and its conditions. It is for people who uninstall the operator and want
// all routes withdrawn.
//
// It must never touch what is not the operator's, and it works only while no manager does:
// it first takes the managers' lease.
package cleanup
