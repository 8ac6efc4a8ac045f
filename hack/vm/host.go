package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/evidence"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/forward"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

// runOnHost runs the tests on the host's kernel, in namespaces and in the root
// that the guest would have.
func (o options) runOnHost(ctx context.Context, cache *cache, stage stage, v *verdicts) error {
	// Where the host was chosen by name, tests see for themselves what it has.
	lackingModule(ctx, o.moduleNames())
	for i, test := range stage.list.Tests {
		code, err := runOneOnHost(ctx, cache, stage, i, test.Limit, func(piece []byte) { v.output(i, piece) })
		if err != nil {
			return fmt.Errorf("run the tests of %s: %w", test.Package, err)
		}
		v.exit(i, code)
	}
	if o.evidence == "" {
		return nil
	}
	read, write := io.Pipe()
	go func() { write.CloseWithError(evidence.Pack(filepath.Join(stage.payload(), worklist.Evidence), write)) }()
	return o.keepEvidence(read)
}

func runOneOnHost(ctx context.Context, cache *cache, stage stage, index int, limit time.Duration, output func([]byte)) (int, error) {
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
	entered, err := forward.Start(cmd, stage.dialer())
	_ = write.Close()
	if err != nil {
		return 0, err
	}
	defer entered.Close()
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

func hostShell(ctx context.Context, cache *cache, stage stage) error {
	cmd := enterCommand(ctx, cache, stage, -1)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	entered, err := forward.Start(cmd, stage.dialer())
	if err != nil {
		return err
	}
	defer entered.Close()
	// A shell's exit code is that of its last command: nobody's failure.
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

// keepEvidence unpacks what tests have left and says where it is.
func (o options) keepEvidence(archive io.Reader) error {
	count, err := evidence.Unpack(archive, o.evidence)
	if err != nil {
		return fmt.Errorf("what the tests left: %w", err)
	}
	if count > 0 {
		fmt.Printf("vm: the tests left %d files in %s\n", count, o.evidence)
	}
	return nil
}

func enterCommand(ctx context.Context, cache *cache, stage stage, index int) *exec.Cmd {
	cmd := exec.CommandContext(ctx, stage.guest(), "enter", cache.root(), stage.payload(), strconv.Itoa(index))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	return cmd
}
