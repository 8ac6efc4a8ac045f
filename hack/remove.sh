#!/usr/bin/env bash
# Removes folders as rm -rf does, but never through a mount:
#   remove.sh FOLDER...
# A build of the virtual machine's root that was interrupted can leave /proc or
# /sys mounted inside for a moment, and rm would go on there.
set -euo pipefail

for folder in "$@"; do
	[[ -e $folder || -L $folder ]] || continue
	real=$(realpath "$folder")
	# Field 5 is the mount point, with blanks as \040 and the like.
	while read -r mounted; do
		mounted=$(printf '%b' "${mounted//\\/\\0}")
		if [[ $mounted == "$real" || $mounted == "$real"/* ]]; then
			echo "$folder is not removed: something is mounted at $mounted; unmount it first" >&2
			exit 1
		fi
	done < <(cut -d' ' -f5 /proc/self/mountinfo)
	rm -rf --one-file-system "$folder"
done
