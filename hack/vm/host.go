package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

// runOnHost runs the tests on the host's kernel, in namespaces and in the root
// that the guest would have.
func runOnHost(ctx context.Context, cache *cache, stage string, list worklist.Worklist, v *verdicts) error {
	for i, test := range list.Tests {
		code, err := runOneOnHost(ctx, cache, stage, i, test.Limit, func(piece []byte) { v.output(i, piece) })
		if err != nil {
			return fmt.Errorf("run the tests of %s: %w", test.Package, err)
		}
		v.exit(i, code)
	}
	return nil
}

func runOneOnHost(ctx context.Context, cache *cache, stage string, index int, limit time.Duration, output func([]byte)) (int, error) {
	tooLate := fmt.Errorf("killed after %s, with all that it had started", limit)
	limited, cancel := context.WithTimeoutCause(ctx, limit, tooLate)
	defer cancel()
	cmd := enterCommand(limited, cache, stage, index)
	// The read end ends with the process namespace, whatever a test leaves
	// running.
	read, write, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer read.Close()
	cmd.Stdout, cmd.Stderr = write, write
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		return 0, err
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := read.Read(buffer)
		if n > 0 {
			output(buffer[:n])
		}
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if limited.Err() != nil {
		output(fmt.Appendf(nil, "\n%v\n", tooLate))
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

func hostShell(ctx context.Context, cache *cache, stage string) error {
	cmd := enterCommand(ctx, cache, stage, -1)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// A shell's exit code is that of its last command: nobody's failure.
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

func enterCommand(ctx context.Context, cache *cache, stage string, index int) *exec.Cmd {
	cmd := exec.CommandContext(ctx, guestOf(stage), "enter", cache.root(), payloadOf(stage), strconv.Itoa(index))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	return cmd
}
