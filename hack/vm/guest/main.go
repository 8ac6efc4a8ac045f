package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	if len(os.Args) == 5 && os.Args[1] == "enter" {
		index, err := strconv.Atoi(os.Args[4])
		if err != nil {
			fmt.Fprintln(os.Stderr, "guest enter: the last argument is the test's place in the worklist:", err)
			os.Exit(exitTrouble)
		}
		os.Exit(enter(os.Args[2], os.Args[3], index))
	}
	if os.Getpid() == 1 {
		boot()
		return
	}
	fmt.Fprintln(os.Stderr, "usage: guest enter ROOT PAYLOAD INDEX")
	os.Exit(exitTrouble)
}
