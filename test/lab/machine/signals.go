package machine

import (
	"os"
	"os/signal"
	"syscall"
)

// catchIgnored gives what this program starts the default dispositions of
// signals, whatever the program itself was started with. nohup ignores SIGHUP,
// and a shell ignores SIGINT and SIGQUIT for what it starts in the background.
// An ignored signal stays ignored across execve(2), and no shell can trap it
// any more (POSIX, sh's trap): frr-k8s' reloader waits for SIGHUP and would
// never reload. A caught signal is reset instead, so what is ignored is caught,
// and dropped.
func catchIgnored() {
	dropped := make(chan os.Signal, 1)
	for number := syscall.Signal(1); number < 32; number++ {
		if signal.Ignored(number) {
			signal.Notify(dropped, number)
		}
	}
}
