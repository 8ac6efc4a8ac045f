package apply

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// Kind is what has to happen before a failed write can succeed.
type Kind int

// The kinds of failed writes.
const (
	// Unavailable: the API server, a webhook or the way there failed.
	Unavailable Kind = iota
	// Refused: the API server or an admission webhook won't have the content.
	Refused
	// Forbidden: the operator lacks a permission.
	Forbidden
	// QuotaExceeded: a quota of the namespace is used up.
	QuotaExceeded
	// Conflict: the object changed meanwhile.
	Conflict
	// NotOurs: an object that the operator did not generate has the name of a
	// generated one.
	NotOurs
)

// String returns the kind's name, which serves as a condition's reason.
func (k Kind) String() string {
	switch k {
	case Unavailable:
		return "Unavailable"
	case Refused:
		return "Refused"
	case Forbidden:
		return "Forbidden"
	case QuotaExceeded:
		return "QuotaExceeded"
	case Conflict:
		return "Conflict"
	case NotOurs:
		return "NotOurs"
	default:
		return fmt.Sprintf("Kind(%d)", int(k))
	}
}

// Error is a failed write of one object.
type Error struct {
	Kind   Kind
	Object types.NamespacedName
	// Message is the server's, for people.
	Message string
	cause   error
}

// Error says what happened to which object and what to do about it.
func (e *Error) Error() string {
	object := "FRRConfiguration " + e.Object.String()
	switch e.Kind {
	case Refused:
		return fmt.Sprintf("%s was refused: %s", object, e.Message)
	case Forbidden:
		return fmt.Sprintf("%s can't be written because the operator lacks the permission (its ClusterRole must allow create, patch and delete of frrconfigurations.frrk8s.metallb.io): %s", object, e.Message)
	case QuotaExceeded:
		return fmt.Sprintf("%s can't be written because a quota of namespace %q is used up (raise it): %s", object, e.Object.Namespace, e.Message)
	case Conflict:
		return fmt.Sprintf("%s changed meanwhile: %s", object, e.Message)
	case NotOurs:
		return render.NameTaken(e.Object.String())
	default:
		return fmt.Sprintf("%s could not be written: %s", object, e.Message)
	}
}

// Unwrap returns what the client reported.
func (e *Error) Unwrap() error { return e.cause }

// Errors returns all the Errors in err, which may be joined.
func Errors(err error) []*Error {
	var out []*Error
	walk(err, func(leaf error) {
		var e *Error
		if errors.As(leaf, &e) {
			out = append(out, e)
		}
	})
	return out
}

// IsRefused reports whether err is made of refusals only, so that leaving
// something out may help and trying again won't.
func IsRefused(err error) bool {
	if err == nil {
		return false
	}
	refused := true
	walk(err, func(leaf error) {
		var e *Error
		if !errors.As(leaf, &e) || e.Kind != Refused {
			refused = false
		}
	})
	return refused
}

// walk visits the members of joined errors.
func walk(err error, visit func(error)) {
	switch e := err.(type) { //nolint:errorlint // a joined error is taken apart here
	case nil:
	case interface{ Unwrap() []error }:
		for _, member := range e.Unwrap() {
			walk(member, visit)
		}
	default:
		visit(err)
	}
}

func newError(object types.NamespacedName, cause error) *Error {
	return &Error{Kind: classify(cause), Object: object, Message: cause.Error(), cause: cause}
}

// classify goes by texts if the codes are ambiguous: a webhook chooses the code of
// its denial, and 403 may come from a webhook, a policy, a quota or RBAC.
func classify(err error) Kind {
	text := err.Error()
	switch {
	case denied(text):
		if webhookFailed(text) {
			return Unavailable
		}
		return Refused
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), tooLarge(err, text):
		return Refused
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return Conflict
	case apierrors.IsForbidden(err) && strings.Contains(text, "exceeded quota"):
		return QuotaExceeded
	case apierrors.IsForbidden(err) && apierrors.HasStatusCause(err, "NamespaceTerminating"):
		return Unavailable
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return Forbidden
	default:
		return Unavailable
	}
}

// denied recognizes denials of webhooks and of ValidatingAdmissionPolicies.
func denied(text string) bool {
	return strings.Contains(text, "admission webhook") && strings.Contains(text, "denied the request") ||
		strings.Contains(text, "ValidatingAdmissionPolicy") && strings.Contains(text, "denied request")
}

// webhookFailed recognizes denials that say nothing about the object: frr-k8s'
// webhook denies everything while it can't list what the object must fit.
func webhookFailed(text string) bool {
	return strings.Contains(text, "failed to get existing FRRConfiguration objects") ||
		strings.Contains(text, "failed to get existing Node objects")
}

// tooLarge recognizes the three places that limit an object's size: the API
// server's request body, etcd, and the connection between them.
func tooLarge(err error, text string) bool {
	return apierrors.IsRequestEntityTooLargeError(err) ||
		strings.Contains(text, "etcdserver: request is too large") ||
		strings.Contains(text, "trying to send message larger than max")
}
