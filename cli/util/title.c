// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line that ps(1) and /proc/PID/cmdline show.
 *
 * The kernel has the arguments and then the environment in one piece of the stack, and shows what
 * is there now; if the arguments' last byte is not 0, also what follows up to the next 0.
 */
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/title.h"

/* All of the piece that may be written; ->end is not in it. */
static struct {
	char *begin;
	char *end;
} area;

/* Strings that follow what the area has so far belong to it. */
static void extend(char *const *strings)
{
	for (; *strings; strings++)
		if (*strings == area.end)
			area.end += strlen(*strings) + 1;
}

static char **copy_all(char **strings)
{
	size_t count = 0;
	char **copy;

	while (strings[count])
		count++;
	copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(strings[i]);
	return copy;
}

char **title_take(int argc, char **argv)
{
	if (argc < 1)
		return argv;
	area.begin = argv[0];
	area.end = argv[0];
	extend(argv);
	return copy_all(argv);
}

void title_begin(void)
{
	char **copy = copy_all(environ);

	extend(environ);
	environ = copy;
}

void title_set(const char *title)
{
	size_t room = area.end > area.begin ? (size_t)(area.end - area.begin) : 0;
	size_t length = strlen(title);

	if (!room)
		return;
	if (length >= room)
		length = room - 1;
	memcpy(area.begin, title, length);
	memset(area.begin + length, 0, room - length);
}
