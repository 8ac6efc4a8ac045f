package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheControlPlaneIsAStageEverywhere(t *testing.T) {
	chosen, err := stageControlPlane.choose()
	if chosen != stageControlPlane || err != nil {
		t.Errorf("--stage=controlplane chooses %q, %v", chosen, err)
	}
}

func TestAnUnknownStageIsRefusedWithTheKnownOnes(t *testing.T) {
	_, err := stage("moon").choose()
	if err == nil || !strings.Contains(err.Error(), "say lab, controlplane or auto") {
		t.Errorf("--stage=moon: %v", err)
	}
}

func TestWithoutRootTheLabIsRefusedAndAutoGoesOn(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED, NOT PASSED: root has a lab; run this as another user")
	}
	if _, err := stageLab.choose(); err == nil || !strings.Contains(err.Error(), "need root") {
		t.Errorf("--stage=lab: %v", err)
	}
	if chosen, err := stageAuto.choose(); chosen != stageControlPlane || err != nil {
		t.Errorf("--stage=auto chooses %q, %v", chosen, err)
	}
}
