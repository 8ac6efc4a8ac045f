// Package e2e tells the operator's stories with real parts, from end to end:
// an external client reaches a pod by a route that BGP carried, and the pod
// reaches an external prefix by a route that the agent put into OVN.
//
//	make e2e                      # all stories: natively first, then in the VM
//	make e2e-native LABELS=story1
//	make e2e-vm ARGS='--ginkgo.focus=tenants --ginkgo.v'
//
// # Where specs run
//
// The lab (test/lab) is made of namespaces. What the kernel cannot do is said
// in labels: NeedsVRF, NeedsOVS. `make e2e` runs natively what this machine's
// kernel can do, and the rest in a virtual machine. A spec without such a label
// runs natively everywhere; Open vSwitch has a datapath of its own then.
//
// # How to write a story
//
//	var _ = Describe("Withdrawal", Label("story8"), func() {
//		var l *lab.Lab
//		BeforeEach(func(ctx context.Context) { l = use(ctx, lab.Default()) })
//
//		It("takes exactly the deleted network's prefixes back", func(ctx context.Context) {
//			tor := l.Router("tor")
//			apply(ctx, l, peering(tor), advertisement("pods", defaultNetwork))
//			...
//		})
//	})
//
// use returns a running lab of a description. Specs with the same description
// share one, so a story asks for the smallest set of descriptions that it can
// do with, and specs of one description stand together in one file.
//
// A spec is independent: it uses names and prefixes of its own (those of story
// N: server subnets 172.20.N0.0/24 and up, fd00:172:20:N0::/64 and up), and
// removes what it made. The functions of world_test.go (apply, server, pod,
// network, ...) do that by themselves. use checks afterwards that nothing is
// left: no RouteAdvertisements, network or FRRConfiguration in the API, no
// route on any router or node, no row of the agent's in OVN.
//
// What takes time is waited for with Eventually, whose timeout is set for the
// tier; nothing sleeps. What must not happen is looked at with Consistently,
// after something has shown that it would have happened by then.
//
// When a spec fails, evidence is collected before anything is cleaned up, and
// the failure names its folder. The lab of a failed spec is not used again.
//
// # Convergence figures
//
// exporting, importing, ... (convergence_test.go) time the stages of a change.
// watchFlow (outage_test.go) and streams (stream_test.go) tell for how long a
// flow was interrupted: the one of connections made anew, the other of packets
// that keep to one of several paths. Tables of both are kept in
// .cache/e2e/TIER/convergence.txt and printed last. Stories use these in place
// of a plain Eventually where the time is of interest.
package e2e
