// Command guest is what test binaries run under, in the virtual machine and on
// the host alike.
//
// As /init of the virtual machine it mounts the disks, runs the worklist and
// reports over a virtio-serial port. As `guest enter` it is the first process
// of new network, mount, process and uts namespaces, and makes them look the
// same wherever they are: Debian's root read-only, the usual places writable
// and empty, loopback up, no other device.
//
// It decides nothing about tests: it runs what the worklist says and hands back
// bytes and exit codes.
package main
