#!/usr/bin/env bash
# Lists the shell files of the checkout, by their first line: most have no
# extension.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
	[[ -f $file ]] || continue
	IFS= read -r first <"$file" 2>/dev/null || true
	if [[ ${first:-} =~ ^\#\!.*[/\ ](ba|da|)sh($|\ ) ]]; then
		echo "$file"
	fi
done
