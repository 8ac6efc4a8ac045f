package nbserver

import (
	"encoding/json"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// Relay listens beside the server and passes messages on. What a client sends
// goes through change first, one message at a time, and is dropped where that
// returns nothing. The endpoint is for the client.
func (s *Server) Relay(t testing.TB, change func(message []byte) []byte) (endpoint string) {
	t.Helper()
	path := filepath.Join(s.Directory, "relay")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", strings.TrimPrefix(s.Endpoint(), "unix:"))
			if err != nil {
				_ = client.Close()
				continue
			}
			end := func() { _, _ = client.Close(), server.Close() }
			go func() {
				defer end()
				_, _ = io.Copy(client, server)
			}()
			go func() {
				defer end()
				messages := json.NewDecoder(client)
				for {
					var message json.RawMessage
					if messages.Decode(&message) != nil {
						return
					}
					if _, err := server.Write(change(message)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "unix:" + path
}
