// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A checkpoint's header: verified and signed without any filesystem at hand.
 */
#include <sendcp/engine.h>
#include "send/checkpoint.h"
#include "send/state.h"

static u32 checksum(const u8 *blob, size_t size)
{
	static const u8 zero[4];
	size_t crc = offsetof(struct sendcp_checkpoint_header, crc);
	u32 value = sendcp_crc32c(~0u, blob, crc);

	value = sendcp_crc32c(value, zero, sizeof(zero));
	return ~sendcp_crc32c(value, blob + crc + sizeof(zero), size - crc - sizeof(zero));
}

void sendcp_checkpoint_sign(u8 *blob, size_t size)
{
	sendcp_put_le32(blob + offsetof(struct sendcp_checkpoint_header, crc),
			checksum(blob, size));
}

static enum sendcp_reason verify(const u8 *blob, size_t size)
{
	const struct sendcp_checkpoint_header *header = (const void *)blob;

	if (size < sizeof(*header) || memcmp(header->magic, SENDCP_CHECKPOINT_MAGIC, 8))
		return SENDCP_ERR_CHECKPOINT_FORMAT;
	if (le32_to_cpu(header->version) != SENDCP_CHECKPOINT_FORMAT_VERSION)
		return SENDCP_ERR_CHECKPOINT_VERSION;
	if (le32_to_cpu(header->size) != size ||
	    le32_to_cpu(header->crc) != checksum(blob, size))
		return SENDCP_ERR_CHECKPOINT_FORMAT;
	return SENDCP_ERR_NONE;
}

int sendcp_checkpoint_verify(const u8 *blob, size_t size, enum sendcp_reason *reason)
{
	*reason = verify(blob, size);
	return sendcp_reason_errno(*reason);
}

/* Those of the clone roots, and the parent's after them. */
static u64 pin_count(const struct sendcp_checkpoint_header *header)
{
	return (u64)le32_to_cpu(header->root_count) + !!header->parent;
}

/* Finds tree @id among the pins; leaves @pin zeroed if it is not there. */
static bool find_pin(const struct sendcp_checkpoint_header *header, size_t size, u64 id,
		     struct sendcp_pin *pin)
{
	const struct sendcp_checkpoint_pin *pins = (const void *)(header + 1);
	u64 count = pin_count(header);
	u64 i;

	memset(pin, 0, sizeof(*pin));
	if (count > (size - sizeof(*header)) / sizeof(*pins))
		return false;
	for (i = 0; i < count; i++) {
		if (le64_to_cpu(pins[i].id) != id)
			continue;
		pin->id = id;
		memcpy(pin->uuid, pins[i].uuid, sizeof(pin->uuid));
		pin->ctransid = le64_to_cpu(pins[i].ctransid);
		return true;
	}
	return false;
}

/*
 * Is nothing left to be given out? In the last phase the queue holds at most the command END. So
 * the four bytes before the payload are the queue's length, 0, or END's checksum, which is
 * another one.
 */
static bool is_at_end(const struct sendcp_checkpoint_header *header, size_t size)
{
	size_t at = sizeof(*header) + pin_count(header) * sizeof(struct sendcp_checkpoint_pin);
	const struct sendcp_checkpoint_state *state = (const void *)((const u8 *)header + at);
	size_t tail = sizeof(u32) + sizeof(struct sendcp_checkpoint_payload);

	if (at > size || size - at < sizeof(*state) + tail || state->phase != SENDCP_PHASE_DONE)
		return false;
	return !sendcp_get_le32((const u8 *)header + size - tail);
}

static void fill_info(const struct sendcp_checkpoint_header *header,
		      struct sendcp_checkpoint_info *info)
{
	info->version = le32_to_cpu(header->version);
	info->protocol = le32_to_cpu(header->protocol);
	info->flags = le32_to_cpu(header->flags);
	memcpy(info->fsid, header->fsid, sizeof(info->fsid));
	info->offset = le64_to_cpu(header->offset);
	info->clone_count = le32_to_cpu(header->root_count) - 1;
}

int sendcp_checkpoint_info(const void *blob, size_t size, struct sendcp_checkpoint_info *info,
			   struct sendcp_error *error)
{
	const struct sendcp_checkpoint_header *header = blob;
	enum sendcp_reason reason;
	int err = sendcp_checkpoint_verify(blob, size, &reason);

	memset(info, 0, sizeof(*info));
	if (!err) {
		fill_info(header, info);
		if (!find_pin(header, size, le64_to_cpu(header->subvolume), &info->subvolume) ||
		    (header->parent &&
		     !find_pin(header, size, le64_to_cpu(header->parent), &info->parent))) {
			reason = SENDCP_ERR_CHECKPOINT_FORMAT;
			err = sendcp_reason_errno(reason);
		}
		info->end = !err && is_at_end(header, size);
	}
	if (err && error) {
		sendcp_error_clear(error);
		error->reason = reason;
		error->err = err;
	}
	return err;
}
