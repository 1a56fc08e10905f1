// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recognising marks.
 */
#include <string.h>
#include <sendcp/stream.h>

#include "parse/mark.h"

static bool is_text(const struct stream_attribute *attribute, const char *text)
{
	return attribute && attribute->length == strlen(text) &&
	       !memcmp(attribute->value, text, attribute->length);
}

enum stream_mark stream_mark(const struct stream_command *command)
{
	const struct stream_attribute *name, *how;

	if (command->type != SENDCP_C_UPDATE_EXTENT)
		return MARK_NONE;
	name = stream_attribute(command, SENDCP_A_XATTR_NAME);
	how = stream_attribute(command, SENDCP_A_XATTR_DATA);
	if (!name && !how)
		return MARK_NONE;
	if (!is_text(name, SENDCP_MARK_NAME))
		return MARK_WRONG;
	if (is_text(how, SENDCP_MARK_ZERO))
		return MARK_ZERO;
	return is_text(how, SENDCP_MARK_SKIP) ? MARK_SKIP : MARK_WRONG;
}
