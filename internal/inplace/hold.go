package inplace

import (
	"context"
	"fmt"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

const (
	holdPrefix = "hold-"
	// maxName is what Kubernetes takes as a name.
	maxName = 253
	// absentSecret is a Secret that does not exist. frr-k8s' webhook leaves passwords out
	// of account, because Secrets may come later; a daemon that misses one converts
	// nothing, and says so in FRRNodeState with this name.
	absentSecret = "kubectl-ra-apply-is-at-work"
	// holdVRF is a router of its own, so that it contradicts nobody's.
	holdVRF = "ovnbgp-hold"
	holdASN = 64512
)

// newHold returns the object because of which frr-k8s leaves FRR as it is, on the nodes
// that the selector matches. It counts as generated, so that nobody takes it for a
// template and the operator may delete what is left over.
func newHold(template client.ObjectKey, nodes *metav1.LabelSelector, until time.Time) *frrk8sv1beta1.FRRConfiguration {
	name := holdPrefix + template.Name
	return &frrk8sv1beta1.FRRConfiguration{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: template.Namespace, Name: name[:min(len(name), maxName)],
			Labels:      map[string]string{model.LabelGenerated: "true"},
			Annotations: map[string]string{model.AnnotationHoldUntil: until.UTC().Format(time.RFC3339)},
		},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{
			NodeSelector: *nodes,
			BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
				ASN: holdASN, VRF: holdVRF,
				Neighbors: []frrk8sv1beta1.Neighbor{{
					// TEST-NET-1 (RFC 5737); no FRR ever hears of it.
					Address: "192.0.2.1", ASN: holdASN,
					PasswordSecret: frrk8sv1beta1.SecretReference{Name: absentSecret},
				}},
			}}},
		},
	}
}

// heldUntil is when a hold is left over, and reports whether the object is one.
func heldUntil(o metav1.Object) (until time.Time, hold bool) {
	text, hold := o.GetAnnotations()[model.AnnotationHoldUntil]
	if !hold {
		return time.Time{}, false
	}
	until, err := time.Parse(time.RFC3339, text)
	if err != nil {
		// Nobody can wait for a time that isn't one.
		return time.Time{}, true
	}
	return until, true
}

// LeftOver are the holds among the objects whose time is over, and for which no template
// in their namespace waits: without the hold, frr-k8s would withdraw what such a template
// has of its own.
func LeftOver(configurations []frrk8sv1beta1.FRRConfiguration, now time.Time) []*frrk8sv1beta1.FRRConfiguration {
	changing := map[string]bool{}
	for i := range configurations {
		if c := &configurations[i]; IsMarked(&c.Spec.NodeSelector) {
			changing[c.Namespace] = true
		}
	}
	var out []*frrk8sv1beta1.FRRConfiguration
	for i := range configurations {
		c := &configurations[i]
		if until, hold := heldUntil(c); hold && now.After(until) && !changing[c.Namespace] {
			out = append(out, c)
		}
	}
	return out
}

// hold creates the template's hold. One that is left over from a change that was killed
// goes on, without a moment in which it isn't there.
func (c *Changer) hold(ctx context.Context, t *template) error {
	nodes, err := t.nodes()
	if err != nil {
		return err
	}
	hold := newHold(t.key(), nodes, c.Now().Add(2*c.Within+2*grace))
	key := client.ObjectKeyFromObject(hold)
	if err = c.Client.Create(ctx, hold, client.FieldOwner(fieldManager)); err == nil {
		t.held = key
	}
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	var found frrk8sv1beta1.FRRConfiguration
	if err := c.Client.Get(ctx, key, &found); err != nil {
		return err
	}
	until, isHold := heldUntil(&found)
	switch {
	case !isHold:
		return fmt.Errorf("FRRConfiguration %s has the name that the change needs for a moment: rename it", key)
	case c.Now().Before(until):
		return fmt.Errorf("somebody else is changing it, or was killed while doing so: wait for them, or try again after %s", until.Local().Format(time.TimeOnly))
	}
	hold.ResourceVersion = found.ResourceVersion
	if err := c.Client.Update(ctx, hold, client.FieldOwner(fieldManager)); err != nil {
		return err
	}
	t.held = key
	return nil
}

// release deletes the template's hold.
func (c *Changer) release(ctx context.Context, t *template) error {
	if t.held.Name == "" {
		return nil
	}
	hold := &frrk8sv1beta1.FRRConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: t.held.Namespace, Name: t.held.Name}}
	if err := client.IgnoreNotFound(c.Client.Delete(ctx, hold)); err != nil {
		return fmt.Errorf("FRR stays as it is until FRRConfiguration %s is deleted, which failed: %w", t.held, err)
	}
	t.held = client.ObjectKey{}
	return nil
}
