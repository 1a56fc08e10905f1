// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes every byte of stored streams, checkpoint files and positions, truncates them at each
 * length, and has the commands that read them judge: a wrong stream is never called complete.
 *
 * Arguments: IMAGE stored|append|journal|position...
 *
 * IMAGE is test/unit/images/few.img.zst unpacked, an absolute path. Runs in the current directory,
 * in which each worker makes a directory of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "journal_lines.h"

/* The stream's two subvolumes, a batch each. */
#define SUBVOLUMES "older", "snap"

struct form {
	const char *name;
	/* An option of send; NULL: none. */
	const char *options[2];
	bool archive;
	bool plain;
};

static const struct form forms[] = {
	{ .name = "plain", .plain = true },
	{ .name = "zstd", .options = { "--compress" } },
	{ .name = "tar", .options = { "--archive=tar" }, .archive = true },
	{ .name = "cpio", .options = { "--archive=cpio" }, .archive = true },
	{ .name = "tar in zstd", .options = { "--archive=tar", "--compress" }, .archive = true },
};

enum change {
	CHANGE_BYTE,
	/* Of a line of JSON; its sum is made right again. */
	CHANGE_BYTE_SEALED,
	CHANGE_FIELD,
	CHANGE_LENGTH,
};

static const char * const change_texts[] = {
	"a byte", "a byte of a line, its sum recomputed", "a member of a line, its sum recomputed",
	"truncated",
};

/* What is tried with the changed file. */
enum how {
	HOW_VERIFY,
	/* resume --append: with the checkpoint file; with the subvolumes. */
	HOW_APPEND,
	HOW_APPEND_SUBVOL,
	/* The checkpoint file is changed: in the file; to a pipe. */
	HOW_RESUME,
	HOW_AT,
	HOW_APPEND_JOURNAL,
	HOW_HAVE,
};

static const char * const how_texts[] = {
	"verify, cat", "resume --append FILE --checkpoint", "resume --append FILE SUBVOL",
	"resume --checkpoint", "resume --checkpoint --at", "resume --append --checkpoint FILE",
	"resume --have",
};

/* All that a row's cases need, made by the first case of each worker. */
struct scene {
	const struct form *form;
	enum change change;
	enum how how;
	pid_t ready;
	/* The stream, unwrapped; the file that holds it, and its checkpoint file. */
	struct content plain;
	struct content file;
	struct content journal;
	struct content position;
	struct lines lines;
};

static const char *image;
static struct scene scene;
static struct command_result result;
/* The case changes what is sent, in the first line, and makes its sum right. */
static bool first_line_forged;

static void must(int status, const char *what)
{
	if (result.status == status)
		return;
	fprintf(stderr, "corruption: %s: %d: %s\n", what, result.status, result.err);
	exit(1);
}

/* The journal without its last line, "complete": as an interrupted run leaves it. */
static void interrupt_journal(struct content *journal)
{
	const u8 *newline = memrchr(journal->bytes, '\n', journal->size - 1);

	journal->size = newline ? (size_t)(newline + 1 - journal->bytes) : 0;
}

static void clear_away(void)
{
	static const char * const names[] = {
		"FILE", "FILE.cp", "FILE.cp.thin", "cp", "cp.thin",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(names[i]);
}

static void send_file(const struct form *form)
{
	const char *first = form->options[0], *second = form->options[1];

	/* Without options, others stand in their place. */
	command_run(&result, "send", "-q", first ? first : "-q", second ? second : "-q",
		    "--checkpoint", "cp", "-f", "FILE", "--device", image, SUBVOLUMES, NULL);
	must(0, "send -f");
	content_read(&scene.file, "FILE");
	content_read(&scene.journal, "cp");
	unlink("FILE");
	unlink("cp");
}

static void send_pipe(void)
{
	command_run(&result, "send", "-q", "--checkpoint", "cp", "--device", image, SUBVOLUMES,
		    NULL);
	must(0, "send");
	scene.plain.size = result.out_size;
	memcpy(scene.plain.bytes, result.out, result.out_size);
	if (scene.how == HOW_AT || scene.how == HOW_HAVE)
		content_read(&scene.journal, "cp");
	unlink("cp");
}

static void make_position(void)
{
	struct content part = scene.plain;

	part.size = part.size * 2 / 3;
	content_write(&part, "part");
	command_run(&result, "verify", "--position", "part", NULL);
	must(0, "verify --position");
	scene.position.size = strcspn((char *)result.out, "\n");
	memcpy(scene.position.bytes, result.out, scene.position.size);
}

/* The contents that cases change. */
static struct content *subject(void)
{
	switch (scene.how) {
	case HOW_VERIFY:
	case HOW_APPEND:
	case HOW_APPEND_SUBVOL:
		return &scene.file;
	case HOW_HAVE:
		return &scene.position;
	default:
		return &scene.journal;
	}
}

static enum outcome try(const struct content *copy, char why[CASE_TEXT]);

/* What was not changed must be accepted, or no refusal would mean anything. */
static void undamaged(void)
{
	static struct content copy;
	char why[CASE_TEXT] = "";

	copy = *subject();
	if (try(&copy, why) == OUTCOME_SAME)
		return;
	fprintf(stderr, "corruption: %s: refused without a change: %s\n", how_texts[scene.how],
		result.err);
	exit(1);
}

static void set_scene(void)
{
	char name[32];

	snprintf(name, sizeof(name), "work.%d", (int)getpid());
	if ((mkdir(name, 0700) && errno != EEXIST) || chdir(name)) {
		perror(name);
		exit(1);
	}
	setenv("SENDCP_STATE_DIR", "state", 1);
	clear_away();
	send_file(scene.form);
	send_pipe();
	interrupt_journal(&scene.journal);
	if (scene.how == HOW_HAVE)
		make_position();
	lines_find(&scene.lines, subject());
	scene.ready = getpid();
	undamaged();
}

static u64 case_count(void)
{
	switch (scene.change) {
	case CHANGE_BYTE:
		return subject()->size * PATTERNS;
	case CHANGE_BYTE_SEALED:
		return lines_bytes(&scene.lines) * PATTERNS;
	case CHANGE_FIELD:
		return lines_fields(&scene.lines);
	default:
		return subject()->size;
	}
}

/* The subject as the case has it; false: it is no change. */
static bool changed(u64 number, struct content *copy)
{
	const struct content *whole = subject();

	*copy = *whole;
	first_line_forged = false;
	switch (scene.change) {
	case CHANGE_BYTE:
		copy->bytes[number / PATTERNS] =
			pattern_apply((u32)(number % PATTERNS), copy->bytes[number / PATTERNS],
				      number / PATTERNS);
		break;
	case CHANGE_BYTE_SEALED:
		first_line_forged = number / PATTERNS < scene.lines.lines[0].length;
		lines_change_byte(&scene.lines, copy, number / PATTERNS, (u32)(number % PATTERNS));
		break;
	case CHANGE_FIELD:
		first_line_forged = lines_in_first(&scene.lines, number);
		return lines_change_field(&scene.lines, whole, number, copy);
	case CHANGE_LENGTH:
		copy->size = number;
	}
	return !content_equal(copy, whole);
}

static enum outcome failed(char why[CASE_TEXT], const char *what)
{
	snprintf(why, CASE_TEXT, "%s: %d: %.300s", what, result.status, result.err);
	return OUTCOME_FAILED;
}

static bool is_plain(const u8 *bytes, size_t size, size_t from)
{
	return size == scene.plain.size - from && !memcmp(bytes, scene.plain.bytes + from, size);
}

/* All that was said is lines of ours: the reason, a warning before it, a way on after it. */
static bool said_in_lines(void)
{
	const char *line = result.err;

	for (; *line; line = line + strcspn(line, "\n") + 1)
		if (strncmp(line, "sendcp: ", 8) || !strchr(line, '\n'))
			return false;
	return line != result.err;
}

/* Its status is 1, or @usage. */
static enum outcome refused(int usage, char why[CASE_TEXT])
{
	if (result.status == 75)
		return OUTCOME_INTERRUPTED;
	if (result.memory)
		return failed(why, "more than 256 MiB");
	if (result.status != 1 && result.status != usage)
		return failed(why, "status");
	if (!said_in_lines())
		return failed(why, "no reason");
	return OUTCOME_REFUSED;
}

static enum outcome run_verify(char why[CASE_TEXT])
{
	enum outcome outcome;

	command_run(&result, "verify", "-q", "FILE", NULL);
	outcome = result.status ? refused(1, why) : OUTCOME_SAME;
	if (outcome == OUTCOME_FAILED)
		return outcome;
	command_run(&result, "cat", "FILE", NULL);
	if (outcome == OUTCOME_SAME)
		return !result.status && is_plain(result.out, result.out_size, 0) ? OUTCOME_SAME :
		       failed(why, "verify found no fault, cat wrote another stream");
	if (result.status != 1 || result.out_size > scene.plain.size ||
	    memcmp(result.out, scene.plain.bytes, result.out_size))
		return failed(why, "cat");
	return outcome;
}

/*
 * FILE is complete, as its unwrapped contents show. What a first line with a right sum asks for is
 * not damage, if the proven part stays and verify finds no fault in the whole.
 */
static enum outcome completed(char why[CASE_TEXT])
{
	size_t proven = scene.plain.size / 3;

	if (result.memory)
		return failed(why, "more than 256 MiB");
	command_run(&result, "cat", "FILE", NULL);
	if (!result.status && is_plain(result.out, result.out_size, 0))
		return OUTCOME_SAME;
	if (result.status || !first_line_forged || result.out_size < proven ||
	    memcmp(result.out, scene.plain.bytes, proven))
		return failed(why, "called complete, and is another stream");
	command_run(&result, "verify", "-q", "FILE", NULL);
	return result.status ? failed(why, "called complete, and verify refuses it") :
	       OUTCOME_FORMED;
}

/* The file that is resumed is complete, or as it was. */
static enum outcome judge_file(const struct content *before, char why[CASE_TEXT])
{
	struct content now;
	enum outcome outcome;

	if (!result.status)
		return completed(why);
	outcome = refused(1, why);
	content_read(&now, "FILE");
	if (outcome == OUTCOME_REFUSED && !content_equal(&now, before))
		return failed(why, "refused, and changed the file");
	return outcome;
}

static enum outcome run_append(const struct content *copy, char why[CASE_TEXT])
{
	content_write(&scene.journal, "cp");
	command_run(&result, "resume", "-q", "--append", "FILE", "--checkpoint", "cp", NULL);
	return judge_file(copy, why);
}

static enum outcome run_append_subvol(const struct content *copy, char why[CASE_TEXT])
{
	command_run(&result, "resume", "-q", "--append", "FILE", "--device", image, SUBVOLUMES,
		    NULL);
	return judge_file(copy, why);
}

/* The journal is changed; the file is what an interrupted run left. */
static enum outcome run_resume(const struct content *copy, char why[CASE_TEXT])
{
	struct content file = scene.file;

	file.size = file.size * 2 / 3;
	content_write(&file, "FILE");
	content_write(copy, "cp");
	if (scene.how == HOW_RESUME)
		command_run(&result, "resume", "-q", "--checkpoint", "cp", NULL);
	else
		command_run(&result, "resume", "-q", "--append", "FILE", "--checkpoint", "cp",
			    "--device", image, NULL);
	return judge_file(&file, why);
}

/* Another rest after the @at bytes that the receiver has: is the whole a stream? */
static enum outcome judge_rest(size_t at, char why[CASE_TEXT])
{
	struct content joined = scene.plain;

	joined.size = at + sendcp_min(result.out_size, sizeof(joined.bytes) - at);
	memcpy(joined.bytes + at, result.out, joined.size - at);
	content_write(&joined, "FILE");
	command_run(&result, "verify", "-q", "FILE", NULL);
	return result.status ? failed(why, "called complete, and verify refuses it") :
	       OUTCOME_FORMED;
}

static enum outcome run_at(const struct content *copy, char why[CASE_TEXT])
{
	size_t at = scene.plain.size * 2 / 3;
	char text[24];

	content_write(copy, "cp");
	snprintf(text, sizeof(text), "%zu", at);
	command_run(&result, "resume", "-q", "--checkpoint", "cp", "--at", text, NULL);
	if (result.status)
		return refused(1, why);
	if (is_plain(result.out, result.out_size, at))
		return OUTCOME_SAME;
	return first_line_forged ? judge_rest(at, why) : failed(why, "another rest of the stream");
}

static enum outcome run_have(const struct content *copy, char why[CASE_TEXT])
{
	size_t at = strtoul((char *)scene.position.bytes, NULL, 10);
	char text[COMMAND_OUTPUT];

	content_write(&scene.journal, "cp");
	snprintf(text, sizeof(text), "%.*s", (int)copy->size, (const char *)copy->bytes);
	command_run(&result, "resume", "-q", "--checkpoint", "cp", "--have", text, NULL);
	if (result.status)
		return refused(2, why);
	return is_plain(result.out, result.out_size, at) ? OUTCOME_SAME :
	       failed(why, "another rest of the stream");
}

static enum outcome try(const struct content *copy, char why[CASE_TEXT])
{
	clear_away();
	if (subject() == &scene.file)
		content_write(copy, "FILE");
	switch (scene.how) {
	case HOW_VERIFY:
		return run_verify(why);
	case HOW_APPEND:
		return run_append(copy, why);
	case HOW_APPEND_SUBVOL:
		return run_append_subvol(copy, why);
	case HOW_AT:
		return run_at(copy, why);
	case HOW_HAVE:
		return run_have(copy, why);
	default:
		return run_resume(copy, why);
	}
}

static enum outcome run_case(void *context, u64 number, char why[CASE_TEXT])
{
	static struct content copy;

	if (scene.ready != getpid())
		set_scene();
	return changed(number, &copy) ? try(&copy, why) : OUTCOME_NONE;
}

static void describe_case(void *context, u64 number, char text[CASE_TEXT])
{
	switch (scene.change) {
	case CHANGE_BYTE:
		snprintf(text, CASE_TEXT, "byte %llu: %s", (unsigned long long)(number / PATTERNS),
			 pattern_text((u32)(number % PATTERNS)));
		break;
	case CHANGE_LENGTH:
		snprintf(text, CASE_TEXT, "byte %llu: the end", (unsigned long long)number);
		break;
	default:
		lines_describe(&scene.lines, subject(), number, scene.change == CHANGE_FIELD, text);
	}
}

static u64 run_row(const struct form *form, enum how how, enum change change)
{
	char input[100];
	struct row row = {
		.input = input,
		.change = change_texts[change],
		.run = run_case,
		.describe = describe_case,
	};
	char here[4096];

	if (!getcwd(here, sizeof(here)))
		exit(1);
	memset(&scene, 0, sizeof(scene));
	scene.form = form;
	scene.how = how;
	scene.change = change;
	/* How many cases there are: a scene of our own. */
	set_scene();
	if (chdir(here))
		exit(1);
	row.count = case_count();
	snprintf(input, sizeof(input), "%s: %s", form->name, how_texts[how]);
	return row_run(&row);
}

static u64 run_stored(void)
{
	u64 failures = 0;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		failures += run_row(&forms[i], HOW_VERIFY, CHANGE_BYTE);
		failures += run_row(&forms[i], HOW_VERIFY, CHANGE_LENGTH);
	}
	/* What is in the lines of an archive that is not compressed. */
	failures += run_row(&forms[2], HOW_VERIFY, CHANGE_BYTE_SEALED);
	failures += run_row(&forms[3], HOW_VERIFY, CHANGE_BYTE_SEALED);
	return failures;
}

static u64 run_appends(void)
{
	u64 failures = 0;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		for (enum how how = HOW_APPEND; how <= HOW_APPEND_SUBVOL; how++) {
			failures += run_row(&forms[i], how, CHANGE_BYTE);
			failures += run_row(&forms[i], how, CHANGE_LENGTH);
		}
	}
	failures += run_row(&forms[2], HOW_APPEND_SUBVOL, CHANGE_BYTE_SEALED);
	failures += run_row(&forms[3], HOW_APPEND_SUBVOL, CHANGE_BYTE_SEALED);
	return failures;
}

static u64 run_journals(void)
{
	static const enum change changes[] = {
		CHANGE_BYTE, CHANGE_BYTE_SEALED, CHANGE_FIELD, CHANGE_LENGTH,
	};
	u64 failures = 0;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		failures += run_row(&forms[0], HOW_RESUME, changes[i]);
		failures += run_row(&forms[0], HOW_AT, changes[i]);
		failures += run_row(&forms[1], HOW_RESUME, changes[i]);
		failures += run_row(&forms[2], HOW_RESUME, changes[i]);
		failures += run_row(&forms[1], HOW_APPEND_JOURNAL, changes[i]);
	}
	return failures;
}

static u64 run_positions(void)
{
	return run_row(&forms[0], HOW_HAVE, CHANGE_BYTE) +
	       run_row(&forms[0], HOW_HAVE, CHANGE_LENGTH);
}

int main(int argc, char **argv)
{
	u64 failures = 0;

	image = argc > 1 ? argv[1] : "";
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "stored"))
			failures += run_stored();
		else if (!strcmp(argv[i], "append"))
			failures += run_appends();
		else if (!strcmp(argv[i], "journal"))
			failures += run_journals();
		else
			failures += run_positions();
	}
	return failures ? 1 : 0;
}
