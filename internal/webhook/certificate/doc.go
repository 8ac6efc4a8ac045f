// Package certificate creates the certificate that the webhook presents to the API
// server, renews it long before it expires, and makes the
// ValidatingWebhookConfiguration trust it. The certificate is for the names by which the
// configuration calls the webhook. It is in a Secret that all replicas share; the first
// replica that finds it due renews it. A replica presents a certificate only after the
// configuration trusts it.
//
// Each certificate has a CA of its own, whose key is thrown away, so no one can steal
// that key and sign another certificate. Libraries for this purpose keep the key, read
// all Secrets of the namespace, and end the process if there is no certificate, although
// routes need none.
//
// The Secret also has a token, the last part of the path in the configuration. The
// webhook recognises the API server by it, because tenants can read neither the Secret
// nor the configuration.
//
// The package must never make the manager fail: errors are logged, and it tries again.
package certificate
