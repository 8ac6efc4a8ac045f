// Package manager tests the manager's controllers against a real API server, with only
// the rights of config/rbac: what is written when something changes, and what is not.
package manager
