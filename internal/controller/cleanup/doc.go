// Package cleanup takes away what the operator wrote into a cluster: generated
// FRRConfigurations, the managed RouteAdvertisements, its part of annotations
// and its conditions. It is for who uninstalls the operator and wants nothing
// to go on being advertised.
//
// It must never touch what is not the operator's, and it works only where no
// manager does: it takes the lease away from them first.
package cleanup
