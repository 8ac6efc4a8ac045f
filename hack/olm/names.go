package main

import (
	"strings"
	"unicode"
)

// spelled are the words that are not written with one capital letter.
var spelled = map[string]string{
	"asn": "ASN", "cidr": "CIDR", "cidrs": "CIDRs", "evpn": "EVPN", "frr": "FRR", "id": "ID", "ip": "IP", "ipam": "IPAM",
	"mac": "MAC", "mtu": "MTU", "vlan": "VLAN", "vni": "VNI", "vrf": "VRF", "vtep": "VTEP",
}

// displayName makes words of a field's or kind's name: frrConfigurationSelector
// is "FRR Configuration Selector", egressIPs "Egress IPs".
func displayName(name string) string {
	var words []string
	start := 0
	letters := []rune(name)
	for i := 1; i <= len(letters); i++ {
		// A word ends before the next one's capital letter; letters that are
		// all capital stay together.
		if i < len(letters) && (!unicode.IsUpper(letters[i]) || unicode.IsUpper(letters[i-1])) {
			continue
		}
		word := string(letters[start:i])
		if s, found := spelled[strings.ToLower(word)]; found {
			word = s
		} else {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		words = append(words, word)
		start = i
	}
	return strings.Join(words, " ")
}
