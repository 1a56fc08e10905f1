// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The beginning of a stream: its header and the command that makes the subvolume.
 */
#include "send/engine_private.h"
#include "send/step.h"

/*
 * The top-level subvolume has no name anywhere. It can only be sent from an image, where it may be
 * all there is; from a mount it is refused as the kernel refuses it.
 */
static const char toplevel_name[] = "toplevel";

static int subvolume_name(struct sendcp_engine *engine, struct sendcp_name *name)
{
	u64 parent;

	if (engine->tree->id != SENDCP_FS_TREE_ID || !(engine->flags & SENDCP_SEND_WRITABLE_OK))
		return sendcp_root_name(engine->volume, engine->tree->id, name, &parent);
	name->len = sizeof(toplevel_name) - 1;
	memcpy(name->bytes, toplevel_name, name->len);
	return 0;
}

int sendcp_step_begin(struct sendcp_engine *engine)
{
	const struct sendcp_root_info *info = &engine->tree->info;
	const struct sendcp_root_info *parent = engine->parent ? &engine->parent->info : NULL;
	struct sendcp_name name;
	int err = 0;

	if (!(engine->flags & SENDCP_SEND_OMIT_HEADER))
		err = sendcp_queue_stream_header(&engine->encoder);
	if (!err)
		err = subvolume_name(engine, &name);
	if (err)
		return err;
	sendcp_command_begin(&engine->encoder, parent ? SENDCP_C_SNAPSHOT : SENDCP_C_SUBVOL);
	sendcp_put_bytes(&engine->encoder, SENDCP_A_PATH, name.bytes, name.len);
	sendcp_put_bytes(&engine->encoder, SENDCP_A_UUID, sendcp_sent_uuid(info), SENDCP_UUID_SIZE);
	sendcp_put_u64(&engine->encoder, SENDCP_A_CTRANSID, info->ctransid);
	if (parent) {
		sendcp_put_bytes(&engine->encoder, SENDCP_A_CLONE_UUID, sendcp_sent_uuid(parent),
				 SENDCP_UUID_SIZE);
		sendcp_put_u64(&engine->encoder, SENDCP_A_CLONE_CTRANSID, parent->ctransid);
	}
	/* A full send's first change is the first item at or after (256, INODE_ITEM, 0). */
	engine->state.at.key.objectid = SENDCP_ROOT_DIR_ID;
	engine->state.at.key.type = SENDCP_INODE_ITEM - 1;
	engine->state.at.key.offset = ~0ULL;
	engine->state.phase = SENDCP_PHASE_CHANGE;
	return sendcp_command_end(&engine->encoder);
}
