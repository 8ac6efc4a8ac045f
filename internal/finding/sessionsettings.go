package finding

import (
	"fmt"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// What is wrong with the annotation ovnbgp.io/session-settings of an FRRConfiguration, or
// has no effect.

// maxFault cuts what a message repeats of the annotation.
const maxFault = 300

var invalidSessionSettings = enter("InvalidSessionSettings", invalid, []model.ScopeKind{model.ScopeTemplate, model.ScopeNeighbor},
	"The annotation ovnbgp.io/session-settings of an FRRConfiguration has something that can't be used. It is left out; the rest of the annotation and the FRRConfiguration itself go on.",
	"Correct what the message names.")

// InvalidSessionSettings is for an annotation with a fault.
func InvalidSessionSettings(template, fault string) model.Finding {
	return invalidSessionSettings.about(template, "annotation %s of FRRConfiguration %s: %s", model.AnnotationSessionSettings, template, phrase.Cut(phrase.Line(fault), maxFault))
}

// TTLSecurityWithMultiHop is for a neighbor that would have both.
func TTLSecurityWithMultiHop(n Neighbor) model.Finding {
	return invalidSessionSettings.neighbor(n, "has ebgpMultiHop and, by annotation %s, ttlSecurityHops, which FRR doesn't take together: "+
		"remove ebgpMultiHop, and set ttlSecurityHops to how many hops away the neighbor is", model.AnnotationSessionSettings)
}

// LimitOfOtherFamily is for a neighbor with maximumPrefixes of a family that its session
// doesn't carry.
func LimitOfOtherFamily(n Neighbor, family string) model.Finding {
	return invalidSessionSettings.neighbor(n, "has maximumPrefixes.%s by annotation %s, but its session carries no such prefixes: remove it", family, model.AnnotationSessionSettings)
}

var sessionSettingsOverridden = enter("SessionSettingsOverridden", notice, []model.ScopeKind{model.ScopeNeighbor, model.ScopeTemplate},
	"The annotations ovnbgp.io/session-settings of two FRRConfigurations give the same neighbor or router different values on a node. That of the older FRRConfiguration counts.",
	"Make the two agree, or remove one of them.")

// NeighborSettingsOverridden is for a neighbor whose settings an older FRRConfiguration
// has, too.
func NeighborSettingsOverridden(n Neighbor, vrf string, fields []string, older string) model.Finding {
	return sessionSettingsOverridden.neighbor(n, "in VRF %q has %s by annotation %s, but FRRConfiguration %s, which is older, gives it another value, which counts: make the two agree",
		named(vrf), strings.Join(fields, " and "), model.AnnotationSessionSettings, older)
}

// RouterSettingsOverridden is NeighborSettingsOverridden for a router.
func RouterSettingsOverridden(template, vrf string, fields []string, older string) model.Finding {
	return sessionSettingsOverridden.in(model.Scope{Kind: model.ScopeTemplate, Name: template},
		"FRRConfiguration %s gives the router in VRF %q %s by annotation %s, but FRRConfiguration %s, which is older, gives it another value, which counts: make the two agree",
		template, named(vrf), strings.Join(fields, " and "), model.AnnotationSessionSettings, older)
}

// SessionSettingsLeftOut is for a node whose state is not RawOn.
func SessionSettingsLeftOut(template string, state model.RawState) model.Finding {
	return leftOut(model.Scope{Kind: model.ScopeTemplate, Name: template}, fmt.Sprintf("annotation %s of FRRConfiguration %s", model.AnnotationSessionSettings, template), state)
}

// RawSettingsRefused is RawNameRefused for settings of the session.
func RawSettingsRefused(n Neighbor, fault string) model.Finding {
	return rawNameRefused.neighbor(n, "gets no settings by annotation %s, because %s may not go into FRR's configuration as it is: use letters, digits, -, _ and . alone", model.AnnotationSessionSettings, fault)
}

// RawVRFRefused is RawSettingsRefused for a router.
func RawVRFRefused(template, fault string) model.Finding {
	return rawNameRefused.in(model.Scope{Kind: model.ScopeTemplate, Name: template}, "FRRConfiguration %s gives a router settings by annotation %s, "+
		"but %s may not go into FRR's configuration as it is: use letters, digits, -, _ and . alone", template, model.AnnotationSessionSettings, fault)
}
