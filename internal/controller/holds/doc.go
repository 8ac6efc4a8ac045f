// Package holds removes holds that are left over: those of a kubectl ra apply that was
// killed just before it would have deleted its hold, because of which frr-k8s would
// configure nothing on its nodes any more.
//
// It must never delete the hold of a template that is still being changed: frr-k8s would
// withdraw what only the template has.
package holds
