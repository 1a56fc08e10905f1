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

static bool is_unexplained(const struct source *source, const struct scp_error *error)
{
	return source->host.mounted && error->reason == SCP_DATA_READ &&
	       (error->err == -EIO || error->err == -EUCLEAN) && error->inode != SCP_NOWHERE &&
	       error->offset != SCP_NOWHERE;
}

static bool is_damage(const struct scp_error *found)
{
	return found->reason != SCP_NONE && !reason_class(found->reason).passes;
}

/* Reads the file's extents at the volume's commit. After the file's end there are zeros. */
static void look(struct scp_file_reader *reader, void *buffer, const struct scp_error *error,
		 struct scp_error *found)
{
	const struct scp_file_range range = {
		.root = error->root,
		.inode = error->inode,
		.offset = scp_round_down(error->offset, PAGE),
		.length = LOOK_SIZE,
	};

	scp_error_clear(found);
	scp_file_read(reader, &range, buffer, found);
}

/*
 * Addresses are used for something else once a commit has freed them, so a look counts only if
 * there was none meanwhile.
 */
static bool look_still(struct scp_volume *volume, const struct scp_error *error,
		       struct scp_error *found)
{
	bool still = false;
	int tries = TRIES;

	while (!still && tries--) {
		struct scp_file_reader *reader = scp_file_reader_open(volume);
		void *buffer = malloc(LOOK_SIZE);

		if (reader && buffer)
			look(reader, buffer, error, found);
		free(buffer);
		scp_file_reader_close(reader);
		if (!reader || !buffer)
			return false;
		still = !scp_volume_refresh(volume);
	}
	return still;
}

void read_failure_explain(struct source *source, struct scp_error *error)
{
	struct scp_volume *volume;
	struct scp_error found;
	bool still;

	if (!is_unexplained(source, error) ||
	    scp_volume_open(&source->host, &volume, &found))
		return;
	still = look_still(volume, error, &found);
	scp_volume_close(volume);
	if (!still || !is_damage(&found))
		return;
	/* The path is there already. */
	if (*error->detail)
		memcpy(found.detail, error->detail, sizeof(found.detail));
	*error = found;
}
