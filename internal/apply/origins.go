package apply

import (
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// annotationOrigins is on cached objects only, never on the server's.
const annotationOrigins = "ovnbgp.io/origins"

// maxResult cuts the result texts that a cached FRRNodeState keeps: those of a
// failed reload quote whole configurations.
const maxResult = 2048

// OriginatedPrefixes are the (VRF, prefix) pairs that an FRR instance originates, the
// (VRF, VNI) pairs by which it announces them, the (VRF, neighbor, prefix) triples that
// it marks for graceful shutdown, and those that it announces by raw text, with their
// attributes, as sorted hashes.
type OriginatedPrefixes []uint64

// Has reports whether the prefix is originated in the VRF, "" for the default.
func (o OriginatedPrefixes) Has(vrf string, prefix netip.Prefix) bool {
	_, found := slices.BinarySearch(o, originHash(vrf, prefix))
	return found
}

// HasVNI reports whether EVPN carries the VRF by the VNI.
func (o OriginatedPrefixes) HasVNI(vrf string, vni uint32) bool {
	_, found := slices.BinarySearch(o, vniHash(vrf, strconv.FormatUint(uint64(vni), 10)))
	return found
}

// Marks reports whether the neighbor in the VRF gets the prefix marked for graceful
// shutdown, if it gets it.
func (o OriginatedPrefixes) Marks(vrf, neighbor string, prefix netip.Prefix) bool {
	_, found := slices.BinarySearch(o, markHash(model.OutboundMap(vrf, neighbor), prefix))
	return found
}

// OriginsOf reads what an FRRNodeState, whole or stripped, says is originated.
func OriginsOf(state *frrk8sv1beta1.FRRNodeState) OriginatedPrefixes {
	if text, noted := noted(state, annotationOrigins); noted {
		if origins, ok := unpack(text); ok {
			return origins
		}
	}
	return parseOrigins(state.Status.RunningConfig)
}

// StripNodeState is a cache transform for FRRNodeStates: of the running
// configuration, only what is originated is ever asked.
func StripNodeState(obj any) (any, error) {
	o, ok := obj.(*frrk8sv1beta1.FRRNodeState)
	if !ok {
		return obj, nil
	}
	origins := OriginsOf(o)
	o.ManagedFields = nil
	o.Status.RunningConfig = ""
	o.Status.LastConversionResult = cut(o.Status.LastConversionResult)
	o.Status.LastReloadResult = cut(o.Status.LastReloadResult)
	note(o, annotationOrigins, origins.pack())
	return o, nil
}

func cut(text string) string {
	if len(text) <= maxResult {
		return text
	}
	return strings.ToValidUTF8(text[:maxResult], "") + "…"
}

// parseOrigins collects the network statements of every BGP router in FRR's
// running configuration.
func parseOrigins(config string) OriginatedPrefixes {
	var origins OriginatedPrefixes
	vrf, inRouter, carried := "", false, ""
	for line := range strings.Lines(config) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "!" {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			vrf, inRouter = routerBlock(words)
			carried = vrfBlock(words)
			continue
		}
		if carried != "" && words[0] == "vni" && len(words) >= 2 {
			origins = append(origins, vniHash(carried, words[1]))
		}
		if !inRouter || words[0] != "network" || len(words) < 2 {
			continue
		}
		if prefix, err := netip.ParsePrefix(words[1]); err == nil {
			origins = append(origins, originHash(vrf, prefix))
		}
	}
	origins = append(origins, parseMarks(config)...)
	origins = append(origins, parseRaw(config)...)
	slices.Sort(origins)
	return slices.Compact(origins)
}

// routerBlock reads `router bgp <ASN> [vrf <name>]`.
func routerBlock(words []string) (vrf string, ok bool) {
	if len(words) < 3 || words[0] != "router" || words[1] != "bgp" {
		return "", false
	}
	if len(words) >= 5 && words[3] == "vrf" {
		return words[4], true
	}
	return "", true
}

// vrfBlock reads `vrf <name>`.
func vrfBlock(words []string) string {
	if len(words) != 2 || words[0] != "vrf" {
		return ""
	}
	return words[1]
}

func vniHash(vrf, vni string) uint64 {
	return xxhash.Sum64([]byte(vrf + "\x00vni " + vni))
}

func originHash(vrf string, prefix netip.Prefix) uint64 {
	text := append([]byte(vrf), 0)
	text = prefix.Masked().AppendTo(text)
	return xxhash.Sum64(text)
}

func (o OriginatedPrefixes) pack() string {
	raw := make([]byte, 0, 8*len(o))
	for _, hash := range o {
		raw = binary.BigEndian.AppendUint64(raw, hash)
	}
	return base64.RawStdEncoding.EncodeToString(raw)
}

func unpack(text string) (OriginatedPrefixes, bool) {
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(raw)%8 != 0 {
		return nil, false
	}
	origins := make(OriginatedPrefixes, 0, len(raw)/8)
	for ; len(raw) > 0; raw = raw[8:] {
		origins = append(origins, binary.BigEndian.Uint64(raw))
	}
	return origins, true
}
