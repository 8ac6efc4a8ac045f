package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
)

// printRoutes prints the node's routes.
func printRoutes(ctx context.Context, o *options, out, logs io.Writer) error {
	if o.logLevel == "info" {
		// What people want to read is the table.
		o.logLevel = "error"
	}
	o.logFormat = "text"
	p, err := assemble(o, logs, true)
	if err != nil {
		return err
	}
	return p.settle(ctx, o.timeout, func(context.Context) error {
		return writeRoutes(out, p.agent.Routes())
	})
}

func writeRoutes(out io.Writer, rows []agent.RouteRow) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "NETWORK\tVRF\tPREFIX\tKERNEL\tOVN\tWHY NOT")
	for _, r := range rows {
		vrf := r.VRF
		if vrf == "" {
			vrf = "default"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Network, vrf, r.Prefix, or(strings.Join(r.Kernel, ", ")), or(strings.Join(r.OVN, ", ")), r.Reason)
	}
	return w.Flush()
}

func or(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
