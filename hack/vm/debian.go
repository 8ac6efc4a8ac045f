package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// packageOf says which package of Debian has a program.
var packageOf = map[string]string{
	"qemu-system-x86_64": "qemu-system-x86",
	"mmdebstrap":         "mmdebstrap",
	"mke2fs":             "e2fsprogs",
	"dpkg-deb":           "dpkg",
	"xz":                 "xz-utils",
	"zstd":               "zstd",
}

// needs installs what is missing and touches nothing else.
func needs(ctx context.Context, programs ...string) error {
	var missing []string
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, packageOf[program])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("install %s first: there is no apt-get here to do it", strings.Join(missing, ", "))
	}
	fmt.Println("vm: apt-get install", strings.Join(missing, " "))
	install := append([]string{"install", "--yes", "--no-install-recommends"}, missing...)
	if _, err := aptGet(ctx, install...); err == nil {
		return nil
	}
	// A fresh machine has no package lists, or old ones.
	if out, err := aptGet(ctx, "update"); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	if out, err := aptGet(ctx, install...); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func aptGet(ctx context.Context, args ...string) (string, error) {
	cmd := niced(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("apt-get %s: %w", args[0], err)
	}
	return string(out), err
}

// mirror is where this machine takes its own packages from. On anything but
// Debian the answer is empty: the choice is mmdebstrap's then.
func mirror(ctx context.Context) (string, error) {
	if chosen := os.Getenv("OVNBGP_DEBIAN_MIRROR"); chosen != "" {
		return chosen, nil
	}
	release, err := osRelease()
	if err != nil {
		return "", err
	}
	if release["ID"] != "debian" {
		return "", nil
	}
	targets, err := output(exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"))
	if err != nil {
		return "", err
	}
	for target := range strings.Lines(targets) {
		fields := strings.Fields(target)
		if len(fields) == 3 && fields[1] == release["VERSION_CODENAME"] && fields[2] == "main" {
			return fields[0], nil
		}
	}
	return "", fmt.Errorf("apt's sources have no %s main; name a mirror in OVNBGP_DEBIAN_MIRROR", release["VERSION_CODENAME"])
}

func osRelease() (map[string]string, error) {
	file, err := os.Open("/etc/os-release")
	if err != nil {
		return nil, fmt.Errorf("which distribution is this: %w", err)
	}
	defer file.Close()
	values := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			values[name] = strings.Trim(value, `"`)
		}
	}
	return values, lines.Err()
}
