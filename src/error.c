// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reasons of failure: their numbers, their texts, and the one line made of them.
 */
#include <sendcp/error.h>

static const struct {
	int err;
	const char *text;
} scp_reasons[SCP_REASON_COUNT] = {
#define SCP_REASON_ENTRY(name, err, text) [SCP_##name] = { -(err), text },
	SCP_REASONS(SCP_REASON_ENTRY)
#undef SCP_REASON_ENTRY
};

int scp_reason_errno(enum scp_reason reason)
{
	if ((unsigned int)reason >= SCP_REASON_COUNT)
		return -EINVAL;
	return scp_reasons[reason].err;
}

const char *scp_reason_text(enum scp_reason reason)
{
	if ((unsigned int)reason >= SCP_REASON_COUNT)
		return "unknown error";
	return scp_reasons[reason].text;
}

void scp_error_clear(struct scp_error *error)
{
	memset(error, 0, sizeof(*error));
	error->bytenr = SCP_NOWHERE;
	error->root = SCP_NOWHERE;
	error->inode = SCP_NOWHERE;
	error->offset = SCP_NOWHERE;
	error->device = SCP_NOWHERE;
}

/* A line under construction; used never exceeds size - 1. */
struct scp_line {
	char *buffer;
	size_t size;
	size_t used;
};

/* Takes over what snprintf() said it wrote, which is more than it did when it was cut. */
static void line_advance(struct scp_line *line, int written)
{
	size_t capacity = line->size - line->used;

	if (written < 0)
		return;
	line->used += (size_t)written < capacity ? (size_t)written : capacity - 1;
}

static void line_add(struct scp_line *line, const char *before, const char *text)
{
	line_advance(line, snprintf(line->buffer + line->used, line->size - line->used,
				    "%s%s", before, text));
}

/* Internal trees have objectids just below 2^64, known to people as small negative numbers. */
static void line_add_place(struct scp_line *line, const char *name, u64 value)
{
	if (value == SCP_NOWHERE)
		return;
	line_advance(line, snprintf(line->buffer + line->used, line->size - line->used,
				    "%s%s %lld", line->used ? " " : "", name,
				    (long long)value));
}

/* The detail may hold names from a disk: nothing in it may break the line or steer a terminal. */
static void line_add_detail(struct scp_line *line, const char *detail, size_t length)
{
	size_t i;

	line_add(line, " (", "");
	for (i = 0; i < length && detail[i] && line->used + 1 < line->size; i++) {
		u8 c = (u8)detail[i];

		line->buffer[line->used++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	line->buffer[line->used] = '\0';
	line_add(line, ")", "");
}

/* For reasons whose own text says that no other copy was left; NULL: it does not. */
static const char *warning_text(enum scp_reason reason)
{
	switch (reason) {
	case SCP_DEVICE_MISSING:
		return "device is missing";
	case SCP_DEVICE_READ:
		return "read error";
	case SCP_NODE_CSUM:
		return "tree block checksum does not match";
	case SCP_DATA_CSUM:
		return "data checksum does not match";
	default:
		return NULL;
	}
}

static char *format(const struct scp_error *error, const char *text, char *buffer, size_t size)
{
	struct scp_line line = { .buffer = buffer, .size = size };

	if (!size)
		return buffer;
	buffer[0] = '\0';
	line_add_place(&line, "device", error->device);
	line_add_place(&line, "tree", error->root);
	line_add_place(&line, "block", error->bytenr);
	line_add_place(&line, "inode", error->inode);
	line_add_place(&line, "offset", error->offset);
	line_add(&line, line.used ? ": " : "", text);
	if (error->detail[0])
		line_add_detail(&line, error->detail, sizeof(error->detail));
	/* A device's own errno says more than the reason's. */
	if (error->err && error->err != scp_reason_errno(error->reason))
		line_advance(&line, snprintf(buffer + line.used, size - line.used,
					     " [errno %d]", -error->err));
	return buffer;
}

char *scp_error_format(const struct scp_error *error, char *buffer, size_t size)
{
	return format(error, scp_reason_text(error->reason), buffer, size);
}

char *scp_warning_format(const struct scp_error *what, char *buffer, size_t size)
{
	const char *text = warning_text(what->reason);
	size_t used;

	if (!text)
		return scp_error_format(what, buffer, size);
	format(what, text, buffer, size);
	used = size ? strlen(buffer) : 0;
	snprintf(buffer + used, size - used, "; another copy is good");
	return buffer;
}
