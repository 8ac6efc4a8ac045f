package model

// SessionExtra are settings of a session that frr-k8s has no fields for. It is comparable;
// the zero value is none, and so is that of each field.
type SessionExtra struct {
	// Passive leaves it to the neighbor to connect.
	Passive bool
	// TTLSecurityHops is how many hops away the neighbor may be by the TTL of its packets
	// (RFC 5082).
	TTLSecurityHops uint8
	// MaximumPrefixes is how many prefixes the neighbor may announce.
	MaximumPrefixes PrefixLimit
}

// PrefixLimit limits what a neighbor announces. FRR ends a session that exceeds it.
type PrefixLimit struct {
	// IPv4 and IPv6 are the limits of the families, 0 for none.
	IPv4, IPv6 uint32
	// ThresholdPercent of the limit is when FRR's log warns, 0 for FRR's default.
	ThresholdPercent uint8
	// WarningOnly lets the session go on.
	WarningOnly bool
	// RestartMinutes is when FRR starts the session again, 0 for never.
	RestartMinutes uint16
}

// RouterExtra are settings of a router that frr-k8s has no fields for. It is comparable;
// the zero value is none, and so is that of each field.
type RouterExtra struct {
	// MultipathRelax takes paths of the same length by different ASes for equal.
	MultipathRelax bool
	// GracefulRestart are its times (RFC 4724).
	GracefulRestart RestartTimes
}

// RestartTimes are in seconds; 0 is FRR's default.
type RestartTimes struct {
	// Restart is how long neighbors wait for the router to be back.
	Restart uint16
	// StalePath is how long the router keeps the paths of a neighbor that restarts.
	StalePath uint16
	// Deferral is how long the router waits for its neighbors' paths when it is back.
	Deferral uint16
}

// With adds settings that come after e in precedence, and names those, as users write
// them, of which both have a value and e's counts.
func (e SessionExtra) With(later SessionExtra) (out SessionExtra, overridden []string) {
	out = e
	merge(&out.Passive, later.Passive, "passive", &overridden)
	merge(&out.TTLSecurityHops, later.TTLSecurityHops, "ttlSecurityHops", &overridden)
	merge(&out.MaximumPrefixes, later.MaximumPrefixes, "maximumPrefixes", &overridden)
	return out, overridden
}

// With is as that of SessionExtra.
func (e RouterExtra) With(later RouterExtra) (out RouterExtra, overridden []string) {
	out = e
	merge(&out.MultipathRelax, later.MultipathRelax, "multipathRelax", &overridden)
	merge(&out.GracefulRestart.Restart, later.GracefulRestart.Restart, "gracefulRestart.restartSeconds", &overridden)
	merge(&out.GracefulRestart.StalePath, later.GracefulRestart.StalePath, "gracefulRestart.stalePathSeconds", &overridden)
	merge(&out.GracefulRestart.Deferral, later.GracefulRestart.Deferral, "gracefulRestart.deferralSeconds", &overridden)
	return out, overridden
}

func merge[T comparable](to *T, later T, name string, overridden *[]string) {
	var unset T
	switch {
	case *to == unset:
		*to = later
	case later != unset && later != *to:
		*overridden = append(*overridden, name)
	}
}
