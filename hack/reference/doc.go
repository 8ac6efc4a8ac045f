// Command reference writes config/REFERENCE.md: every flag, metric, condition,
// reason and field. Flags come from the programs, metrics from the code that
// registers them, conditions and their reasons from the constants and their comments,
// findings from their catalogue, and fields from the CRDs.
//
// It must never hold a fact of its own about any of these: a flag, metric, reason
// or field without a text is an error, not an empty cell.
package main
