#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of the command line in the real shells: the candidates for a line. Each shell runs in a
# directory with a checkpoint file, another file and a directory.

load ../lib/suite

COMMANDS="send resume list show verify dump cat info"

setup_file()
{
	fixture_begin
	mkdir "$FIX/here" "$FIX/here/snapshots" "$FIX/home"
	touch "$FIX/here/"{home.cp,home.stream}
}

teardown_file()
{
	fixture_end
}

setup()
{
	export HOME=$FIX/home XDG_CONFIG_HOME=$FIX/home XDG_DATA_HOME=$FIX/home/share
	require_program zsh
	require_program fish
	cd "$FIX/here" || return 1
}

# offers SHELL LINE...: prints a line of candidates for each. fish completes whole words, and marks
# directories with a slash.
offers()
{
	"$ROOT/test/lib/complete/$1.sh" "${@:2}" | sed 's/\(^\| \)--[a-z-]*=\([^ ]\)/\1\2/g; s,/\( \|$\),\1,g'
}

# assert_offered [LINE WORDS]...: checks all shells.
assert_offered()
{
	local shell i typed=() expected=() offered

	while [ $# -gt 0 ]; do
		typed+=("$1")
		expected+=("$2")
		shift 2
	done
	for shell in bash zsh fish; do
		mapfile -t offered < <(offers $shell "${typed[@]}")
		for i in "${!typed[@]}"; do
			[ "${offered[i]:-}" = "${expected[i]}" ] ||
				fail "$shell offers for '${typed[i]}': ${offered[i]:-}; expected: ${expected[i]}"
		done
	done
}

@test "commands" {
	assert_offered \
		"sendcp re" "resume" \
		"sendcp s" "send show" \
		"sendcp help ver" "verify version"
}

@test "every command of the help is offered, and no other" {
	local commands shell offered

	commands=$("$SENDCP" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | LC_ALL=C sort | xargs)
	for shell in bash zsh fish; do
		offered=$(offers $shell "sendcp " | tr ' ' '\n' | grep -v '^-' | xargs)
		[ "$offered" = "$commands" ] || fail "$shell: $offered; the help: $commands"
	done
}

# Prints a line for each command: its options, long and short, sorted.
help_options()
{
	local command

	for command in $COMMANDS; do
		"$SENDCP" "$command" --help | "$ROOT/test/lib/options.py" help "$command" |
			grep -oE '^-[a-z]|--[a-z-]+' | LC_ALL=C sort | xargs
	done
}

# The same, from a shell's candidates.
offered_options()
{
	local command lines=()

	for command in $COMMANDS; do
		lines+=("sendcp $command -")
	done
	# fish offers those with an optional value twice, with and without an equals sign.
	"$ROOT/test/lib/complete/$1.sh" "${lines[@]}" |
		while read -ra words; do printf '%s\n' "${words[@]%=}" | LC_ALL=C sort -u | xargs; done
}

@test "the options of every command are those of its help" {
	local shell help

	help=$(help_options)
	[ "$(wc -w <<<"$help")" -gt 50 ]
	for shell in bash zsh fish; do
		diff <(offered_options $shell) <(echo "$help") || fail "$shell and the help do not agree"
	done
}

@test "values of options" {
	assert_offered \
		"sendcp send --backend " "auto direct module" \
		"sendcp send --backend=d" "direct" \
		"sendcp send --archive=" "cpio tar" \
		"sendcp send --progress=a" "always auto" \
		"sendcp resume --progress=j" "json" \
		"sendcp send --compress=2" "2 20 21 22" \
		"sendcp send --proto " "0 1 2"
}

@test "an optional value is not taken from the next word" {
	assert_offered "sendcp send --compress " "snapshots"
}

@test "values that are offered are accepted" {
	local option value lines=() i=0 taken=0
	local options=(--backend --archive --progress --compress --proto --checkpoint-interval
		--buffer-size --buffers)

	for option in "${options[@]}"; do
		lines+=("sendcp send $option=")
	done
	while read -ra words; do
		for value in "${words[@]}"; do
			# It fails for lack of the subvolume; a usage error would be 2.
			run "$SENDCP" send "${options[i]}=$value" --dry-run "$FIX/none"
			[ "$status" -eq 1 ] || fail "${options[i]}=$value: $output"
			taken=$((taken + 1))
		done
		i=$((i + 1))
	done < <(offers bash "${lines[@]}")
	[ $taken -gt 40 ]
}

@test "subvolumes are directories" {
	assert_offered \
		"sendcp send " "snapshots" \
		"sendcp send -p " "snapshots" \
		"sendcp send -q --clone-src " "snapshots" \
		"sendcp resume --append home.stream " "snapshots"
}

@test "subvolumes of an unmounted filesystem are not completed" {
	assert_offered "sendcp send --device disk.img " "id: uuid:"
}

@test "checkpoint files" {
	local shell

	for shell in bash zsh; do
		run offers $shell "sendcp resume --checkpoint " "sendcp show " "sendcp resume "
		assert_line --index 0 "home.cp snapshots"
		assert_line --index 1 "home.cp snapshots"
		assert_line --index 2 "home.cp snapshots"
	done
	# fish never hides a file; it lists files with the extension first.
	run fish -c "source $ROOT/completions/sendcp.fish; complete -C 'sendcp show '"
	assert_line --index 0 --regexp '^home\.cp'
}

@test "other files" {
	assert_offered \
		"sendcp verify h" "home.cp home.stream" \
		"sendcp send -f h" "home.cp home.stream" \
		"sendcp resume --append h" "home.cp home.stream"
}

@test "an interactive bash finds the completion by its name" {
	mkdir -p "$XDG_DATA_HOME/bash-completion/completions"
	cp "$ROOT/completions/sendcp.bash" "$XDG_DATA_HOME/bash-completion/completions/sendcp"
	cat >"$FIX/home/rc" <<-'RC'
		source /usr/share/bash-completion/bash_completion
		sendcp() { echo "words: $*"; }
	RC
	run python3 "$ROOT/test/lib/complete/type.py" "sendcp sho"$'\t'"--j"$'\t'"ho"$'\t\n' \
		bash --noprofile --rcfile "$FIX/home/rc" -i
	assert_success
	assert_output "words: show --json home.cp"
}
