package model

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"unique"
)

// Route is a prefix with the attributes that it is announced with. It is
// comparable.
type Route struct {
	Prefix     netip.Prefix
	Attributes Attributes
}

// Attributes are BGP path attributes. A node announces hundreds of prefixes with
// the same few or, as most do, with none, so they are interned: Attributes take
// the room of a pointer and are compared as one. The zero value is none.
//
// Those that frr-k8s has no fields for need raw text: see NeedsRaw.
type Attributes struct{ interned unique.Handle[attributes] }

// attributes are AttributeValues that can be compared.
type attributes struct {
	// communities are packed, sorted.
	communities        string
	localPreference    uint32
	hasLocalPreference bool
	med                uint32
	hasMED             bool
	prepend            uint8
}

// AttributeValues are Attributes to be read or made.
type AttributeValues struct {
	Communities []Community
	// LocalPreference is nil where none is set; 0 is the lowest one.
	LocalPreference *uint32
	// MED is the MULTI_EXIT_DISC, nil where none is set; the lowest one wins.
	MED *uint32
	// Prepend is how often the router's own AS number is added to the AS path, beside the
	// once that BGP adds it.
	Prepend uint8
}

// Community is a BGP community (RFC 1997), or a large one (RFC 8092).
type Community struct {
	Large bool
	// Parts are what colons part in writing: two numbers of 16 bits, the third
	// one being 0, or three of 32 bits.
	Parts [3]uint32
}

// GracefulShutdown asks routers to prefer any other path (RFC 8326).
var GracefulShutdown = Community{Parts: [3]uint32{65535, 0}}

// String returns the community as frr-k8s writes it.
func (c Community) String() string {
	if c.Large {
		return fmt.Sprintf("large:%d:%d:%d", c.Parts[0], c.Parts[1], c.Parts[2])
	}
	return fmt.Sprintf("%d:%d", c.Parts[0], c.Parts[1])
}

// Compare orders standard communities before large ones, and both by number.
func (c Community) Compare(other Community) int {
	if c.Large != other.Large {
		if other.Large {
			return -1
		}
		return 1
	}
	return slices.Compare(c.Parts[:], other.Parts[:])
}

// MakeAttributes returns the attributes with these values, in whatever order
// communities come and however often each of them comes.
func MakeAttributes(v AttributeValues) Attributes {
	if len(v.Communities) == 0 && v.LocalPreference == nil && v.MED == nil && v.Prepend == 0 {
		return Attributes{}
	}
	// Nearly all attributes fit in here. They are made for every node that has a policy.
	var room [16]Community
	communities := append(room[:0], v.Communities...)
	slices.SortFunc(communities, Community.Compare)
	var out attributes
	var packing [len(room) * communityBytes]byte
	packed := packing[:0]
	for _, c := range slices.Compact(communities) {
		packed = appendCommunity(packed, c)
	}
	out.communities = string(packed)
	if v.LocalPreference != nil {
		out.localPreference, out.hasLocalPreference = *v.LocalPreference, true
	}
	if v.MED != nil {
		out.med, out.hasMED = *v.MED, true
	}
	out.prepend = v.Prepend
	return Attributes{unique.Make(out)}
}

// communityBytes is how long a packed community is.
const communityBytes = 1 + 3*4

func appendCommunity(out []byte, c Community) []byte {
	kind := byte(0)
	if c.Large {
		kind = 1
	}
	out = append(out, kind)
	for _, part := range c.Parts {
		out = binary.BigEndian.AppendUint32(out, part)
	}
	return out
}

// Values returns what the attributes consist of; communities are sorted.
func (a Attributes) Values() AttributeValues {
	var out AttributeValues
	if a == (Attributes{}) {
		return out
	}
	packed := a.interned.Value()
	for rest := []byte(packed.communities); len(rest) > 0; rest = rest[communityBytes:] {
		c := Community{Large: rest[0] == 1}
		for i := range c.Parts {
			c.Parts[i] = binary.BigEndian.Uint32(rest[1+4*i:])
		}
		out.Communities = append(out.Communities, c)
	}
	if packed.hasLocalPreference {
		out.LocalPreference = &packed.localPreference
	}
	if packed.hasMED {
		out.MED = &packed.med
	}
	out.Prepend = packed.prepend
	return out
}

// With adds attributes that come after a in precedence: the communities of both
// count, and of what there is only one of, that of a.
func (a Attributes) With(later Attributes) Attributes {
	switch {
	case a == later, later == Attributes{}:
		return a
	case a == Attributes{}:
		return later
	}
	first, second := a.Values(), later.Values()
	return MakeAttributes(AttributeValues{
		Communities:     slices.Concat(first.Communities, second.Communities),
		LocalPreference: cmp.Or(first.LocalPreference, second.LocalPreference),
		MED:             cmp.Or(first.MED, second.MED),
		Prepend:         cmp.Or(first.Prepend, second.Prepend),
	})
}

// NeedsRaw reports whether frr-k8s has no field for one of the attributes, so that a route
// with them has to be announced by raw text.
func (a Attributes) NeedsRaw() bool {
	if a == (Attributes{}) {
		return false
	}
	value := a.interned.Value()
	return value.hasMED || value.prepend > 0
}

// Typed returns the attributes that frr-k8s has fields for.
func (a Attributes) Typed() Attributes {
	if !a.NeedsRaw() {
		return a
	}
	values := a.Values()
	return MakeAttributes(AttributeValues{Communities: values.Communities, LocalPreference: values.LocalPreference})
}
