package apply_test

import (
	"net/netip"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
)

// markingConfig is what FRR 10 writes of frr-k8s' route-maps, which it gave numbers.
const markingConfig = `ip prefix-list 192.0.2.254-allowed-ipv4 seq 1 permit 10.244.1.0/24
ip prefix-list 192.0.2.254-allowed-ipv4 seq 2 permit 10.250.0.5/32
ip prefix-list 192.0.2.254-65535:0-ipv4-community-prefixes seq 1 permit 10.244.1.0/24
ip prefix-list 192.0.2.254-64512:100-ipv4-community-prefixes seq 1 permit 10.250.0.5/32
ip prefix-list 192.0.2.254-blue-65535:0-ipv4-community-prefixes seq 1 permit 10.10.1.0/24
ip prefix-list unused seq 1 permit 10.250.0.6/32
!
ipv6 prefix-list 192.0.2.254-65535:0-ipv6-community-prefixes seq 1 permit fd00:10:244:1::/64
!
route-map 192.0.2.254-out permit 1
 match ip address prefix-list 192.0.2.254-64512:100-ipv4-community-prefixes
 on-match next
 set community 64512:100 additive
exit
!
route-map 192.0.2.254-out permit 2
 match ip address prefix-list 192.0.2.254-65535:0-ipv4-community-prefixes
 on-match next
 set community graceful-shutdown additive
exit
!
route-map 192.0.2.254-out permit 3
 match ipv6 address prefix-list 192.0.2.254-65535:0-ipv6-community-prefixes
 on-match next
 set community 65535:0 additive
exit
!
route-map 192.0.2.254-out permit 4
 match ip address prefix-list 192.0.2.254-allowed-ipv4
exit
!
route-map 192.0.2.254-blue-out permit 1
 match ip address prefix-list 192.0.2.254-blue-65535:0-ipv4-community-prefixes
 on-match next
 set community no-export graceful-shutdown additive
exit
!
route-map 192.0.2.253-out deny 1
 match ip address prefix-list unused
 set community graceful-shutdown additive
exit
!
route-map 192.0.2.252-out permit 1
 set community graceful-shutdown additive
`

func TestMarks(t *testing.T) {
	state := &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{Name: "worker-1", ResourceVersion: "7"}}
	state.Status.RunningConfig = markingConfig
	stripped := state.DeepCopy()
	if _, err := apply.StripNodeState(stripped); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		vrf, neighbor, prefix string
		want                  bool
	}{
		{"", "192.0.2.254", "10.244.1.0/24", true},
		{"", "192.0.2.254", "fd00:10:244:1::/64", true},
		{"blue", "192.0.2.254", "10.10.1.0/24", true},
		{"", "192.0.2.254", "10.250.0.5/32", false},
		{"", "192.0.2.254", "10.10.1.0/24", false},
		{"blue", "192.0.2.254", "10.244.1.0/24", false},
		{"", "192.0.2.253", "10.250.0.6/32", false},
		{"", "192.0.2.252", "10.244.1.0/24", false},
	} {
		for name, s := range map[string]*frrk8sv1beta1.FRRNodeState{"whole": state, "stripped": stripped} {
			if got := apply.OriginsOf(s).Marks(test.vrf, test.neighbor, netip.MustParsePrefix(test.prefix)); got != test.want {
				t.Errorf("%s: VRF %q, neighbor %s, %s: %v", name, test.vrf, test.neighbor, test.prefix, got)
			}
		}
	}
}
