package snapshot

import (
	"maps"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
)

func TestAbsent(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	yes, no := true, false
	blue := map[string]bool{"cluster_udn_blue": true}
	for name, test := range map[string]struct {
		age             time.Duration
		untimed         bool
		standard, other *bool
		want            map[string]bool
		left            time.Duration
	}{
		"just said":                   {age: 0, standard: &yes, other: &no, want: blue, left: 30 * time.Minute},
		"said a while ago":            {age: 29 * time.Minute, standard: &yes, other: &no, want: blue, left: time.Minute},
		"said too long ago":           {age: 30 * time.Minute, standard: &yes, other: &no},
		"never said":                  {untimed: true, standard: &yes, other: &no},
		"there":                       {standard: &yes, other: &yes},
		"not known":                   {standard: &yes},
		"an older agent":              {untimed: true},
		"the default network, too":    {standard: &no, other: &no},
		"the default one not known":   {other: &no, want: blue, left: 30 * time.Minute},
		"a clock that is ahead of us": {age: -time.Minute, standard: &yes, other: &no, want: blue, left: 31 * time.Minute},
		"a clock that is far ahead":   {age: -time.Hour, standard: &yes, other: &no},
	} {
		t.Run(name, func(t *testing.T) {
			state := &v1alpha1.NodeRouteState{Status: v1alpha1.NodeRouteStateStatus{
				ActiveTime: &metav1.Time{Time: now.Add(-test.age)},
				Networks:   []v1alpha1.NetworkRouteState{{Name: "default", Active: test.standard}, {Name: "cluster_udn_blue", Active: test.other}},
			}}
			if test.untimed {
				state.Status.ActiveTime = nil
			}
			for _, state := range []*v1alpha1.NodeRouteState{state, StripRouteState(state)} {
				if got, left := Absent(state, now); !maps.Equal(got, test.want) || left != test.left {
					t.Errorf("absent are %v for %s, want %v for %s", got, left, test.want, test.left)
				}
			}
		})
	}
}
