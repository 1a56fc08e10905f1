/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state directory: checkpoint files of streams that were given no place for one, and links to
 * all others, so that what can be resumed is found without knowing where it is.
 *
 * $SENDCP_STATE_DIR; else, as root, /var/lib/sendcp, and as another user $XDG_STATE_HOME/sendcp or
 * ~/.local/state/sendcp. It must belong to the caller and be writable to nobody else. A stream that
 * cannot have an entry there is sent all the same.
 */
#ifndef CLI_JOURNAL_STATE_H
#define CLI_JOURNAL_STATE_H

#include <stdbool.h>
#include <sendcp/platform.h>

#include "journal/format.h"

/* Days after the last change of an entry that no run has open; then it is removed. */
#define STATE_KEEP_DAYS 30

/*
 * A path for a new checkpoint file of a stream of the subvolume @name, malloc'ed. Makes the
 * directory and removes entries that are too old. NULL with a warning: there is no such place.
 */
char *state_new_path(const char *name);

/* A link to the checkpoint file @path, if that is elsewhere. Failures are reported with -v. */
void state_link(const char *path);
/* Removes it, if it is there. */
void state_unlink(const char *path);

struct state_entry {
	/* Its own path, in the state directory. */
	const char *name;
	/* The checkpoint file's path; absolute if it is not in the state directory. */
	const char *path;
	/* Why it cannot be read now, an errno (its disk may not be mounted); 0: it was read. */
	int err;
	/* A run has it open. */
	bool running;
	/* What it holds, unless ->err is set. */
	const struct journal_contents *contents;
};

/*
 * Calls @function with each stream that is not complete, the one that was changed last first.
 * Returns their number, or -1 with an error line if the directory cannot be read; one that is not
 * there is empty.
 */
int state_each(void (*function)(void *context, const struct state_entry *entry), void *context);

#endif
