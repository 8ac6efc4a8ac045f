package apply_test

import (
	"net/netip"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
)

// runningConfig has what FRR 10 writes around what matters.
const runningConfig = `Building configuration...

Current configuration:
!
frr version 10.4.1
hostname worker-1
!
vrf blue
 vni 100
exit-vrf
!
interface eth0
 ip address 192.0.2.1/24
exit
!
router bgp 64512
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 neighbor 192.0.2.254 remote-as 64513
 !
 address-family ipv4 unicast
  network 10.244.1.0/24
  network 10.250.0.5/32 route-map tag
  neighbor 192.0.2.254 activate
  import vrf blue
 exit-address-family
 !
 address-family ipv6 unicast
  network fd00:10:244:1::/64
 exit-address-family
exit
!
router bgp 64512 vrf blue
 !
 address-family ipv4 unicast
  network 10.10.2.0/24
 exit-address-family
exit
!
router ospf
 network 172.16.0.0/24 area 0
exit
!
ip prefix-list 192.0.2.254-allowed-ipv4 seq 1 permit 10.99.0.0/24
!
end
`

func TestOriginates(t *testing.T) {
	tests := []struct {
		vrf, prefix string
		want        bool
	}{
		{"", "10.244.1.0/24", true},
		{"", "10.250.0.5/32", true},
		{"", "fd00:10:244:1::/64", true},
		{"blue", "10.10.2.0/24", true},
		{"", "10.10.2.0/24", false},
		{"blue", "10.244.1.0/24", false},
		{"red", "10.10.2.0/24", false},
		{"", "10.244.1.0/25", false},
		{"", "10.99.0.0/24", false},
		{"", "172.16.0.0/24", false},
		{"", "192.0.2.0/24", false},
	}
	whole := &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{Name: "worker-1", ResourceVersion: "7"}}
	whole.Status.RunningConfig = runningConfig
	stripped := whole.DeepCopy()
	for range 2 {
		if _, err := apply.StripNodeState(stripped); err != nil {
			t.Fatal(err)
		}
	}
	if stripped.Status.RunningConfig != "" {
		t.Error("the running configuration is still there")
	}
	for name, state := range map[string]*frrk8sv1beta1.FRRNodeState{"whole": whole, "stripped twice": stripped} {
		for _, test := range tests {
			if got := apply.OriginsOf(state).Has(test.vrf, netip.MustParsePrefix(test.prefix)); got != test.want {
				t.Errorf("%s: VRF %q, %s: got %v, want %v", name, test.vrf, test.prefix, got, test.want)
			}
		}
		for vrf, vni := range map[string]uint32{"blue": 100, "": 100, "red": 101} {
			if got := apply.OriginsOf(state).HasVNI(vrf, vni); got != (vrf == "blue") {
				t.Errorf("%s: VRF %q by VNI %d: %v", name, vrf, vni, got)
			}
		}
		if got := len(apply.OriginsOf(state)); got != 5 {
			t.Errorf("%s: %d origins, want 5", name, got)
		}
	}
}

func TestOriginsOfAnOlderVersionAreNotBelieved(t *testing.T) {
	state := &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"}}
	state.Status.RunningConfig = runningConfig
	if _, err := apply.StripNodeState(state); err != nil {
		t.Fatal(err)
	}
	state.ResourceVersion = "8"
	if got := apply.OriginsOf(state); len(got) != 0 {
		t.Errorf("an annotation from version 7 counts in version 8: %v", got)
	}
}

func TestStripNodeStateCutsResults(t *testing.T) {
	state := &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"}}
	state.Status.LastConversionResult = "success"
	state.Status.LastReloadResult = "failed: " + strings.Repeat("ü", 10000)
	for range 2 {
		if _, err := apply.StripNodeState(state); err != nil {
			t.Fatal(err)
		}
	}
	if state.Status.LastConversionResult != "success" {
		t.Errorf("a short result became %q", state.Status.LastConversionResult)
	}
	if got := state.Status.LastReloadResult; len(got) > 2100 || !strings.HasPrefix(got, "failed: ü") || !strings.HasSuffix(got, "ü…") {
		t.Errorf("a long result became %d bytes: %.40s … %s", len(got), got, got[len(got)-8:])
	}
}

func FuzzOrigins(f *testing.F) {
	f.Add(runningConfig)
	f.Add("router bgp\n network\nrouter bgp 1 vrf\n network x/y\n")
	f.Fuzz(func(t *testing.T, config string) {
		state := &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"}}
		state.Status.RunningConfig = config
		want := apply.OriginsOf(state)
		if _, err := apply.StripNodeState(state); err != nil {
			t.Fatal(err)
		}
		got := apply.OriginsOf(state)
		if len(got) != len(want) {
			t.Fatalf("got %d origins after stripping, want %d", len(got), len(want))
		}
	})
}
