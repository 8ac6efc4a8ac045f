// Package verdict is the controller that writes the status of each RouteAdvertisements
// object.
//
// It writes a status only if it differs from the stored one, and not more often than its
// pace allows, so that a change of thousands of nodes costs a few writes. It must never
// change what is advertised.
package verdict
