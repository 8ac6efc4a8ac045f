package ovnnb

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// session is one connection to an ovsdb-server (RFC 7047). It has at most one
// call under way, so that the result of a call can be read while it arrives:
// ovsdb-server may send a reply's result before the ID that tells what it is
// the result of.
type session struct {
	conn net.Conn
	// updates reads the second parameter of an update notification.
	updates func(s *session, monitor string, in *jsonReader)

	writing sync.Mutex
	calling sync.Mutex
	lastID  uint64

	pending sync.Mutex
	current *call

	heard  atomic.Int64
	closed chan struct{}
	once   sync.Once
	err    error
}

type call struct {
	id     string
	result func(in *jsonReader)
	done   chan error
}

// began is what times are counted from: the difference of two such times is
// right even where somebody sets the clock.
var began = time.Now()

// dial connects to unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT.
func dial(ctx context.Context, endpoint string, config *tls.Config) (net.Conn, error) {
	scheme, address, _ := strings.Cut(endpoint, ":")
	var dialer net.Dialer
	switch scheme {
	case "unix", "tcp":
		return dialer.DialContext(ctx, scheme, address)
	case "ssl":
		if config == nil {
			return nil, errors.New("certificates are needed for ssl")
		}
		return (&tls.Dialer{NetDialer: &dialer, Config: config}).DialContext(ctx, "tcp", address)
	default:
		return nil, fmt.Errorf("%q is neither unix:PATH, tcp:HOST:PORT nor ssl:HOST:PORT", endpoint)
	}
}

func newSession(conn net.Conn, updates func(*session, string, *jsonReader)) *session {
	s := &session{conn: conn, updates: updates, closed: make(chan struct{})}
	s.heard.Store(int64(time.Since(began)))
	go s.read()
	return s
}

// close ends the session; the first cause stays.
func (s *session) close(cause error) {
	s.once.Do(func() {
		s.err = cause
		close(s.closed)
		_ = s.conn.Close()
	})
}

// call asks the server and hands the result to result while it is read. A
// call that is given up ends the session: nobody knows what became of it, and
// a new session starts from what is really there.
func (s *session) call(ctx context.Context, method string, params []byte, result func(*jsonReader)) error {
	s.calling.Lock()
	defer s.calling.Unlock()
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", method, context.Cause(ctx))
	}
	s.lastID++
	c := &call{id: strconv.FormatUint(s.lastID, 10), result: result, done: make(chan error, 1)}
	s.pending.Lock()
	s.current = c
	s.pending.Unlock()

	head := []byte(`{"method":"` + method + `","id":` + c.id + `,"params":`)
	if err := s.write(ctx, head, params, []byte{'}'}); err != nil {
		s.close(err)
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case err := <-c.done:
		if err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		return nil
	case <-s.closed:
		return fmt.Errorf("%s: %w", method, s.err)
	case <-ctx.Done():
		s.close(fmt.Errorf("gave up waiting for a reply: %w", context.Cause(ctx)))
		return fmt.Errorf("%s: %w", method, s.err)
	}
}

// write writes a message that is in parts, because one of them may be large.
func (s *session) write(ctx context.Context, parts ...[]byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	deadline, _ := ctx.Deadline()
	if err := s.conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	message := net.Buffers(parts)
	_, err := message.WriteTo(s.conn)
	return err
}

func (s *session) read() {
	in := newJSONReader(heardReader{s})
	for in.err == nil {
		s.message(in)
	}
	s.close(fmt.Errorf("connection lost: %w", in.err))
}

// heardReader notes when the server was last heard of.
type heardReader struct{ *session }

func (h heardReader) Read(p []byte) (int, error) {
	n, err := h.conn.Read(p)
	if n > 0 {
		h.heard.Store(int64(time.Since(began)))
	}
	return n, err
}

// message reads one message, whose members come in any order.
func (s *session) message(in *jsonReader) {
	var id, params, failure json.RawMessage
	var method string
	in.object(func(key []byte) {
		switch string(key) {
		case "id":
			id = in.raw()
		case "method":
			if !in.null() {
				method = string(in.string())
			}
		case "error":
			failure = in.raw()
		case "result":
			s.result(in)
		case "params":
			params = s.params(in)
		default:
			in.skip()
		}
	})
	switch {
	case in.err != nil:
	case method == "echo":
		reply := append([]byte(`{"error":null,"result":`), params...)
		reply = append(append(append(reply, `,"id":`...), id...), '}')
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.write(ctx, reply); err != nil {
			s.close(err)
		}
	case method == "":
		s.finish(string(id), failure)
	}
}

func (s *session) result(in *jsonReader) {
	s.pending.Lock()
	c := s.current
	s.pending.Unlock()
	if c == nil || c.result == nil || in.next() == 'n' {
		in.skip()
		return
	}
	c.result(in)
}

func (s *session) finish(id string, failure json.RawMessage) {
	s.pending.Lock()
	c := s.current
	if c != nil && c.id == id {
		s.current = nil
	}
	s.pending.Unlock()
	if c == nil || c.id != id {
		return
	}
	if len(failure) > 0 && string(failure) != "null" {
		c.done <- fmt.Errorf("refused: %s", failure)
		return
	}
	c.done <- nil
}

// params reads the parameters of a request or notification. Those of an
// update go straight to their reader; all others are returned.
func (s *session) params(in *jsonReader) json.RawMessage {
	out := []byte{'['}
	var first json.RawMessage
	in.list(func() {
		if first != nil && in.next() == '{' {
			var monitor string
			if json.Unmarshal(first, &monitor) == nil {
				s.updates(s, monitor, in)
				return
			}
		}
		value := in.raw()
		if first == nil {
			first = value
		} else {
			out = append(out, ',')
		}
		out = append(out, value...)
	})
	return append(out, ']')
}

// keepAlive asks for an echo whenever the server has been silent for a while,
// so that a connection that died without a word is noticed.
func (s *session) keepAlive(silence time.Duration) {
	timer := time.NewTicker(silence)
	defer timer.Stop()
	for {
		select {
		case <-s.closed:
			return
		case <-timer.C:
		}
		if int64(time.Since(began))-s.heard.Load() < int64(silence) || !s.calling.TryLock() {
			continue
		}
		s.calling.Unlock()
		ctx, cancel := context.WithTimeoutCause(context.Background(), silence,
			fmt.Errorf("the server was silent for %s", 2*silence))
		_ = s.call(ctx, "echo", []byte(`[]`), nil)
		cancel()
	}
}
