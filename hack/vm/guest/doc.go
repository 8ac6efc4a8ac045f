// Command guest starts test binaries, in the virtual machine and on the host alike.
//
// As /init of the virtual machine it mounts the disks, runs the worklist and
// reports over a virtio-serial port. As `guest enter` it is the first process in
// new network, mount, process and uts namespaces. It makes them look the same in
// both cases: Debian's root read-only, the usual folders writable and empty,
// loopback up, and no other device.
//
// It decides nothing about tests: it runs what the worklist says and returns bytes
// and exit codes.
package main
