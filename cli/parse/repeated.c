// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of the subvolumes in an input.
 *
 * btrfs receive creates a subvolume by its name, so that is what must not come again, whatever its
 * UUID is.
 */
#include <stdlib.h>
#include <string.h>

#include "parse/repeated.h"
#include "util/alloc.h"

/* More than any send has; with more, memory and time would not be bounded. */
#define NAMES_MAX 4096

static bool came(const struct repeated *repeated, const char *name)
{
	for (size_t i = 0; i < repeated->name_count; i++)
		if (!strcmp(repeated->names[i], name))
			return true;
	return false;
}

void repeated_look(struct repeated *repeated, const struct stream_command *command)
{
	const struct stream_attribute *path;
	char *name;

	if (command->type != SENDCP_C_SUBVOL && command->type != SENDCP_C_SNAPSHOT)
		return;
	path = stream_attribute(command, SENDCP_A_PATH);
	name = xasprintf("%.*s", (int)path->length, (const char *)path->value);
	if (came(repeated, name)) {
		repeated->count++;
		if (repeated->name) {
			free(name);
			return;
		}
		repeated->name = name;
		repeated->offset = command->offset;
	} else if (repeated->name_count < NAMES_MAX) {
		repeated->names = xgrow(repeated->names, &repeated->capacity,
					repeated->name_count + 1, sizeof(*repeated->names));
		repeated->names[repeated->name_count++] = name;
	} else {
		free(name);
	}
}

void repeated_clear(struct repeated *repeated)
{
	for (size_t i = 0; i < repeated->name_count; i++)
		free(repeated->names[i]);
	free(repeated->names);
	free(repeated->name);
	*repeated = (struct repeated){ 0 };
}
