package vswitch

import (
	"testing"

	libmodel "github.com/ovn-kubernetes/libovsdb/model"
)

// Most of what happens in Open vSwitch is about pods, or written by ovn-controller.
func TestWhatIsTold(t *testing.T) {
	iface := func(ids ...string) libmodel.Model {
		out := &row{ExternalIDs: map[string]string{}}
		for i := 0; i < len(ids); i += 2 {
			out.ExternalIDs[ids[i]] = ids[i+1]
		}
		return out
	}
	itself := func(ids ...string) libmodel.Model { return &system{ExternalIDs: iface(ids...).(*row).ExternalIDs} }
	for name, test := range map[string]struct {
		rows []libmodel.Model
		want bool
	}{
		"a pod's port":               {[]libmodel.Model{iface("iface-id", "ns_pod")}, false},
		"our port":                   {[]libmodel.Model{iface(markManaged, managedBy)}, true},
		"OVN-Kubernetes' port":       {[]libmodel.Model{iface("iface-id", "macvrf-blue")}, true},
		"a port that was ours":       {[]libmodel.Model{iface(markManaged, managedBy), iface()}, true},
		"the chassis gets its name":  {[]libmodel.Model{itself(), itself(systemID, "one")}, true},
		"the chassis gets another":   {[]libmodel.Model{itself(systemID, "one"), itself(systemID, "two")}, true},
		"another setting of it":      {[]libmodel.Model{itself(systemID, "one"), itself(systemID, "one", "ovn-monitor-all", "true")}, false},
		"Open vSwitch itself is new": {[]libmodel.Model{itself()}, true},
	} {
		told := false
		c := New(Options{Changed: func() { told = true }})
		c.changed(test.rows...)
		if told != test.want {
			t.Errorf("%s: told %v", name, told)
		}
	}
}
