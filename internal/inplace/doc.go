// Package inplace changes templates in a way that frr-k8s' webhook allows, without FRR
// seeing anything but the result.
//
// A template and the objects that are generated from it configure the same sessions, so
// frr-k8s takes both only if they agree on each session's settings, and its webhook looks
// at one write at a time. Whichever of the two is changed first, the other one contradicts
// it. The way around is that the template leaves all nodes first:
//
//  1. Create a hold: an object that the webhook takes and the daemons can't convert. A
//     daemon that can't convert its node's configuration leaves FRR as it is.
//  2. Write the template with its new settings and a requirement in its node selector that
//     no node meets. The webhook has nothing to compare it with. The operator ignores the
//     requirement, and gives the generated objects the new settings.
//  3. Take the requirement away as soon as the webhook allows it, which it does when all
//     generated objects agree.
//  4. Delete the hold. The daemons convert what is there now.
//
// A daemon's cache sees writes in the order in which they were made, so none sees a state
// between the first step and the last without the hold. frr-k8s' debounce alone would not
// do: it waits three seconds from the first change on, whatever is there by then.
//
// If a step fails, the template gets its old settings back in the same way. The package
// must never leave a template half changed without saying what to do about it, and it
// decides nothing: what the change brings about is the planner's to say.
package inplace
