package machine

import (
	"os/signal"
	"syscall"
	"testing"
)

// What nohup and a background job of a shell ignore, the processes of a machine
// must not: bash can't trap what was ignored when it started.
func TestMachinesStartWithDefaultSignals(t *testing.T) {
	m := newMachine(t, "m")
	ignored := []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR1}
	for _, number := range ignored {
		signal.Ignore(number)
		t.Cleanup(func() { signal.Reset(number) })
	}
	const trap = "trap 'echo hung up' HUP; kill -HUP $$; trap 'echo used' USR1; kill -USR1 $$"
	if got := run(t, m, "bash", "-c", trap); got != "" {
		t.Fatalf("bash traps what it was started without: %q; the test proves nothing", got)
	}
	catchIgnored()
	if got := run(t, m, "bash", "-c", trap); got != "hung up\nused" {
		t.Errorf("bash trapped %q", got)
	}
	for _, number := range ignored {
		if err := syscall.Kill(syscall.Getpid(), number); err != nil {
			t.Error(err)
		}
	}
}
