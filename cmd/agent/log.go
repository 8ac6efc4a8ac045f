package main

import (
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"

	"github.com/go-logr/logr"
)

// newLogger returns the logger that the flags ask for.
func newLogger(o *options, out io.Writer) (logr.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return logr.Logger{}, fmt.Errorf("--log-level %q: use debug, info, warn or error", o.logLevel)
	}
	if out == nil {
		out = io.Discard
	}
	settings := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "json":
		return logr.FromSlogHandler(slog.NewJSONHandler(out, settings)), nil
	case "text":
		return logr.FromSlogHandler(slog.NewTextHandler(out, settings)), nil
	default:
		return logr.Logger{}, fmt.Errorf("--log-format %q: use json or text", o.logFormat)
	}
}

// version tells what was built, from what the Go tool recorded.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	answer := build.Main.Version
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" {
			answer += " " + setting.Value
		}
	}
	return answer + " " + build.GoVersion
}
