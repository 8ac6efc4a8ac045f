package devices

const (
	// Group is the device group (IFLA_GROUP) of devices that the agent makes. A group can
	// be given in the message that makes a device, an alias can't, so that a device without
	// its mark would be left behind by an agent that is killed in between.
	Group uint32 = 0x6f766e62
	// AliasPrefix begins the alias of devices. It is for people, and shows what a device
	// is for while the wanted names are not known.
	AliasPrefix = "ovnbgp.io/managed "
)

// AliasOf is the alias of a device that was made for something, as much of it as the
// kernel takes (IFALIASZ).
func AliasOf(what string) string {
	alias := AliasPrefix + what
	return alias[:min(len(alias), 255)]
}
