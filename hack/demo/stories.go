package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// toldWithin is how long a sample may take until everything is as expected.
const toldWithin = time.Minute

// story is one folder of config/samples.
type story struct {
	title, folder string
	// adds are the advertisements that the story adds.
	adds []advertisement
	// imports are the imports that it adds.
	imports []vrfImport
}

const (
	provider   = "192.168.100.10"
	providerV6 = "fd00:100::10"
	leaf       = "192.168.100.1"
	// The same address in two VRFs is two routers.
	elsewhere = "192.168.200.20"

	worker1 = "worker-1"
	worker2 = "worker-2"
	worker3 = "worker-3.example.internal"
)

// stories are applied in this order; the objects of each stay for the next.
var stories = []story{
	{
		title:  "The default pod network, advertised to the provider",
		folder: "default-import-export",
		adds: []advertisement{
			{worker1, "default", "10.244.1.0/24", provider},
			{worker1, "default", "fd00:10:244:1::/64", providerV6},
			{worker2, "default", "10.244.2.0/24", provider},
			{worker2, "default", "fd00:10:244:2::/64", providerV6},
			{worker3, "default", "10.244.3.0/24", provider},
		},
	},
	{
		title:  "A Layer2 network of virtual machines, leaked and advertised through the default VRF",
		folder: "cudn-leak-and-export",
		adds: []advertisement{
			{worker1, "default", "22.100.0.0/16", provider},
			{worker2, "default", "22.100.0.0/16", provider},
			{worker3, "default", "22.100.0.0/16", provider},
		},
		imports: []vrfImport{
			{worker1, "default", "tlv"}, {worker1, "tlv", "default"},
			{worker2, "default", "tlv"}, {worker2, "tlv", "default"},
			{worker3, "default", "tlv"}, {worker3, "tlv", "default"},
		},
	},
	{
		title:  "A Layer3 network that peers in its own VRF, with a password and BFD",
		folder: "vrf-lite",
		adds: []advertisement{
			{worker1, "extranet", "22.101.1.0/24", elsewhere},
			{worker2, "extranet", "22.101.2.0/24", elsewhere},
			{worker3, "extranet", "22.101.3.0/24", elsewhere},
		},
	},
	{
		title:  "The same for any network with a label: targetVRF auto",
		folder: "vrf-lite-auto",
		adds: []advertisement{
			{worker1, "partner", "22.102.1.0/24", elsewhere},
			{worker2, "partner", "22.102.2.0/24", elsewhere},
			{worker3, "partner", "22.102.3.0/24", elsewhere},
		},
	},
	{
		title:  "Egress IPs, advertised by the nodes that have them",
		folder: "egress-ip",
		adds: []advertisement{
			{worker2, "default", "192.168.100.201/32", provider},
			{worker3, "default", "192.168.100.202/32", provider},
		},
	},
	{
		title:  "A Layer2 network with EVPN: its prefixes travel as type 5, and the leaf hears of tunnel endpoints",
		folder: "evpn",
		adds: []advertisement{
			{worker1, "default", "100.64.0.1/32", leaf},
			{worker2, "default", "100.64.0.2/32", leaf},
			{worker3, "default", "100.64.0.3/32", leaf},
		},
	},
	{
		// What is advertised stays the same.
		title:  "A policy: routes of the nodes of a zone get a community",
		folder: "route-policy",
	},
	{
		title:  "Nodes move traffic away while they are cordoned",
		folder: "drain",
	},
}

// tell applies the stories one after the other and shows the result of each.
func (c *cluster) tell(ctx context.Context) error {
	if err := c.apply(ctx, "--filename", "config/samples/cluster"); err != nil {
		return err
	}
	fmt.Println("No frr-k8s runs here, so the condition FRRConfigured stays Unknown.")
	var before state
	for i := range stories {
		story := &stories[i]
		folder := "config/samples/" + story.folder
		fmt.Printf("\n%d. %s\n   kubectl apply -f %s\n", i+1, story.title, folder)
		began := time.Now()
		if err := c.apply(ctx, "--filename", folder); err != nil {
			return err
		}
		now, err := c.settle(ctx, story, before)
		if err != nil {
			return err
		}
		fmt.Print(now.describe(before))
		fmt.Printf("   after %.1f s\n", time.Since(began).Seconds())
		before = now
	}
	return nil
}

// showPlan shows all stories together, with the plan command.
func (c *cluster) showPlan(ctx context.Context, kubectlRA string) error {
	fmt.Print("\nEverything together, in the output of `kubectl ra plan` for the same cluster:\n\n")
	plan := exec.CommandContext(ctx, kubectlRA, "plan", "--kubeconfig="+c.kubeconfig)
	plan.Stdout, plan.Stderr = os.Stdout, os.Stderr
	if err := plan.Run(); err != nil {
		return fmt.Errorf("kubectl-ra plan rejects what the manager accepted: %w", err)
	}
	return nil
}

// settle waits until the story has come out as expected.
func (c *cluster) settle(ctx context.Context, story *story, before state) (state, error) {
	var now state
	var differences []string
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, toldWithin, true,
		func(ctx context.Context) (bool, error) {
			read, err := c.read(ctx)
			if err != nil {
				return false, err
			}
			now = read
			differences = story.differences(now, before)
			return len(differences) == 0, nil
		})
	if ctx.Err() != nil {
		return now, context.Cause(ctx)
	}
	if err != nil && len(differences) > 0 {
		return now, fmt.Errorf("story %s did not come out as expected within %s:\n  %s\n%s",
			story.folder, toldWithin, strings.Join(differences, "\n  "), now.describe(before))
	}
	return now, err
}

// differences returns how the result differs from what the story should do.
func (s *story) differences(now, before state) []string {
	var found []string
	for i := range now.objects {
		ra := &now.objects[i]
		for _, condition := range []string{ovnv1.RouteAdvertisementsAccepted, status.Rendered} {
			if !holds(ra, condition) {
				found = append(found, fmt.Sprintf("RouteAdvertisements %s is not %s at its current generation: status is %q",
					ra.Name, condition, ra.Status.Status))
			}
		}
	}
	found = append(found, compare("advertised", slices.Concat(before.advertisements, s.adds), now.advertisements)...)
	return append(found, compare("imported", slices.Concat(before.imports, s.imports), now.imports)...)
}

// compare names what is missing and what should not be there.
func compare[T interface {
	comparable
	fmt.Stringer
}](verb string, want, got []T) []string {
	var found []string
	for _, w := range want {
		if !slices.Contains(got, w) {
			found = append(found, fmt.Sprintf("not %s: %s", verb, w))
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			found = append(found, fmt.Sprintf("%s, but should not be: %s", verb, g))
		}
	}
	return found
}

// holds checks a condition as OVN-Kubernetes' own components do before they act: a
// condition of an earlier generation doesn't count.
func holds(ra *ovnv1.RouteAdvertisements, condition string) bool {
	found := meta.FindStatusCondition(ra.Status.Conditions, condition)
	return found != nil && found.Status == metav1.ConditionTrue && found.ObservedGeneration == ra.Generation
}
