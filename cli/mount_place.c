// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which filesystem a path lies on.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "alloc.h"
#include "mount_place.h"

#define MOUNTINFO "/proc/self/mountinfo"

static char *nearest_existing(const char *path)
{
	char *copy = xstrdup(path);
	struct stat st;

	while (stat(copy, &st) && strcmp(copy, "/") && strcmp(copy, ".")) {
		char *parent = xstrdup(dirname(copy));

		free(copy);
		copy = parent;
	}
	return copy;
}

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

/* Mount point of mount number @id. */
static char *find_point(u64 id)
{
	FILE *file = fopen(MOUNTINFO, "re");
	char *line = NULL, *point = NULL;
	size_t size = 0;

	while (file && !point && getline(&line, &size, file) > 0) {
		unsigned long long number;
		int from = 0, to = 0;

		if (sscanf(line, "%llu %*s %*s %*s %n%*s%n", &number, &from, &to) != 1 || !to ||
		    number != id)
			continue;
		line[to] = '\0';
		unescape(line + from);
		point = xstrdup(line + from);
	}
	free(line);
	if (file)
		fclose(file);
	return point;
}

static u64 filesystem_id(const char *path)
{
	unsigned int halves[2];
	struct statfs fs;

	if (statfs(path, &fs))
		return 0;
	_Static_assert(sizeof(halves) == sizeof(fs.f_fsid), "two numbers of 32 bits");
	memcpy(halves, &fs.f_fsid, sizeof(halves));
	return (u64)halves[0] << 32 | halves[1];
}

void mount_place_find(const char *path, struct mount_place *place)
{
	char *existing = nearest_existing(path);
	struct statx stx;

	*place = (struct mount_place){ .fsid = filesystem_id(existing) };
	if (!statx(AT_FDCWD, existing, 0, STATX_MNT_ID, &stx) && stx.stx_mask & STATX_MNT_ID)
		place->point = find_point(stx.stx_mnt_id);
	free(existing);
}

void mount_place_clear(struct mount_place *place)
{
	free(place->point);
	*place = (struct mount_place){ 0 };
}

bool mount_place_same(const struct mount_place *then, const struct mount_place *now)
{
	if (then->point && now->point && strcmp(then->point, now->point))
		return false;
	return !then->fsid || !now->fsid || then->fsid == now->fsid;
}
