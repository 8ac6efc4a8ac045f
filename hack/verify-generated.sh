#!/usr/bin/env bash
# Fails if generating everything again changes a file. It compares with the
# files as they are, not as they are committed, so that it also serves before
# a commit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

generated() {
	find api config/crd/bases config/rbac/role.yaml config/agent/role.yaml config/REFERENCE.md internal/manifest/crds \
		\( -name 'zz_generated*' -o -name '*.yaml' -o -name '*.md' \) | sort | xargs sha256sum
}

before=$(generated)
make --no-print-directory generate
if ! diff <(echo "$before") <(generated); then
	echo "These generated files were not current; they are now: commit them" >&2
	exit 1
fi
