// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stream on its way into a file or pipe: members into frames into the output.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/frames.h"
#include "container/layout.h"
#include "container/members.h"
#include "container/wrap.h"
#include "journal/lines.h"
#include "util/alloc.h"

struct wrap {
	/* Below all layers. */
	struct sink bottom;
	const struct journal_header *header;
	/* The file or pipe. */
	struct sink *below;
	/* NULL: no archive; not compressed. */
	struct members *members;
	struct frames *frames;
	/* Given out by wrap_release(). */
	bool holding;
	u8 *held;
	size_t held_size;
	size_t held_capacity;
	/* Plain bytes wrapped, and wrapped bytes given out. */
	struct stream_place at;
	/* The archive's first member is there. */
	bool begun;
	int err;
};

static int hold(struct wrap *wrap, const void *data, size_t size)
{
	u8 *grown = grow(wrap->held, &wrap->held_capacity, wrap->held_size + size, 1);

	if (!grown)
		return -ENOMEM;
	wrap->held = grown;
	memcpy(wrap->held + wrap->held_size, data, size);
	wrap->held_size += size;
	return 0;
}

static int give_out(struct wrap *wrap, const void *data, size_t size)
{
	int ret = wrap->below->write(wrap->below, data, size);

	if (!ret)
		wrap->at.file_offset += size;
	return ret;
}

static int write_bottom(struct sink *sink, const void *data, size_t size)
{
	/* The sink is the first member. */
	struct wrap *wrap = (struct wrap *)sink;

	return wrap->holding ? hold(wrap, data, size) : give_out(wrap, data, size);
}

static int open_layers(struct wrap *wrap)
{
	const struct container_spec *container = &wrap->header->container;
	struct sink *below = &wrap->bottom;
	int ret = 0;

	if (container->level) {
		ret = frames_open(container->run_level ? container->run_level : container->level,
				  container->workers, below, &wrap->frames);
		if (!ret)
			below = frames_sink(wrap->frames);
	}
	if (!ret && container->archive)
		wrap->members = members_open(container->archive, below);
	return ret;
}

int wrap_open(const struct journal_header *header, struct sink *below,
	      const struct stream_place *at, struct wrap **out)
{
	struct wrap *wrap;
	int ret;

	*out = NULL;
	if (container_is_plain(&header->container))
		return 0;
	wrap = xcalloc(1, sizeof(*wrap));
	wrap->bottom.write = write_bottom;
	wrap->header = header;
	wrap->below = below;
	wrap->at = *at;
	wrap->begun = at->file_offset;
	ret = open_layers(wrap);
	if (ret)
		wrap_free(wrap);
	else
		*out = wrap;
	return ret;
}

void wrap_free(struct wrap *wrap)
{
	if (!wrap)
		return;
	members_free(wrap->members);
	frames_free(wrap->frames);
	free(wrap->held);
	free(wrap);
}

/* Nothing can follow what failed in its middle. */
static int done(struct wrap *wrap, int ret)
{
	if (ret && !wrap->err)
		wrap->err = ret;
	return ret;
}

int wrap_release(struct wrap *wrap)
{
	size_t size = wrap->held_size;

	if (wrap->err)
		return wrap->err;
	wrap->holding = false;
	wrap->held_size = 0;
	return size ? done(wrap, give_out(wrap, wrap->held, size)) : 0;
}

/* Two numbers a segment, and those below 2 for what comes before all of them. */
static int add_numbered(struct wrap *wrap, const char *kind, u64 number, const void *data,
			size_t size)
{
	char name[32];

	snprintf(name, sizeof(name), "%s" LAYOUT_NUMBER, kind, wrap->at.segments);
	return members_add(wrap->members, name, number, data, size);
}

static int add_manifest(struct wrap *wrap)
{
	size_t length;
	char *line;
	int ret;

	if (wrap->begun)
		return 0;
	line = journal_manifest_line(wrap->header, &length);
	if (!line)
		return -ENOMEM;
	ret = members_add(wrap->members, LAYOUT_MANIFEST, 1, line, length);
	free(line);
	wrap->begun = true;
	return ret;
}

/* The end of the segment is held back: with it, it can be resumed after the segment. */
static int add_segment(struct wrap *wrap, const void *data, size_t size, const char *line,
		       size_t length)
{
	int ret = add_manifest(wrap);

	wrap->at.segments++;
	if (!ret)
		ret = add_numbered(wrap, LAYOUT_STREAM, 2 * wrap->at.segments, data, size);
	wrap->holding = true;
	if (!ret)
		ret = add_numbered(wrap, LAYOUT_CHECKPOINT, 2 * wrap->at.segments + 1, line,
				   length);
	return ret;
}

int wrap_batch(struct wrap *wrap, const void *data, size_t size, const char *line, size_t length)
{
	int ret;

	if (!wrap->members)
		return wrap_bytes(wrap, data, size);
	ret = wrap_release(wrap);
	if (!ret)
		ret = done(wrap, add_segment(wrap, data, size, line, length));
	if (!ret)
		wrap->at.output_offset += size;
	return ret;
}

int wrap_bytes(struct wrap *wrap, const void *data, size_t size)
{
	struct sink *sink = frames_sink(wrap->frames);
	int ret = wrap_release(wrap);

	if (!ret)
		ret = done(wrap, sink->write(sink, data, size));
	if (!ret)
		wrap->at.output_offset += size;
	return ret;
}

int wrap_cut(struct wrap *wrap)
{
	if (wrap->err)
		return wrap->err;
	wrap->holding = true;
	return wrap->frames ? done(wrap, frames_end(wrap->frames)) : 0;
}

void wrap_place(const struct wrap *wrap, struct stream_place *place)
{
	*place = wrap->at;
	place->file_offset += wrap->held_size;
}

static int add_end(struct wrap *wrap, const char *line, size_t length)
{
	int ret = add_manifest(wrap);

	if (!ret)
		ret = members_add(wrap->members, LAYOUT_COMPLETE, 2 * wrap->at.segments + 2, line,
				  length);
	return ret ? ret : members_finish(wrap->members);
}

int wrap_finish(struct wrap *wrap, const char *line, size_t length)
{
	int ret = wrap_release(wrap);

	if (!ret && wrap->members)
		ret = done(wrap, add_end(wrap, line, length));
	if (!ret)
		ret = wrap_cut(wrap);
	return ret ? ret : wrap_release(wrap);
}

bool wrap_starved(const struct wrap *wrap)
{
	return wrap->frames && frames_starved(wrap->frames);
}
