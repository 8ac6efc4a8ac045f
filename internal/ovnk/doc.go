// Package ovnk is the contract with OVN-Kubernetes: the annotations and labels that it
// writes and reads, the names of its objects in the OVN Northbound database, and the
// names of its VRF devices.
//
// It holds parsers and names only. It never reads a cluster or a database, and it decides
// nothing: what a missing or malformed annotation means for the plan is up to others. Its
// parsers are strict where OVN-Kubernetes' own writers can't go wrong (duplicate keys,
// data after the value): such a value was edited by hand, and readers would disagree about
// its meaning.
package ovnk
