package preview

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/printable"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// maxNetworksShown is how many networks of a RouteAdvertisements object are
// named.
const maxNetworksShown = 5

// printer remembers the first error, so that printing reads as printing.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = printable.Line(text)
		}
	}
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// write prints what is encoded already.
func (p *printer) write(texts ...string) {
	for _, text := range texts {
		if p.err == nil {
			_, p.err = io.WriteString(p.w, text)
		}
	}
}

// rows prints aligned columns; tabs separate the cells of a line.
func (p *printer) rows(lines []string) {
	if p.err != nil {
		return
	}
	var aligned bytes.Buffer
	table := tabwriter.NewWriter(&aligned, 0, 0, 3, ' ', 0)
	for _, line := range lines {
		// A buffer takes everything.
		_, _ = fmt.Fprintln(table, printable.Cells(line))
	}
	_ = table.Flush()
	for line := range strings.Lines(aligned.String()) {
		p.printf("%s\n", strings.TrimRight(line, " \n"))
	}
}

// Table prints, for people, what each node would get, how each
// RouteAdvertisements object fares, and the findings. Passwords are not shown.
func (p *Preview) Table(w io.Writer) error {
	out := &printer{w: w}
	var idle []string
	for i := range p.Plan.Nodes {
		node := &p.Plan.Nodes[i]
		switch {
		case node.Keep:
			out.printf("NODE %s\n  Its state is not known; what it has stays.\n\n", node.Node)
		case len(node.Configs) == 0:
			idle = append(idle, node.Node)
		default:
			out.node(node)
		}
	}
	switch {
	case len(p.Plan.Nodes) == 0:
		out.printf("There are no Nodes to plan for.\n\n")
	case len(idle) > 0:
		out.printf("NOTHING TO CONFIGURE\n  %s\n\n", phrase.List(idle, maxNodesShown))
	}
	out.draining(p)
	out.verdicts(p)
	out.policies(p)
	if findings := p.findings(); len(findings) > 0 && out.err == nil {
		out.printf("\n")
		if out.err == nil {
			out.err = p.Findings(w)
		}
	}
	return out.err
}

func (p *printer) node(node *model.NodePlan) {
	for i := range node.Configs {
		config := &node.Configs[i]
		p.printf("NODE %s (FRRConfigurations in namespace %s)\n", node.Node, config.Namespace)
		// Only NoOverlay and EVPN networks receive more than their templates do.
		receives := slices.ContainsFunc(config.Routers, func(r model.Router) bool {
			return slices.ContainsFunc(r.Neighbors, func(n model.Neighbor) bool { return len(n.Receive) > 0 })
		})
		shown := columns{receives: receives, attributes: hasAttributes(config)}
		header := []string{"VRF", "ASN", "NEIGHBOR", "NEIGHBOR ASN", "ADVERTISES"}
		if shown.attributes {
			header = append(header, "WITH")
		}
		header = append(header, "IMPORTS FROM")
		if receives {
			header = append(header, "ALSO RECEIVES")
		}
		lines := []string{"  " + strings.Join(header, "\t")}
		for j := range config.Routers {
			lines = append(lines, routerLines(&config.Routers[j], shown)...)
		}
		p.rows(lines)
		p.evpn(config)
		p.printf("\n")
	}
}

// columns are those that only some plans need.
type columns struct{ receives, attributes bool }

// routerLines has one block of lines for each neighbor; what belongs to the
// router as a whole stands in the first. A router without neighbors shows the
// prefixes that it originates for the VRFs that import them.
func routerLines(r *model.Router, shown columns) []string {
	vrf := r.VRF
	if vrf == "" {
		vrf = model.DefaultVRF
	}
	router := [][]string{{vrf}, {strconv.FormatUint(uint64(r.ASN), 10)}}
	imports := orDash(r.Imports)
	if len(r.Neighbors) == 0 {
		router = append(router, []string{"-"}, []string{"-"}, prefixCells(r.Routes, "-"))
		if shown.attributes {
			router = append(router, []string{"-"})
		}
		return block(append(router, imports)...)
	}
	var lines []string
	for i := range r.Neighbors {
		n := &r.Neighbors[i]
		columns := append(slices.Clone(router), []string{n.ID()}, []string{neighborASN(n)},
			prefixCells(n.Advertise, "nothing"))
		if shown.attributes {
			columns = append(columns, attributeCells(n.Advertise))
		}
		columns = append(columns, imports)
		if shown.receives {
			columns = append(columns, receiveCells(n.Receive))
		}
		lines = append(lines, block(columns...)...)
		router, imports = [][]string{nil, nil}, nil
	}
	return lines
}

// block lays columns of different lengths side by side.
func block(columns ...[]string) []string {
	height := 0
	for _, column := range columns {
		height = max(height, len(column))
	}
	lines := make([]string, 0, height)
	for i := range height {
		cells := make([]string, 0, len(columns))
		for _, column := range columns {
			cell := ""
			if i < len(column) {
				cell = column[i]
			}
			cells = append(cells, cell)
		}
		lines = append(lines, "  "+strings.Join(cells, "\t"))
	}
	return lines
}

func neighborASN(n *model.Neighbor) string {
	if n.DynamicASN != "" {
		return n.DynamicASN
	}
	return strconv.FormatUint(uint64(n.ASN), 10)
}

func prefixCells(routes []model.Route, none string) []string {
	if len(routes) == 0 {
		return []string{none}
	}
	cells := make([]string, 0, len(routes))
	for _, r := range routes {
		cells = append(cells, r.Prefix.String())
	}
	return cells
}

// receiveCells shows what the plan adds to what templates receive.
func receiveCells(matches []model.PrefixMatch) []string {
	cells := make([]string, 0, len(matches))
	for _, m := range matches {
		cell := m.Prefix.String()
		if m.GE > 0 {
			cell += fmt.Sprintf(" ge %d", m.GE)
		}
		if m.LE > 0 {
			cell += fmt.Sprintf(" le %d", m.LE)
		}
		cells = append(cells, cell)
	}
	return orDash(cells)
}

func orDash(cells []string) []string {
	if len(cells) == 0 {
		return []string{"-"}
	}
	return cells
}

func (p *printer) verdicts(preview *Preview) {
	if len(preview.Plan.Verdicts) == 0 {
		p.printf("There are no RouteAdvertisements.\n")
		return
	}
	lines := []string{"ROUTEADVERTISEMENTS\tNETWORKS\tNODES\tACCEPTED\tRENDERED"}
	for i := range preview.Plan.Verdicts {
		v := &preview.Plan.Verdicts[i]
		networks := make([]string, 0, len(v.Networks))
		for _, name := range v.Networks {
			if cudn, ok := ovnk.CUDNName(name); ok {
				name = cudn
			}
			networks = append(networks, name)
		}
		accepted, rendered := preview.conditionsOf(v.RA)
		lines = append(lines, strings.Join([]string{
			v.RA, phrase.List(orDash(networks), maxNetworksShown), tallyCell(&v.Tally), accepted, rendered,
		}, "\t"))
	}
	p.rows(lines)
}

// conditionsOf are the short forms; what is behind them stands in the findings.
func (p *Preview) conditionsOf(ra string) (accepted, rendered string) {
	accepted, rendered = "-", "-"
	for _, object := range p.RouteAdvertisements {
		if object.Name != ra {
			continue
		}
		for _, c := range object.Status.Conditions {
			switch c.Type {
			case status.Accepted:
				accepted = string(c.Status)
			case status.Rendered:
				rendered = c.Reason
			}
		}
	}
	return accepted, rendered
}

func tallyCell(t *model.Tally) string {
	cell := fmt.Sprintf("%d of %d", t.Rendered, t.Selected)
	for _, part := range []struct {
		count int
		what  string
	}{{t.Blocked, "blocked"}, {t.NoTemplate, "without template"}, {t.Idle, "idle"}, {t.Inactive, "networks not set up on a node"}} {
		if part.count > 0 {
			cell += fmt.Sprintf(", %d %s", part.count, part.what)
		}
	}
	return cell
}
