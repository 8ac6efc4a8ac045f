// Package testns gives tests network namespaces of the real kernel, with links
// and routes made by iproute2.
package testns
