package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
)

// printRoutes prints the node's routes.
func printRoutes(ctx context.Context, o *options, out, logs io.Writer) error {
	if o.logLevel == "info" {
		// Only the table matters here.
		o.logLevel = "error"
	}
	o.logFormat = "text"
	p, err := assemble(o, logs, true)
	if err != nil {
		return err
	}
	if trouble := askRunning(ctx, o.probeAddress); trouble != "" {
		_, _ = fmt.Fprintf(logs, "The agent on this node is not ready: %s\n", trouble)
	}
	return p.settle(ctx, o.timeout, func(context.Context) error {
		return writeRoutes(out, p.agent.Routes())
	})
}

// askRunning returns why the node's agent is not ready. This command reads routes in
// sessions of its own, which may work while the agent's don't. It returns "" if the
// agent is ready, and if none answers: the command works without an agent, too.
func askRunning(ctx context.Context, address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "" // It serves no probes.
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", http.NoBody)
	if err != nil {
		return ""
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	if response.StatusCode == http.StatusOK {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func writeRoutes(out io.Writer, rows []agent.RouteRow) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "NETWORK\tVRF\tPREFIX\tKERNEL\tOVN\tREASON")
	for _, r := range rows {
		vrf := r.VRF
		if vrf == "" {
			vrf = "default"
		}
		prefix := r.Prefix.String()
		if r.More > 0 {
			prefix = fmt.Sprintf("%d more", r.More)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Network, vrf, prefix, or(strings.Join(r.Kernel, ", ")), or(strings.Join(r.OVN, ", ")), r.Reason)
	}
	return w.Flush()
}

func or(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
