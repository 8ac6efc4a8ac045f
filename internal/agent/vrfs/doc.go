// Package vrfs keeps the kernel's VRF devices, their ip rules and their
// stop routes, for the networks that nothing else makes VRFs for.
//
// It must never change a device, rule or route that it did not make, and it
// knows nothing of OVN, of Kubernetes or of BGP: it is given networks and
// asked to make the kernel agree with them.
package vrfs
