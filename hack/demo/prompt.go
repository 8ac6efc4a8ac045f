package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

const invitation = `
Everything keeps running until Ctrl-C or Ctrl-D. Try these here:

  kubectl get ra pods -o yaml                 # conditions
  kubectl get noderoutestates -o yaml         # what the agents learned and imported
  kubectl ra plan                             # what the manager plans
  kubectl delete ra pods
  tor vtysh -c 'show bgp ipv4 unicast'
  node1 vtysh -c 'show running-config'
  node1 ip route
  node1 ovn-nbctl show
  pod ping -c 1 172.20.0.10
  server ping -c 1 10.244.1.3

`

// answer runs what the user types: the name of a machine, and a command to run there.
func (d *labDemo) answer(ctx context.Context) error {
	fmt.Print(invitation)
	lines := make(chan string)
	go func() {
		defer close(lines)
		for input := bufio.NewScanner(os.Stdin); input.Scan(); {
			lines <- input.Text()
		}
	}()
	for {
		fmt.Print("lab> ")
		select {
		case <-ctx.Done():
			return nil
		case line, open := <-lines:
			if !open {
				return nil
			}
			d.execute(ctx, strings.TrimSpace(line))
		}
	}
}

func (d *labDemo) execute(ctx context.Context, line string) {
	name, command, _ := strings.Cut(line, " ")
	m := d.machines()[name]
	var output []byte
	var err error
	switch {
	case line == "":
	case name == "kubectl":
		kubectl := exec.CommandContext(ctx, "sh", "-c", line)
		kubectl.Env = append(os.Environ(), "KUBECONFIG="+d.kubeconfig, "PATH="+filepath.Dir(d.kubectl)+":"+
			filepath.Join(d.root, ".cache", "lab", "bin")+":"+os.Getenv("PATH"))
		output, err = kubectl.CombinedOutput()
	case m == nil || command == "":
		err = errors.New("type kubectl, node1, node2, tor, server or pod, and then a command")
	default:
		output, err = m.Command(ctx, "sh", "-c", command).CombinedOutput()
	}
	fmt.Print(string(output))
	if err != nil {
		fmt.Println(err)
	}
}

func (d *labDemo) machines() map[string]*machine.Machine {
	out := map[string]*machine.Machine{"tor": d.tor.Machine, "server": d.server.Machine, "pod": d.pod.Machine}
	for _, n := range d.Nodes {
		out[n.Name] = n.Machine
	}
	return out
}
