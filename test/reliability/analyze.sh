#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Static analysis: gcc -fanalyzer, clang-tidy, cppcheck and shellcheck, each over all files that it
# can read (test/reliability/analyze.mk), two at a time; a file that has not changed is not analyzed
# again. First each tool must find the defect in its file in test/reliability/defects/. What they find
# has # before it. Ends with "N passed, N failed": tools, with and without a defect.
#
# usage: analyze.sh [TOOL...]     called by `make analyze`, which sets MAKE and BUILD
set -u
cd "$(dirname "$0")/../.." || exit 1
passed=0
failed=0
tools=("$@")
[ $# -gt 0 ] || tools=(gcc clang-tidy cppcheck shellcheck)

# What a tool says of its defect must name it.
defect()
{
	case $1 in
	gcc) echo "use-after-free" ;;
	clang-tidy) echo "bugprone-macro-parentheses" ;;
	cppcheck) echo "arrayIndexOutOfBounds" ;;
	shellcheck) echo "SC2164" ;;
	*) echo "analyze: no such tool: $1" >&2; exit 2 ;;
	esac
}

result()
{
	local status=$1

	shift
	if [ "$status" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) $*"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) $*"
	fi
}

finds_defect()
{
	local file=test/reliability/defects/$1.c stamp

	[ "$1" != shellcheck ] || file=test/reliability/defects/$1.sh
	stamp=$BUILD/analyze/$file.$1
	case $1 in
	cppcheck) $MAKE analyze-cppcheck ANALYZED="$file" ANALYZED_MODULE= ;;
	*) rm -f "$stamp" && $MAKE "$stamp" ;;
	esac 2>&1 | grep -qF "$(defect "$1")" && [ ! -e "$stamp" ]
}

for tool in "${tools[@]}"; do
	defect "$tool" >/dev/null || exit 2
	finds_defect "$tool"
	result $? "$tool finds a defect"
	$MAKE -k -j2 "analyze-$tool" 2>&1 | sed 's/^/# /'
	result "${PIPESTATUS[0]}" "$tool finds nothing else"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
