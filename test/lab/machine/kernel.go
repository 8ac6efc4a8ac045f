package machine

import (
	"runtime"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Kernel tells what the kernel can do, of what a lab may want.
type Kernel struct {
	Release                  string
	VRF, OpenVSwitch, Geneve bool
}

// Missing names what the kernel lacks.
func (k Kernel) Missing() []string {
	var missing []string
	for _, part := range []struct {
		name string
		has  bool
	}{{"vrf", k.VRF}, {"openvswitch", k.OpenVSwitch}, {"geneve", k.Geneve}} {
		if !part.has {
			missing = append(missing, part.name)
		}
	}
	return missing
}

func (k Kernel) String() string {
	if missing := k.Missing(); len(missing) > 0 {
		return "Linux " + k.Release + " without " + strings.Join(missing, ", ")
	}
	return "Linux " + k.Release + " with vrf, openvswitch, geneve"
}

// HasVRF tells whether the kernel has VRF devices.
func HasVRF() bool { return ThisKernel().VRF }

// ThisKernel tries once what the kernel can do, in a network namespace that is
// thrown away. Trying loads modules where there are any.
var ThisKernel = sync.OnceValue(func() Kernel {
	result := make(chan Kernel)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and the
		// namespace with the thread.
		runtime.LockOSThread()
		result <- tryKernel()
	}()
	return <-result
})

func tryKernel() Kernel {
	var k Kernel
	var uname unix.Utsname
	if unix.Uname(&uname) == nil {
		k.Release = unix.ByteSliceToString(uname.Release[:])
	}
	if unix.Unshare(unix.CLONE_NEWNET) != nil {
		return k
	}
	handle, err := netlink.NewHandle()
	if err != nil {
		return k
	}
	defer handle.Close()
	k.VRF = handle.LinkAdd(&netlink.Vrf{LinkAttrs: named("try-vrf"), Table: 1001}) == nil
	k.Geneve = handle.LinkAdd(&netlink.Geneve{LinkAttrs: named("try-geneve"), ID: 1, Dport: 6081, FlowBased: true}) == nil
	_, err = handle.GenlFamilyGet("ovs_datapath")
	k.OpenVSwitch = err == nil
	return k
}
