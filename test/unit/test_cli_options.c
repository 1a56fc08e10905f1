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

#include <sys/stat.h>
#include <unistd.h>

#include "commands/options_table.h"

static const struct command send_command = {
	.name = "send", .bit = COMMAND_SEND, .usage = "send", .summary = "",
	.min_arguments = 1, .max_arguments = 8,
};

static const struct command resume_command = {
	.name = "resume", .bit = COMMAND_RESUME, .usage = "resume", .summary = "",
	.max_arguments = 8,
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
		"--at 5", "--restart", "-f F", "a b", "--append /nonexistent/f", "--checkpoint -",
		"--append -", "--append f -f -", "--have 5 C", "--checkpoint C extra",
		"--checkpoint C --at", "--checkpoint C --at 1K",
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

/* Options with a free text or name as their value have none that is absurd. */
static bool takes_anything(const struct option_spec *spec)
{
	return spec->argument && !spec->values;
}

static void absurd_values_are_answered(void **state)
{
	size_t tried = 0;

	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *spec = &option_table[i];
		const char *const absurd = spec->argument && !strcmp(spec->argument, "FILE") ?
					   "" : "absurd";
		struct options options = { .protocol = -1 };

		if (!spec->argument || takes_anything(spec))
			continue;
		tried++;
		assert_true(*spec->values);
		assert_false(spec->set(&options, absurd));
	}
	assert_true(tried >= 12);
	/* Those that take anything never say no, so nothing has to be named. */
	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *spec = &option_table[i];
		struct options options = { .protocol = -1 };

		if (!takes_anything(spec))
			continue;
		assert_true(spec->set(&options, "absurd"));
		options_free(&options);
	}
}

static void limits_are_those_that_are_named(void **state)
{
	static const char *const good[] = {
		"--buffer-size 144K s", "--buffer-size 1G s", "--checkpoint-interval 144K s",
		"--buffers 1 s", "--buffers 64 s", "--compress=1 s", "--compress=22 s",
	};
	static const char *const bad[] = {
		"--buffer-size 147455 s", "--buffer-size 1073741825 s",
		"--checkpoint-interval 147455 s", "--compress=0 s", "--compress=23 s",
	};
	struct options options;
	char words[64];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(words, sizeof(words), "%s", good[i]);
		assert_int_equal(parse(&send_command, words, &options), 0);
		options_free(&options);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(&send_command, bad[i]);
}

static void values_as_words_of_their_own(void **state)
{
	char level[] = "--compress 9 /s", kind[] = "/s --archive cpio --progress json -q /t";
	char bare[] = "--compress /s";
	struct options options;

	assert_int_equal(parse(&send_command, level, &options), 0);
	assert_int_equal(options.container.level, 9);
	assert_int_equal(options.argument_count, 1);
	assert_int_equal(parse(&send_command, kind, &options), 0);
	assert_int_equal(options.container.archive, ARCHIVE_CPIO);
	assert_int_equal(options.progress, PROGRESS_JSON);
	assert_int_equal(options.argument_count, 2);
	assert_int_equal(parse(&send_command, bare, &options), 0);
	assert_int_equal(options.container.level, CONTAINER_LEVEL_DEFAULT);
	assert_int_equal(options.argument_count, 1);
	/* In an image it may be a subvolume's name; and what is neither is not guessed at. */
	refused(&send_command, "--device i --compress 9 s");
	refused(&send_command, "--compress 99 s");
	refused(&send_command, "--archive zip s");
}

/* In a directory where the value is a file's name, too. */
static void values_that_are_files(void **state)
{
	char directory[] = "/tmp/sendcp-options.XXXXXX";

	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	assert_int_equal(mkdir("9", 0700), 0);
	refused(&send_command, "--compress 9");
	refused(&send_command, "--compress 9 s");
	assert_int_equal(rmdir("9"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void dash_is_standard_output(void **state)
{
	char words[] = "-f x -f - s", other[] = "-f - -f x s";
	struct options options;

	assert_int_equal(parse(&send_command, words, &options), 0);
	assert_true(options.to_stdout && !options.output);
	assert_int_equal(parse(&send_command, other, &options), 0);
	assert_true(!options.to_stdout && options.output);
	refused(&send_command, "--checkpoint - s");
}

static void a_checkpoint_file_alone(void **state)
{
	char words[] = "--at 5 x.cp";
	struct options options;

	assert_int_equal(parse(&resume_command, words, &options), 0);
	assert_string_equal(options.checkpoint, "x.cp");
	assert_int_equal(options.argument_count, 0);
	refused(&resume_command, "-p y x.cp");
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
		cmocka_unit_test(absurd_values_are_answered),
		cmocka_unit_test(limits_are_those_that_are_named),
		cmocka_unit_test(values_as_words_of_their_own),
		cmocka_unit_test(values_that_are_files),
		cmocka_unit_test(dash_is_standard_output),
		cmocka_unit_test(a_checkpoint_file_alone),
		cmocka_unit_test(help_fits_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
