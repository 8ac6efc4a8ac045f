package model

import (
	"net/netip"
	"time"
)

// Template is an FRRConfiguration that the operator did not generate. Those that a
// RouteAdvertisements object selects are templates proper; the others are
// known so that generated routers agree with them.
type Template struct {
	Namespace string
	Name      string
	Created   time.Time
	// Labels include the implicit kubernetes.io/metadata.name.
	Labels       map[string]string
	NodeSelector Selector
	// BeingChanged is set while frr-k8s leaves the template out on all nodes because it
	// is changed in place.
	BeingChanged bool
	Routers      []TemplateRouter
	BFDProfiles  []BFDProfile
	// SettingsFindings are about its annotation AnnotationSessionSettings: what they name
	// is left out.
	SettingsFindings []Finding
	Problem          *Problem
}

// TemplateRouter is one router of a template.
type TemplateRouter struct {
	ASN       uint32
	ID        string
	VRF       string
	Neighbors []Session
	// EVPN is what the template itself has of it, nil for nothing.
	EVPN *EVPN
	// Extra are settings that frr-k8s has no fields for.
	Extra RouterExtra
}

// EVPN is what frr-k8s compares of a router's EVPN.
type EVPN struct {
	AdvertiseVNIs, AdvertiseSVI bool
	L2VNIs                      []VNI
	L3VNI                       *VNI
}

// VNI is one VXLAN network of a router. Its route targets are either named or FRR's.
type VNI struct {
	Number                     uint32
	RD                         string
	ImportsNamed, ExportsNamed bool
}

// SecretReference names a Secret that holds a BGP password.
type SecretReference struct {
	Namespace string
	Name      string
}

// Session is everything of a neighbor that concerns the BGP session itself.
// A generated neighbor repeats its template's session setting by setting, as
// frr-k8s merges neighbors only where they are equal.
type Session struct {
	// Address is kept as written, because frr-k8s identifies neighbors by that
	// string; Family is 0 for unnumbered neighbors.
	Address                string
	Interface              string
	ASN                    uint32
	DynamicASN             string
	LocalASN               uint32
	SourceAddress          string
	Port                   *uint16
	Password               string
	PasswordSecret         SecretReference
	HoldTime               *time.Duration
	KeepaliveTime          *time.Duration
	ConnectTime            *time.Duration
	EBGPMultiHop           bool
	BFDProfile             string
	GracefulRestart        bool
	AllowAsIn              string
	DualStackAddressFamily bool
	// AddressFamilies is sorted: "evpn", "unicast".
	AddressFamilies []string
	NextHopIPv4     string
	NextHopIPv6     string
	// LocalPreferences are those that the template sets itself, by its own prefixes
	// as written: frr-k8s compares them, and nothing else of what a template
	// advertises. It is never changed.
	LocalPreferences map[string]uint32
	// Extra are settings that frr-k8s has no fields for.
	Extra SessionExtra
}

// ID is how people and frr-k8s call the neighbor: its address or interface.
func (s *Session) ID() string {
	if s.Address != "" {
		return s.Address
	}
	return s.Interface
}

// BFDProfile is a BFD profile of a template, values as in frr-k8s' API.
type BFDProfile struct {
	Name             string
	ReceiveInterval  *uint32
	TransmitInterval *uint32
	DetectMultiplier *uint32
	EchoInterval     *uint32
	EchoMode         *bool
	PassiveMode      *bool
	MinimumTTL       *uint32
}

// PrefixMatch is a filter for received prefixes: Prefix and all longer ones
// whose length is from GE to LE; both 0 for Prefix alone.
type PrefixMatch struct {
	Prefix netip.Prefix
	GE, LE int
}
