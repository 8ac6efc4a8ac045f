// Package e2e tests the operator from end to end with real components, in stories:
// an external client reaches a pod along a route that BGP carried, and the pod reaches
// an external prefix along a route that the agent imported into OVN.
//
//	make e2e                      # all stories: natively first, then in the VM
//	make e2e-native LABELS=story1
//	make e2e-vm ARGS='--ginkgo.focus=tenants --ginkgo.v'
//
// # Where specs run
//
// The lab (test/lab) is built from namespaces. Labels say what a spec needs of the
// kernel: NeedsVRF, NeedsOVS. `make e2e` runs natively what this machine's kernel
// supports, and the rest in a virtual machine. A spec without such a label runs
// natively everywhere; Open vSwitch then uses its datapath in userspace.
//
// # How to write a story
//
//	var _ = Describe("Withdrawal", Label("story8"), func() {
//		var l *lab.Lab
//		BeforeEach(func(ctx context.Context) { l = use(ctx, lab.Default()) })
//
//		It("withdraws exactly the deleted network's prefixes", func(ctx context.Context) {
//			tor := l.Router("tor")
//			apply(ctx, l, peering(tor), advertisement("pods", defaultNetwork))
//			...
//		})
//	})
//
// use returns a running lab for a description. Specs with the same description share
// one, so a story should use as few descriptions as possible, and specs with one
// description belong into one file.
//
// A spec is independent: it uses names and prefixes of its own (those of story
// N: server subnets 172.20.N0.0/24 and up, fd00:172:20:N0::/64 and up), and
// removes what it created. The functions in world_test.go (apply, server, pod,
// network, ...) do that by themselves. use checks afterwards that nothing is left: no
// RouteAdvertisements, network or FRRConfiguration in the API, no route on any router
// or node, no row of the agent in OVN.
//
// Emulated, a network takes minutes to come and to go. The stories of EVPN that have the
// same one are therefore told in an Ordered container, and each leaves it as it was.
//
// Specs wait with Eventually, whose timeout depends on the tier; nothing sleeps. They
// check with Consistently that something does not happen, after something else has
// shown that it would have happened by then.
//
// When a spec fails, evidence is collected before anything is cleaned up, and the
// failure names its folder. The lab of a failed spec is not used again.
//
// # Convergence figures
//
// exporting, importing, ... (convergence_test.go) measure the stages of a change.
// watchFlow (outage_test.go) and streams (stream_test.go) measure for how long a flow
// was interrupted: watchFlow with new connections, streams with packets that stay on
// one of several paths. The tables are in .cache/e2e/TIER/convergence.txt and are
// printed last. Stories use these functions instead of a plain Eventually if the time
// matters.
package e2e
