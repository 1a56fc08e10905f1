#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Minimises what fuzz targets have found and packs it: corpora.sh TARGET... ; writes corpus/TARGET.tar.zst.
#
# Of all inputs that there are (the committed ones, the seeds, those in $FUZZ_DIR/corpus) libFuzzer
# keeps those that reach something new; of these the small ones are packed, up to CORPUS_MAX bytes.
# Inputs of findings that were mended are always kept: they are those whose name begins with "found-".
set -euo pipefail

dir=${FUZZ_DIR:-build/fuzz}
here=$(cd "$(dirname "$0")" && pwd)
CORPUS_MAX=${CORPUS_MAX:-20000}
TMPDIR=$(mktemp -d /dev/shm/sendcp-fuzz.XXXXXX)
export TMPDIR
trap 'rm -rf --one-file-system "$TMPDIR"' EXIT

# Packs the found- inputs and the smallest COUNT others of $TMPDIR/merged.
pack()
{
	rm -rf "${TMPDIR:?}/packed"
	mkdir "$TMPDIR/packed"
	find "$TMPDIR/old" -name 'found-*' -exec cp -t "$TMPDIR/packed" {} +
	find "$TMPDIR/merged" -type f -printf '%s %p\n' | sort -n | head -n "$1" | cut -d ' ' -f 2- |
		xargs -r cp -t "$TMPDIR/packed"
	tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=0644 \
		-C "$TMPDIR/packed" . | zstd -q -19 -f -o "$TMPDIR/packed.tar.zst"
}

for target; do
	rm -rf "${TMPDIR:?}"/{old,merged}
	mkdir -p "$TMPDIR"/{old,merged} "$dir/corpus/$target" "$dir/seeds/$target" "$here/corpus"
	[ ! -e "$here/corpus/$target.tar.zst" ] ||
		tar -xf "$here/corpus/$target.tar.zst" --zstd -C "$TMPDIR/old"
	"$dir/$target" -merge=1 -max_len=32768 "$TMPDIR/merged" "$TMPDIR/old" "$dir/seeds/$target" \
		"$dir/corpus/$target" >"$dir/$target.merge.log" 2>&1
	count=$(find "$TMPDIR/merged" -type f | wc -l)
	all=$count
	pack "$count"
	while [ "$(stat -c %s "$TMPDIR/packed.tar.zst")" -gt "$CORPUS_MAX" ] && [ "$count" -gt 1 ]; do
		count=$((count * 7 / 8))
		pack "$count"
	done
	cp "$TMPDIR/packed.tar.zst" "$here/corpus/$target.tar.zst"
	printf '%s: %d of %d inputs, %d bytes\n' "$target" "$count" "$all" \
		"$(stat -c %s "$here/corpus/$target.tar.zst")"
done
