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

static int subvolume_name(struct scp_engine *engine, struct scp_name *name)
{
	u64 parent;

	if (engine->tree->id != SCP_FS_TREE_ID || !(engine->flags & SCP_SEND_WRITABLE_OK))
		return scp_root_name(engine->volume, engine->tree->id, name, &parent);
	name->len = sizeof(toplevel_name) - 1;
	memcpy(name->bytes, toplevel_name, name->len);
	return 0;
}

int scp_step_begin(struct scp_engine *engine)
{
	const struct scp_root_info *info = &engine->tree->info;
	const struct scp_root_info *parent = engine->parent ? &engine->parent->info : NULL;
	struct scp_name name;
	int err = 0;

	if (!(engine->flags & SCP_SEND_OMIT_HEADER))
		err = scp_queue_stream_header(&engine->encoder);
	if (!err)
		err = subvolume_name(engine, &name);
	if (err)
		return err;
	scp_command_begin(&engine->encoder, parent ? SCP_C_SNAPSHOT : SCP_C_SUBVOL);
	scp_put_bytes(&engine->encoder, SCP_A_PATH, name.bytes, name.len);
	scp_put_bytes(&engine->encoder, SCP_A_UUID, scp_sent_uuid(info), SCP_UUID_SIZE);
	scp_put_u64(&engine->encoder, SCP_A_CTRANSID, info->ctransid);
	if (parent) {
		scp_put_bytes(&engine->encoder, SCP_A_CLONE_UUID, scp_sent_uuid(parent),
			      SCP_UUID_SIZE);
		scp_put_u64(&engine->encoder, SCP_A_CLONE_CTRANSID, parent->ctransid);
	}
	/* A full send's first change is the first item at or after (256, INODE_ITEM, 0). */
	engine->state.at.key.objectid = SCP_ROOT_DIR_ID;
	engine->state.at.key.type = SCP_INODE_ITEM - 1;
	engine->state.at.key.offset = ~0ULL;
	engine->state.phase = SCP_PHASE_CHANGE;
	return scp_command_end(&engine->encoder);
}
