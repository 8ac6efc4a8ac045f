package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

const usage = `usage:
  vm run [flags] -- PACKAGES [go test flags]   run tests where the kernel has VRF
  vm build                                     build the root and the guest's disks only
  vm shell [flags] [-- PACKAGES]               a shell where the tests would run
flags:`

var errTestsFailed = errors.New("tests failed")

type options struct {
	where  string
	accel  string
	memory int
	with   paths
	// What the end-to-end lab needs beside the root.
	controlPlane bool
	modules      string
	binaries     string
	evidence     string
}

type paths []string

func (p *paths) String() string     { return strings.Join(*p, ",") }
func (p *paths) Set(v string) error { *p = append(*p, v); return nil }

func main() {
	// A child is to die with the thread that started it; see startMachine.
	runtime.LockOSThread()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	cancel()
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case errors.Is(err, errTestsFailed):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	var o options
	flags := flag.NewFlagSet("vm", flag.ContinueOnError)
	flags.StringVar(&o.where, "where", "auto", "`auto`, host or guest: where to run; auto takes the host if its kernel has VRF")
	flags.StringVar(&o.accel, "accel", "auto", "the guest's accelerator, `auto`, kvm or tcg; auto takes kvm if it works here")
	flags.IntVar(&o.memory, "memory", 2048, "the guest's memory in `MiB`")
	flags.BoolVar(&o.controlPlane, "controlplane", false, "start etcd and kube-apiserver on the host; the tests' OVNBGP_LAB_KUBECONFIG reaches them")
	flags.StringVar(&o.modules, "modules", "", "kernel modules to load, separated by `commas`; auto takes the host only if it has them")
	flags.StringVar(&o.binaries, "binaries", "", "a `folder` of programs, which the tests find as OVNBGP_LAB_BINARIES")
	flags.StringVar(&o.evidence, "evidence", "", "a `folder` for what the tests leave in their OVNBGP_LAB_EVIDENCE")
	flags.Var(&o.with, "with", "a further `path` of the repository that tests read; may be repeated")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), usage)
		flags.PrintDefaults()
	}
	if len(args) == 2 && args[0] == "serve-controlplane" {
		return serveControlPlane(args[1])
	}
	if len(args) == 0 {
		flags.Usage()
		return flag.ErrHelp
	}
	if err := flags.Parse(args[1:]); err != nil {
		return flag.ErrHelp
	}
	if os.Geteuid() != 0 {
		return errors.New("namespaces and the root's build need root: run this as root")
	}
	cache, err := openCache(ctx)
	if err != nil {
		return err
	}
	defer cache.close()
	switch args[0] {
	case "run":
		return o.runTests(ctx, cache, flags.Args())
	case "shell":
		return o.shell(ctx, cache, flags.Args())
	case "build":
		return needs(ctx, "qemu-system-x86_64")
	default:
		flags.Usage()
		return flag.ErrHelp
	}
}

func (o options) runTests(ctx context.Context, cache *cache, args []string) error {
	line, err := parse(args)
	if err != nil {
		return err
	}
	onHost, err := o.onHost(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	stage, err := o.stage(ctx, cache, line)
	defer stage.remove()
	if err != nil {
		return err
	}
	list := stage.list
	if len(list.Tests) == 0 {
		return fmt.Errorf("there are no tests in %s", strings.Join(line.packages, " "))
	}
	verdicts, err := newVerdicts(ctx, list, line.verbose, os.Stdout)
	if err != nil {
		return err
	}
	fmt.Printf("vm: %d test binaries built in %s\n", len(list.Tests), since(started))
	started = time.Now()
	if onHost {
		err = o.runOnHost(ctx, cache, stage, verdicts)
	} else {
		err = o.runInGuest(ctx, cache, stage, verdicts)
	}
	if err == nil {
		fmt.Printf("vm: run in %s\n", since(started))
	}
	return verdicts.end(err, line.mayRunNothing)
}

func (o options) shell(ctx context.Context, cache *cache, args []string) error {
	line, err := parse(args)
	if err != nil {
		return err
	}
	onHost, err := o.onHost(ctx)
	if err != nil {
		return err
	}
	stage, err := o.stage(ctx, cache, line)
	defer stage.remove()
	if err != nil {
		return err
	}
	for _, test := range stage.list.Tests {
		fmt.Printf("vm: %s is %s, to be run in %s\n", test.Package,
			filepath.Join(worklist.Payload, test.Binary), filepath.Join(worklist.Payload, test.Dir))
	}
	stage.list.Shell = true
	if err := stage.list.Write(stage.payload()); err != nil {
		return err
	}
	if onHost {
		return hostShell(ctx, cache, stage)
	}
	return o.runInGuest(ctx, cache, stage, nil)
}

func (o options) onHost(ctx context.Context) (bool, error) {
	switch o.where {
	case "host", "guest":
		return o.where == "host", nil
	case "auto":
		lack := lackingKinds()
		if lack != "" {
			lack += " devices"
		} else {
			lack = lackingModule(ctx, o.moduleNames())
		}
		if lack == "" {
			fmt.Println("vm: the host's kernel has what is needed; the tests run on it, in namespaces of their own")
			return true, nil
		}
		fmt.Printf("vm: the host's kernel has no %s; the tests run in a virtual machine\n", lack)
		return false, nil
	default:
		return false, fmt.Errorf("-where is auto, host or guest, not %q", o.where)
	}
}

func (o options) moduleNames() []string {
	return strings.FieldsFunc(o.modules, func(r rune) bool { return r == ',' })
}

// niced gives way to whatever else the machine does.
func niced(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nice", append([]string{"-n", "10", name}, args...)...)
}

func output(cmd *exec.Cmd) (string, error) {
	var trouble strings.Builder
	if cmd.Stderr == nil {
		cmd.Stderr = &trouble
	}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, out, trouble.String())
	}
	return string(out), nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

func since(t time.Time) time.Duration { return time.Since(t).Round(100 * time.Millisecond) }
