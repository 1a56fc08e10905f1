// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The filesystem that a path is on.
 */
#include <blkid/blkid.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/alloc.h"
#include "util/fileio.h"
#include "util/mount_place.h"

#define MOUNTINFO "/proc/self/mountinfo"

/* mountinfo writes blanks, newlines and backslashes as octal numbers. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		unsigned int code;

		if (*text == '\\' && sscanf(text + 1, "%3o", &code) == 1) {
			*to++ = (char)code;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* From mountinfo's line about mount number @id: where it is mounted, and its device. */
static bool parse_line(char *line, u64 id, struct mount_place *place)
{
	unsigned long long number;
	int from = 0, to = 0, source = 0, source_end = 0;
	char *rest = strstr(line, " - ");

	if (!rest || sscanf(line, "%llu %*s %*s %*s %n%*s%n", &number, &from, &to) != 1 || !to ||
	    number != id)
		return false;
	line[to] = '\0';
	unescape(line + from);
	place->point = xstrdup(line + from);
	sscanf(rest, " - %*s %n%*s%n", &source, &source_end);
	if (!source_end)
		return true;
	rest[source_end] = '\0';
	unescape(rest + source);
	if (rest[source] == '/')
		place->uuid = blkid_get_tag_value(NULL, "UUID", rest + source);
	return true;
}

static void find_mount(u64 id, struct mount_place *place)
{
	FILE *file = fopen(MOUNTINFO, "re");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0 && !parse_line(line, id, place))
		;
	free(line);
	if (file)
		fclose(file);
}

void mount_place_find(const char *path, struct mount_place *place)
{
	char *existing = nearest_existing(path);
	struct statx stx;

	*place = (struct mount_place){ 0 };
	if (!statx(AT_FDCWD, existing, 0, STATX_MNT_ID, &stx) && stx.stx_mask & STATX_MNT_ID)
		find_mount(stx.stx_mnt_id, place);
	free(existing);
}

void mount_place_clear(struct mount_place *place)
{
	free(place->point);
	free(place->uuid);
	*place = (struct mount_place){ 0 };
}

bool mount_place_same(const struct mount_place *then, const struct mount_place *now)
{
	if (then->point && now->point && strcmp(then->point, now->point))
		return false;
	return !then->uuid || !now->uuid || !strcmp(then->uuid, now->uuid);
}
