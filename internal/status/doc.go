// Package status says in the words of Kubernetes what became of a
// RouteAdvertisements object: model.Verdict to conditions, status text and
// events.
//
// It is pure: it reads no cluster and no clock, and writes nothing. Messages
// are for people, are cut where thousands of nodes are concerned, and are the
// same for the same verdict, so that a status is written only when something
// changed.
package status
