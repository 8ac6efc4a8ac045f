// SPDX-License-Identifier: Apache-2.0

// Package crd carries the generated CustomResourceDefinitions, so that offline
// validation and tests use the very files that are installed. It holds no code:
// the files in bases come from the markers in api and are never edited.
package crd

import "embed"

// Bases has the CustomResourceDefinitions in its folder bases, one per file.
//
//go:embed bases/*.yaml
var Bases embed.FS
