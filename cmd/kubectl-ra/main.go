package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/printable"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program"
)

// Exit codes, as the help texts promise them.
const (
	exitFine    = 0
	exitUnable  = 1
	exitBlocked = 2
	// exitInterrupted is a shell's for a program that SIGINT ended.
	exitInterrupted = 130
)

// errBlocked means that the plan was printed and has findings that block something.
var errBlocked = errors.New("the plan has findings that block something")

func main() {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// No context can stop a read from a terminal or a pipe.
	context.AfterFunc(ctx, func() {
		if undoing.Load() {
			return
		}
		fmt.Fprintln(os.Stderr, "Error: interrupted")
		os.Exit(exitInterrupted)
	})
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	os.Exit(code)
}

// undoing is set while a command has something to undo if it is interrupted: then it
// ends by itself.
var undoing atomic.Bool

// run is main without the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	command := newCommand()
	command.SetArgs(args)
	command.SetIn(stdin)
	command.SetOut(stdout)
	command.SetErr(stderr)
	err := command.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errBlocked):
		return exitBlocked
	}
	// Cobra puts its suggestions on lines of their own.
	text := strings.NewReplacer("\n\nDid you mean this?\n\t", "; did you mean ", "\n\t", " or ").Replace(err.Error())
	for line := range strings.Lines(strings.TrimSpace(text)) {
		_, _ = fmt.Fprintf(stderr, "Error: %s\n", printable.Line(strings.TrimRight(line, "\n")))
	}
	return exitUnable
}

func newCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "kubectl-ra",
		Short: "Inspect RouteAdvertisements, change templates in use, and move traffic away from nodes",
		Long: `kubectl ra shows what RouteAdvertisements advertise on each node, and what
prevents the rest. It changes templates that are in use, and moves traffic away from
a node before it goes down. Only "kubectl ra apply", "drain" and "undrain" write to a
cluster: templates, and whether a node is cordoned.

Put the binary kubectl-ra on your PATH, so that kubectl finds it as "kubectl ra".`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl ra"},
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       program.Version(),
	}
	command.SetVersionTemplate("{{.Version}}\n")
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return fmt.Errorf("%w (see --help)", err)
	})
	command.AddCommand(newPlanCommand(), newApplyCommand(), newDrainCommand(), newUndrainCommand(), program.NewReferenceCommand())
	describeCompletion(command)
	return command
}
