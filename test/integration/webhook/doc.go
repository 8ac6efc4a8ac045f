// Package webhook applies objects to a real API server that asks the manager's
// real process about them, as it is installed by config/webhook but for the
// address: what people see, what passes while nobody answers, and how the
// certificate comes and goes.
package webhook
