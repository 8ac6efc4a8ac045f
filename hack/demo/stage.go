package main

import (
	"context"
	"fmt"
	"os"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// stage is where the stories are told.
type stage string

const (
	// stageLab has nodes with FRR, frr-k8s, OVN and the agent, routers, pods
	// and servers; packets are sent.
	stageLab stage = "lab"
	// stageControlPlane has an API server and the manager.
	stageControlPlane stage = "controlplane"
	// stageAuto is the lab where there can be one.
	stageAuto stage = "auto"
)

// choose returns the stage to tell the stories on. For the lab it returns
// inside of an enclosure only: outside, the program is run again in there.
func (s stage) choose() (stage, error) {
	switch s {
	case stageControlPlane:
		return s, nil
	case stageLab, stageAuto:
	default:
		return s, fmt.Errorf("--stage=%s: say %s, %s or %s", s, stageLab, stageControlPlane, stageAuto)
	}
	err := enterLab()
	switch {
	case err == nil:
		return stageLab, nil
	case s == stageLab:
		return s, fmt.Errorf("no lab here: %w", err)
	}
	fmt.Printf("No packets today, only the control plane: %v.\n\n", err)
	return stageControlPlane, nil
}

func enterLab() error {
	// Looked for while there is a way back: Enter returns inside only.
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
