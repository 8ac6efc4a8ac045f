#!/usr/bin/env bash
# Installs the Debian packages that the tests and checks need, where something
# is missing and root runs it; otherwise says what is missing and goes on, as
# tests that can't run say so themselves.
set -euo pipefail

packages=()
need() {
	local package=$1 path
	shift
	for path in "$@"; do
		[[ -e $path ]] || command -v "$path" >/dev/null || {
			packages+=("$package")
			return
		}
	done
}
need ca-certificates /etc/ssl/certs/ca-certificates.crt
need git git
need make make
need shellcheck shellcheck
need iproute2 ip
# The schema of Open vSwitch's own database.
need openvswitch-switch /usr/share/openvswitch/vswitch.ovsschema
# ovsdb-server and the schema of OVN's Northbound database.
need ovn-central ovsdb-server ovsdb-tool ovsdb-client ovs-appctl /usr/share/ovn/ovn-nb.ovsschema

if ((${#packages[@]} == 0)); then
	exit 0
fi
if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
	echo "missing: ${packages[*]}; install these packages, or run this as root on Debian or Ubuntu" >&2
	exit 0
fi
echo "Installing ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Only the programs are wanted: RUNLEVEL=1 keeps the services from starting.
RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
