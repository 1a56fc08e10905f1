// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: the words of the command line, their values, and words quoted for a shell.
 *
 * The first byte says which. Options that are taken are in their ranges; a value printed is read as
 * the same; a quoted word, read as a shell reads it, is one word, and the same: nothing that it
 * holds is run.
 */
#include <stdio.h>
#include <stdlib.h>

#include <sendcp/engine.h>

#include "commands/options.h"
#include "fuzzer.h"
#include "job/resume_command.h"
#include "journal/format.h"
#include "util/alloc.h"
#include "util/printable.h"
#include "util/text.h"

#define WORDS_MAX 64

enum mode {
	MODE_OPTIONS,
	MODE_VALUE,
	MODE_QUOTE,
	MODES
};

static const struct command commands[] = {
	{ .name = "send", .bit = COMMAND_SEND, .min_arguments = 1, .max_arguments = 65536 },
	{ .name = "resume", .bit = COMMAND_RESUME, .max_arguments = 65536 },
	{ .name = "list", .bit = COMMAND_LIST },
	{ .name = "info", .bit = COMMAND_INFO },
	{ .name = "show", .bit = COMMAND_SHOW, .min_arguments = 1, .max_arguments = 65536 },
	{ .name = "verify", .bit = COMMAND_VERIFY, .min_arguments = 1, .max_arguments = 65536 },
	{ .name = "dump", .bit = COMMAND_DUMP, .min_arguments = 1, .max_arguments = 1 },
	{ .name = "cat", .bit = COMMAND_CAT, .min_arguments = 1, .max_arguments = 1 },
	{ .name = "help", .bit = COMMAND_HELP, .max_arguments = 1 },
	{ .name = "version", .bit = COMMAND_VERSION },
};

/* What printf(1) makes of an escape of three octal digits, and of "%%". */
static const char *read_escape(const char *from, bool percent, char **to)
{
	if (percent && from[0] == '%') {
		if (from[1] != '%')
			abort();
		*(*to)++ = '%';
		return from + 2;
	}
	if (from[0] != '\\') {
		*(*to)++ = *from;
		return from + 1;
	}
	for (int i = 1; i <= 3; i++)
		if (from[i] < '0' || from[i] > '7')
			abort();
	*(*to)++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
	return from + 4;
}

/* In single quotes nothing is special; in the other forms only what shell_quote() writes is. */
static const char *read_quotes(const char *from, bool escapes, bool percent, char **to)
{
	while (*from != '\'') {
		if (!*from || (escapes && (*from < ' ' || *from > '~')))
			abort();
		if (escapes)
			from = read_escape(from, percent, to);
		else
			*(*to)++ = *from++;
	}
	return from + 1;
}

/* A character that stands for itself in a shell, outside of quotes. */
static bool is_harmless(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_-./,:+@%", c));
}

/* One word as a shell reads it, malloc'ed; *@text is moved on to what ends it. */
static char *read_word(const char **text)
{
	static const char command[] = "\"$(printf '";
	char *word = xmalloc(strlen(*text) + 1);
	const char *from = *text;
	char *to = word;

	while (*from && *from != ' ') {
		if (!strncmp(from, command, strlen(command))) {
			from = read_quotes(from + strlen(command), true, true, &to);
			if (strncmp(from, ")\"", 2) || (to > word && to[-1] == '\n'))
				abort();
			from += 2;
		} else if (!strncmp(from, "$'", 2)) {
			from = read_quotes(from + 2, true, false, &to);
		} else if (*from == '\'') {
			from = read_quotes(from + 1, false, false, &to);
		} else if (from[0] == '\\' && from[1] == '\'') {
			*to++ = '\'';
			from += 2;
		} else if (is_harmless(*from)) {
			*to++ = *from++;
		} else {
			abort();
		}
	}
	*to = '\0';
	*text = from;
	return word;
}

static void try_quote(const char *word)
{
	char *quoted = shell_quote(word);
	const char *at = quoted;
	char *read = read_word(&at);

	if (*at || !*quoted || strcmp(read, word) || !is_printable(quoted))
		abort();
	free(read);
	free(quoted);
}

static void try_value(const char *value)
{
	char printed[32];
	u64 number, again;

	if (parse_size(value, &number)) {
		snprintf(printed, sizeof(printed), "%llu", number);
		if (!parse_size(printed, &again) || again != number || *value < '0' || *value > '9')
			abort();
	}
	if (parse_duration(value, &number)) {
		snprintf(printed, sizeof(printed), "%llus", number);
		if (!parse_duration(printed, &again) || again != number)
			abort();
	}
	if (sendcp_parse_u64(value, &number) && strspn(value, "0123456789") != strlen(value))
		abort();
}

/* The values of the words that are handed on to a shell are in the command that is printed. */
static void check_flow(const struct options *options)
{
	char *line = resume_command_flow(xstrdup("sendcp"), options);
	const char *at = line;
	bool sink = !options->to_command, ask = !options->position_command;

	while (*at) {
		char *word = read_word(&at);

		sink |= options->to_command && !strcmp(word, options->to_command);
		ask |= options->position_command && !strcmp(word, options->position_command);
		free(word);
		at += *at == ' ';
	}
	if (!sink || !ask)
		abort();
	free(line);
}

static void check_options(const struct command *command, const struct options *options)
{
	if (options->argument_count < command->min_arguments ||
	    options->argument_count > command->max_arguments)
		abort();
	if (options->protocol < 1 || options->protocol > (int)SENDCP_PROTOCOL_MAX ||
	    (options->compressed_data && options->protocol < 2))
		abort();
	if (options->buffers > MAX_BUFFERS || options->buffer_size > JOURNAL_BATCH_MAX ||
	    (options->buffer_size &&
	     options->buffer_size < sendcp_buffer_min(SENDCP_PROTOCOL_MAX)) ||
	    options->interval < sendcp_buffer_min(SENDCP_PROTOCOL_MAX))
		abort();
	if (options->container.level &&
	    !container_level_possible((unsigned long long)options->container.level))
		abort();
	if (options->checkpoint && options->no_checkpoint)
		abort();
	if (options->to_command && (options->output || options->to_stdout || options->append))
		abort();
	check_flow(options);
}

static size_t split(char *in, size_t size, char **words)
{
	size_t count = 1;
	char *end = in + size;

	while (in < end && count < WORDS_MAX) {
		words[count++] = in;
		in += strlen(in) + 1;
	}
	words[count] = NULL;
	return count;
}

static void try_options(char *in, size_t size, u8 which)
{
	const struct command *command = &commands[which % ARRAY_SIZE(commands)];
	char *words[WORDS_MAX + 1] = { (char *)(uintptr_t)command->name };
	size_t count = split(in, size, words);
	struct options options;

	if (!options_parse(command, (int)count, words, &options) && !options.help)
		check_options(command, &options);
	options_free(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *in;

	if (size < 2)
		return 0;
	in = malloc(size - 1);
	if (!in)
		abort();
	memcpy(in, data + 2, size - 2);
	in[size - 2] = '\0';
	switch (data[0] % MODES) {
	case MODE_OPTIONS:
		try_options(in, size - 2, data[1]);
		break;
	case MODE_VALUE:
		try_value(in);
		break;
	default:
		try_quote(in);
	}
	free(in);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	FILE *nowhere = fopen("/dev/null", "w");

	for (size_t i = 0; nowhere && i < ARRAY_SIZE(commands); i++)
		options_help(&commands[i], nowhere);
	return nowhere ? fclose(nowhere) : -1;
}
