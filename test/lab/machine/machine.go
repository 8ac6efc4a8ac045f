package machine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Options choose what a machine is made with.
type Options struct {
	// Logs is the folder, outside of the machine, for the logs of what Start
	// starts: one file each, NAME-LABEL.log.
	Logs string
	// Env is added to the environment of everything that runs inside.
	Env []string
}

// Machine is a host of its own: network, mounts, host name and processes. A
// pod has a network of its own and shares the rest.
type Machine struct {
	Name string

	options Options
	// host is nil for a machine, and the machine for a pod.
	host   *Machine
	init   *exec.Cmd
	life   io.Closer
	spaces namespaces
	links  *netlink.Handle

	mutex     sync.Mutex
	processes []*Process
	pods      []*Machine
	forwards  []*forward
	closed    bool
}

// New makes a machine with lo up and forwarding on. Close ends it, and the end
// of the program does.
func New(ctx context.Context, name string, options Options) (*Machine, error) {
	m := &Machine{Name: name, options: options}
	if err := m.boot(ctx); err != nil {
		_ = m.Close()
		return nil, fmt.Errorf("make machine %s: %w", name, err)
	}
	return m, nil
}

// boot starts the machine's first process, which lives until its standard
// input ends, so never longer than this program.
func (m *Machine) boot(ctx context.Context) error {
	if os.Getenv(insideVariable) == "" && os.Getenv(vmVariable) == "" {
		return errors.New("machines live in an enclosure: call machine.Main in TestMain, or machine.Enter in main")
	}
	// Only a process of the new namespace can mount its /proc.
	m.init = exec.CommandContext(ctx, "/bin/bash", "-c", "mount -t proc proc /proc && echo up && read -r")
	m.init.Cancel = func() error { return nil }
	m.init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		Setsid:     true,
	}
	var trouble strings.Builder
	m.init.Stderr = &trouble
	life, err := m.init.StdinPipe()
	if err != nil {
		return err
	}
	m.life = life
	out, err := m.init.StdoutPipe()
	if err != nil {
		return err
	}
	if err := m.init.Start(); err != nil {
		m.init = nil
		return err
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "up\n" {
		return fmt.Errorf("its first process ended: %s", trouble.String())
	}
	if m.spaces, err = namespacesOf(m.init.Process.Pid); err != nil {
		return err
	}
	if err := m.Do(func() error { return furnishMachine(m.Name) }); err != nil {
		return err
	}
	return m.network()
}

// Pod makes a network of its own inside of the machine, for a pod, a client or
// a server. It ends with Close, or with the machine.
func (m *Machine) Pod(name string) (*Machine, error) {
	if m.host != nil {
		return m.host.Pod(name)
	}
	p := &Machine{Name: name, options: m.options, host: m, spaces: m.spaces}
	p.spaces.net = -1
	err := m.Do(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		var err error
		p.spaces.net, err = ownNetwork()
		return err
	})
	if err == nil {
		err = p.network()
	}
	if err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("make pod %s in %s: %w", name, m.Name, err)
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.pods = append(m.pods, p)
	return p, nil
}

// network makes what every network starts with.
func (m *Machine) network() error {
	var err error
	// The dump of a table that changes meanwhile is to fail, not to lie.
	if m.links, err = netlink.NewHandleAt(netns.NsHandle(m.spaces.net)); err != nil {
		return fmt.Errorf("talk to its network: %w", err)
	}
	settings := map[string]string{
		"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1",
		"net/ipv4/conf/all/rp_filter": "0", "net/ipv4/conf/default/rp_filter": "0",
		// Nothing that a lab makes is a duplicate, and waiting takes a second.
		"net/ipv6/conf/all/accept_dad": "0", "net/ipv6/conf/default/accept_dad": "0",
		// Its address has to survive that the link goes down, as with IPv4.
		"net/ipv6/conf/all/keep_addr_on_down": "1", "net/ipv6/conf/default/keep_addr_on_down": "1",
	}
	if m.host == nil && HasVRF() {
		settings["net/vrf/strict_mode"] = "1"
		settings["net/ipv4/tcp_l3mdev_accept"] = "1"
		settings["net/ipv4/udp_l3mdev_accept"] = "1"
	}
	for name, value := range settings {
		if err := m.Sysctl(name, value); err != nil {
			return err
		}
	}
	lo, err := m.links.LinkByName("lo")
	if err != nil {
		return err
	}
	return m.links.LinkSetUp(lo)
}

// Sysctl sets a setting, such as net/ipv4/ip_forward.
func (m *Machine) Sysctl(name, value string) error {
	return m.Do(func() error {
		if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644); err != nil {
			return fmt.Errorf("sysctl %s=%s in %s: %w", name, value, m.Name, err)
		}
		return nil
	})
}

// Netlink is a handle on the machine's network.
func (m *Machine) Netlink() *netlink.Handle { return m.links }

// Network is the network namespace, for netlink.NsFd.
func (m *Machine) Network() int { return m.spaces.net }

// Host is the machine of a pod, and of a machine itself.
func (m *Machine) Host() *Machine {
	if m.host != nil {
		return m.host
	}
	return m
}

// WriteFile writes a file as the machine sees it, with the folders above it.
func (m *Machine) WriteFile(path, content string) error {
	return m.Do(func() error {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(content), 0o644)
	})
}

// ReadFile reads a file as the machine sees it.
func (m *Machine) ReadFile(path string) (string, error) {
	var content []byte
	err := m.Do(func() error {
		var err error
		content, err = os.ReadFile(path)
		return err
	})
	return string(content), err
}

// Close ends the machine as a power failure would: at once, with all of its
// processes and links. When it returns they are gone.
func (m *Machine) Close() error {
	m.mutex.Lock()
	if m.closed {
		m.mutex.Unlock()
		return nil
	}
	m.closed = true
	pods, processes, forwards := m.pods, m.processes, m.forwards
	m.mutex.Unlock()
	for _, f := range forwards {
		f.close()
	}
	for _, p := range processes {
		p.Kill()
	}
	if m.init != nil {
		// Killing a namespace's first process kills all others, and its end is
		// told only after theirs.
		_ = m.init.Process.Kill()
		_ = m.init.Wait()
		_ = m.life.Close()
	}
	for _, p := range processes {
		<-p.Exited()
	}
	var troubles []error
	for _, p := range pods {
		troubles = append(troubles, p.Close())
	}
	troubles = append(troubles, m.dropLinks())
	if m.host == nil {
		m.spaces.close()
	} else if m.spaces.net >= 0 {
		_ = unix.Close(m.spaces.net)
	}
	return errors.Join(troubles...)
}

// dropLinks removes what the kernel would remove in its own time only, when the
// names at the other ends may be wanted again already.
func (m *Machine) dropLinks() error {
	if m.links == nil {
		return nil
	}
	defer m.links.Close()
	all, err := m.links.LinkList()
	// Devices change while the last processes end. What was missed goes with
	// the namespace, so some tries are enough.
	for tries := 0; errors.Is(err, netlink.ErrDumpInterrupted) && tries < 100; tries++ {
		all, err = m.links.LinkList()
	}
	if err != nil {
		return fmt.Errorf("list the links of %s: %w", m.Name, err)
	}
	for _, link := range all {
		if link.Type() == "veth" {
			_ = m.links.LinkDel(link)
		}
	}
	return nil
}
