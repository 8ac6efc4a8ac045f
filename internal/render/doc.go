// Package render turns a model.NodePlan into the FRRConfiguration objects that
// say the same to frr-k8s.
//
// It decides nothing: what a neighbor gets is the planner's business, whether
// an object is written is the business of package apply. It only knows the
// API's shape: names, defaults, and frr-k8s' limit of routers per object. It
// must never read the cluster, the clock or anything else but its argument,
// and it renders the same bytes for the same plan.
package render
