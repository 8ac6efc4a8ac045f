package gobgp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

const (
	configFile = "/etc/frr/gobgp.toml"
	api        = "unix:///run/gobgp.sock"
	// answerWithin is how long the program may take to answer on a quiet machine.
	answerWithin = 30 * time.Second
)

// Config is what the router speaks.
type Config struct {
	ASN      uint32
	RouterID netip.Addr
	// Neighbors, each for both families over one session.
	Neighbors []Neighbor
}

// Neighbor is another router.
type Neighbor struct {
	Address netip.Addr
	ASN     uint32
	// Password of the session (RFC 2385), "" for none.
	Password string
	// BFD has the session end when packets stop.
	BFD bool
	// Passive waits for the neighbor to connect.
	Passive bool
}

// In a lab everything is near, so that a neighbor is tried again soon.
var configTemplate = template.Must(template.New("gobgp.toml").Parse(`[global.config]
  as = {{.ASN}}
  router-id = "{{.RouterID}}"
{{range .Neighbors}}
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{{.Address}}"
    peer-as = {{.ASN}}
{{- if .Password}}
    auth-password = {{printf "%q" .Password}}
{{- end}}
  [neighbors.transport.config]
    passive-mode = {{.Passive}}
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
    hold-time = 9
    keepalive-interval = 3
{{- if .BFD}}
  [neighbors.bfd.config]
    enabled = true
    desired-minimum-tx-interval = 300000
    required-minimum-receive = 300000
    detection-multiplier = 3
{{- end}}
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
{{end}}`))

// Router is GoBGP on a machine.
type Router struct {
	Machine  *machine.Machine
	binaries string
	process  *machine.Process
}

// Start starts a router and waits until it answers, not until it has
// neighbors.
func Start(ctx context.Context, m *machine.Machine, config Config) (*Router, error) {
	binaries, err := findBinaries()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := configTemplate.Execute(&text, config); err != nil {
		return nil, err
	}
	if err := m.WriteFile(configFile, text.String()); err != nil {
		return nil, err
	}
	r := &Router{Machine: m, binaries: binaries}
	err = r.Restart(ctx)
	return r, err
}

// findBinaries finds what `make gobgp` built, or what the virtual machine was
// given.
func findBinaries() (string, error) {
	folders := []string{os.Getenv("OVNBGP_LAB_BINARIES")}
	if here, err := os.Getwd(); err == nil {
		for ; here != "/"; here = filepath.Dir(here) {
			folders = append(folders, filepath.Join(here, ".cache", "gobgp", "bin"))
		}
	}
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, "gobgprouter")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("there is no gobgprouter: run `make gobgp`")
}

// Restart starts the router, ending it first if it runs. What it announced it
// no longer does.
func (r *Router) Restart(ctx context.Context) error {
	if r.process != nil {
		if err := r.process.Stop(); err != nil {
			return err
		}
	}
	var err error
	r.process, err = r.Machine.Start(ctx, "gobgp", filepath.Join(r.binaries, "gobgprouter"), "--config", configFile, "--api", api)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(answerWithin))
	defer cancel()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for {
		_, err := r.ask(ctx, "global")
		if err == nil {
			return nil
		}
		select {
		case <-r.process.Exited():
			return fmt.Errorf("gobgp on %s ended at once: %s", r.Machine.Name, r.process.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("gobgp on %s does not answer: %w; it said: %s", r.Machine.Name, err, r.process.LastWords())
		case <-pause.C:
		}
	}
}

// Kill ends the router as a crash would: neighbors are not told.
func (r *Router) Kill() { r.process.Kill() }

// Signal sends a signal to the router, such as SIGSTOP.
func (r *Router) Signal(signal os.Signal) error { return r.process.Signal(signal) }

// Stop ends the router, which tells its neighbors.
func (r *Router) Stop() error { return r.process.Stop() }

func (r *Router) ask(ctx context.Context, arguments ...string) (string, error) {
	return r.Machine.Run(ctx, filepath.Join(r.binaries, "gobgp"), append([]string{"--target", api}, arguments...)...)
}

// Announce tells neighbors of prefixes. The next hop is the address that this
// router has on the session.
func (r *Router) Announce(ctx context.Context, prefixes ...netip.Prefix) error {
	return r.change(ctx, "add", prefixes)
}

// Withdraw takes them back.
func (r *Router) Withdraw(ctx context.Context, prefixes ...netip.Prefix) error {
	return r.change(ctx, "del", prefixes)
}

func (r *Router) change(ctx context.Context, verb string, prefixes []netip.Prefix) error {
	for _, prefix := range prefixes {
		if _, err := r.ask(ctx, "global", "rib", verb, "-a", family(prefix.Addr().Is4()), prefix.String()); err != nil {
			return err
		}
	}
	return nil
}

func family(ipv4 bool) string {
	if ipv4 {
		return "ipv4"
	}
	return "ipv6"
}

// Path is a way to a prefix.
type Path struct {
	NextHop netip.Addr
	// From is the neighbor that told it; not valid for the router's own.
	From netip.Addr
	// ASPath are the ASNs that it went through, the neighbor's first.
	ASPath []uint32
	Best   bool
}

// Table is what the router knows of one family, by prefix.
func (r *Router) Table(ctx context.Context, ipv4 bool) (map[netip.Prefix][]Path, error) {
	answer, err := r.ask(ctx, "--json", "global", "rib", "-a", family(ipv4))
	if err != nil {
		return nil, err
	}
	var raw map[netip.Prefix][]rawPath
	if err := json.Unmarshal([]byte(answer), &raw); err != nil {
		// Without any prefix it says so in a sentence.
		if strings.Contains(answer, "not in table") {
			return map[netip.Prefix][]Path{}, nil
		}
		return nil, fmt.Errorf("%s: gobgp's table: %w: %s", r.Machine.Name, err, answer)
	}
	out := map[netip.Prefix][]Path{}
	for prefix, paths := range raw {
		for _, path := range paths {
			out[prefix] = append(out[prefix], path.read())
		}
	}
	return out, nil
}

// rawPath is a path as the client prints it. Types of attributes are BGP's.
type rawPath struct {
	Best  bool   `json:"best"`
	From  string `json:"peer-address"`
	Attrs []struct {
		Type    int    `json:"type"`
		NextHop string `json:"nexthop"`
		ASPaths []struct {
			ASNs []uint32 `json:"asns"`
		} `json:"as_paths"`
	} `json:"attrs"`
}

const (
	attributeNextHop = 3
	attributeMPReach = 14
)

func (p rawPath) read() Path {
	out := Path{Best: p.Best}
	if from, err := netip.ParseAddr(p.From); err == nil && !from.IsUnspecified() {
		out.From = from
	}
	for _, attribute := range p.Attrs {
		if slices.Contains([]int{attributeNextHop, attributeMPReach}, attribute.Type) {
			out.NextHop, _ = netip.ParseAddr(attribute.NextHop)
		}
		for _, segment := range attribute.ASPaths {
			out.ASPath = append(out.ASPath, segment.ASNs...)
		}
	}
	return out
}

// Learned are the prefixes of a family that neighbors told, with the best
// path's next hop.
func (r *Router) Learned(ctx context.Context, ipv4 bool) (map[netip.Prefix]netip.Addr, error) {
	table, err := r.Table(ctx, ipv4)
	if err != nil {
		return nil, err
	}
	out := map[netip.Prefix]netip.Addr{}
	for prefix, paths := range table {
		for _, path := range paths {
			if path.Best && path.From.IsValid() {
				out[prefix] = path.NextHop
			}
		}
	}
	return out, nil
}

// established is GoBGP's number of that state.
const established = 6

// Established tells whether the session with a neighbor is up.
func (r *Router) Established(ctx context.Context, neighbor netip.Addr) (bool, error) {
	answer, err := r.ask(ctx, "--json", "neighbor")
	if err != nil {
		return false, err
	}
	var neighbors []struct {
		State struct {
			Address string `json:"neighbor_address"`
			Session int    `json:"session_state"`
		} `json:"state"`
	}
	if err := json.Unmarshal([]byte(answer), &neighbors); err != nil {
		return false, fmt.Errorf("%s: gobgp's neighbors: %w: %s", r.Machine.Name, err, answer)
	}
	for _, n := range neighbors {
		if n.State.Address == neighbor.String() {
			return n.State.Session == established, nil
		}
	}
	return false, fmt.Errorf("%s has no neighbor %s", r.Machine.Name, neighbor)
}

// Dump is what a person wants to see of the router when something failed, by
// the name of a file.
func (r *Router) Dump(ctx context.Context) map[string]string {
	out := map[string]string{}
	for name, question := range map[string][]string{
		"neighbors": {"neighbor"},
		"rib-ipv4":  {"global", "rib", "-a", "ipv4"},
		"rib-ipv6":  {"global", "rib", "-a", "ipv6"},
	} {
		answer, err := r.ask(ctx, question...)
		if err != nil {
			answer = err.Error()
		}
		out[name] = answer
	}
	if routes, err := r.Machine.Run(ctx, "ip", "route"); err == nil {
		out["routes"] = routes
	}
	return out
}
