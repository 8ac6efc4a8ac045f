package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/osrg/gobgp/v4/pkg/config"
	"github.com/osrg/gobgp/v4/pkg/server"
)

func main() {
	file := flag.String("config", "", "GoBGP's configuration file, in TOML")
	api := flag.String("api", "unix:///run/gobgp.sock", "where GoBGP's API is served: unix://PATH, or HOST:PORT")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, *file, *api)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gobgprouter:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file, api string) error {
	if file == "" {
		return errors.New("say with --config which configuration file to use")
	}
	wanted, err := config.ReadConfigFile(file, "toml")
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	// One process serves the socket; whatever is there was left by one that
	// was killed.
	if path, ok := socketPath(api); ok {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	level := new(slog.LevelVar)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	bgp := server.NewBgpServer(server.GrpcListenAddress(api), server.LoggerOption(log, level))
	go bgp.Serve()
	defer bgp.Stop()

	table, err := newFIB(bgp, log)
	if err != nil {
		return err
	}
	if _, err := config.InitialConfig(ctx, bgp, wanted, false); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return table.follow(ctx)
}

func socketPath(api string) (path string, ok bool) {
	const scheme = "unix://"
	if len(api) <= len(scheme) || api[:len(scheme)] != scheme {
		return "", false
	}
	return api[len(scheme):], true
}
