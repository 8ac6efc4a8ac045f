package snapshot

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/spelling"
)

// sessionSettings is what the annotation model.AnnotationSessionSettings holds.
type sessionSettings struct {
	// AllNeighbors is for every neighbor; what Neighbors says of one goes before it.
	AllNeighbors neighborSettings   `json:"allNeighbors"`
	Neighbors    []settingsNeighbor `json:"neighbors"`
	Routers      []settingsRouter   `json:"routers"`
}

type settingsNeighbor struct {
	Address          string `json:"address"`
	Interface        string `json:"interface"`
	VRF              string `json:"vrf"`
	neighborSettings `json:",inline"`
}

// neighborSettings has pointers so that a neighbor can undo what is for all.
type neighborSettings struct {
	Passive         *bool        `json:"passive"`
	TTLSecurityHops *int64       `json:"ttlSecurityHops"`
	MaximumPrefixes *prefixLimit `json:"maximumPrefixes"`
}

type prefixLimit struct {
	IPv4             *int64 `json:"ipv4"`
	IPv6             *int64 `json:"ipv6"`
	ThresholdPercent *int64 `json:"thresholdPercent"`
	WarningOnly      bool   `json:"warningOnly"`
	RestartMinutes   *int64 `json:"restartMinutes"`
}

type settingsRouter struct {
	VRF             string        `json:"vrf"`
	MultipathRelax  bool          `json:"multipathRelax"`
	GracefulRestart *restartTimes `json:"gracefulRestart"`
}

type restartTimes struct {
	RestartSeconds   *int64 `json:"restartSeconds"`
	StalePathSeconds *int64 `json:"stalePathSeconds"`
	DeferralSeconds  *int64 `json:"deferralSeconds"`
}

// decodeSettings reads the annotation; faults are what it may not have.
func decodeSettings(text string) (read sessionSettings, faults []string) {
	// Of several documents, YAMLToJSONStrict reads the first.
	if strings.Contains(strings.TrimSpace(text), "\n---") {
		return read, []string{"it has several YAML documents"}
	}
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return read, []string{unreadable(err)}
	}
	strict, err := kjson.UnmarshalStrict(data, &read)
	if err != nil {
		return sessionSettings{}, []string{unreadable(err)}
	}
	for _, err := range strict {
		faults = append(faults, unreadable(err))
	}
	return read, faults
}

// unreadable says what is wrong, without what the decoders put around it.
func unreadable(err error) string {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Sprintf("%s has a value of the wrong type: %s", cmp.Or(wrongType.Field, "the whole of it"), wrongType.Value)
	}
	text := phrase.Line(err.Error())
	for _, around := range []string{"error converting YAML to JSON: ", "yaml: "} {
		text = strings.TrimPrefix(text, around)
	}
	path, unknown := strings.CutPrefix(text, "unknown field ")
	if !unknown {
		return text
	}
	path = strings.Trim(path, `"`)
	text = fmt.Sprintf("there is no field %s", path)
	if meant := spelling.Closest(path[strings.LastIndex(path, ".")+1:], settingsFields, spelling.MaxEdits); meant != "" {
		text += fmt.Sprintf(", did you mean %s?", meant)
	}
	return text
}

// settingsFields are all names that the annotation may have.
var settingsFields = []string{
	"allNeighbors", "neighbors", "routers", "address", "interface", "vrf", "passive", "ttlSecurityHops", "maximumPrefixes", "ipv4", "ipv6",
	"thresholdPercent", "warningOnly", "restartMinutes", "multipathRelax", "gracefulRestart", "restartSeconds", "stalePathSeconds", "deferralSeconds",
}
