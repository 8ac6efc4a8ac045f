package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
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
	if err == nil || !strings.Contains(err.Error(), "use lab, controlplane or auto") {
		t.Errorf("--stage=moon: %v", err)
	}
}

func TestWithoutRootTheLabIsRefusedAndAutoGoesOn(t *testing.T) {
	if os.Geteuid() == 0 {
		runAsNobody(t)
		return
	}
	if _, err := stageLab.choose(); err == nil || !strings.Contains(err.Error(), "need root") {
		t.Errorf("--stage=lab: %v", err)
	}
	if chosen, err := stageAuto.choose(); chosen != stageControlPlane || err != nil {
		t.Errorf("--stage=auto chooses %q, %v", chosen, err)
	}
}

// runAsNobody runs the test once more, in a process without root's rights.
func runAsNobody(t *testing.T) {
	t.Helper()
	again := exec.Command("/proc/self/exe", "-test.v", "-test.run=^"+t.Name()+"$")
	again.Dir = "/"
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
