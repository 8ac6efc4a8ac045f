// Package manager tests the manager's controllers against a real API server,
// with the rights of config/rbac and no others: what is written when something
// changes, and what is not.
package manager
