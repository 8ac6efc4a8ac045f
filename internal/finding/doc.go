// Package finding is the room of everything that the operator has to tell about
// what it can't do, or does with a doubt: a catalogue of reasons, and the only place
// that writes the texts. Whoever finds something calls the constructor of its reason
// with what it found, and gets a model.Finding: a value that compares, so that the
// same finding on 5,000 nodes is one.
//
// A new reason is one entry and its constructor, side by side; the reference page
// lists it by itself. The remedy of an entry is for readers of that page, who do not
// have the object at hand; a message names the object, says what is wrong with it
// and ends with what to do.
//
// A message may quote a fault, a clause that whoever checked a value words itself: a
// label selector, a device's name or an FRRConfiguration has dozens of ways to be
// wrong, and one reason.
//
// This room decides nothing. It must not look at a snapshot or a plan.
package finding
