/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line's words: which are taken, which are refused, and that help has all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "commands/options.h"

static const struct command send_command = {
	.name = "send", .bit = COMMAND_SEND, .usage = "send", .summary = "",
	.min_arguments = 1, .max_arguments = 8,
};

static const struct command resume_command = {
	.name = "resume", .bit = COMMAND_RESUME, .usage = "resume", .summary = "",
};

/* Parses @words, which are separated by single spaces and stay the caller's. */
static int parse(const struct command *command, char *words, struct options *options)
{
	char *argv[32];
	int argc = 0;

	argv[argc++] = (char *)command->name;
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return options_parse(command, argc, argv, options);
}

static void everything_send_takes(void **state)
{
	char words[] = "-p P -c A --clone-src B s1 -e -f F --no-data --proto 2 --compressed-data "
		       "--checkpoint C --checkpoint-interval 1M --buffer-size 256K --buffers 2 "
		       "--step --dry-run --progress=json -vv s2";
	struct options options;

	assert_int_equal(parse(&send_command, words, &options), 0);
	assert_string_equal(options.parent, "P");
	assert_int_equal(options.clone_count, 2);
	assert_string_equal(options.clone_sources[1], "B");
	assert_string_equal(options.output, "F");
	assert_string_equal(options.checkpoint, "C");
	assert_true(options.one_end && options.no_data && options.compressed_data);
	assert_true(options.step && options.dry_run);
	assert_int_equal(options.protocol, 2);
	assert_int_equal(options.interval, 1 << 20);
	assert_int_equal(options.buffer_size, 256 << 10);
	assert_int_equal(options.buffers, 2);
	assert_int_equal(options.progress, PROGRESS_JSON);
	assert_int_equal(options.verbosity, 2);
	assert_int_equal(options.argument_count, 2);
	options_free(&options);
}

static int protocol_of(const char *text)
{
	struct options options;
	char words[64];
	int ret;

	snprintf(words, sizeof(words), "%s s", text);
	ret = parse(&send_command, words, &options);
	options_free(&options);
	return ret ? ret : options.protocol;
}

static void protocols(void **state)
{
	assert_int_equal(protocol_of(""), 1);
	assert_int_equal(protocol_of("--proto 0"), 2);
	assert_int_equal(protocol_of("--proto 1"), 1);
	assert_int_equal(protocol_of("--proto 2"), 2);
	assert_int_equal(protocol_of("--compressed-data"), 2);
	assert_int_equal(protocol_of("--proto 0 --compressed-data"), 2);
	assert_int_equal(protocol_of("--proto 1 --compressed-data"), -1);
	assert_int_equal(protocol_of("--proto 3"), -1);
	assert_int_equal(protocol_of("--proto 4294967297"), -1);
}

static void refused(const struct command *command, const char *text)
{
	struct options options;
	char words[128];

	snprintf(words, sizeof(words), "%s", text);
	assert_int_equal(parse(command, words, &options), -1);
	options_free(&options);
}

static void what_is_no_usage(void **state)
{
	static const char *const send_words[] = {
		"", "-p A -p B s", "--nope s", "-i A s", "--buffers 0 s", "--buffers 65 s",
		"--buffer-size 1 s", "--buffer-size 2G s", "--checkpoint-interval 1K s",
		"--progress=maybe s", "--backend image s", "--backend direct --device d s",
		"--backend module --device d s", "--ignore-log s", "--at 5 s",
		"--compress=99 s", "s -f", "--restart --continue s",
		"--checkpoint C --no-checkpoint s", "--bwlimit 0 s", "--bwlimit 1X s",
		"--retry 5 s",
		"--checkpoint C --to-command T --retry 5 s", "--position-command P s",
		"--checkpoint C --to-command T -f F s", "--to-command T --no-checkpoint s",
		"--checkpoint C --to-command T --position-command P --retry 0 s",
		"--checkpoint C --to-command T --position-command P --retry 1w s",
	};
	static const char *const resume_words[] = {
		"--at 5", "--restart", "-f F", "s",
		"--checkpoint C extra", "--checkpoint C --at", "--checkpoint C --at 1K",
		"--checkpoint C --at -1", "--checkpoint C --at 18446744073709551616",
		"--checkpoint C --proto 1", "--checkpoint C -p x",
		"--append F --to-command T s", "--checkpoint C -f F --to-command T",
		"--checkpoint C --position-command P", "--checkpoint C --retry 1m",
		"--to-command T",
	};

	for (size_t i = 0; i < ARRAY_SIZE(send_words); i++)
		refused(&send_command, send_words[i]);
	for (size_t i = 0; i < ARRAY_SIZE(resume_words); i++)
		refused(&resume_command, resume_words[i]);
}

static void resume_at(void **state)
{
	char words[] = "--checkpoint C --at 18446744073709551615 --device a --device b";
	struct options options;

	assert_int_equal(parse(&resume_command, words, &options), 0);
	assert_true(options.at_given && options.at == ~0ULL);
	assert_int_equal(options.device_count, 2);
	assert_int_equal(options.buffer_size, 0);
	options_free(&options);
}

static void commands_and_rates(void **state)
{
	char words[] = "--checkpoint C --to-command T --position-command P --retry 10m "
		       "--bwlimit 2M s";
	struct options options;

	assert_int_equal(parse(&send_command, words, &options), 0);
	assert_string_equal(options.to_command, "T");
	assert_string_equal(options.position_command, "P");
	assert_int_equal(options.retry, 600);
	assert_int_equal(options.bwlimit, 2 << 20);
	options_free(&options);
}

static void help_fits_a_terminal(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	options_help(&send_command, file);
	fclose(file);
	assert_non_null(strstr(text, "  -f, --output FILE "));
	assert_non_null(strstr(text, "      --progress[=WHEN] "));
	assert_null(strstr(text, "--at"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 100);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_send_takes),
		cmocka_unit_test(protocols),
		cmocka_unit_test(what_is_no_usage),
		cmocka_unit_test(resume_at),
		cmocka_unit_test(commands_and_rates),
		cmocka_unit_test(help_fits_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
