#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Static checks: sparse (with endianness) over the engine, and the form of the code: no function of
# more than 64 lines and no file of more than 600 (in tests 99 and 700), no include against the order
# of the layers, no name in a comment that does not exist. Prints its findings; fails if there are
# any.
set -u
cd "$(dirname "$0")/.." || exit 1
found=0

for tool in sparse python3; do
	command -v $tool >/dev/null || { echo "lint: $tool is missing (test/install-deps.sh source)"; exit 1; }
done

complain() {
	echo "$1"
	found=1
}

# sparse does not know the newer forms of _Static_assert; all its other messages count.
for file in src/*.c src/*/*.c; do
	out=$(sparse -Wbitwise -Wno-decl -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude -Isrc \
		-D__CHECK_ENDIAN__ "$file" 2>&1)
	[ -z "$out" ] || complain "$out"
done

mapfile -t sources < <(git ls-files '*.c' '*.h')
# A function is counted from its opening brace.
long=$(awk 'FNR==1 {open=0; most = FILENAME ~ /^(test|bench)\// ? 99 : 64}
	/^{/ {open=FNR; name=before}
	/^}/ {if (open && FNR-open+1 > most) printf "%s:%d: function of %d lines: %s\n",
		FILENAME, open, FNR-open+1, name; open=0}
	!/^{/ {before=$0}' "${sources[@]}")
[ -z "$long" ] || complain "$long"

large=$(wc -l "${sources[@]}" | awk '{most = $2 ~ /^(test|bench)\// ? 700 : 600}
	$2 != "total" && $1 > most {print $2 ": " $1 " lines"}')
[ -z "$large" ] || complain "$large"

wide=$(awk '{line=$0; gsub(/\t/, "        ", line); if (length(line) > 100)
	print FILENAME ":" FNR ": line of " length(line) " columns"}' "${sources[@]}")
[ -z "$wide" ] || complain "$wide"

# The layers from the lowest to the highest; docs/architecture.md explains them.
order=$(test/include_order.sh src format volume tree fs items data image,clone encode send 2>&1) ||
	complain "$order"
order=$(test/include_order.sh cli util journal container parse job transfer resume commands 2>&1) ||
	complain "$order"

# Names in comments must exist.
names=$(test/comment_names.py src include user cli module bench test docs 2>&1) || complain "$names"

# Only include/sendcp/ may be included to use the engine, and user/ must not depend on its users.
doors=$(test/include_doors.sh 2>&1) || complain "$doors"

[ $found -eq 0 ] && echo "lint: clean (${#sources[@]} files)"
exit $found
