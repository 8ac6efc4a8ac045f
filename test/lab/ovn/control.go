package ovn

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// answers asks a daemon through its control socket whether it is there. It does
// so without a process of ovs-appctl, because it does it often.
func answers(m *machine.Machine, socket string) func(context.Context) error {
	return func(context.Context) error {
		_, err := control(m, socket, "version")
		return err
	}
}

// control runs a command of a daemon, in the JSON-RPC that ovs-appctl speaks.
func control(m *machine.Machine, socket, command string) (string, error) {
	patience := machine.Patience(5 * time.Second)
	var connection net.Conn
	err := m.Do(func() (err error) {
		connection, err = net.DialTimeout("unix", socket, patience)
		return err
	})
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if err := json.NewEncoder(connection).Encode(map[string]any{"method": command, "params": []string{}, "id": 1}); err != nil {
		return "", err
	}
	var reply struct {
		Result string
		Error  any
	}
	if err := json.NewDecoder(connection).Decode(&reply); err != nil {
		return "", err
	}
	if reply.Error != nil {
		return "", fmt.Errorf("%s of %s: %v", command, socket, reply.Error)
	}
	return reply.Result, nil
}
