package main

import (
	"fmt"
	"strings"
	"time"
)

// line is a go test command line, taken apart: go test -c takes the flags of
// the build, the binary takes those of the test under other names.
type line struct {
	packages []string
	build    []string
	test     []string
	timeout  time.Duration
	verbose  bool
	// mayRunNothing: benchmarks alone are no test that passes or fails.
	mayRunNothing bool
}

// Flags with a value that may stand in an argument of its own, and flags
// without one. Flags in neither list go to the binary as they are: a suite's
// own, such as -ginkgo.focus=x.
var (
	testValues  = words("run skip count timeout bench benchtime parallel shuffle cpu list")
	testSwitch  = words("v short failfast benchmem fullpath")
	buildValues = words("tags ldflags gcflags asmflags mod modfile overlay p")
	buildSwitch = words("a x trimpath")
	refused     = map[string]string{
		"race":         "it needs cgo, and the binaries are static",
		"cover":        "profiles would stay behind in the guest",
		"coverprofile": "profiles would stay behind in the guest",
		"cpuprofile":   "profiles would stay behind in the guest",
		"memprofile":   "profiles would stay behind in the guest",
		"trace":        "traces would stay behind in the guest",
		"fuzz":         "what it finds would stay behind in the guest; seeds run without it",
		"json":         "the output is read here",
		"c":            "the binaries are built here",
		"o":            "the binaries are built here",
	}
)

func words(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

func parse(args []string) (line, error) {
	l := line{timeout: 10 * time.Minute}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "-args" || arg == "--args" {
			l.test = append(l.test, args[i+1:]...)
			break
		}
		if !strings.HasPrefix(arg, "-") {
			l.packages = append(l.packages, arg)
			continue
		}
		name, value, has := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		name = strings.TrimPrefix(name, "test.")
		if why, ok := refused[name]; ok {
			return l, fmt.Errorf("go test's -%s cannot be used here: %s", name, why)
		}
		if !has && (testValues[name] || buildValues[name]) {
			if i++; i == len(args) {
				return l, fmt.Errorf("-%s wants a value", name)
			}
			value, has = args[i], true
		}
		if err := l.add(arg, name, value, has); err != nil {
			return l, err
		}
	}
	// The marks make the output unmistakable for test2json.
	l.test = append([]string{"-test.v=test2json", "-test.timeout=" + l.timeout.String()}, l.test...)
	return l, nil
}

func (l *line) add(arg, name, value string, has bool) error {
	flag := "-" + name
	if has {
		flag += "=" + value
	}
	switch {
	case name == "timeout":
		timeout, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("-timeout: %w", err)
		}
		l.timeout = timeout
	case name == "v":
		l.verbose = value != "false"
	case testValues[name], testSwitch[name]:
		if name == "bench" || name == "list" {
			l.verbose, l.mayRunNothing = true, true
		}
		l.test = append(l.test, "-test."+flag[1:])
	case buildValues[name], buildSwitch[name]:
		l.build = append(l.build, flag)
	default:
		l.test = append(l.test, arg)
	}
	return nil
}

// limit leaves a hanging binary the time to say where it hangs.
func (l line) limit() time.Duration {
	if l.timeout == 0 {
		return 24 * time.Hour
	}
	return l.timeout + time.Minute
}
