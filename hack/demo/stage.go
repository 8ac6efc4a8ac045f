package main

import (
	"context"
	"fmt"
	"os"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// stage is where the demo runs.
type stage string

const (
	// stageLab has nodes with FRR, frr-k8s, OVN and the agent, routers, pods
	// and servers, and sends packets.
	stageLab stage = "lab"
	// stageControlPlane has an API server and the manager.
	stageControlPlane stage = "controlplane"
	// stageAuto is the lab if it can run here.
	stageAuto stage = "auto"
)

// choose returns the stage to run on. For the lab it returns only inside an
// enclosure: outside, it runs the program again inside one.
func (s stage) choose() (stage, error) {
	switch s {
	case stageControlPlane:
		return s, nil
	case stageLab, stageAuto:
	default:
		return s, fmt.Errorf("--stage=%s: use %s, %s or %s", s, stageLab, stageControlPlane, stageAuto)
	}
	err := enterLab()
	switch {
	case err == nil:
		return stageLab, nil
	case s == stageLab:
		return s, fmt.Errorf("the lab can't run here: %w", err)
	}
	fmt.Printf("Only the control plane is shown, without packets: %v.\n\n", err)
	return stageControlPlane, nil
}

func enterLab() error {
	// Checked before Enter, which returns only inside the enclosure.
	if os.Geteuid() == 0 {
		if _, err := lab.BinariesFolder(); err != nil {
			return err
		}
	}
	return machine.Enter()
}

func (s stage) tell(ctx context.Context, binaries string, once bool) error {
	if s == stageLab {
		return tellInLab(ctx, once)
	}
	return run(ctx, binaries, once)
}
