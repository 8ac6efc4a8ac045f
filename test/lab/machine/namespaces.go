package machine

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// namespaces are open files of a machine's namespaces.
type namespaces struct{ net, mnt, uts, pid int }

func namespacesOf(pid int) (namespaces, error) {
	s := namespaces{-1, -1, -1, -1}
	for name, fd := range map[string]*int{"net": &s.net, "mnt": &s.mnt, "uts": &s.uts, "pid": &s.pid} {
		var err error
		if *fd, err = unix.Open(fmt.Sprintf("/proc/%d/ns/%s", pid, name), unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			s.close()
			return s, fmt.Errorf("open its %s namespace: %w", name, err)
		}
	}
	return s, nil
}

func (s *namespaces) close() {
	for _, fd := range []*int{&s.net, &s.mnt, &s.uts, &s.pid} {
		if *fd >= 0 {
			_ = unix.Close(*fd)
		}
		*fd = -1
	}
}

// ownNetwork opens the network namespace of the thread. It is not looked up in
// /proc, which in a machine has nothing of this program.
func ownNetwork() (int, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(socket)
	fd, err := unix.IoctlRetInt(socket, unix.SIOCGSKNS)
	if err != nil {
		return -1, fmt.Errorf("open a network namespace: %w", err)
	}
	unix.CloseOnExec(fd)
	return fd, nil
}

// Do runs a function on a thread inside of the machine. See the package on what
// the function may do.
func (m *Machine) Do(work func() error) error {
	result := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		result <- m.enter(work)
	}()
	return <-result
}

func (m *Machine) enter(work func() error) error {
	// Threads share their root and folder unless told otherwise, and the
	// kernel lets none that shares them into another mount namespace.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	for _, s := range []struct{ fd, kind int }{
		{m.spaces.pid, unix.CLONE_NEWPID}, {m.spaces.uts, unix.CLONE_NEWUTS},
		{m.spaces.net, unix.CLONE_NEWNET}, {m.spaces.mnt, unix.CLONE_NEWNS},
	} {
		if err := unix.Setns(s.fd, s.kind); err != nil {
			return fmt.Errorf("go into %s: %w", m.Name, os.NewSyscallError("setns", err))
		}
	}
	return work()
}
