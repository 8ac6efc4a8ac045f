package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// options are the flags as they were given.
type options struct {
	config  string
	into    string
	version string
	image   string
	check   bool
}

func main() {
	var o options
	flag.StringVar(&o.config, "config", "config", "the folder config/ of the checkout")
	flag.StringVar(&o.into, "into", "config/olm/bundle", "folder for the bundles; each has a folder of its own there, which is replaced")
	flag.StringVar(&o.version, "version", "", "version of the bundles, such as 0.1.0")
	flag.StringVar(&o.image, "image", "", "the operator's image, preferably by digest")
	flag.BoolVar(&o.check, "check", false, "write nothing, and fail if a bundle in --into is out of date")
	flag.Parse()
	if err := run(&o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(o *options, out io.Writer) error {
	if o.version == "" || o.image == "" {
		return errors.New("--version and --image have to be given")
	}
	sources, err := read(o.config)
	if err != nil {
		return err
	}
	for i := range editions {
		bundle, err := sources.bundle(&editions[i], o.version, o.image)
		if err != nil {
			return fmt.Errorf("bundle %s: %w", editions[i].name, err)
		}
		if o.check {
			err = bundle.compare(o.into)
		} else {
			err = bundle.write(o.into)
		}
		if err != nil {
			return err
		}
		if err := validate(bundle.folder(o.into), out); err != nil {
			return err
		}
	}
	return nil
}
