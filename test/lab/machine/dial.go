package machine

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Dial connects from inside of the machine. The address has no name in it:
// resolving one would happen elsewhere.
func (m *Machine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	err := m.Do(func() error {
		var err error
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens inside of the machine. The listener has to be closed before
// the machine, whose network would live on with it.
func (m *Machine) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	var listener net.Listener
	err := m.Do(func() error {
		var err error
		listener, err = (&net.ListenConfig{}).Listen(ctx, network, address)
		return err
	})
	return listener, err
}

// AwaitHTTP waits until a URL inside of the machine answers with 200.
func (m *Machine) AwaitHTTP(ctx context.Context, url string, p *Process) error {
	client := &http.Client{Transport: &http.Transport{DialContext: m.Dial, DisableKeepAlives: true}, Timeout: 5 * time.Second}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		problem := get(ctx, client, url)
		if problem == nil {
			return nil
		}
		select {
		case <-p.Exited():
			return fmt.Errorf("%s of %s ended at once: %s", p.Label, m.Name, p.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s of %s is not ready: %w; see %s", p.Label, m.Name, problem, p.Log)
		case <-again.C:
		}
	}
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
