// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The formats that a stream is wrapped into.
 */
#include <stddef.h>
#include <string.h>
#include <zstd.h>

#include "journal/container_spec.h"

static const char *const names[] = {
	[ARCHIVE_TAR] = "tar",
	[ARCHIVE_CPIO] = "cpio",
};

bool container_level_possible(unsigned long long level)
{
	return level >= 1 && level <= (unsigned long long)ZSTD_maxCLevel();
}

const char *archive_kind_name(enum archive_kind kind)
{
	return names[kind];
}

bool archive_kind_find(const char *name, enum archive_kind *kind)
{
	for (size_t i = ARCHIVE_TAR; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], name)) {
			*kind = (enum archive_kind)i;
			return true;
		}
	}
	return false;
}

/* All of them on one line, as they are read by someone who has nothing but the file. */
const char *container_extract_text(const struct container_spec *container)
{
	if (!container->archive)
		return "zstd -dc FILE | btrfs receive DIR";
	if (container->level)
		return "zstd -dc FILE | bsdtar -xOf - 'stream.*' | btrfs receive DIR";
	if (container->archive == ARCHIVE_CPIO)
		return "cpio -i --to-stdout --quiet 'stream.*' <FILE | btrfs receive DIR";
	return "tar -xOf FILE --wildcards 'stream.*' | btrfs receive DIR";
}
