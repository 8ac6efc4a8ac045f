package main

import "testing"

func TestVTEPsAreManagedOnlyWithTheFlag(t *testing.T) {
	for _, test := range []struct {
		manage, readOnly bool
		want             string
	}{
		{false, false, "start the agent with --manage-vteps"}, {false, true, "start the agent with --manage-vteps"},
		{true, true, "start the agent without --observe-only"}, {true, false, ""},
	} {
		if got := (&options{manageVTEPs: test.manage}).withoutVTEPs(test.readOnly); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}
