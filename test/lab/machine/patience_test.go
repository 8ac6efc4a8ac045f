package machine

import (
	"testing"
	"time"
)

func TestPatienceGrowsWithTheMachinesSlownessAndEnds(t *testing.T) {
	for start, want := range map[time.Duration]float64{
		time.Microsecond: 1, quickStart: 1, 3 * quickStart: 3, time.Second: mostPatience,
	} {
		if got := clampSlowness(start); got != want {
			t.Errorf("a program that takes %s to start makes waits %g times as long, not %g", start, got, want)
		}
	}
	if got := Patience(time.Minute); got < time.Minute || got > mostPatience*time.Minute || got != Patience(time.Minute) {
		t.Errorf("a minute became %s, and later %s", got, Patience(time.Minute))
	}
}
