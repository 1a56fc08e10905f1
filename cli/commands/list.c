// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp list: the streams that can be resumed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands/command.h"
#include "commands/list.h"
#include "job/resume_command.h"
#include "journal/state.h"
#include "util/alloc.h"
#include "util/json_line.h"
#include "util/message.h"
#include "util/printable.h"
#include "util/text.h"

static const char *state_text(const struct state_entry *entry)
{
	if (entry->err == EBADMSG)
		return "damaged";
	if (entry->err)
		return "unreadable";
	return entry->running ? "running" : "interrupted";
}

/* NULL: sendcp cannot say where the stream is, or nothing can be resumed now. */
static char *command_of(const struct state_entry *entry)
{
	if (entry->err || entry->running)
		return NULL;
	if (entry->contents->output)
		return resume_command(entry->path, NULL);
	return resume_command_append(entry->path, NULL, NULL);
}

static void print_name(FILE *to, const char *title, const char *name)
{
	fprintf(to, "  %-13s", title);
	fputs_printable(name, to);
	fputc('\n', to);
}

static void print_time(FILE *to, u64 seconds)
{
	time_t when = (time_t)seconds;
	char text[64];
	struct tm local;

	if (seconds && localtime_r(&when, &local) && strftime(text, sizeof(text), "%F %T", &local))
		fprintf(to, ", last changed %s", text);
}

static void print_contents(FILE *to, const struct journal_contents *contents)
{
	const struct identity_list *subvolumes = &contents->header.subvolumes;
	char size[32];

	fprintf(to, " after %s", size_text((double)journal_made(contents), size, sizeof(size)));
	if (journal_percent(contents) >= 0)
		fprintf(to, " (%d%%)", journal_percent(contents));
	print_time(to, contents->changed);
	fputc('\n', to);
	for (size_t i = 0; i < subvolumes->count; i++)
		print_name(to, "subvolume:", subvolumes->identities[i].path);
	print_name(to, "output:", contents->output ? contents->output : "a pipe");
}

static void print_entry(void *context, const struct state_entry *entry)
{
	char *command = command_of(entry);
	FILE *to = context;

	fputs_printable(entry->path, to);
	fprintf(to, ": %s", state_text(entry));
	if (entry->err == EBADMSG)
		fputs("\n", to);
	else if (entry->err)
		fprintf(to, ": %s%s\n", strerror(entry->err),
			entry->err == ENOENT ? "; is its disk mounted?" : "");
	else
		print_contents(to, entry->contents);
	if (command)
		print_name(to, "resume with:", command);
	free(command);
	if (!entry->err)
		return;
	command = shell_quote(entry->name);
	fprintf(to, "  %-13srm %s\n", "forget with:", command);
	free(command);
}

int list_streams(FILE *to)
{
	return state_each(print_entry, to);
}

static struct json_object *subvolumes_json(const struct journal_contents *contents)
{
	const struct identity_list *subvolumes = &contents->header.subvolumes;
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < subvolumes->count; i++) {
		const char *path = subvolumes->identities[i].path;

		json_array_add(array, json_object_new_string(path));
	}
	return array;
}

static void print_json(void *context, const struct state_entry *entry)
{
	struct json_object *object = json_new();
	char *command = command_of(entry);

	json_put_string(object, "checkpoint", entry->path);
	json_put_string(object, "state", state_text(entry));
	if (!entry->err) {
		json_put_u64(object, "bytes", journal_made(entry->contents));
		if (entry->contents->total)
			json_put_u64(object, "total", entry->contents->total);
		else
			json_put_null(object, "total");
		json_put_u64(object, "changed", entry->contents->changed);
		json_put(object, "subvolumes", subvolumes_json(entry->contents));
		json_put_text(object, "output", entry->contents->output);
	}
	json_put_text(object, "resume", command);
	json_print(object, false, stdout);
	free(command);
}

int command_list(const struct options *options)
{
	int count = options->json ? state_each(print_json, NULL) : list_streams(stdout);

	if (count < 0)
		return EXIT_FAILED;
	if (!count && !options->json)
		puts("nothing to resume");
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_DONE;
	error_line("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}
