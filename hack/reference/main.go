package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

const head = `# Reference

` + "`make generate`" + ` generates this page from the code; ` + "`make verify`" + ` fails if it is out of
date. [README](../README.md) explains what the parts are for;
[TROUBLESHOOTING](TROUBLESHOOTING.md) says where to look first.

[Flags](#flags) · [Metrics](#metrics) · [Conditions and reasons](#conditions-and-reasons) · [Findings](#findings) · [Fields](#fields)

`

func main() {
	path := flag.String("output", "config/REFERENCE.md", "file to write")
	flag.Parse()
	if err := run(*path); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	var page bytes.Buffer
	page.WriteString(head)
	for _, section := range []func(io.Writer) error{writeFlags, writeMetrics, writeReasons, writeFindings, writeFields} {
		if err := section(&page); err != nil {
			return err
		}
	}
	text := append(bytes.TrimRight(page.Bytes(), "\n"), '\n')
	return os.WriteFile(path, text, 0o644) //nolint:gosec // a page of documentation
}

// programs are those of cmd/, in the order of the page.
var programs = []string{"manager", "agent", "kubectl-ra"}

// writeFlags asks the programs themselves, in an environment that gives no flag
// a default of this machine.
func writeFlags(out io.Writer) error {
	folder, err := os.MkdirTemp("", "reference")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	build := exec.Command("go", "build", "-buildvcs=false", "-o", folder+"/", "./cmd/...")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("cannot build the programs: %w", err)
	}
	_, _ = fmt.Fprint(out, "## Flags\n\n")
	for _, name := range programs {
		program := exec.Command(filepath.Join(folder, name), "reference")
		program.Env = []string{"HOME=" + folder}
		program.Stdout, program.Stderr = out, os.Stderr
		if err := program.Run(); err != nil {
			return fmt.Errorf("%s reference: %w", name, err)
		}
	}
	return nil
}
