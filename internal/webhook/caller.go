package webhook

import (
	"context"
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

type callerKey struct{}

// FromAPIServer marks a review as the API server's own. Such a review names the
// user truly, and only that user gets the answer; a stranger who reaches the port
// may write anything into a review.
func FromAPIServer(ctx context.Context) context.Context {
	return context.WithValue(ctx, callerKey{}, true)
}

func fromAPIServer(ctx context.Context) bool {
	known, _ := ctx.Value(callerKey{}).(bool)
	return known
}

// NewHandler serves the validator's answers. knows reports whether a request is
// the API server's.
func NewHandler(v *Validator, knows func(*http.Request) bool) http.Handler {
	return &admission.Webhook{Handler: v, WithContextFunc: func(ctx context.Context, r *http.Request) context.Context {
		if knows(r) {
			return FromAPIServer(ctx)
		}
		return ctx
	}}
}
