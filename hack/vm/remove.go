package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// removeTree removes a folder, but never through a mount: mmdebstrap mounts
// /proc and /sys inside of the root that it makes.
func (c *cache) removeTree(folder string) error {
	out, err := exec.Command(filepath.Join(c.module, "hack", "remove.sh"), folder).CombinedOutput()
	if err != nil {
		return fmt.Errorf("remove %s: %w: %s", folder, err, strings.TrimSpace(string(out)))
	}
	return nil
}
