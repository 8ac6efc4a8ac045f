package preview

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// evpn prints the node's VNIs with their VTEP, what they import and export, and the
// prefixes that become type 5 routes.
func (p *printer) evpn(config *model.NodeConfig) {
	lines := []string{"  EVPN\tVNI\tVTEP\tIMPORTS RT\tEXPORTS RT\tTYPE 5"}
	for i := range config.Routers {
		r := &config.Routers[i]
		if r.EVPN == nil {
			continue
		}
		vrf := cmp.Or(r.VRF, model.DefaultVRF)
		if r.EVPN.AdvertiseVNIs {
			lines = append(lines, block([]string{vrf}, []string{"all that the node has"}, endpointCells(r.EVPN.Endpoints), orFRRs(nil), orFRRs(nil), []string{"-"})...)
		}
		for _, v := range r.EVPN.L2VNIs {
			lines = append(lines, vniLines(vrf, &v, nil)...)
		}
		if v := r.EVPN.L3VNI; v != nil {
			lines = append(lines, vniLines(vrf, v, r.Routes)...)
		}
	}
	if len(lines) > 1 {
		p.printf("\n")
		p.rows(lines)
	}
}

func vniLines(vrf string, v *model.RouterVNI, routes []model.Route) []string {
	return block([]string{vrf}, []string{strconv.FormatUint(uint64(v.Number), 10)}, []string{v.VTEP}, orFRRs(v.ImportRTs), orFRRs(v.ExportRTs), prefixCells(routes, "-"))
}

func endpointCells(endpoints []model.Endpoint) []string {
	cells := make([]string, 0, len(endpoints))
	for _, e := range endpoints {
		cells = append(cells, e.VTEP+" "+e.Address.String())
	}
	return cells
}

// orFRRs has FRR's own route target where none is named.
func orFRRs(targets []string) []string {
	if len(targets) == 0 {
		return []string{"FRR's"}
	}
	return slices.Clone(targets)
}
