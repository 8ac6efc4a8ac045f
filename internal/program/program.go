// Package program holds what the binaries of cmd/ share: the logger, the flags for
// metrics, the version, and the list of flags for the reference.
package program

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/go-logr/logr"
)

// Logger returns a logger of the level (debug, info, warn, error) and format
// (json, text) that the flags --log-level and --log-format name. Without out,
// it only validates them.
func Logger(level, format string, out io.Writer) (logr.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return logr.Logger{}, fmt.Errorf("--log-level %q: use debug, info, warn or error", level)
	}
	if out == nil {
		out = io.Discard
	}
	settings := &slog.HandlerOptions{Level: least}
	switch format {
	case "json":
		return logr.FromSlogHandler(slog.NewJSONHandler(out, settings)), nil
	case "text":
		return logr.FromSlogHandler(slog.NewTextHandler(out, settings)), nil
	default:
		return logr.Logger{}, fmt.Errorf("--log-format %q: use json or text", format)
	}
}
