package evpn

// Unread are the states while the kernel can't be read.
func Unread(networks []Network, err error) []State { return unread(networks, err) }
