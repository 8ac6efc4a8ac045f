package preview

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// evpn prints the node's VNIs with what they import and export,
// and the prefixes that become type 5 routes.
func (p *printer) evpn(config *model.NodeConfig) {
	lines := []string{"  EVPN\tVNI\tIMPORTS RT\tEXPORTS RT\tTYPE 5"}
	for i := range config.Routers {
		r := &config.Routers[i]
		if r.EVPN == nil {
			continue
		}
		vrf := cmp.Or(r.VRF, model.DefaultVRF)
		if r.EVPN.AdvertiseVNIs {
			lines = append(lines, "  "+strings.Join([]string{vrf, "all that the node has", "FRR's", "FRR's", "-"}, "\t"))
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
	return block([]string{vrf}, []string{strconv.FormatUint(uint64(v.Number), 10)}, orFRRs(v.ImportRTs), orFRRs(v.ExportRTs), prefixCells(routes, "-"))
}

// orFRRs has FRR's own route target where none is named.
func orFRRs(targets []string) []string {
	if len(targets) == 0 {
		return []string{"FRR's"}
	}
	return slices.Clone(targets)
}
