// Package selftest shows that the place where `vm run` runs tests has what the
// project's tests count on: VRF devices, nexthop objects, FRR that installs
// routes, and an ovsdb-server with OVN's northbound schema.
//
// It tests the place, never the project: nothing of the project is imported.
package selftest
