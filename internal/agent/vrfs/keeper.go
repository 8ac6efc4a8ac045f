package vrfs

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netns"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// Keeper keeps a node's VRF devices, with their rules and routes. Its calls
// must not overlap.
type Keeper struct {
	// Namespace to work in; the zero value is the process's own.
	Namespace netns.NsHandle
	Log       logr.Logger
	// TableStart is what a management port's index is added to for a network's
	// table; 0 means DefaultTableStart.
	TableStart uint32
}

// Report is what a pass did, and how it stands then.
type Report struct {
	// Changes that were made.
	Changes []Change
	// Networks are sorted by name.
	Networks []State
	// Leftover is why something that no network wants is still there, "" where
	// nothing is.
	Leftover string
}

// Sync makes the kernel agree with the networks, which have to be all that the
// node is to have: of others, what was made here is removed. After an error it
// is worth to try again; where the kernel could not be read nothing was changed.
// What only people can set right is in a network's Problem and no error.
func (k *Keeper) Sync(networks []Network) (Report, error) {
	observed, err := Observe(k.Namespace)
	if err != nil {
		err = fmt.Errorf("the node's VRF devices are left as they are: %w", err)
		return Report{Networks: unread(networks, err)}, err
	}
	changes, states := Plan(networks, observed, cmp.Or(k.TableStart, DefaultTableStart))
	report := Report{Networks: states}
	if len(changes) == 0 {
		return report, nil
	}
	handle, err := rtnetlink.NewHandle(k.Namespace)
	if err != nil {
		err = fmt.Errorf("the node's VRF devices are left as they are: %w", err)
		return Report{Networks: unread(networks, err)}, err
	}
	defer handle.Close()
	return k.carryOut(report, changes, writer{handle}.do)
}

// carryOut makes the changes. One that fails stops those after it for the same
// network: without its stop a table must carry nothing, and a rule must not
// lead to a device that isn't there.
func (k *Keeper) carryOut(report Report, changes []Change, do func(Change) error) (Report, error) {
	made, failed, all := devices.CarryOut(changes, func(c *Change) string { return c.Network }, func(c Change) error {
		err := do(c)
		if err == nil {
			k.Log.Info("Changed the kernel", "change", c.String(), "network", c.Network)
		}
		return err
	})
	report.Changes = append(report.Changes, made...)
	for i := range report.Networks {
		if s := &report.Networks[i]; failed[s.Network] != nil {
			s.trouble(ReasonKernelRefused, "%s", failed[s.Network])
		}
	}
	if err := failed[""]; err != nil {
		report.Leftover = err.Error()
	}
	return report, errors.Join(all...)
}
