package frr

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// answerWithin is for one question to one daemon.
const answerWithin = 10 * time.Second

// Show asks the daemon that knows: bgpd for what begins with "show bgp", bfdd
// for "show bfd", zebra for the rest.
func (f *FRR) Show(ctx context.Context, question string) (string, error) {
	daemon := "zebra"
	for prefix, name := range map[string]string{"show bgp": "bgpd", "show bfd": "bfdd"} {
		if strings.HasPrefix(question, prefix) {
			daemon = name
		}
	}
	return f.ask(ctx, daemon, question)
}

// ShowJSON is Show of a question that ends in "json", decoded.
func (f *FRR) ShowJSON(ctx context.Context, question string, into any) error {
	text, err := f.Show(ctx, question)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("%s answers %q with %q: %w", f.Machine.Name, question, text, err)
	}
	return nil
}

// ask speaks as vtysh does: commands end with a zero byte, an answer with three
// of them and the command's status.
func (f *FRR) ask(ctx context.Context, daemon, question string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(answerWithin))
	defer cancel()
	var conn net.Conn
	err := f.Machine.Do(func() error {
		var err error
		conn, err = (&net.Dialer{}).DialContext(ctx, "unix", "/run/frr/"+daemon+".vty")
		return err
	})
	if err != nil {
		return "", fmt.Errorf("%s of %s: %w", daemon, f.Machine.Name, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	var answer string
	for _, command := range []string{"enable", question} {
		if _, err := conn.Write(append([]byte(command), 0)); err != nil {
			return "", fmt.Errorf("ask %s of %s: %w", daemon, f.Machine.Name, err)
		}
		if answer, err = readAnswer(conn); err != nil {
			return "", fmt.Errorf("ask %s of %s %q: %w", daemon, f.Machine.Name, command, err)
		}
	}
	return answer, nil
}

func readAnswer(conn net.Conn) (string, error) {
	var text []byte
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		text = append(text, buffer[:n]...)
		if end := len(text) - 4; end >= 0 && bytes.HasPrefix(text[end:], []byte{0, 0, 0}) {
			if status := text[end+3]; status != 0 {
				return "", fmt.Errorf("status %d: %s", status, strings.TrimSpace(string(text[:end])))
			}
			return string(text[:end]), nil
		}
		if err != nil {
			return "", errors.Join(errors.New("the answer ends early"), err)
		}
	}
}
