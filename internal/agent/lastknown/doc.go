// Package lastknown keeps a file on the node with what its agent last worked on, so that
// an agent that starts while the API server is unreachable can use that.
//
// It must never trust the file beyond what it checks: it refuses a file that is not
// complete, not this node's, or writable by others than its owner.
package lastknown
