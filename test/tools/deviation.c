// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The differences from native streams that are wanted, each described exactly.
 */
#include "deviation.h"

#include <ctype.h>
#include <string.h>

/* A name that begins with any of these is dropped by the native sender, to its own loss. */
#define CAPABILITY "security.capability"
#define NAME_MAX_LENGTH 4096
/* Renames to orphan names that are remembered; one goes when its directory gets its new name. */
#define RENAMES_MAX 64

enum { CAP_PREFIX, EXTENT_32BIT, STALE_NAME, NESTED_SUBVOLUME, LOOP_TEST, GONE_UTIMES, FILE_END,
       INLINE_END, NAMES };

static const char *const names[NAMES] = {
	[CAP_PREFIX] = "cap-prefix",
	[EXTENT_32BIT] = "update-extent-32bit",
	[STALE_NAME] = "stale-name",
	[NESTED_SUBVOLUME] = "nested-subvolume",
	[LOOP_TEST] = "loop-test",
	[GONE_UTIMES] = "gone-utimes",
	[FILE_END] = "file-end",
	[INLINE_END] = "inline-end",
};

static bool allowed[NAMES];

struct rename {
	char from[NAME_MAX_LENGTH];
	char to[NAME_MAX_LENGTH];
};

static struct rename renames[RENAMES_MAX];
static unsigned int rename_count;

int deviation_allow(const char *name)
{
	for (int i = 0; i < NAMES; i++) {
		if (!strcmp(name, names[i])) {
			allowed[i] = true;
			return 0;
		}
	}
	return -1;
}

const char *deviation_names(void)
{
	static char text[200];
	size_t length = 0;

	for (int i = 0; i < NAMES; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
					   i ? ", " : "", names[i]);
	return text;
}

bool deviation_may_stop(void)
{
	return allowed[LOOP_TEST];
}

static void copy_name(const struct attribute *attr, char *text)
{
	size_t length = attr->length < NAME_MAX_LENGTH ? attr->length : NAME_MAX_LENGTH - 1;

	memcpy(text, attr->value, length);
	text[length] = '\0';
}

static const char *skip_digits(const char *text)
{
	if (!isdigit((unsigned char)*text))
		return NULL;
	while (isdigit((unsigned char)*text))
		text++;
	return text;
}

/* oNUMBER-NUMBER-NUMBER, the names of orphanized directories. */
static bool is_orphan_name(const char *text)
{
	if (*text != 'o')
		return false;
	for (int i = 0; i < 3; i++) {
		text = skip_digits(text + 1);
		if (!text || *text != (i < 2 ? '-' : '\0'))
			return false;
	}
	return true;
}

void deviation_note(const struct command *native)
{
	struct rename *next = &renames[rename_count % RENAMES_MAX];

	if (!allowed[STALE_NAME] || native->type != C_RENAME)
		return;
	copy_name(command_attr(native, A_PATH), next->from);
	copy_name(command_attr(native, A_PATH_TO), next->to);
	for (int i = 0; i < RENAMES_MAX; i++)
		if (!strcmp(renames[i].to, next->from))
			renames[i].to[0] = '\0';
	if (is_orphan_name(next->to))
		rename_count++;
	else
		next->to[0] = '\0';
}

static bool same_attr(const struct attribute *a, const struct attribute *b)
{
	return a && b && a->length == b->length && !memcmp(a->value, b->value, a->length);
}

/* Sent by us, lost by native: an attribute whose name is a proper beginning of CAPABILITY. */
static bool is_cap_prefix(const struct command *ours)
{
	const struct attribute *name;

	if (ours->type != C_SET_XATTR)
		return false;
	name = command_attr(ours, A_XATTR_NAME);
	return name->length < strlen(CAPABILITY) && !memcmp(name->value, CAPABILITY, name->length);
}

/* The size native announces is ours modulo 2^32, and nothing else differs. */
static bool is_32bit_extent(const struct command *ours, const struct command *native)
{
	uint64_t size;

	if (ours->type != C_UPDATE_EXTENT || native->type != C_UPDATE_EXTENT ||
	    !same_attr(command_attr(ours, A_PATH), command_attr(native, A_PATH)) ||
	    !same_attr(command_attr(ours, A_FILE_OFFSET), command_attr(native, A_FILE_OFFSET)))
		return false;
	size = attr_u64(command_attr(ours, A_SIZE));
	return size >> 32 && (uint32_t)size == attr_u64(command_attr(native, A_SIZE));
}

/* If @text begins with the path @start, what follows it. */
static const char *behind(const char *text, const char *start)
{
	size_t length = strlen(start);

	return length && !strncmp(text, start, length) && text[length] == '/' ? text + length :
										NULL;
}

/* Native's path has the name of a directory before a rename, ours the one after it. */
static bool is_stale(const struct attribute *ours, const struct attribute *native)
{
	static char a[NAME_MAX_LENGTH], b[NAME_MAX_LENGTH];

	copy_name(ours, a);
	copy_name(native, b);
	for (int i = 0; i < RENAMES_MAX; i++) {
		const char *rest_a = behind(a, renames[i].to);
		const char *rest_b = behind(b, renames[i].from);

		if (rest_a && rest_b && !strcmp(rest_a, rest_b))
			return true;
	}
	return false;
}

static bool is_path(unsigned int type)
{
	return type == A_PATH || type == A_PATH_TO || type == A_PATH_LINK;
}

/* The same command but for stale names in its paths. */
static bool is_stale_name(const struct command *ours, const struct command *native)
{
	if (ours->type != native->type || ours->attr_count != native->attr_count)
		return false;
	for (unsigned int i = 0; i < ours->attr_count; i++) {
		const struct attribute *a = &ours->attrs[i];
		const struct attribute *b = command_attr(native, a->type);

		if (same_attr(a, b))
			continue;
		if (!b || !is_path(a->type) || !is_stale(a, b))
			return false;
	}
	return true;
}

/* We remove a directory that native leaves under its orphan name. */
static int match_nested(const struct command *ours, const struct command *native)
{
	static char path[NAME_MAX_LENGTH];

	if (!ours || ours->type != C_RMDIR)
		return 0;
	if (native && native->type == C_RENAME) {
		copy_name(command_attr(native, A_PATH_TO), path);
		if (is_orphan_name(path) && same_attr(command_attr(ours, A_PATH),
						      command_attr(native, A_PATH)))
			return TAKE_OURS | TAKE_NATIVE;
	}
	copy_name(command_attr(ours, A_PATH), path);
	return is_orphan_name(path) ? TAKE_OURS : 0;
}

/* Native sets the times of a directory that was removed. */
static bool is_gone_utimes(const struct command *native)
{
	static char path[NAME_MAX_LENGTH];

	if (native->type != C_UTIMES)
		return false;
	copy_name(command_attr(native, A_PATH), path);
	return is_orphan_name(path);
}

/* We send the contents after the old end of a file, native makes the file longer. */
static int match_file_end(const struct command *ours, const struct command *native)
{
	if (ours && (ours->type == C_WRITE || ours->type == C_CLONE ||
		     ours->type == C_ENCODED_WRITE || ours->type == C_UPDATE_EXTENT))
		return TAKE_OURS;
	return native && native->type == C_TRUNCATE ? TAKE_NATIVE : 0;
}

/* We write whole sectors where native's encoded write ends with the data. */
static bool is_inline_end(const struct command *ours, const struct command *native)
{
	return ours->type == C_WRITE && native->type == C_ENCODED_WRITE &&
	       same_attr(command_attr(ours, A_PATH), command_attr(native, A_PATH)) &&
	       same_attr(command_attr(ours, A_FILE_OFFSET), command_attr(native, A_FILE_OFFSET));
}

int deviation_match(const struct command *ours, const struct command *native)
{
	if (allowed[CAP_PREFIX] && ours && is_cap_prefix(ours))
		return TAKE_OURS;
	if (allowed[NESTED_SUBVOLUME] && match_nested(ours, native))
		return match_nested(ours, native);
	if (allowed[GONE_UTIMES] && native && is_gone_utimes(native))
		return TAKE_NATIVE;
	if (allowed[INLINE_END] && ours && native && is_inline_end(ours, native))
		return TAKE_OURS | TAKE_NATIVE;
	if (allowed[FILE_END] && match_file_end(ours, native))
		return match_file_end(ours, native);
	if (!ours || !native)
		return 0;
	if (allowed[EXTENT_32BIT] && is_32bit_extent(ours, native))
		return TAKE_OURS | TAKE_NATIVE;
	if (allowed[STALE_NAME] && is_stale_name(ours, native))
		return TAKE_OURS | TAKE_NATIVE;
	return 0;
}
