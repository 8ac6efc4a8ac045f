#!/usr/bin/env bash
# Runs the tests and ends with what the runners themselves say about them:
#   test.sh GOTESTSUM FOLDER [go test's flags and packages]
# The whole log is kept in FOLDER.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

gotestsum=$1
folder=$2
shift 2
packages=./...
for argument in "$@"; do
	[[ $argument == ./* ]] && packages=
done

mkdir -p "$folder"
# A missing control plane is a failure here, not a reason to skip, and in CI so
# is a missing ovsdb-server or network namespace. Suites that run an API server each are not to crowd
# a small machine all at once.
[[ -z ${CI:-} ]] || export NORTHBOUND_REQUIRED=1 NETNS_REQUIRED=1
result=0
CONTROLPLANE_REQUIRED=1 "$gotestsum" --format pkgname --hide-summary=output --jsonfile "$folder/log.json" \
	-- -timeout 20m -p 2 "$@" $packages | tee "$folder/summary" || result=$?

# Ginkgo counts its specs itself; to go test a suite is one test.
echo
{
	grep -oE '"Output":"[^"]*Ran [0-9]+ of [0-9]+ Specs[^"]*"' "$folder/log.json" |
		sed -E 's/\\u001b\[[0-9;]*m//g; s/^"Output":"/Ginkgo: /; s/(\\n)?"$//' || true
	grep -E '^DONE ' "$folder/summary" | tail -n 1 || true
} | tee "$folder/totals"
if ((result)); then
	echo "FAILED; the whole log is in $folder/log.json"
else
	echo "PASSED"
fi
exit "$result"
