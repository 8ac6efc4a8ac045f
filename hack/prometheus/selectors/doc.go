// Command selectors prints the metrics and labels that the queries of Grafana
// dashboards and alert rules use, as Prometheus' own parser reads them. A test
// compares them with what manager and agent serve. It is a module of its own so
// that the operator doesn't depend on Prometheus.
package main
