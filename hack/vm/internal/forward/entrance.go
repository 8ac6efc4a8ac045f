package forward

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"

	"golang.org/x/sys/unix"
)

// handoverFile is the first of exec.Cmd's ExtraFiles, after the standard three.
const handoverFile = 3

// Dialer opens a connection to the address with this place in the list.
type Dialer func(index int) (Conn, error)

// Entrance accepts what was listened for in another namespace.
type Entrance struct {
	dial Dialer
	ours net.Conn

	lock      sync.Mutex
	closed    bool
	listeners []net.Listener
}

// Start starts a command that will call HandOver, and accepts for it until
// Close. Without a dialer the command is only started. It must be the first to
// use the command's ExtraFiles.
func Start(cmd *exec.Cmd, dial Dialer) (*Entrance, error) {
	if dial == nil {
		return &Entrance{}, cmd.Start()
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("a socket to hand listeners over: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "handover"), os.NewFile(uintptr(fds[1]), "handover")
	defer ours.Close()
	defer theirs.Close()
	e := &Entrance{dial: dial}
	if e.ours, err = net.FileConn(ours); err != nil {
		return nil, err
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, theirs)
	if err := cmd.Start(); err != nil {
		_ = e.ours.Close()
		return nil, err
	}
	// A command that ends early has said why; it hands nothing over.
	go e.open()
	return e, nil
}

func (e *Entrance) open() {
	listeners, err := receive(e.ours.(*net.UnixConn))
	if err != nil {
		return
	}
	e.lock.Lock()
	defer e.lock.Unlock()
	e.listeners = listeners
	if e.closed {
		e.closeListeners()
		return
	}
	for i, listener := range listeners {
		go e.accept(i, listener)
	}
}

// Close ends the listening. It has to be called once the command has ended:
// until then the open files hold its network namespace.
func (e *Entrance) Close() {
	if e.ours == nil {
		return
	}
	_ = e.ours.Close()
	e.lock.Lock()
	defer e.lock.Unlock()
	e.closed = true
	e.closeListeners()
}

func (e *Entrance) closeListeners() {
	for _, listener := range e.listeners {
		_ = listener.Close()
	}
}

func (e *Entrance) accept(index int, listener net.Listener) {
	for {
		inner, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			outer, err := e.dial(index)
			if err != nil {
				fmt.Fprintf(os.Stderr, "forward %s: %v\n", listener.Addr(), err)
				_ = inner.Close()
				return
			}
			join(inner.(*net.TCPConn), outer)
		}()
	}
}

// HandOver listens on the addresses in this process's network namespace and
// gives the listeners to the Entrance of the process that started this one.
func HandOver(addresses []string) error {
	handover := os.NewFile(handoverFile, "handover")
	defer handover.Close()
	// The message holds them open until it has been received; then the
	// receiver does.
	var files []*os.File
	defer func() {
		for _, file := range files {
			_ = file.Close()
		}
	}()
	var fds []int
	for _, address := range addresses {
		file, err := listen(address)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", address, err)
		}
		files, fds = append(files, file), append(fds, int(file.Fd()))
	}
	if err := unix.Sendmsg(handoverFile, []byte{0}, unix.UnixRights(fds...), nil, 0); err != nil {
		return fmt.Errorf("hand the listeners over: %w", err)
	}
	return nil
}

func listen(address string) (*os.File, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	return listener.(*net.TCPListener).File()
}

// maxListeners is how many a message has room for.
const maxListeners = 16

func receive(from *net.UnixConn) ([]net.Listener, error) {
	room := make([]byte, unix.CmsgSpace(4*maxListeners))
	_, n, _, _, err := from.ReadMsgUnix(make([]byte, 1), room)
	if err != nil {
		return nil, fmt.Errorf("receive listeners: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(room[:n])
	if err != nil {
		return nil, fmt.Errorf("receive listeners: %w", err)
	}
	if len(messages) != 1 {
		return nil, errors.New("no listeners were handed over")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, fmt.Errorf("receive listeners: %w", err)
	}
	var listeners []net.Listener
	for _, fd := range fds {
		file := os.NewFile(uintptr(fd), "listener")
		listener, err := net.FileListener(file)
		_ = file.Close()
		if err != nil {
			return nil, fmt.Errorf("receive listeners: %w", err)
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}
