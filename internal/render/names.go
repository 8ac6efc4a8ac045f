package render

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

const (
	// namePrefix starts every generated name. Parts are numbered in front of
	// the node's name, because behind it part 2 of node "x" would have the name
	// of node "x-2".
	namePrefix = model.GeneratedPrefix
	// maxSuffix leaves room for the prefix and the part's number within the 253
	// characters of a Kubernetes name.
	maxSuffix  = 240
	hashLength = 16
)

var (
	generatedName   = regexp.MustCompile(`^` + namePrefix + `(?:[2-9]|[1-9][0-9]+)?-(.+)$`)
	shortenedSuffix = regexp.MustCompile(`-[0-9a-f]{16}$`)
)

// Name is the name of a node's object; parts count from 1.
func Name(node string, part int) string {
	number := ""
	if part > 1 {
		number = strconv.Itoa(part)
	}
	return namePrefix + number + "-" + Suffix(node)
}

// Suffix is what all names of a node's objects end with: the node's name, cut
// and with a hash where it is too long.
func Suffix(node string) string {
	if len(node) <= maxSuffix {
		return node
	}
	head := strings.TrimRight(node[:maxSuffix-hashLength-1], "-.")
	return fmt.Sprintf("%s-%0*x", head, hashLength, xxhash.Sum64String(node))
}

// SuffixOf returns the suffix of a generated object's name, "" where the name
// isn't one that this package gives.
func SuffixOf(name string) string {
	match := generatedName.FindStringSubmatch(name)
	if match == nil {
		return ""
	}
	return match[1]
}

// NodeOf returns the node in a generated object's name, "" if the name has none: the
// object is not ours, or the name may have been shortened.
func NodeOf(name string) string {
	suffix := SuffixOf(name)
	if len(suffix) > maxSuffix-hashLength-1-maxTrimmed && shortenedSuffix.MatchString(suffix) {
		return ""
	}
	return suffix
}

// NameTaken says that another object has the name of a generated one.
func NameTaken(object string) string {
	return "FRRConfiguration " + object + " is not the operator's but has the name that the operator needs: rename or delete it"
}

// maxTrimmed is how many separators may have been trimmed from a name that was
// cut; a DNS label ends at 63 characters, so that they never come in long rows.
const maxTrimmed = 63
