// Package devices is what rooms have in common that look after a node's network devices:
// when to look at them, and how the agent marks those that it makes. A Loop runs a pass
// after events of the kernel that may concern them, when somebody asks for one, and at an
// interval.
//
// It must never know what the devices are for, and never touch one.
package devices
