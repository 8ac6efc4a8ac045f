#!/usr/bin/env bash
# Runs the tests and ends with what the runners themselves say about them:
#   test.sh GOTESTSUM FOLDER [go test's flags and packages]
# The whole log is kept in FOLDER.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

gotestsum=$1
folder=$2
shift 2
# The stories of test/e2e have a runner of their own: `make e2e`.
mapfile -t packages < <(go list ./... | grep -v '/test/e2e$')
for argument in "$@"; do
	[[ $argument == ./* ]] && packages=()
done

mkdir -p "$folder"
# A missing control plane is a failure here, not a reason to skip, and in CI so
# is a missing ovsdb-server or network namespace. Suites that run an API server
# each are not to crowd a small machine all at once.
[[ -z ${CI:-} ]] || export NORTHBOUND_REQUIRED=1 NETNS_REQUIRED=1
result=0
CONTROLPLANE_REQUIRED=1 "$gotestsum" --format pkgname --hide-summary=output --jsonfile "$folder/log.json" \
	-- -timeout 20m -p 2 "$@" "${packages[@]}" | tee "$folder/summary" || result=$?

# One tiny size of every benchmark, so that none of them rots.
if ((${#packages[@]} && result == 0)); then
	echo
	# Those of hack/vm/selftest are about the machine that they run in.
	mapfile -t benchmarks < <(grep -rl --include='*_test.go' '^func Benchmark' cmd internal test | xargs -n 1 dirname | sort -u)
	CONTROLPLANE_REQUIRED=1 go test -short -run '^$' -bench . -benchtime 1x -timeout 20m -p 1 \
		"${benchmarks[@]/#/./}" >"$folder/benchmarks" 2>&1 || result=$?
	if ((result)); then
		cat "$folder/benchmarks"
	else
		echo "Every benchmark runs: $(grep -c '^Benchmark' "$folder/benchmarks") of them, their figures in $folder/benchmarks"
	fi
fi

# Ginkgo counts its specs itself; to go test a suite is one test.
echo
{
	grep -oE '"Output":"[^"]*Ran [0-9]+ of [0-9]+ Specs[^"]*"' "$folder/log.json" |
		sed -E 's/\\u001b\[[0-9;]*m//g; s/^"Output":"/Ginkgo: /; s/(\\n)?"$//' || true
	grep -E '^DONE ' "$folder/summary" | tail -n 1 || true
} | tee "$folder/totals"
# What a failed test said, its last lines: whoever reads CI has no log.
if ((result)); then
	grep '"Action":"fail"' "$folder/log.json" | grep -oE '"Package":"[^"]*","Test":"[^"]*"' | sort -u | while read -r test; do
		echo "--- $test"
		grep -F "\"Action\":\"output\",$test," "$folder/log.json" | tail -n 40 | cut -c -600 |
			sed -E 's/.*"Output":"//; s/(\\n)?"[^"]*$//; s/\\u001b\[[0-9;]*m//g; s/\\t/  /g; s/\\u003c/</g; s/\\u003e/>/g; s/\\"/"/g' || true
	done
	echo "FAILED; the whole log is in $folder/log.json"
else
	echo "PASSED"
fi
exit "$result"
