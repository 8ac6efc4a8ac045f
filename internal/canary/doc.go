// Package canary decides which nodes may have raw text: what frr-k8s hands to FRR as it
// is. An FRR that doesn't take it keeps what it had and loads nothing new, so that a
// mistake on all nodes at once would freeze the whole cluster. Therefore:
//
//   - Texts differ from node to node in their prefixes, neighbors and VRFs. What FRR takes
//     or refuses is the form of a line, which is the line without those. A form is proven
//     when some node's frr-k8s reports success while its FRR runs a text with it.
//   - A node gets a text of proven forms at once. A text with a form that is not proven is
//     for one node at a time, the canary: of those that are up, and whose frr-k8s reports
//     success so far, the first by name. The others wait until it runs the text.
//   - Who waits keeps the text that its FRR runs. Package render fits that text to the
//     rest of the plan, which goes on.
//   - A node whose reload fails after it got a text loses it, and has it noted on its
//     FRRConfiguration which forms those were, so that they aren't tried there again, by
//     another manager neither. No other node is tried with what the canary refused.
//   - A failure while FRR runs the very text that it took before is about something else,
//     such as somebody's FRRConfiguration for all nodes. That text stays: without it, all
//     nodes would lose it at once as soon as the cause is gone.
//
// How does it know that a report is about a text? FRRNodeState has no generation. Each
// text ends with a prefix-list of its own that has the text's digest in its name, and that
// shows in the running configuration. What the package knows is what it was last told of
// each node; after a restart the same follows from the nodes' objects and reports. Only
// whether a failure came before the text or after it is then not known.
//
// It must never read or write the cluster, and must never have more than one node with a
// text of unproven forms.
package canary
