package ovnnb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// Routers are looked for without watching their networks, and watched ones too,
// in one session: libovsdb gives it up where two monitors have one row.
func TestRoutersAreLookedFor(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	s.AddRouter(t, "GR_cluster_udn_blue_n1")
	c, n, _ := start(t, s.Endpoint())
	expect := func(what, router, want string) {
		t.Helper()
		nbserver.Eventually(t, 10*time.Second, fmt.Sprintf("%s: %s is %s", what, router, want), func() bool {
			present, known := c.HasRouter(router)
			return want == map[[2]bool]string{{false, false}: "not known", {false, true}: "missing", {true, true}: "there"}[[2]bool{present, known}]
		})
	}
	known(t, n)
	if _, known := c.HasRouter("GR_cluster_udn_green_n1"); known {
		t.Error("nobody looked for it")
	}
	c.Look([]string{"GR_n1", "GR_cluster_udn_blue_n1", "GR_cluster_udn_green_n1"})
	expect("at first", "GR_n1", "there")
	expect("at first", "GR_cluster_udn_blue_n1", "there")
	expect("at first", "GR_cluster_udn_green_n1", "missing")

	green := c.Watch("cluster_udn_green", func() {})
	known(t, green)
	s.AddRouter(t, "GR_cluster_udn_green_n1")
	expect("a first pod", "GR_cluster_udn_green_n1", "there")
	commit(t, green, insert("10.1.0.0/24", "172.18.0.2"))
	s.RemoveRouter(t, "GR_cluster_udn_green_n1")
	expect("the last pod left", "GR_cluster_udn_green_n1", "missing")

	c.Look([]string{"GR_cluster_udn_red_n1"})
	expect("another one", "GR_cluster_udn_red_n1", "missing")
	s.Kill()
	expect("no database", "GR_cluster_udn_red_n1", "not known")
	s.Run(t)
	expect("a database again", "GR_cluster_udn_red_n1", "missing")
	known(t, green)
}
