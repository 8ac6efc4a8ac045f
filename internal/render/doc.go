// Package render turns a model.NodePlan into the FRRConfiguration objects that say the
// same to frr-k8s.
//
// It decides nothing: the planner decides what a neighbor gets, and package apply decides
// whether an object is written. It only knows the API's shape: names, defaults, and
// frr-k8s' limit of routers per object. It must never read the cluster, the clock or
// anything but its argument, and it renders the same bytes for the same plan.
package render
