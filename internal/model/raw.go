package model

import (
	"fmt"
	"net/netip"
)

// RawState says whether a node's plan may have what frr-k8s' API has no fields for, and
// why not. frr-k8s hands such raw text to FRR as it is, and supports it no further. The
// zero value is that it may not.
type RawState struct {
	Permission RawPermission
	// Canary is the node whose FRR has to take its raw text first, in RawWaiting.
	Canary string
	// Failure is what FRR said of the node's raw text, in RawTakenOff.
	Failure string
}

// RawPermission is the kind of a RawState.
type RawPermission int

// The permissions. In all but RawOn, routes get those of their attributes that frr-k8s
// has fields for, and sessions no settings that it lacks.
const (
	// RawOff: the operator runs without --frr-raw.
	RawOff RawPermission = iota
	// RawOn: the node gets raw text.
	RawOn
	// RawWaiting: another node gets it first.
	RawWaiting
	// RawTakenOff: the node's FRR did not take it.
	RawTakenOff
)

var rawPermissions = [...]string{"RawOff", "RawOn", "RawWaiting", "RawTakenOff"}

// String returns the permission's name.
func (p RawPermission) String() string {
	if p < 0 || int(p) >= len(rawPermissions) {
		return fmt.Sprintf("RawPermission(%d)", int(p))
	}
	return rawPermissions[p]
}

// On reports whether the node gets raw text.
func (s RawState) On() bool { return s.Permission == RawOn }

// RawFault says why raw text can't have the session of a router in the VRF, "" if it can.
// What is copied from users is parsed, or is of characters that FRR's parser reads as a
// word.
func RawFault(vrf string, s *Session) string {
	if fault := RawVRFFault(vrf); fault != "" {
		return fault
	}
	if s.Address == "" && !plainName(s.Interface) {
		return fmt.Sprintf("the name of interface %q", s.Interface)
	}
	for _, text := range []string{s.Address, s.NextHopIPv4, s.NextHopIPv6} {
		if address, err := netip.ParseAddr(text); text != "" && (err != nil || address.Zone() != "") {
			return fmt.Sprintf("the address %q", text)
		}
	}
	return ""
}

// RawVRFFault is RawFault of a router without a session.
func RawVRFFault(vrf string) string {
	if vrf != "" && !plainName(vrf) {
		return fmt.Sprintf("the name of VRF %q", vrf)
	}
	return ""
}

func plainName(name string) bool {
	if name == "" || len(name) > maxDeviceName {
		return false
	}
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
		default:
			return false
		}
	}
	return true
}

// OutboundMap is how frr-k8s calls the route-map of what a neighbor gets.
func OutboundMap(vrf, neighbor string) string {
	if vrf != "" {
		neighbor += "-" + vrf
	}
	return neighbor + "-out"
}
