package program

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// The Makefile and the Dockerfile set these with -ldflags -X. They are empty in a
// binary that was built in another way.
var version, commit, date string

// Version says what was built: version, commit, date and Go's version. What -ldflags
// did not set comes from the Go tool's own record.
func Version() string {
	recorded, _ := debug.ReadBuildInfo()
	return describe(recorded, version, commit, date)
}

func describe(recorded *debug.BuildInfo, version, commit, date string) string {
	if recorded != nil {
		version = cmp.Or(version, recorded.Main.Version)
		for _, setting := range recorded.Settings {
			switch setting.Key {
			case "vcs.revision":
				commit = cmp.Or(commit, setting.Value)
			case "vcs.time":
				date = cmp.Or(date, setting.Value)
			}
		}
	}
	return fmt.Sprintf("%s (commit %s, %s, %s %s/%s)", cmp.Or(version, "(devel)"),
		cmp.Or(commit, "unknown"), cmp.Or(date, "date unknown"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
