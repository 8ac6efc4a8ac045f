package install

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

// pages are all that people read, by their path in the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.md", "config/*.md", "config/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			name, err := filepath.Rel(root(t), path)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = file(t, path)
		}
	}
	if len(out) < 7 {
		t.Fatalf("only %d pages were found", len(out))
	}
	return out
}

// first are the first groups of all matches.
func first(pattern, text string) (out []string) {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		out = append(out, match[1])
	}
	return out
}

// anchors are what a link may point to in a page, as GitHub makes them.
func anchors(page string) (out []string) {
	for _, heading := range first(`(?m)^#+ (.+)$`, page) {
		kept := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading), "")
		out = append(out, strings.ReplaceAll(kept, " ", "-"))
	}
	return out
}

// TestThePagesNameWhatThereIs finds links to nowhere, and flags, metrics, make
// targets and files that don't exist, or no longer.
func TestThePagesNameWhatThereIs(t *testing.T) {
	all := pages(t)
	reference := all["config/REFERENCE.md"]
	flags := first(`(?m)^\| .(?:-\w, )?--([a-z0-9-]+)`, reference)
	metrics := first("(?m)^\\| `(ovnbgp_[a-z_]+)`", reference)
	var targets []string
	for _, pattern := range []string{"Makefile", "hack/*/*.mk", "test/*/*.mk"} {
		paths, _ := filepath.Glob(filepath.Join(root(t), pattern))
		for _, path := range paths {
			targets = append(targets, first(`(?m)^([a-z0-9-]+):`, file(t, path))...)
		}
	}
	if len(flags) < 60 || len(metrics) < 20 || len(targets) < 20 {
		t.Fatalf("found %d flags, %d metrics, %d targets", len(flags), len(metrics), len(targets))
	}
	// Flags of others.
	others := []string{"version", "help", "set", "enable-route-advertisements", "enable-evpn", "enable-dynamic-udn-allocation", "selector", "neighbor-address", "neighbor-as", "cluster-as",
		"holdtime", "graceful-restart", "graceful-restart-time", "graceful-restart-deferral-time", "passivemode", "ebgp-multihop", "auth-password", "ignore-daemonsets"}
	for name, page := range all {
		missing := func(what string, found, known []string) {
			for _, one := range found {
				if !slices.Contains(known, one) {
					t.Errorf("%s names the %s %s, which does not exist", name, what, one)
				}
			}
		}
		missing("flag", first("`--([a-z0-9-]+)", page), append(slices.Clone(flags), others...))
		missing("flag", first(`(?m)^(?:\$ )?(?:kubectl ra|agent|manager) [^#\n]*?--([a-z0-9-]+)`, page), append(slices.Clone(flags), others...))
		missing("metric", first(`\b(ovnbgp_[a-z_]+[a-z])\b`, page), append(slices.Clone(metrics), first(`(ovnbgp_agent_[a-z]+)_\*`, page)...))
		missing("make target", first("(?m)(?:^|`)make ([a-z][a-z0-9-]*)", page), targets)
		for _, link := range first(`\]\(([^)\s]+)\)`, page) {
			if strings.Contains(link, "://") {
				continue
			}
			path, anchor, _ := strings.Cut(link, "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			if _, err := os.Stat(filepath.Join(root(t), target)); err != nil {
				t.Errorf("%s links to %s: %v", name, link, err)
			}
			if anchor != "" && !slices.Contains(anchors(all[target]), anchor) {
				t.Errorf("%s links to %s, which has no such heading", name, link)
			}
		}
		for _, path := range first(`\b((?:config|test|hack|internal|cmd)/[\w./-]*\w)`, page) {
			if strings.HasPrefix(name, "config/olm/") || strings.Contains(page, "github.com/ovn-bgp-operator/ovn-bgp-operator/"+path) {
				continue
			}
			if _, err := os.Stat(filepath.Join(root(t), path)); err != nil {
				t.Errorf("%s names the file %s: %v", name, path, err)
			}
		}
	}
}

// TestTheReferenceHasEveryMetric finds metrics that the generator was not told
// to ask for.
func TestTheReferenceHasEveryMetric(t *testing.T) {
	reference := file(t, filepath.Join(root(t), "config", "REFERENCE.md"))
	found := 0
	if err := filepath.WalkDir(filepath.Join(root(t), "internal"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, metric := range first(`Name: +"(ovnbgp_[a-z_]+)"`, file(t, path)) {
			found++
			if !strings.Contains(reference, "`"+metric+"`") {
				t.Errorf("config/REFERENCE.md lacks %s of %s: tell hack/reference who registers it", metric, path)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if found < 8 {
		t.Errorf("only %d metrics were found in the code", found)
	}
}

// TestFirstAdvertisement does what the README says, word by word, and gets what
// the README shows. An … stands for any words.
func TestFirstAdvertisement(t *testing.T) { followPage(t, "README.md", 8) }

// TestEVPNPage is the same for the page about EVPN.
func TestEVPNPage(t *testing.T) { followPage(t, "config/EVPN.md", 5) }

// followPage installs the operator, runs a page's commands one after the other, and
// compares what they print with what the page shows.
func followPage(t *testing.T, page string, least int) {
	t.Helper()
	c := newCluster(t)
	c.kubectl("apply", "--server-side", "--kustomize=config/default")
	c.Eventually(func() error { return c.admin.List(t.Context(), &ovnv1.RouteAdvertisementsList{}, client.Limit(1)) }).Should(Succeed())
	c.kubectl("apply", "--filename=config/samples/cluster")
	manager := c.run(home, c.deployed())
	binaries := filepath.Dir(binary(t, "kubectl-ra"))
	steps := 0
	for _, block := range first("(?s)```console\n(.*?)```", file(t, filepath.Join(root(t), page))) {
		for _, step := range strings.Split("\n"+block, "\n$ ")[1:] {
			line, want, _ := strings.Cut(step, "\n")
			shell := exec.CommandContext(t.Context(), "bash", "-c", line)
			shell.Dir = root(t)
			shell.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig, "PATH="+filepath.Dir(c.Binaries.Kubectl)+":"+binaries+":"+os.Getenv("PATH"))
			var out, complaints bytes.Buffer
			shell.Stdout, shell.Stderr = &out, &complaints
			if err := shell.Run(); err != nil {
				t.Fatalf("%s: %v\n%s%s", line, err, out.String(), complaints.String())
			}
			var pattern []string
			for _, word := range strings.Fields(want) {
				pattern = append(pattern, strings.ReplaceAll(regexp.QuoteMeta(word), "…", ".*"))
			}
			if got := strings.Join(strings.Fields(out.String()), " "); !regexp.MustCompile("^" + strings.Join(pattern, " ") + "$").MatchString(got) {
				t.Errorf("%s printed\n%s\nwhere %s has\n%s", line, out.String(), page, want)
			}
			steps++
		}
	}
	if steps < least {
		t.Errorf("only %d commands were found", steps)
	}
	manager.stop(c)
}

// TestTheEVPNPageQuotesTheSamples finds YAML on the page that is no sample, and samples
// that the page does not show.
func TestTheEVPNPageQuotesTheSamples(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root(t), "config/samples/evpn/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var samples []string
	for _, path := range paths {
		samples = append(samples, file(t, path))
	}
	blocks := first("(?s)```yaml\n(.*?)```", file(t, filepath.Join(root(t), "config/EVPN.md")))
	NewWithT(t).Expect(blocks).To(ConsistOf(samples))
}
