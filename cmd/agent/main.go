package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

const (
	// memoryLimit is where Go's collector begins to work harder. An agent runs
	// on every node, so its memory counts more than its processor time.
	memoryLimit = 96 << 20
	// collectAt is the growth of the heap, in percent, that is collected.
	collectAt = 50
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		stop()
		os.Exit(1)
	}
}

// run is main without the process around it. Only it looks at the environment.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	options := defaults()
	options.kubeconfig = getenv("KUBECONFIG")
	options.node = getenv("NODE_NAME")

	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}

	command := newCommand(&options)
	command.SetArgs(args)
	command.SetOut(stdout)
	command.SetErr(stderr)
	return command.ExecuteContext(ctx)
}
