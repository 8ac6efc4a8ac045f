package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// BinariesFolder is where the programs are: the folder that OVNBGP_LAB_BINARIES
// names, as in the virtual machine, or what `make lab-binaries` fills.
func BinariesFolder() (string, error) {
	folder := os.Getenv("OVNBGP_LAB_BINARIES")
	if folder == "" {
		checkout, err := controlplane.RepositoryRoot()
		if err != nil {
			return "", err
		}
		folder = filepath.Join(checkout, ".cache", "lab", "bin")
	}
	for _, program := range []string{"manager", "agent", "frr-k8s-controller", "frr-status", "frr-reloader.sh"} {
		if _, err := os.Stat(filepath.Join(folder, program)); err != nil {
			return "", fmt.Errorf("the lab's programs are missing: %w; run `make lab-binaries`", err)
		}
	}
	return folder, nil
}

// startCapture records the fabric, in four files of 5 MB that are written over.
func (l *Lab) startCapture(ctx context.Context) error {
	file := filepath.Join(l.logs(), "fabric.pcap")
	var err error
	l.capture, err = l.fabric.Start(ctx, "tcpdump", "tcpdump", "-i", fabricBridge, "-U", "-s", "256", "-C", "5", "-W", "4", "-Z", "root", "-w", file)
	return err
}

// collectWithin is for all questions together; a lab that fails may be one that
// does not answer.
const collectWithin = 3 * time.Minute

// Collect writes everything that tells what went wrong into a folder of the
// evidence, beside the logs and the capture, and returns its path.
func (l *Lab) Collect(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), collectWithin)
	defer cancel()
	folder := filepath.Join(l.options.Evidence, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return folder, err
	}
	var troubles []error
	keep := func(name, text string, err error) {
		if err != nil {
			text += "\n" + err.Error() + "\n"
		}
		if text != "" {
			troubles = append(troubles, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
		}
	}
	for _, r := range l.Routers {
		if other, ok := r.BGP.(goBGP); ok {
			for name, text := range other.Dump(ctx) {
				keep(r.Name+"-"+name+".txt", text, nil)
			}
			keepKernel(ctx, r.Name, r.Machine, keep)
		}
		l.collectFRR(ctx, r.Name, r.FRR, keep)
	}
	for _, n := range l.Nodes {
		l.collectFRR(ctx, n.Name, n.FRR, keep)
		if n.Machine != nil {
			text, err := n.Machine.ReadFile("/etc/frr_reloader/frr.conf")
			keep(n.Name+"-frr-k8s.conf", text, err)
		}
	}
	if l.CNI != nil {
		for name, text := range l.CNI.Dump(ctx) {
			keep(name+".txt", text, nil)
		}
	}
	for _, list := range written() {
		text, err := l.dump(ctx, list)
		kind := strings.TrimSuffix(fmt.Sprintf("%T", list), "List")
		keep(kind[strings.LastIndex(kind, ".")+1:]+".yaml", text, err)
	}
	return folder, errors.Join(troubles...)
}

func (l *Lab) collectFRR(ctx context.Context, name string, f *frr.FRR, keep func(string, string, error)) {
	if f == nil || f.Machine == nil {
		return
	}
	config, err := f.RunningConfig(ctx)
	keep(name+"-running-config.txt", config, err)
	var shown strings.Builder
	for _, question := range []string{
		"show bgp vrf all summary", "show bgp vrf all ipv4 unicast", "show bgp vrf all ipv6 unicast",
		"show bgp vrf all neighbors", "show bfd peers", "show ip route vrf all", "show ipv6 route vrf all",
		"show evpn vni detail", "show evpn next-hops vni all", "show evpn rmac vni all", "show bgp l2vpn evpn summary", "show bgp l2vpn evpn",
	} {
		answer, err := f.Show(ctx, question)
		if err != nil {
			answer = err.Error()
		}
		fmt.Fprintf(&shown, "# %s\n%s\n", question, answer)
	}
	keep(name+"-show.txt", shown.String(), nil)
	keepKernel(ctx, name, f.Machine, keep)
}

func keepKernel(ctx context.Context, name string, m *machine.Machine, keep func(string, string, error)) {
	text, err := m.Run(ctx, "sh", "-c", "set -x; ip -d addr; ip rule; ip route show table all; ip -6 rule; ip -6 route show table all; "+
		"ip neigh; bridge vlan; bridge -d link; bridge fdb; bridge vni; bridge vlan tunnelshow; nft list ruleset; ps axww -o pid,etime,args")
	keep(name+"-kernel.txt", text, err)
}

func (l *Lab) list(ctx context.Context, list client.ObjectList) ([]client.Object, error) {
	if err := l.Kube.Client.List(ctx, list); err != nil {
		return nil, fmt.Errorf("list %T: %w", list, err)
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return nil, err
	}
	objects := make([]client.Object, len(items))
	for i, item := range items {
		objects[i] = item.(client.Object)
	}
	return objects, nil
}

func (l *Lab) dump(ctx context.Context, list client.ObjectList) (string, error) {
	objects, err := l.list(ctx, list)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, object := range objects {
		one, err := yaml.Marshal(runtime.Object(object))
		if err != nil {
			return text.String(), err
		}
		fmt.Fprintf(&text, "---\n%s", one)
	}
	return text.String(), nil
}
