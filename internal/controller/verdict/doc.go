// Package verdict is the controller that tells, in the status of each
// RouteAdvertisements object, what became of it.
//
// It writes a status only where it differs from what is stored, and not more
// often than its pace, so that a change of thousands of nodes costs a few
// writes. It must never change what is advertised.
package verdict
