// Package lastknown keeps on the node what its agent last worked on, so that an
// agent which starts while the API server is away goes on with that.
//
// It must never be trusted beyond what it checks: a file that isn't whole, isn't
// this node's, or that others than its owner may write is refused.
package lastknown
