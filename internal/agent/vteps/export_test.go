package vteps

import (
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// SyncFirst makes only the first changes of a pass, as an agent does that is killed. It
// tells how many there were to make.
func (k *Keeper) SyncFirst(vteps []VTEP, only int) (int, error) {
	observed, err := Observe(k.Namespace)
	if err != nil {
		return 0, err
	}
	changes, states := Plan(vteps, observed)
	handle, err := rtnetlink.NewHandle(k.Namespace)
	if err != nil {
		return 0, err
	}
	defer handle.Close()
	_, err = k.carryOut(Report{VTEPs: states}, changes[:min(only, len(changes))], writer{handle}.do)
	return len(changes), err
}
