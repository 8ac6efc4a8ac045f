// Package webhook applies objects to a real API server that calls the manager's real
// process. Only the webhook's address differs from config/webhook. It shows what users
// see, what passes while the webhook is down, and how the certificate is created and
// removed.
package webhook
