package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
)

// chainWithin is for all questions together on a quiet machine.
const chainWithin = 20 * time.Second

// FirstBreak follows the chain from the objects to the sessions and tells of the
// first link that does not hold, for a wait that has failed. All links that it
// looks at may hold: then what was waited for lies beyond them.
func (l *Lab) FirstBreak(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), chainWithin)
	defer cancel()
	for _, link := range []struct {
		name   string
		broken func(context.Context) ([]string, error)
	}{
		{"RouteAdvertisements", l.brokenConditions},
		{"FRRConfigurations", l.withoutConfiguration},
		{"frr-k8s", l.brokenConversions},
		{"FRR's reload", l.brokenReloads},
		{"BGP sessions", l.brokenSessions},
	} {
		broken, err := link.broken(ctx)
		if err != nil {
			return fmt.Sprintf("the chain breaks at %s, which can't be asked: %v", link.name, err)
		}
		if len(broken) > 0 {
			return fmt.Sprintf("the chain breaks at %s: %s", link.name, strings.Join(broken, "; "))
		}
	}
	return "RouteAdvertisements, FRRConfigurations, frr-k8s, FRR's reload and BGP sessions are as they should be: what is missing lies beyond them"
}

func (l *Lab) brokenConditions(ctx context.Context) ([]string, error) {
	var all ovnv1.RouteAdvertisementsList
	if err := l.Kube.Client.List(ctx, &all); err != nil {
		return nil, err
	}
	var broken []string
	for _, ra := range all.Items {
		if len(ra.Status.Conditions) == 0 {
			broken = append(broken, ra.Name+" has no conditions: the manager has not seen it")
		}
		for _, c := range ra.Status.Conditions {
			// FRRConfigured is what the links after this one are about.
			if c.Type != "FRRConfigured" && c.Status != metav1.ConditionTrue {
				broken = append(broken, fmt.Sprintf("%s has %s=%s, %s: %s", ra.Name, c.Type, c.Status, c.Reason, c.Message))
			}
		}
	}
	return broken, nil
}

// withoutConfiguration names nodes for which there is no FRRConfiguration.
func (l *Lab) withoutConfiguration(ctx context.Context) ([]string, error) {
	var all frrk8sv1beta1.FRRConfigurationList
	if err := l.Kube.Client.List(ctx, &all, client.InNamespace(frrk8s.Namespace)); err != nil {
		return nil, err
	}
	var broken []string
	for _, n := range l.Nodes {
		if !slices.ContainsFunc(all.Items, func(c frrk8sv1beta1.FRRConfiguration) bool {
			selector, err := metav1.LabelSelectorAsSelector(&c.Spec.NodeSelector)
			return err == nil && selector.Matches(nodeLabels(n.Name))
		}) {
			broken = append(broken, "none selects "+n.Name)
		}
	}
	return broken, nil
}

func (l *Lab) brokenConversions(ctx context.Context) ([]string, error) {
	var broken []string
	for _, n := range l.Nodes {
		if n.FRRK8s == nil || n.FRRK8s.Controller == nil || !n.FRRK8s.Controller.Running() {
			broken = append(broken, "its controller does not run on "+n.Name)
			continue
		}
		var state frrk8sv1beta1.FRRNodeState
		err := l.Kube.Client.Get(ctx, client.ObjectKey{Name: n.Name}, &state)
		if apierrors.IsNotFound(err) {
			broken = append(broken, n.Name+" reports no FRRNodeState")
			continue
		}
		if err != nil {
			return nil, err
		}
		for what, result := range map[string]string{
			"conversion": state.Status.LastConversionResult, "reload": state.Status.LastReloadResult,
		} {
			if result != "success" && result != "" {
				broken = append(broken, fmt.Sprintf("its last %s on %s ended with %q", what, n.Name, result))
			}
		}
	}
	slices.Sort(broken)
	return broken, nil
}

// brokenReloads names nodes where frr-k8s wrote a router that FRR doesn't have.
func (l *Lab) brokenReloads(ctx context.Context) ([]string, error) {
	var broken []string
	for _, n := range l.Nodes {
		written, err := n.Machine.ReadFile(frrk8s.ConfigFile)
		if err != nil {
			broken = append(broken, fmt.Sprintf("frr-k8s wrote no configuration on %s: %v", n.Name, err))
			continue
		}
		running, err := n.FRR.RunningConfig(ctx)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(written) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "router bgp ") && !strings.Contains(running, line) {
				broken = append(broken, fmt.Sprintf("frr-k8s wrote %q on %s, and FRR does not run it; the reloader's log ends with:\n%s",
					line, n.Name, n.FRRK8s.Reloader.LastWords()))
			}
		}
	}
	return broken, nil
}

func (l *Lab) brokenSessions(ctx context.Context) ([]string, error) {
	var broken []string
	var troubles []error
	for _, n := range l.Nodes {
		sessions, err := n.FRR.Sessions(ctx)
		if err != nil {
			troubles = append(troubles, err)
			continue
		}
		if len(sessions) == 0 {
			broken = append(broken, n.Name+" has no neighbor")
		}
		for _, neighbor := range slices.Sorted(maps.Keys(sessions)) {
			if state := sessions[neighbor]; state != "Established" {
				broken = append(broken, fmt.Sprintf("%s to %s is %s", n.Name, neighbor, state))
			}
		}
	}
	return broken, errors.Join(troubles...)
}
