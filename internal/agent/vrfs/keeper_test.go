package vrfs_test

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// These tests need a kernel with VRF devices. Where there is none, run
//
//	make test-vm PKG=./internal/agent/vrfs

// place is a namespace whose kernel has VRF.
func place(t *testing.T) *testns.Namespace {
	t.Helper()
	ns := testns.New(t)
	handle, err := netlink.NewHandleAt(ns.Handle, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = "probe"
	probe := &netlink.Vrf{LinkAttrs: attributes, Table: 1}
	if err := handle.LinkAdd(probe); errors.Is(err, syscall.EOPNOTSUPP) {
		complain := t.Skipf
		if os.Getenv("OVNBGP_VM") != "" {
			complain = t.Fatalf
		}
		complain("NOT TESTED: this kernel has no VRF devices; run: make test-vm PKG=./internal/agent/vrfs")
	} else if err != nil {
		t.Fatal(err)
	}
	if err := handle.LinkDel(probe); err != nil {
		t.Fatal(err)
	}
	return ns
}

func subnets(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func blue() vrfs.Network {
	return vrfs.Network{Name: "cluster_udn_blue", VRF: "blue", ID: 5, Subnets: subnets("10.10.0.0/16", "fd10::/48"), Isolated: true}
}

func green() vrfs.Network {
	return vrfs.Network{Name: "cluster_udn_green", VRF: "green", Subnets: subnets("10.20.0.0/16", "fd20::/48"), Exposed: true}
}

// sync makes a pass with a new Keeper, as an agent that was restarted does.
func sync(t *testing.T, ns *testns.Namespace, networks ...vrfs.Network) vrfs.Report {
	t.Helper()
	report, err := (&vrfs.Keeper{Namespace: ns.Handle, Log: logr.Discard()}).Sync(networks)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func settled(t *testing.T, ns *testns.Namespace, networks ...vrfs.Network) {
	t.Helper()
	if report := sync(t, ns, networks...); len(report.Changes) > 0 {
		t.Errorf("a second pass changed %v", report.Changes)
	}
}

// listing is what iproute2 tells of devices, rules and routes: somebody else's
// view of what was made.
func listing(t *testing.T, ns *testns.Namespace) string {
	t.Helper()
	var out strings.Builder
	for _, arguments := range []string{"-d -br link show type vrf", "-4 rule", "-6 rule", "-4 route show table all", "-6 route show table all"} {
		lines, err := exec.Command("ip", append([]string{"-n", ns.Name}, strings.Fields(arguments)...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("ip %s: %v: %s", arguments, err, lines)
		}
		for line := range strings.Lines(string(lines)) {
			// Addresses of the links come with time.
			if !strings.Contains(line, "fe80::") && !strings.Contains(line, "ff00::") {
				out.WriteString(line)
			}
		}
	}
	return out.String()
}

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	// iproute2 pads with blanks and tabs.
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "\n", " ; ")), " ")
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, strings.ReplaceAll(text, " ; ", "\n"))
		}
	}
}

// table is the table of a network in a report.
func table(report vrfs.Report, network int) string {
	return strconv.FormatUint(uint64(report.Networks[network].Table), 10)
}

func TestNetworkComesAndGoes(t *testing.T) {
	ns := place(t)
	before := listing(t, ns)
	report := sync(t, ns, blue(), green())
	if len(report.Changes) != 6 || len(report.Networks) != 2 || report.Networks[0].Problem+report.Networks[1].Problem != "" {
		t.Errorf("the report is %+v", report)
	}
	has(t, listing(t, ns),
		"2000: from all to 10.20.0.0/16 lookup "+table(report, 1)+" proto 173",
		"2000: from all to fd20::/48 lookup "+table(report, 1)+" proto 173",
		"unreachable default table 1000000005 proto 173 metric 4278198272",
		"unreachable default dev lo table 1000000005 proto 173 metric 4278198272")
	has(t, ns.Exec(t, "ip", "-d", "link", "show", "blue"), "UP", "vrf table 1000000005", "alias ovnbgp.io/managed cluster_udn_blue", "group 1870032482")
	settled(t, ns, green(), blue())

	if now := listing(t, ns); strings.Contains(now, "10.10.0.0/16") || strings.Contains(now, "fd10::/48") {
		t.Errorf("a rule leads into an isolated network:\n%s", now)
	}

	// Its RouteAdvertisements go over to the default VRF, away, and back.
	exposed, unadvertised := blue(), blue()
	exposed.Exposed, exposed.Isolated = true, false
	unadvertised.Isolated = false
	for _, as := range []struct {
		network      vrfs.Network
		rules, stops bool
	}{{exposed, true, false}, {unadvertised, false, false}, {exposed, true, false}, {blue(), false, true}} {
		sync(t, ns, green(), as.network)
		now := listing(t, ns)
		if rules := strings.Contains(now, "to 10.10.0.0/16 lookup 1000000005"); rules != as.rules || rules != strings.Contains(now, "to fd10::/48 lookup 1000000005") {
			t.Errorf("exposed %v, but there is\n%s", as.rules, now)
		}
		if stops := strings.Contains(now, "unreachable default table 1000000005"); stops != as.stops || stops != strings.Contains(now, "unreachable default dev lo table 1000000005") {
			t.Errorf("isolated %v, but there is\n%s", as.stops, now)
		}
		settled(t, ns, green(), as.network)
	}

	sync(t, ns, green())
	if now := listing(t, ns); strings.Contains(now, "blue") || strings.Contains(now, "1000000005") || !strings.Contains(now, "green") {
		t.Errorf("after blue went there is\n%s", now)
	}
	sync(t, ns)
	// The kernel's own rule for VRFs stays from the first VRF on; the probe
	// made it.
	if now := listing(t, ns); now != before {
		t.Errorf("before there was\n%s\nnow there is\n%s", before, now)
	}
	settled(t, ns)
}

// TestPacketsStop asks the kernel where packets would go.
func TestPacketsStop(t *testing.T) {
	ns := place(t)
	ns.IP(t, "route add default via 172.18.0.9", "route add ::/0 via fd00:18::9")
	report := sync(t, ns, blue(), green())
	ns.IP(t, "route add 10.20.1.0/24 via 172.18.0.8 table "+table(report, 1), "link add in0 type veth peer name in1", "link set in0 master blue up",
		"addr add 192.0.2.1/24 dev in0", "link set in1 up")
	for to, want := range map[string]string{
		"10.20.1.1":          "via 172.18.0.8",           // the rule finds the network's table
		"192.0.2.77":         "via 172.18.0.9",           // and only for its subnets
		"8.8.8.8 vrf blue":   "unreachable",              // nothing but its own routes leads out of an isolated network
		"fd77::1 vrf blue":   "unreachable",              //
		"10.10.9.9":          "via 172.18.0.9",           // no rule leads into it from the default VRF
		"10.10.9.9 vrf blue": "unreachable",              //
		"192.0.2.9 oif in0":  "dev in0 table 1000000005", // devices of the VRF use its table
		"8.8.8.8 vrf green":  "via 172.18.0.9",           // others fall through to the main table
	} {
		command := append([]string{"-n", ns.Name, "route", "get"}, strings.Fields(to)...)
		out, err := exec.Command("ip", command...).CombinedOutput()
		got := strings.ToLower(string(out))
		if want == "unreachable" {
			if err == nil && !strings.Contains(got, want) || err != nil && !strings.Contains(got, "no route to host") {
				t.Errorf("route get %s: %v: %s", to, err, out)
			}
			continue
		}
		if !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
			t.Errorf("route get %s: %v: %s, want %s", to, err, out, want)
		}
	}
}

func TestForeignThingsStay(t *testing.T) {
	ns := place(t)
	ns.IP(t,
		"link add blue up type vrf table 77", "link add red type vrf table 78", "link set red up",
		"rule add to 10.10.0.0/16 lookup 77 priority 2000 protocol 4", "rule add to 10.30.0.0/16 lookup 78 priority 2000",
		"rule add to 10.30.0.0/16 iif gw0 lookup 78 priority 2000 protocol 173", "rule add to 10.30.0.0/16 lookup 78 priority 1999 protocol 173",
		"route add unreachable default metric 4278198272 table 77 proto 4", "route add unreachable default metric 8192 table 78 proto 173",
		"route add blackhole default metric 4278198272 table 79 proto 173", "route add unreachable 10.0.0.0/8 metric 4278198272 table 79 proto 173",
	)
	before := listing(t, ns)
	exposed := blue()
	exposed.Exposed, exposed.Isolated = true, false
	if report := sync(t, ns, exposed); len(report.Changes) != 1 || report.Changes[0].String() != "add rule to fd10::/48 lookup 77" {
		t.Errorf("changes are %v", report.Changes)
	}
	report := sync(t, ns, blue())
	if s := report.Networks[0]; s.Table != 77 || s.Ours || s.Problem != "" {
		t.Errorf("the state is %+v", s)
	}
	var done []string
	for _, c := range report.Changes {
		done = append(done, c.String())
	}
	if want := []string{"add route unreachable default (IPv6) in table 77", "delete rule to fd10::/48 lookup 77"}; !slices.Equal(done, want) {
		t.Errorf("changes are %q, want %q", done, want)
	}
	settled(t, ns, blue())

	// Ours beside an equal one of somebody else: ours goes, the other stays.
	ns.IP(t, "rule add to 10.10.0.0/16 lookup 77 priority 2000 protocol 173")
	sync(t, ns)
	if now := listing(t, ns); now != before {
		t.Errorf("before there was\n%s\nnow there is\n%s", before, now)
	}
}

func TestHalfMadeThingsAreFinished(t *testing.T) {
	ns := place(t)
	// Killed after the device was made, without alias, and once between the
	// removal of a device and that of its rules and routes.
	ns.IP(t, "link add blue group 1870032482 up type vrf table 1000000005",
		"rule add to 10.60.0.0/16 lookup 60 priority 2000 protocol 173",
		"route add unreachable default metric 4278198272 table 60 proto 173", "route add unreachable ::/0 metric 4278198272 table 60 proto 173")
	ns.Exec(t, "ip", "-6", "rule", "add", "to", "fd60::/48", "lookup", "60", "priority", "2000", "protocol", "173")
	sync(t, ns, blue())
	if now := listing(t, ns); strings.Contains(now, "fd60::") || strings.Contains(now, "10.60.0.0") || strings.Contains(now, "table 60") {
		t.Errorf("what was half removed is still there:\n%s", now)
	}
	has(t, ns.Exec(t, "ip", "-d", "link", "show", "blue"), "UP", "alias ovnbgp.io/managed cluster_udn_blue")
	settled(t, ns, blue())
}

// TestKilledAnywhere makes a network, moves its VRF and removes it, with the
// agent killed after each change of each of them.
func TestKilledAnywhere(t *testing.T) {
	ns := place(t)
	before := listing(t, ns)
	moved := blue()
	moved.VRF = "mp5-udn-vrf"
	keeper := &vrfs.Keeper{Namespace: ns.Handle, Log: logr.Discard()}
	exposed := moved
	exposed.Exposed, exposed.Isolated = true, false
	steps := [][]vrfs.Network{{blue()}, {moved}, {exposed}, nil}
	for step, networks := range steps {
		for only, all := 0, 1; only < all; only++ {
			// Back to where the step begins.
			sync(t, ns)
			if step > 0 {
				sync(t, ns, steps[step-1]...)
			}
			var err error
			if all, err = keeper.SyncFirst(networks, only); err != nil {
				t.Fatal(err)
			}
			if all == 0 {
				t.Fatalf("step %d changes nothing", step)
			}
			sync(t, ns, networks...)
			settled(t, ns, networks...)
			sync(t, ns)
			if now := listing(t, ns); now != before {
				t.Fatalf("step %d, killed after %d changes: before there was\n%s\nnow there is\n%s", step, only, before, now)
			}
		}
	}
}

// TestTableChangesHands goes through an ID that changes hands, in one pass.
func TestTableChangesHands(t *testing.T) {
	ns := place(t)
	sync(t, ns, blue())
	next := green()
	next.ID = 5
	sync(t, ns, next)
	if now := listing(t, ns); strings.Contains(now, "10.10.0.0") || strings.Contains(now, "unreachable default table 1000000005") {
		t.Errorf("the network before has left something:\n%s", now)
	}
	has(t, listing(t, ns), "to 10.20.0.0/16 lookup 1000000005")
	settled(t, ns, next)
}

func TestManagementPortGivesTheTable(t *testing.T) {
	ns := place(t)
	ns.IP(t, "link add ovn-k8s-mp5 index 4321 type veth peer name other5")
	if s := sync(t, ns, blue()).Networks[0]; s.Table != 5321 {
		t.Errorf("the state is %+v", s)
	}
	ns.IP(t, "link del ovn-k8s-mp5")
	if s := sync(t, ns, blue()).Networks[0]; s.Table != 5321 {
		t.Errorf("without the port the state is %+v", s)
	}
	settled(t, ns, blue())
}

func TestCollisionsAreOneNetworksOnly(t *testing.T) {
	ns := place(t)
	ns.IP(t, "link add other type vrf table 1000000005")
	report := sync(t, ns, blue(), green())
	if p := report.Networks[0].Problem; !strings.Contains(p, "VRF device other") {
		t.Errorf("the problem of blue is %q", p)
	}
	if report.Networks[1].Problem != "" || !strings.Contains(listing(t, ns), "green") {
		t.Errorf("green is %+v", report.Networks[1])
	}
	settled(t, ns, blue(), green())
}

// TestTenantsWithOneSubnet has two networks with the same subnets, each with
// its own way to the same addresses.
func TestTenantsWithOneSubnet(t *testing.T) {
	ns := place(t)
	tenant := func(name string, id int) vrfs.Network {
		n := blue()
		n.Name, n.VRF, n.ID = "cluster_udn_"+name, name, id
		return n
	}
	report := sync(t, ns, tenant("blue", 5), tenant("green", 6))
	for _, s := range report.Networks {
		if s.Problem != "" {
			t.Errorf("%s: %s", s.Network, s.Problem)
		}
	}
	ns.IP(t, "route add default via 172.18.0.9",
		"route add 10.10.1.0/24 via 172.18.0.5 table 1000000005", "route add 10.10.1.0/24 via 172.18.0.6 table 1000000006")
	for to, want := range map[string]string{"10.10.1.1 vrf blue": "via 172.18.0.5", "10.10.1.1 vrf green": "via 172.18.0.6", "10.10.1.1": "via 172.18.0.9"} {
		if out := ns.Exec(t, "ip", append([]string{"route", "get"}, strings.Fields(to)...)...); !strings.Contains(out, want) {
			t.Errorf("route get %s: %s, want %s", to, out, want)
		}
	}
	// Of one that is then advertised over the default VRF, the other sees
	// nothing.
	exposed := tenant("green", 6)
	exposed.Exposed, exposed.Isolated = true, false
	sync(t, ns, tenant("blue", 5), exposed)
	for to, want := range map[string]string{"10.10.1.1 vrf blue": "via 172.18.0.5", "10.10.1.1": "via 172.18.0.6"} {
		if out := ns.Exec(t, "ip", append([]string{"route", "get"}, strings.Fields(to)...)...); !strings.Contains(out, want) {
			t.Errorf("with green exposed, route get %s: %s, want %s", to, out, want)
		}
	}
	settled(t, ns, exposed, tenant("blue", 5))
}
