// Package certificate makes the certificate by which the API server knows the
// webhook, renews it long before it ends, and keeps the
// ValidatingWebhookConfiguration trusting it. It is for the names that the
// configuration calls the webhook by, and lies in a Secret that all replicas
// share; whoever comes first renews it. A replica shows a certificate only once
// the configuration trusts it.
//
// Each certificate has an authority of its own, whose key is thrown away: there
// is nothing to steal by which another certificate could be signed. Libraries
// for the purpose keep that key, read all Secrets of the namespace, and end the
// process where the certificate can't be had, while the routes need neither.
//
// Beside it lies a token, the last part of the path that the configuration then
// has: by it the webhook knows the API server, as tenants can read neither.
//
// It must never fail the manager: what goes wrong is logged and tried again.
package certificate
