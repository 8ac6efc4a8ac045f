package render_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

func pointerTo[T any](v T) *T { return &v }

// everything is a session with every setting of its own value.
var everything = model.Session{
	Address: "192.0.2.254", Interface: "eth1", ASN: 64513, DynamicASN: "external", LocalASN: 64514,
	SourceAddress: "192.0.2.1", Port: pointerTo[uint16](1179), Password: "secret",
	PasswordSecret: model.SecretReference{Namespace: "frr-k8s-system", Name: "bgp"},
	HoldTime:       pointerTo(90 * time.Second), KeepaliveTime: pointerTo(30 * time.Second), ConnectTime: pointerTo(10 * time.Second),
	EBGPMultiHop: true, BFDProfile: "fast", GracefulRestart: true, AllowAsIn: "origin", DualStackAddressFamily: true,
	AddressFamilies: []string{"evpn", "unicast"}, NextHopIPv4: "192.0.2.7", NextHopIPv6: "2001:db8::7",
	Extra: model.SessionExtra{Passive: true},
}

func plan() *model.NodePlan {
	v4, v6 := netip.MustParsePrefix("10.244.1.0/24"), netip.MustParsePrefix("fd00:10:244:1::/64")
	return &model.NodePlan{Node: "worker-1", Hostname: "worker-1.example", Configs: []model.NodeConfig{{
		Namespace:    "frr-k8s-system",
		Contributors: []string{"blue", "default"},
		BFDProfiles: []model.BFDProfile{{
			Name: "fast", ReceiveInterval: pointerTo[uint32](100), TransmitInterval: pointerTo[uint32](101), DetectMultiplier: pointerTo[uint32](3),
			EchoInterval: pointerTo[uint32](50), EchoMode: pointerTo(true), PassiveMode: pointerTo(false), MinimumTTL: pointerTo[uint32](250),
		}},
		Routers: []model.Router{
			{
				ASN: 64512, ID: "192.0.2.1", Routes: []model.Route{{Prefix: v4}, {Prefix: v6}}, Imports: []string{"blue"},
				Neighbors: []model.Neighbor{
					{Session: everything, Advertise: []model.Route{{Prefix: v6}}, Receive: []model.PrefixMatch{{Prefix: netip.MustParsePrefix("10.244.0.0/16"), GE: 24, LE: 24}}},
					{Session: model.Session{Address: "192.0.2.253", ASN: 64513}},
				},
			},
			{ASN: 64512, VRF: "blue", Imports: []string{model.DefaultVRF}},
		},
	}}}
}

func TestNodeRendersEverySetting(t *testing.T) {
	want := &frrk8sv1beta1.FRRConfiguration{
		TypeMeta: metav1.TypeMeta{APIVersion: "frrk8s.metallb.io/v1beta1", Kind: "FRRConfiguration"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "frr-k8s-system", Name: "ovnbgp-worker-1",
			Labels:      map[string]string{"ovnbgp.io/generated": "true", "app.kubernetes.io/managed-by": "ovn-bgp-operator"},
			Annotations: map[string]string{"ovnbgp.io/node": "worker-1", "ovnbgp.io/route-advertisements": `["blue","default"]`},
		},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{
			NodeSelector: metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/hostname": "worker-1.example"}},
			Raw: frrk8sv1beta1.RawConfig{Config: "router bgp 64512\n neighbor 192.0.2.254 passive\nexit\n" +
				"ip prefix-list ovnbgp-text-6c909b38a81129cf seq 5 deny any\n"},
			BGP: frrk8sv1beta1.BGPConfig{
				BFDProfiles: []frrk8sv1beta1.BFDProfile{{
					Name: "fast", ReceiveInterval: pointerTo[uint32](100), TransmitInterval: pointerTo[uint32](101), DetectMultiplier: pointerTo[uint32](3),
					EchoInterval: pointerTo[uint32](50), EchoMode: pointerTo(true), PassiveMode: pointerTo(false), MinimumTTL: pointerTo[uint32](250),
				}},
				Routers: []frrk8sv1beta1.Router{
					{
						ASN: 64512, ID: "192.0.2.1", Prefixes: []string{"10.244.1.0/24", "fd00:10:244:1::/64"}, Imports: []frrk8sv1beta1.Import{{VRF: "blue"}},
						Neighbors: []frrk8sv1beta1.Neighbor{
							{
								Address: "192.0.2.254", Interface: "eth1", ASN: 64513, DynamicASN: "external", LocalASN: 64514,
								SourceAddress: "192.0.2.1", Port: pointerTo[uint16](1179), Password: "secret",
								PasswordSecret: frrk8sv1beta1.SecretReference{Namespace: "frr-k8s-system", Name: "bgp"},
								HoldTime:       &metav1.Duration{Duration: 90 * time.Second}, KeepaliveTime: &metav1.Duration{Duration: 30 * time.Second},
								ConnectTime: &metav1.Duration{Duration: 10 * time.Second}, EBGPMultiHop: true, BFDProfile: "fast",
								EnableGracefulRestart: true, AllowAsIn: "origin", DualStackAddressFamily: true,
								AddressFamilies: []frrk8sv1beta1.AddressFamily{"evpn", "unicast"},
								ToAdvertise: frrk8sv1beta1.Advertise{
									Allowed: frrk8sv1beta1.AllowedOutPrefixes{Mode: "filtered", Prefixes: []string{"fd00:10:244:1::/64"}},
									NextHop: frrk8sv1beta1.NextHop{IPv4: "192.0.2.7", IPv6: "2001:db8::7"},
								},
								ToReceive: frrk8sv1beta1.Receive{Allowed: frrk8sv1beta1.AllowedInPrefixes{
									Mode: "filtered", Prefixes: []frrk8sv1beta1.PrefixSelector{{Prefix: "10.244.0.0/16", GE: 24, LE: 24}},
								}},
							},
							{
								Address: "192.0.2.253", ASN: 64513, AddressFamilies: []frrk8sv1beta1.AddressFamily{"unicast"},
								ToAdvertise: frrk8sv1beta1.Advertise{Allowed: frrk8sv1beta1.AllowedOutPrefixes{Mode: "filtered"}},
								ToReceive:   frrk8sv1beta1.Receive{Allowed: frrk8sv1beta1.AllowedInPrefixes{Mode: "filtered"}},
							},
						},
					},
					{ASN: 64512, VRF: "blue", Imports: []frrk8sv1beta1.Import{{VRF: "default"}}},
				},
			},
		},
	}
	got := render.Node(plan())
	if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		gotText, _ := json.MarshalIndent(got, "", " ")
		wantText, _ := json.MarshalIndent(want, "", " ")
		t.Errorf("got %s\nwant %s", gotText, wantText)
	}
}

// TestEverySessionSettingIsRendered catches a setting that is added to the
// model and forgotten here.
func TestEverySessionSettingIsRendered(t *testing.T) {
	session := reflect.ValueOf(everything)
	whole := specHash(&render.Node(plan())[0].Spec)
	for i := range session.NumField() {
		name := session.Type().Field(i).Name
		if name == "LocalPreferences" {
			continue // Of the template's own prefixes, which it advertises itself.
		}
		if session.Field(i).IsZero() {
			t.Errorf("the test's session has no %s", name)
		}
		p := plan()
		reflect.ValueOf(&p.Configs[0].Routers[0].Neighbors[0].Session).Elem().Field(i).SetZero()
		if specHash(&render.Node(p)[0].Spec) == whole {
			t.Errorf("%s makes no difference to what is rendered", name)
		}
	}
}

func TestNodeWithoutObjects(t *testing.T) {
	for name, p := range map[string]*model.NodePlan{
		"nothing planned": {Node: "worker-1"},
		"no routers":      {Node: "worker-1", Configs: []model.NodeConfig{{Namespace: "frr-k8s-system"}}},
		"kept":            {Node: "worker-1", Keep: true},
	} {
		if got := render.Node(p); len(got) != 0 {
			t.Errorf("%s: rendered %d objects", name, len(got))
		}
	}
}

func TestPartsAreNumbered(t *testing.T) {
	p := &model.NodePlan{Node: "worker-1", Hostname: "worker-1"}
	for _, namespace := range []string{"frr", "metallb"} {
		config := model.NodeConfig{Namespace: namespace, Contributors: []string{"all"}}
		for i := range 51 {
			config.Routers = append(config.Routers, model.Router{ASN: 64512, VRF: fmt.Sprintf("net-%02d", i)})
		}
		p.Configs = append(p.Configs, config)
	}
	var names []string
	for _, o := range render.Node(p) {
		names = append(names, o.Namespace+"/"+o.Name)
	}
	want := []string{"frr/ovnbgp-worker-1", "frr/ovnbgp2-worker-1", "metallb/ovnbgp-worker-1", "metallb/ovnbgp2-worker-1"}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + "." + strings.Repeat("c", 60) + "." + strings.Repeat("d", 60)
	nodes := []string{"x", "2-x", "x-2", "worker-1.example.com", long[:240], long[:242], long, long[:222] + "." + long[:20], long[:222] + "-" + long[:25]}
	seen := map[string]string{}
	for _, node := range nodes {
		for _, part := range []int{1, 2, 3, 100} {
			name := render.Name(node, part)
			if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
				t.Errorf("node %q, part %d: %q is no name: %v", node, part, name, problems)
			}
			if other, taken := seen[name]; taken {
				t.Errorf("nodes %q and %q share the name %q", node, other, name)
			}
			seen[name] = node
			if got := render.SuffixOf(name); got != render.Suffix(node) {
				t.Errorf("suffix of %q: got %q, want %q", name, got, render.Suffix(node))
			}
			want := node
			if len(node) > 240 {
				want = ""
			}
			if got := render.NodeOf(name); got != want {
				t.Errorf("node of %q: got %q, want %q", name, got, want)
			}
		}
	}
	for _, name := range []string{"ovnbgp", "ovnbgp1-x", "ovnbgp0-x", "ovnbgpx-x", "ovnk-generated-x", "ovnbgp-managed"[:7], "x-ovnbgp-x"} {
		if got := render.SuffixOf(name); got != "" {
			t.Errorf("%q is not a generated name, but its suffix is %q", name, got)
		}
	}
}
