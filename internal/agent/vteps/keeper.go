package vteps

import (
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netns"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// Keeper keeps a node's devices of VTEPs. Its calls must not overlap.
type Keeper struct {
	// Namespace to work in; the zero value is the process's own.
	Namespace netns.NsHandle
	Log       logr.Logger
	// Observing is why nothing may be changed, as what to do about it; "" where it may.
	Observing string
}

// Report is what a pass did, and how it stands then.
type Report struct {
	// Changes that were made.
	Changes []Change
	// VTEPs are sorted by name.
	VTEPs []State
	// Leftover is why something of a VTEP that is gone is still there, "" where nothing is.
	Leftover string
}

// Sync makes the kernel agree with the VTEPs, which have to be all that the node is to
// have: devices of others that were made here are removed. After an error it is worth to
// try again; where the kernel could not be read nothing was changed. What only people can
// set right is in a VTEP's Problem and no error.
func (k *Keeper) Sync(vteps []VTEP) (Report, error) {
	observed, err := Observe(k.Namespace)
	if err != nil {
		err = fmt.Errorf("the addresses of VTEPs are left as they are: %w", err)
		return Report{VTEPs: unread(vteps, err)}, err
	}
	if k.Observing != "" {
		return Report{VTEPs: Check(vteps, observed, k.Observing)}, nil
	}
	changes, states := Plan(vteps, observed)
	report := Report{VTEPs: states}
	if len(changes) == 0 {
		return report, nil
	}
	handle, err := rtnetlink.NewHandle(k.Namespace)
	if err != nil {
		err = fmt.Errorf("the addresses of VTEPs are left as they are: %w", err)
		return Report{VTEPs: unread(vteps, err)}, err
	}
	defer handle.Close()
	return k.carryOut(report, changes, writer{handle}.do)
}

// carryOut makes the changes. One that fails stops those after it for the same VTEP: an
// old address must not go before the new one is there.
func (k *Keeper) carryOut(report Report, changes []Change, do func(Change) error) (Report, error) {
	made, failed, all := devices.CarryOut(changes, func(c *Change) string { return c.VTEP }, func(c Change) error {
		err := do(c)
		if err == nil {
			k.Log.Info("Changed the kernel", "change", c.String(), "vtep", c.VTEP)
		}
		return err
	})
	report.Changes = append(report.Changes, made...)
	for i := range report.VTEPs {
		if s := &report.VTEPs[i]; failed[s.VTEP] != nil {
			s.trouble(ReasonKernelRefused, "%s", failed[s.VTEP])
		}
	}
	if err := failed[""]; err != nil {
		report.Leftover = err.Error()
	}
	return report, errors.Join(all...)
}
