package certificate

import (
	"crypto/rand"
	"crypto/subtle"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// pathToken is the Secret's key of the path's last part. The API server learns it
// from its ValidatingWebhookConfiguration, which tenants can't read. A client
// certificate would not do: the API server presents one only if the cluster's
// administrator configured it.
const pathToken = "token"

// shortestToken is the length of what rand.Text makes.
const shortestToken = 26

// tokenOf returns the Secret's token, a new one where it has none.
func tokenOf(secret *corev1.Secret) string {
	if token := string(secret.Data[pathToken]); len(token) >= shortestToken {
		return token
	}
	// The API server takes paths of lower-case letters and digits only.
	return strings.ToLower(rand.Text())
}

// Knows reports whether a request's path is the one that only the API server knows.
func (k *Keeper) Knows(path string) bool {
	token := k.token.Load()
	return token != nil && subtle.ConstantTimeCompare([]byte(path), []byte(k.secretPath(*token))) == 1
}

func (k *Keeper) secretPath(token string) string { return k.options.Path + "/" + token }

// withPath returns the URL with the path, if the URL's own path leads to the
// webhook. Otherwise a proxy passes reviews on, and the URL belongs to that proxy.
func (k *Keeper) withPath(address, path string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Path != k.options.Path && !strings.HasPrefix(parsed.Path, k.options.Path+"/") {
		return address
	}
	parsed.Path = path
	return parsed.String()
}
