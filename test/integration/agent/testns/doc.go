// Package testns gives tests network namespaces of the real kernel, with links and
// routes that iproute2 sets up.
package testns
