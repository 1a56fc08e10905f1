// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why the kernel could not read a file: found out by reading its extents past the filesystem.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/read_failure.h"
#include "backend/internal.h"
#include "reason_class.h"

#define PAGE 4096u
/*
 * As much as is read at once, from where its first page begins: the module says where the read
 * began, and the kernel reads ahead.
 */
#define LOOK_SIZE (180224u + PAGE)
/* Commits that may come while it is looked. */
#define TRIES 5

static bool is_unexplained(const struct sendcp_source *source, const struct sendcp_error *error)
{
	return source->host.mounted && error->reason == SENDCP_ERR_DATA_READ &&
	       (error->err == -EIO || error->err == -EUCLEAN) && error->inode != SENDCP_NOWHERE &&
	       error->offset != SENDCP_NOWHERE;
}

static bool is_damage(const struct sendcp_error *found)
{
	return found->reason != SENDCP_ERR_NONE && !sendcp_reason_class(found->reason).passes;
}

/* Reads the file's extents at the volume's commit. After the file's end there are zeros. */
static void look(struct sendcp_file_reader *reader, void *buffer, const struct sendcp_error *error,
		 struct sendcp_error *found)
{
	const struct sendcp_file_range range = {
		.root = error->root,
		.inode = error->inode,
		.offset = sendcp_round_down(error->offset, PAGE),
		.length = LOOK_SIZE,
	};

	sendcp_error_clear(found);
	sendcp_file_read(reader, &range, buffer, found);
}

/*
 * Addresses are used for something else once a commit has freed them, so a look counts only if
 * there was none meanwhile.
 */
static bool look_still(struct sendcp_volume *volume, const struct sendcp_error *error,
		       struct sendcp_error *found)
{
	bool still = false;
	int tries = TRIES;

	while (!still && tries--) {
		struct sendcp_file_reader *reader = sendcp_file_reader_open(volume);
		void *buffer = malloc(LOOK_SIZE);

		if (reader && buffer)
			look(reader, buffer, error, found);
		free(buffer);
		sendcp_file_reader_close(reader);
		if (!reader || !buffer)
			return false;
		still = !sendcp_volume_refresh(volume);
	}
	return still;
}

void sendcp_read_failure_explain(struct sendcp_source *source, struct sendcp_error *error)
{
	struct sendcp_volume *volume;
	struct sendcp_error found;
	bool still;

	if (!is_unexplained(source, error) ||
	    sendcp_volume_open(&source->host, &volume, &found))
		return;
	still = look_still(volume, error, &found);
	sendcp_volume_close(volume);
	if (!still || !is_damage(&found))
		return;
	/* The path is there already. */
	if (*error->detail)
		memcpy(found.detail, error->detail, sizeof(found.detail));
	*error = found;
}
