// Package optional lets the controllers run if a CRD is missing: it knows which of the
// optional kinds the API server serves, starts their watches when they appear, and
// prevents reads of missing kinds from reaching the server.
//
// It must never be used for kinds that the operator can't do without: those are watched in
// the ordinary way, so that the manager does not start if their CRD is missing.
package optional
