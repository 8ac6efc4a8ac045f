// Package cleanup takes away what the operator wrote into a cluster: generated
// FRRConfigurations, the managed RouteAdvertisements, its part of annotations
// and its conditions. It is for people who uninstall the operator and want nothing
// to go on being advertised.
//
// It must never touch what is not the operator's, and it works only where no
// manager does: it takes the lease away from them first.
package cleanup
