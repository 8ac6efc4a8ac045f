package machine

import (
	"os/exec"
	"sync"
	"time"
)

const (
	// An idle machine of today starts a program and sees its end in about 1 ms.
	// An emulated one takes 40 ms, a machine with a load of 25 for two processors
	// about 20.
	quickStart = 2 * time.Millisecond
	// However slow the machine is, a wait has to end.
	mostPatience = 4
	// Enough programs for the scheduler to show what it is like.
	startsMeasured = 25
)

// slowness is how many times slower than a quiet machine this one starts
// programs, from 1 to mostPatience. It is measured once, before the program that
// asks makes a load of its own.
var slowness = sync.OnceValue(func() float64 {
	began := time.Now()
	for range startsMeasured {
		if err := exec.Command("/bin/true").Run(); err != nil {
			return mostPatience
		}
	}
	return clampSlowness(time.Since(began) / startsMeasured)
})

func clampSlowness(start time.Duration) float64 {
	return min(max(float64(start)/float64(quickStart), 1), mostPatience)
}

// Patience is how long to wait on this machine for what takes at most d on a
// quiet one.
func Patience(d time.Duration) time.Duration { return time.Duration(float64(d) * slowness()) }
