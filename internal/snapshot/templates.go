package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// templates are the FRRConfigurations that no controller of networks made.
func templates(objs *Objects) []model.Template {
	var out []model.Template
	secrets := indexSecrets(objs.Secrets)
	for i := range objs.FRRConfigurations {
		c := &objs.FRRConfigurations[i]
		if IsGenerated(c) {
			continue
		}
		t := template(c)
		if t.Problem == nil {
			t.Problem = secrets.refused(c)
		}
		out = append(out, t)
	}
	sortTemplates(out)
	return out
}

func sortTemplates(templates []model.Template) {
	slices.SortFunc(templates, func(a, b model.Template) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}

func compareNamespacedNames(a, b metav1.Object) int {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}

func template(c *frrk8sv1beta1.FRRConfiguration) model.Template {
	out := model.Template{
		Namespace: c.Namespace, Name: c.Name, Created: c.CreationTimestamp.Time,
		Labels:      withName(c.Labels, c.Name),
		Routers:     make([]model.TemplateRouter, 0, len(c.Spec.BGP.Routers)),
		BFDProfiles: make([]model.BFDProfile, 0, len(c.Spec.BGP.BFDProfiles)),
	}
	out.NodeSelector, out.Problem = selector(&c.Spec.NodeSelector, fmt.Sprintf("FRRConfiguration %s/%s: spec.nodeSelector", c.Namespace, c.Name))
	out.NodeSelector, out.BeingChanged = withoutMark(out.NodeSelector)
	if out.Problem == nil {
		out.Problem = refused(c)
	}
	for i := range c.Spec.BGP.Routers {
		r := &c.Spec.BGP.Routers[i]
		router := model.TemplateRouter{ASN: r.ASN, ID: r.ID, VRF: r.VRF, Neighbors: make([]model.Session, 0, len(r.Neighbors)), EVPN: evpn(r.EVPN)}
		for j := range r.Neighbors {
			router.Neighbors = append(router.Neighbors, session(&r.Neighbors[j]))
		}
		out.Routers = append(out.Routers, router)
	}
	readSessionSettings(c, &out)
	for i := range c.Spec.BGP.BFDProfiles {
		out.BFDProfiles = append(out.BFDProfiles, bfdProfile(&c.Spec.BGP.BFDProfiles[i]))
	}
	return out
}

// withoutMark takes away what keeps the template from all nodes while it is changed.
func withoutMark(s model.Selector) (without model.Selector, marked bool) {
	mark := func(r model.Requirement) bool {
		return r.Key == model.SelectorBeingChanged && r.Operator == model.SelectorExists
	}
	if !slices.ContainsFunc(s, mark) {
		return s, false
	}
	if without = slices.DeleteFunc(s, mark); len(without) == 0 {
		// As for a template that never had a selector.
		return nil, true
	}
	return without, true
}

func evpn(e *frrk8sv1beta1.EVPNConfig) *model.EVPN {
	if e == nil {
		return nil
	}
	out := &model.EVPN{AdvertiseVNIs: e.AdvertiseVNIs != nil && *e.AdvertiseVNIs == frrk8sv1beta1.VNIAdvertisementAll, AdvertiseSVI: e.AdvertiseSVI}
	for i := range e.L2VNIs {
		out.L2VNIs = append(out.L2VNIs, vni(e.L2VNIs[i].VNI, &e.L2VNIs[i].VNIProperties))
	}
	if e.L3VNI != nil {
		layer3 := vni(e.L3VNI.VNI, &e.L3VNI.VNIProperties)
		out.L3VNI = &layer3
	}
	return out
}

func vni(number uint32, p *frrk8sv1beta1.VNIProperties) model.VNI {
	return model.VNI{Number: number, RD: string(p.RD), ImportsNamed: len(p.ImportRTs) > 0, ExportsNamed: len(p.ExportRTs) > 0}
}

// session takes over everything that frr-k8s compares or merges. Pointers are
// shared with the object, as neither side ever writes through them.
func session(n *frrk8sv1beta1.Neighbor) model.Session {
	return model.Session{
		Address: n.Address, Interface: n.Interface,
		ASN: n.ASN, DynamicASN: string(n.DynamicASN), LocalASN: n.LocalASN,
		SourceAddress: n.SourceAddress, Port: n.Port,
		Password:       n.Password,
		PasswordSecret: model.SecretReference{Namespace: n.PasswordSecret.Namespace, Name: n.PasswordSecret.Name},
		HoldTime:       duration(n.HoldTime), KeepaliveTime: duration(n.KeepaliveTime), ConnectTime: duration(n.ConnectTime),
		EBGPMultiHop: n.EBGPMultiHop, BFDProfile: n.BFDProfile, GracefulRestart: n.EnableGracefulRestart,
		AllowAsIn:              string(n.AllowAsIn),
		DualStackAddressFamily: n.DualStackAddressFamily,
		AddressFamilies:        addressFamilies(n.AddressFamilies),
		NextHopIPv4:            n.ToAdvertise.NextHop.IPv4,
		NextHopIPv6:            n.ToAdvertise.NextHop.IPv6,
		LocalPreferences:       localPreferences(n.ToAdvertise.PrefixesWithLocalPref),
	}
}

func localPreferences(lists []frrk8sv1beta1.LocalPrefPrefixes) map[string]uint32 {
	if len(lists) == 0 {
		return nil
	}
	out := map[string]uint32{}
	for i := range lists {
		for _, prefix := range lists[i].Prefixes {
			out[prefix] = lists[i].LocalPref
		}
	}
	return out
}

func duration(d *metav1.Duration) *time.Duration {
	if d == nil {
		return nil
	}
	return &d.Duration
}

// unicast is the default that frr-k8s' CRD sets; files need not have it.
var unicast = []string{string(frrk8sv1beta1.AddressFamilyUnicast)}

func addressFamilies(families []frrk8sv1beta1.AddressFamily) []string {
	if len(families) == 0 {
		return unicast
	}
	out := make([]string, 0, len(families))
	for _, family := range families {
		out = append(out, string(family))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func bfdProfile(p *frrk8sv1beta1.BFDProfile) model.BFDProfile {
	return model.BFDProfile{
		Name:            p.Name,
		ReceiveInterval: p.ReceiveInterval, TransmitInterval: p.TransmitInterval,
		DetectMultiplier: p.DetectMultiplier, EchoInterval: p.EchoInterval, EchoMode: p.EchoMode,
		PassiveMode: p.PassiveMode, MinimumTTL: p.MinimumTTL,
	}
}
