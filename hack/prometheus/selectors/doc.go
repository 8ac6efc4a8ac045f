// Command selectors prints which metrics, with which labels, the queries of
// Grafana dashboards and alert rules ask for, as Prometheus' own parser reads
// them. A test compares that with what manager and agent serve; it is a program
// of its own so that the operator doesn't depend on Prometheus.
package main
