// Package optional lets the controllers work where a CRD is missing: it knows
// which of the optional kinds the API server serves, starts their watches when
// they appear, and keeps reads of missing ones from reaching the server.
//
// It must never be used for kinds that the operator can't do without: those
// are watched the ordinary way, so that a missing CRD stops the start.
package optional
