package main

import (
	"slices"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args                  string
		packages, build, test string
		verbose               bool
		refused               bool
	}{
		{args: "./a ./b/...", packages: "./a ./b/...", test: "-test.timeout=10m0s"},
		{args: "./a -run X -v", packages: "./a", test: "-test.timeout=10m0s -test.run=X", verbose: true},
		{args: "-run=X ./a -count 2", packages: "./a", test: "-test.timeout=10m0s -test.run=X -test.count=2"},
		{args: "./a -timeout 90s -tags x", packages: "./a", build: "-tags=x", test: "-test.timeout=1m30s"},
		{args: "./a -ginkgo.focus=y", packages: "./a", test: "-test.timeout=10m0s -ginkgo.focus=y"},
		{args: "./a -args -run z", packages: "./a", test: "-test.timeout=10m0s -run z"},
		{args: "./a -bench . -run ^$", packages: "./a", test: "-test.timeout=10m0s -test.bench=. -test.run=^$", verbose: true},
		{args: "./a -race", refused: true},
		{args: "./a -coverprofile=x", refused: true},
		{args: "./a -run", refused: true},
		{args: "./a -timeout soon", refused: true},
	} {
		t.Run(c.args, func(t *testing.T) {
			l, err := parse(strings.Fields(c.args))
			if (err != nil) != c.refused {
				t.Fatalf("error %v, want one: %v", err, c.refused)
			}
			if c.refused {
				return
			}
			for what, pair := range map[string][2]string{
				"packages":   {strings.Join(l.packages, " "), c.packages},
				"build":      {strings.Join(l.build, " "), c.build},
				"test flags": {strings.TrimPrefix(strings.Join(l.test, " "), "-test.v=test2json "), c.test},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s are %q, want %q", what, pair[0], pair[1])
				}
			}
			if l.verbose != c.verbose {
				t.Errorf("verbose is %v, want %v", l.verbose, c.verbose)
			}
			if !slices.Contains(l.test, "-test.v=test2json") {
				t.Error("without -test.v=test2json the output cannot be counted")
			}
		})
	}
}
