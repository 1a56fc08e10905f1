/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain send stream out of any file that holds one: plain, zstd, tar, cpio, or one of these two
 * inside zstd. The first bytes say which.
 *
 * A pull interface in bounded memory, over a file or a pipe. It never prints: unwrap_ending() says
 * how it ended, and where. All bytes handed out by then are right as far as the wrapping can show
 * (of an archive: the last segment's digest may be the damaged part).
 */
#ifndef CLI_CONTAINER_UNWRAP_H
#define CLI_CONTAINER_UNWRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <json-c/json.h>
#include <sendcp/platform.h>

struct unwrap;

enum unwrap_kind {
	/* Anything that is not one of the others: whether it is a stream, its parser finds. */
	UNWRAP_PLAIN,
	UNWRAP_ZSTD,
	UNWRAP_TAR,
	UNWRAP_CPIO,
	UNWRAP_ZSTD_TAR,
	UNWRAP_ZSTD_CPIO,
};

enum unwrap_how {
	UNWRAP_CONTINUES,
	/* All there is was read, and it ends as it should. */
	UNWRAP_COMPLETE,
	/* Right as far as it goes, but it ends inside a frame or a member, or members lack. */
	UNWRAP_TRUNCATED,
	/* Something in it is wrong. */
	UNWRAP_DAMAGED,
	/* It cannot be read, or memory is short. */
	UNWRAP_FAILED,
};

/* The same place, counted in bytes of the file and of the plain stream. */
struct unwrap_place {
	u64 file;
	u64 plain;
};

struct unwrap_ending {
	enum unwrap_how how;
	/* Words for people, such as "the zstd frame that begins at byte 4711 is cut". */
	char what[256];
	/* Bytes read, and bytes handed out, by then. */
	struct unwrap_place at;
	/*
	 * The first byte of the file that is not the container's own; 0: none, as far as is known.
	 * Inside compressed archives its place is not known, only that there is one: 1.
	 */
	u64 foreign;
};

enum unwrap_member_kind {
	UNWRAP_MANIFEST,
	UNWRAP_CHECKPOINT,
	UNWRAP_TRAILER,
};

/*
 * A member of an archive that is not stream: one line of JSON with its sum, which was found right.
 * A checkpoint is handed out when its segment was found to have its length and digest.
 */
struct unwrap_member {
	enum unwrap_member_kind kind;
	/* Of the segment, from 1; checkpoints only. */
	u64 number;
	/* Without its newline. */
	const char *line;
	size_t length;
	struct json_object *object;
};

/* Called from unwrap_read(). Nothing of @member lives on. */
typedef void (*unwrap_member_fn)(void *context, const struct unwrap_member *member);

/* "-" is stdin. NULL with errno. Reading ends (UNWRAP_FAILED) when a signal asks to stop. */
struct unwrap *unwrap_open(const char *path);
/* Begins to read at @fd's position and leaves @fd open in the end. NULL without memory. */
struct unwrap *unwrap_open_fd(int fd);
/* Of the file, if it is a regular one; else 0. */
u64 unwrap_size(const struct unwrap *unwrap);
/* NULL is taken. */
void unwrap_close(struct unwrap *unwrap);
/* Before the first unwrap_read(). */
void unwrap_on_member(struct unwrap *unwrap, unwrap_member_fn function, void *context);

/* The next bytes of the plain stream, at least one and perhaps fewer than @size; 0: ended. */
size_t unwrap_read(struct unwrap *unwrap, void *buffer, size_t size);

/* Known when unwrap_read() has returned once. */
enum unwrap_kind unwrap_kind(const struct unwrap *unwrap);
/* Does something of zstd begin with these bytes, which may be too few to be sure? Not with none. */
bool unwrap_zstd_begun(const u8 *bytes, size_t size);
/* "zstd", "tar in zstd", ... */
const char *unwrap_kind_text(enum unwrap_kind kind);
const struct unwrap_ending *unwrap_ending(const struct unwrap *unwrap);

/*
 * End of the last whole unit that was read: the file can be cut and resumed there. A byte of a
 * plain file, a frame of zstd, a segment of an archive with its checkpoint (in zstd: if a frame
 * ends after it, too). Both 0: there is none.
 */
struct unwrap_place unwrap_whole(const struct unwrap *unwrap);
/* "byte", "zstd frame", ...: the unit that unwrap_whole() counts in. */
const char *unwrap_unit_text(enum unwrap_kind kind);

#endif
