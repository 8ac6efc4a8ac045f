package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/spelling"
)

// checkTargetVRF refuses a name that no VRF can have.
func (a *advertiser) checkTargetVRF() {
	if a.TargetVRF == "" || a.TargetVRF == model.TargetVRFAuto {
		return
	}
	if fault := model.DeviceNameFault(a.TargetVRF); fault != "" {
		a.reject("InvalidVRFName", fmt.Sprintf(`spec.targetVRF %q can be no VRF's name, because it %s: name a VRF that nodes have, or use "default" or "auto"`, a.TargetVRF, fault))
	}
}

// noteVRFNames tells of the template's routers whose VRF no node can have. FRR
// waits for such a VRF for ever, and all else of the template works.
func (a *advertiser) noteVRFNames(t *template) {
	for _, r := range t.routers {
		if r.VRF == "" || r.VRF == model.DefaultVRF {
			continue
		}
		if fault := model.DeviceNameFault(r.VRF); fault != "" {
			a.find(model.Notice, model.ScopeTemplate, t.displayName(), "InvalidVRFName", fmt.Sprintf(
				"FRRConfiguration %s has a router in VRF %q, which can be no VRF's name, because it %s: name a VRF that nodes have, or remove the router", t.displayName(), r.VRF, fault))
		}
	}
}

func (a *advertiser) explainNoVRF(t *template, hint string) string {
	var vrfs []string
	for _, r := range t.routers {
		vrfs = append(vrfs, fmt.Sprintf("%q", cmp.Or(r.VRF, model.DefaultVRF)))
	}
	slices.Sort(vrfs)
	has := "no routers"
	if len(vrfs) > 0 {
		has = "routers in VRF " + cutList(slices.Compact(vrfs), maxVRFs) + " only"
	}
	wanted := a.targetVRFText()
	if a.TargetVRF == model.TargetVRFAuto {
		wanted = "a selected network's VRF"
	}
	return fmt.Sprintf("FRRConfiguration %s has no router in %s (it has %s): %s", t.displayName(), wanted, has, hint)
}

// maxVRFs is how many VRFs a message names.
const maxVRFs = 10

// misspeltVRF tells which VRF was meant, "" where none is near: the two keywords
// count as VRFs' names if they are written in another way.
func (a *advertiser) misspeltVRF(t *template) string {
	var names []string
	for _, r := range t.routers {
		names = append(names, r.VRF)
	}
	switch a.TargetVRF {
	case "":
		if slices.Contains(names, model.DefaultVRF) {
			return `frr-k8s calls the default VRF "": remove "vrf: default" from the router`
		}
		return ""
	case model.TargetVRFAuto:
		return ""
	}
	slices.Sort(names)
	words := append([]string{model.DefaultVRF, model.TargetVRFAuto}, slices.DeleteFunc(names, func(name string) bool { return name == "" })...)
	for _, word := range words {
		if strings.EqualFold(word, a.TargetVRF) {
			return fmt.Sprintf("did you mean targetVRF %q?", word)
		}
	}
	if word := spelling.Closest(a.TargetVRF, words, maxEdits); word != "" {
		return fmt.Sprintf("did you mean targetVRF %q?", word)
	}
	return ""
}
