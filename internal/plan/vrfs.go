package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/spelling"
)

// checkTargetVRF refuses a name that no VRF can have.
func (a *advertiser) checkTargetVRF() {
	if a.TargetVRF == "" || a.TargetVRF == model.TargetVRFAuto {
		return
	}
	if fault := model.DeviceNameFault(a.TargetVRF); fault != "" {
		a.reject(finding.TargetVRFName(a.TargetVRF, fault))
	}
}

// noteVRFNames reports the template's routers whose VRF no node can have. FRR waits
// for such a VRF forever, and the rest of the template works.
func (a *advertiser) noteVRFNames(t *template) {
	for _, r := range t.routers {
		if r.VRF == "" || r.VRF == model.DefaultVRF {
			continue
		}
		if fault := model.DeviceNameFault(r.VRF); fault != "" {
			a.find(finding.RouterVRFName(t.displayName(), r.VRF, fault))
		}
	}
}

// vrfs are those of the template's routers, sorted.
func (t *template) vrfs() []string {
	var out []string
	for _, r := range t.routers {
		out = append(out, cmp.Or(r.VRF, model.DefaultVRF))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// misspeltVRF returns the VRF that was meant, "" if none is similar: the two keywords
// count as VRFs' names if they are written in another way.
func (a *advertiser) misspeltVRF(t *template) string {
	var names []string
	for _, r := range t.routers {
		names = append(names, r.VRF)
	}
	switch a.TargetVRF {
	case "":
		if slices.Contains(names, model.DefaultVRF) {
			return finding.DefaultVRFByName()
		}
		return ""
	case model.TargetVRFAuto:
		return ""
	}
	slices.Sort(names)
	words := append([]string{model.DefaultVRF, model.TargetVRFAuto}, slices.DeleteFunc(names, func(name string) bool { return name == "" })...)
	for _, word := range words {
		if strings.EqualFold(word, a.TargetVRF) {
			return finding.MeantVRF(word)
		}
	}
	if word := spelling.Closest(a.TargetVRF, words, spelling.MaxEdits); word != "" {
		return finding.MeantVRF(word)
	}
	return ""
}
