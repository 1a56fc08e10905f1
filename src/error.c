// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reasons of failure: their numbers, their texts, and the one line made of them.
 */
#include <sendcp/error.h>

static const struct {
	int err;
	const char *text;
} sendcp_reasons[SENDCP_REASON_COUNT] = {
#define SENDCP_REASON_ENTRY(name, err, text) [SENDCP_ERR_##name] = { -(err), text },
	SENDCP_REASONS(SENDCP_REASON_ENTRY)
#undef SENDCP_REASON_ENTRY
};

int sendcp_reason_errno(enum sendcp_reason reason)
{
	if ((unsigned int)reason >= SENDCP_REASON_COUNT)
		return -EINVAL;
	return sendcp_reasons[reason].err;
}

const char *sendcp_reason_text(enum sendcp_reason reason)
{
	if ((unsigned int)reason >= SENDCP_REASON_COUNT)
		return "unknown error";
	return sendcp_reasons[reason].text;
}

void sendcp_error_clear(struct sendcp_error *error)
{
	memset(error, 0, sizeof(*error));
	error->bytenr = SENDCP_NOWHERE;
	error->root = SENDCP_NOWHERE;
	error->inode = SENDCP_NOWHERE;
	error->offset = SENDCP_NOWHERE;
	error->device = SENDCP_NOWHERE;
}

/* A line under construction; used never exceeds size - 1. */
struct sendcp_line {
	char *buffer;
	size_t size;
	size_t used;
};

/* Takes over what snprintf() said it wrote, which is more than it did when it was cut. */
static void line_advance(struct sendcp_line *line, int written)
{
	size_t capacity = line->size - line->used;

	if (written < 0)
		return;
	line->used += (size_t)written < capacity ? (size_t)written : capacity - 1;
}

static void line_add(struct sendcp_line *line, const char *before, const char *text)
{
	line_advance(line, snprintf(line->buffer + line->used, line->size - line->used,
				    "%s%s", before, text));
}

/* Internal trees have objectids just below 2^64, known to people as small negative numbers. */
static void line_add_place(struct sendcp_line *line, const char *name, u64 value)
{
	if (value == SENDCP_NOWHERE)
		return;
	line_advance(line, snprintf(line->buffer + line->used, line->size - line->used,
				    "%s%s %lld", line->used ? " " : "", name,
				    (long long)value));
}

/* The detail may hold names from a disk: nothing in it may break the line or steer a terminal. */
static void line_add_detail(struct sendcp_line *line, const char *detail, size_t length)
{
	size_t i;

	line_add(line, " (", "");
	for (i = 0; i < length && detail[i] && line->used + 1 < line->size; i++) {
		u8 c = (u8)detail[i];

		line->buffer[line->used++] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
	}
	line->buffer[line->used] = '\0';
	line_add(line, ")", "");
}

/*
 * Of one copy of a block or sector, in place of a text that says that no other was left. NULL: the
 * reason is none of these.
 */
static const char *warning_text(enum sendcp_reason reason)
{
	switch (reason) {
	case SENDCP_ERR_DEVICE_MISSING:
		return "device is missing";
	case SENDCP_ERR_DEVICE_READ:
	case SENDCP_ERR_DATA_READ:
		return "read error";
	case SENDCP_ERR_NODE_CSUM:
		return "tree block checksum does not match";
	case SENDCP_ERR_NODE_FSID:
	case SENDCP_ERR_NODE_BYTENR:
	case SENDCP_ERR_NODE_GENERATION:
	case SENDCP_ERR_NODE_LEVEL:
	case SENDCP_ERR_NODE_FIRST_KEY:
	case SENDCP_ERR_NODE_ITEMS:
		return sendcp_reason_text(reason);
	case SENDCP_ERR_DATA_CSUM:
		return "data checksum does not match";
	default:
		return NULL;
	}
}

static char *format(const struct sendcp_error *error, const char *text, char *buffer, size_t size)
{
	struct sendcp_line line = { .buffer = buffer, .size = size };

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
	if (error->err && error->err != sendcp_reason_errno(error->reason))
		line_advance(&line, snprintf(buffer + line.used, size - line.used,
					     " [errno %d]", -error->err));
	return buffer;
}

char *sendcp_error_format(const struct sendcp_error *error, char *buffer, size_t size)
{
	return format(error, sendcp_reason_text(error->reason), buffer, size);
}

char *sendcp_warning_format(const struct sendcp_error *what, char *buffer, size_t size)
{
	const char *text = warning_text(what->reason);
	size_t used;

	if (!text)
		return sendcp_error_format(what, buffer, size);
	format(what, text, buffer, size);
	used = size ? strlen(buffer) : 0;
	snprintf(buffer + used, size - used, "; another copy is good");
	return buffer;
}
