// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A send stream's commands in words, one line each.
 */
#include "stream.h"

#include <inttypes.h>

/* Longer byte values are cut: a line is for people. */
#define SHOWN 48

static void print_bytes(FILE *out, const uint8_t *p, size_t size, size_t limit)
{
	fputc('"', out);
	for (size_t i = 0; i < size && i < limit; i++) {
		if (p[i] < 0x20 || p[i] >= 0x7f || p[i] == '"' || p[i] == '\\')
			fprintf(out, "\\x%02x", p[i]);
		else
			fputc(p[i], out);
	}
	fputs(size > limit ? "\"..." : "\"", out);
}

static void print_uuid(FILE *out, const uint8_t *p)
{
	for (int i = 0; i < 16; i++)
		fprintf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", p[i]);
}

static void print_time(FILE *out, const struct attribute *attr)
{
	struct attribute seconds = { .length = 8, .value = attr->value };
	struct attribute nanoseconds = { .length = 4, .value = attr->value + 8 };

	fprintf(out, "%" PRId64 ".%09" PRIu64, (int64_t)attr_u64(&seconds),
		attr_u64(&nanoseconds));
}

static void print_value(FILE *out, const struct attribute *attr)
{
	switch (attr_kind(attr->type)) {
	case K_U8:
	case K_U32:
	case K_U64:
		fprintf(out, "%" PRIu64, attr_u64(attr));
		break;
	case K_UUID:
		print_uuid(out, attr->value);
		break;
	case K_TIME:
		print_time(out, attr);
		break;
	case K_STRING:
		print_bytes(out, attr->value, attr->length, attr->length);
		break;
	case K_BYTES:
		fprintf(out, "[%zu]", attr->length);
		print_bytes(out, attr->value, attr->length, SHOWN);
		break;
	}
}

void command_print(FILE *out, const struct command *command)
{
	fputs(command_name(command->type), out);
	if (command->type == C_HEADER)
		fprintf(out, " protocol=%u", command->protocol);
	for (unsigned int i = 0; i < command->attr_count; i++) {
		fprintf(out, " %s=", attr_name(command->attrs[i].type));
		print_value(out, &command->attrs[i]);
	}
}
