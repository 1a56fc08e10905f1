// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building JSON objects.
 */
#include <stddef.h>

#include "util/json_line.h"
#include "util/text.h"

/* Objects are built one at a time, by a thread that then makes text of them. */
static __thread bool lacking;

bool json_take_lacking(void)
{
	bool lacked = lacking;

	lacking = false;
	return lacked;
}

struct json_object *json_new(void)
{
	struct json_object *object = json_object_new_object();

	lacking |= !object;
	return object;
}

struct json_object *json_new_array(void)
{
	struct json_object *array = json_object_new_array();

	lacking |= !array;
	return array;
}

void json_put(struct json_object *object, const char *key, struct json_object *value)
{
	if (object && value && !json_object_object_add(object, key, value))
		return;
	json_object_put(value);
	lacking = true;
}

void json_put_null(struct json_object *object, const char *key)
{
	if (!object || json_object_object_add(object, key, NULL))
		lacking = true;
}

void json_array_add(struct json_object *array, struct json_object *value)
{
	if (array && value && !json_object_array_add(array, value))
		return;
	json_object_put(value);
	lacking = true;
}

void json_put_u64(struct json_object *object, const char *key, u64 value)
{
	json_put(object, key, json_object_new_uint64(value));
}

void json_put_string(struct json_object *object, const char *key, const char *value)
{
	json_put(object, key, json_object_new_string(value));
}

void json_put_text(struct json_object *object, const char *key, const char *text)
{
	if (text)
		json_put_string(object, key, text);
	else
		json_put_null(object, key);
}

void json_put_bool(struct json_object *object, const char *key, bool value)
{
	json_put(object, key, json_object_new_boolean(value));
}

void json_put_hex(struct json_object *object, const char *key, const u8 *bytes, size_t size)
{
	char text[2 * 32 + 1];

	sendcp_hex_format(bytes, size < 32 ? size : 32, text);
	json_put_string(object, key, text);
}

void json_put_uuid(struct json_object *object, const char *key, const u8 uuid[16])
{
	char text[UUID_TEXT_SIZE];

	sendcp_uuid_text(uuid, text);
	json_put_string(object, key, text);
}

void json_put_time(struct json_object *object, u64 time)
{
	if (time)
		json_put_u64(object, "time", time);
}
