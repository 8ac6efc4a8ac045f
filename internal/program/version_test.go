package program

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersionTakesWhatTheBuildSaysAndThenWhatGoRecorded(t *testing.T) {
	recorded := &debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20260101"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-01T00:00:00Z"},
	}}
	end := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for _, test := range []struct {
		recorded              *debug.BuildInfo
		version, commit, date string
		want                  string
	}{
		{nil, "", "", "", "(devel) (commit unknown, date unknown, "},
		{recorded, "", "", "", "v0.0.0-20260101 (commit abc, 2026-01-01T00:00:00Z, "},
		{recorded, "v1.2.3", "def", "2026-02-02T00:00:00Z", "v1.2.3 (commit def, 2026-02-02T00:00:00Z, "},
	} {
		if got := describe(test.recorded, test.version, test.commit, test.date); got != test.want+end {
			t.Errorf("%q, not %q", got, test.want+end)
		}
	}
}
