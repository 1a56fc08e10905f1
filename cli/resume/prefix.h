/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is what a file holds the beginning of the stream? For files so short that the journal knows no
 * hash of what is in them: the stream's first bytes are regenerated and compared.
 *
 * Functions return 1 for yes, 0 for no, and -1 with an error line if it cannot be found out.
 */
#ifndef CLI_RESUME_PREFIX_H
#define CLI_RESUME_PREFIX_H

#include "resume/run.h"

/*
 * All of ->output, of @size bytes. Sectors of zeros are what a crash leaves of a file whose end had
 * not been written to the disk, so they are no difference. Needs the job.
 */
int resume_prefix_file(const struct resume *resume, u64 size);
/* Are the stream's first @size bytes those with the hash @hash (util/hash.h)? */
int resume_prefix_hash(const struct resume *resume, u64 size, const u8 hash[HASH_SIZE]);

#endif
