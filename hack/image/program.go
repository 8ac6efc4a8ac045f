package main

import (
	"debug/elf"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// machines are the architectures by Go's names.
var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390, "riscv64": elf.EM_RISCV,
}

// check refuses what could not run in the image: a program for another
// machine, or one that wants an interpreter and libraries, of which the image
// has none.
func check(program string, target *v1.Platform) error {
	file, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("%s is no Linux program: %w", program, err)
	}
	defer file.Close()
	wanted, known := machines[target.Architecture]
	if !known {
		return fmt.Errorf("architecture %s is not one of those that this program knows", target.Architecture)
	}
	if file.Machine != wanted {
		return fmt.Errorf("%s is for %s, not for %s: build it with GOARCH=%s", program, file.Machine, target, target.Architecture)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is linked dynamically: build it with CGO_ENABLED=0", program)
		}
	}
	return nil
}
