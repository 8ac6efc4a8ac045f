// Package selftest shows that the environment in which `vm run` runs tests has what
// the project's tests need: VRF devices, nexthop objects, FRR that installs routes,
// and an ovsdb-server with OVN's Northbound schema.
//
// It tests the environment, not the project, so it imports nothing of the project.
package selftest
