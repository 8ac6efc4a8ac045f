#!/usr/bin/env bash
# Runs the end-to-end specs and ends with Ginkgo's own summaries:
#   e2e.sh VM BINARIES MODULES FOLDER LABELS TIERS [flags of the test binary]
# The native tier is what any kernel can run, straight on this one. Specs with
# the label vrf or openvswitch are the vm tier: they run on this kernel if it has
# both, otherwise in a virtual machine, booted once for all of them. Logs, what
# was measured and what failed specs leave are in FOLDER/TIER.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

vm=$1 binaries=$2 modules=$3 folder=$4 labels=$5 tiers=$6
shift 6
read -ra vm_flags <<<"${VM_FLAGS-}"
common=()
# It goes through a pipe, which Ginkgo does not look at.
[[ -t 1 ]] || common+=(--ginkgo.no-color)
needs='(vrf || openvswitch)'
native_filter="!$needs" vm_filter=$needs
if [[ -n $labels ]]; then
	native_filter+=" && ($labels)" vm_filter+=" && ($labels)"
fi

mkdir -p "$folder"
go test -c -o "$folder/e2e.test" ./test/e2e
export LAB_REQUIRED=1 CONTROLPLANE_REQUIRED=1

native() {
	cd test/e2e
	OVNBGP_LAB_BINARIES=$binaries OVNBGP_LAB_EVIDENCE=$folder/native/evidence \
		"$folder/e2e.test" -test.timeout=$((minutes + 1))m --ginkgo.timeout="${minutes}m" "${common[@]}" --ginkgo.label-filter="$native_filter" "$@"
}

in_vm() {
	"$vm" run -controlplane -modules "$modules" -memory 4096 -binaries "$binaries" -evidence "$folder/vm/evidence" -with config \
		"${vm_flags[@]}" -- ./test/e2e -v -timeout $((minutes + 1))m --ginkgo.timeout="${minutes}m" "${common[@]}" --ginkgo.label-filter="$vm_filter" "$@"
}

# How many specs a filter selects: nothing is worth booting a machine for.
selected() {
	(cd test/e2e && OVNBGP_LAB_BINARIES=$binaries "$folder/e2e.test" --ginkgo.dry-run --ginkgo.no-color --ginkgo.label-filter="$1") |
		sed -nE 's/^Ran ([0-9]+) of .*/\1/p'
}

ran=() failed=()
run() {
	local tier=$1 filter=$2 count minutes
	shift 2
	[[ ,$tiers, == *",$tier,"* ]] || return 0
	count=$(selected "$filter")
	if [[ $count == 0 ]]; then
		echo "No spec of the $tier tier is selected."
		return
	fi
	# Emulated, a slow spec takes six minutes or more, and up to twelve beside other work.
	minutes=$((60 + 12 * $(selected "($filter) && slow")))
	echo "== $tier tier: $count specs, within $minutes minutes"
	ran+=("$tier")
	hack/remove.sh "$folder/$tier"
	mkdir -p "$folder/$tier/evidence"
	"$@" 2>&1 | tee "$folder/$tier/log" || failed+=("$tier")
	[[ ! -e $folder/$tier/evidence/convergence.txt ]] || mv "$folder/$tier/evidence/convergence.txt" "$folder/$tier/"
}
run native "$native_filter" native "$@"
run vm "$vm_filter" in_vm "$@"

echo
for tier in "${ran[@]}"; do
	echo "$tier tier, its log in $folder/$tier/log:"
	sed -E 's/\x1b\[[0-9;]*m//g' "$folder/$tier/log" | grep -E '^Ran [0-9]+ of [0-9]+ Specs|^(SUCCESS|FAIL)! -- ' ||
		echo "ended without a summary"
	[[ ! -e $folder/$tier/convergence.txt ]] || printf '\n%s\n\n' "$(cat "$folder/$tier/convergence.txt")"
done
for tier in "${failed[@]}"; do
	echo "FAILED: the $tier tier; what it left is in $folder/$tier/evidence"
done
((${#failed[@]} == 0)) && echo PASSED
