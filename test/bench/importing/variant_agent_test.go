package importing

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/vishvananda/netns"

	agents "github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// agentVariable in the environment makes this binary an agent.
const agentVariable = "BENCHMARK_AGENT"

// agentOrder is what that agent is told in the variable.
type agentOrder struct {
	Namespace string
	Endpoints []string
	// Files are for where the database is asked over SSL.
	Files    nbserver.Certificates
	Networks []agents.Network
}

// runAgent is the process: it connects, says so, and imports once it is told.
func runAgent(text string) error {
	var order agentOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		return err
	}
	namespace, err := netns.GetFromName(order.Namespace)
	if err != nil {
		return err
	}
	options := ovnnb.Options{Endpoints: order.Endpoints, Node: nodeName}
	if order.Files.Certificate != "" {
		options.TLS = order.Files.Config
	}
	log := funcr.New(func(_, line string) { _, _ = fmt.Fprintln(os.Stderr, line) }, funcr.Options{})
	options.Log = log
	a := agents.New(agents.Options{Kernel: kernel.Options{Namespace: namespace, Log: log}, OVN: options, Log: log})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		for !a.Connected() {
			time.Sleep(time.Millisecond) //nolint:forbidigo // the pause between two looks at the condition
		}
		fmt.Println("connected")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err == nil {
			a.Apply(order.Networks, true)
		}
	}()
	return a.Run(ctx)
}

// startAgent starts it and waits until it is connected.
func (v variant) startAgent(b *testing.B, n *node, nb *northbound) *agent {
	b.Helper()
	order := agentOrder{Namespace: n.Name, Endpoints: nb.endpoints, Files: nb.files}
	for i, name := range v.names() {
		network := agents.Network{Name: name, Gateways: []string{"gw0"}}
		switch {
		case v.vrf:
			network.VRF = fmt.Sprintf("vrf%d", i)
		case v.networks > 0:
			network.VRF, network.Table = fmt.Sprintf("vrf%d", i), uint32(v.table(i))
		}
		order.Networks = append(order.Networks, network)
	}
	text, err := json.Marshal(order)
	if err != nil {
		b.Fatal(err)
	}
	a := &agent{log: &log{}}
	a.command = exec.Command(os.Args[0])
	a.command.Env = append(os.Environ(), agentVariable+"="+string(text))
	a.command.Stdout, a.command.Stderr = a.log, a.log
	if a.orders, err = a.command.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	a.began = time.Now()
	if err := a.command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.command.Process.Kill() })
	nbserver.Eventually(b, time.Minute, "the agent is connected", func() bool { return strings.Contains(a.log.String(), "connected\n") })
	return a
}

// goAhead tells the agent its networks.
func (a *agent) goAhead(b *testing.B) time.Time {
	b.Helper()
	start := time.Now()
	if _, err := io.WriteString(a.orders, "go\n"); err != nil {
		b.Fatalf("%v\n%s", err, a.log)
	}
	return start
}
