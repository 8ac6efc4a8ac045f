// Package status reports in Kubernetes' terms what happened to a RouteAdvertisements
// object: it turns a model.Verdict into conditions, the status text and events.
//
// It is pure: it reads no cluster and no clock, and writes nothing. Messages are for
// people. They are cut if they concern thousands of nodes, and are the same for the same
// verdict, so that a status is written only if something changed.
package status
