package agent

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// cutter stands between the agent and the database and cuts connections.
type cutter struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	open     map[net.Conn]struct{}
	// budget is how many more bytes from the agent get through before the
	// connection is cut; below zero there is no limit.
	budget atomic.Int64
	cuts   atomic.Int64
	// sent is how many bytes from the agent got through.
	sent atomic.Int64
	// atCut is called at a cut, before the connection is closed.
	atCut func()
	// mute passes requests on, but no replies.
	mute atomic.Bool
}

func newCutter(endpoint string) *cutter {
	c := &cutter{target: strings.TrimPrefix(endpoint, "unix:"), open: map[net.Conn]struct{}{}}
	c.budget.Store(-1)
	var err error
	c.listener, err = net.Listen("unix", filepath.Join(filepath.Dir(c.target), "cut"))
	Expect(err).NotTo(HaveOccurred())
	go c.serve()
	DeferCleanup(func() {
		_ = c.listener.Close()
		c.cut()
	})
	return c
}

func (c *cutter) endpoint() string { return "unix:" + c.listener.Addr().String() }

func (c *cutter) serve() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", c.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		c.mu.Lock()
		c.open[client], c.open[server] = struct{}{}, struct{}{}
		c.mu.Unlock()
		go c.requests(client, server)
		go c.replies(client, server)
	}
}

func (c *cutter) requests(client, server net.Conn) {
	defer func() { _, _ = client.Close(), server.Close() }()
	buffer := make([]byte, 4096)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		c.sent.Add(int64(n))
		if left := c.budget.Load(); left >= 0 {
			n = min(n, int(left))
			c.budget.Add(int64(-n))
			_, _ = server.Write(buffer[:n])
			if c.budget.Load() == 0 {
				c.budget.Store(-1)
				c.cuts.Add(1)
				if c.atCut != nil {
					c.atCut()
				}
				return
			}
			continue
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (c *cutter) replies(client, server net.Conn) {
	defer func() { _, _ = client.Close(), server.Close() }()
	if !c.mute.Load() {
		_, _ = io.Copy(muteWriter{c, client}, server)
	}
}

type muteWriter struct {
	*cutter
	net.Conn
}

func (w muteWriter) Write(p []byte) (int, error) {
	if w.mute.Load() {
		return len(p), nil
	}
	return w.Conn.Write(p)
}

// cut closes every connection.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.Close()
	}
	clear(c.open)
}
