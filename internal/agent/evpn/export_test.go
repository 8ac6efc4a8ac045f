package evpn

import (
	"context"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// Unread are the states while the kernel can't be read.
func Unread(networks []Network, err error) []State { return unread(networks, err) }

// SyncFirst makes only the first changes of a pass, as an agent does that is killed.
func (k *Keeper) SyncFirst(ctx context.Context, networks []Network, hosts map[string][]Host, only int) (Report, error) {
	return k.sync(ctx, networks, func() map[string][]Host { return hosts }, only)
}

// Requests counts the kernel's part in making changes.
func (k *Keeper) Requests(ctx context.Context, changes []Change, observed *Observed) (int, error) {
	kernel, err := rtnetlink.NewConversation(k.Namespace)
	if err != nil {
		return 0, err
	}
	defer kernel.Close()
	w := newWriter(kernel, k.Switch, observed)
	for _, c := range changes {
		if err := w.do(ctx, c); err != nil {
			return 0, err
		}
	}
	return kernel.Requests, nil
}

// RouterMAC is the bridge's address.
func RouterMAC(vtep, node string) string { return routerMAC(vtep, node).String() }
