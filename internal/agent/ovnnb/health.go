package ovnnb

import (
	"fmt"
	"slices"
	"time"
)

// A session that ends now and then is how clusters work. unsteady of them within
// a while are not: something ends them, and what is imported may never be whole.
const (
	unsteady      = 3
	unsteadyWhile = time.Minute
)

// loss is the end of a session.
type loss struct {
	at    time.Time
	cause error
}

func (c *Client) noteLoss(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = append(c.lost, loss{time.Now(), cause})
	if len(c.lost) > unsteady {
		c.lost = slices.Delete(c.lost, 0, len(c.lost)-unsteady)
	}
}

// Health is nil while there is a session with the database that lasts, and says
// otherwise what is wrong.
func (c *Client) Health() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		if c.trouble == "" {
			return fmt.Errorf("%w yet", ErrDisconnected)
		}
		return fmt.Errorf("%w: %s", ErrDisconnected, c.trouble)
	}
	if len(c.lost) == unsteady && time.Since(c.lost[0].at) < unsteadyWhile {
		return fmt.Errorf("the connection to the OVN Northbound database was lost %d times within %s, last because: %w",
			unsteady, unsteadyWhile, c.lost[unsteady-1].cause)
	}
	return nil
}
