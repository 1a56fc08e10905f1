// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * streamcmp: are two send streams the same, command by command?
 *
 * WRITEs of one file that adjoin count as one: their data is compared byte by byte, wherever the
 * commands are broken. All else must agree to the byte. Exit status: 0 the same, 1 different, 2
 * nothing was compared, or a stream is malformed. Differences that are known and wanted have to be
 * allowed by name, one by one.
 */
#include "deviation.h"
#include "stream.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SAME = 0, DIFFERENT = 1, FAILED = 2 };

static bool exact;

struct side {
	struct reader reader;
	struct command now;
	/* now holds a command that is still to be compared. */
	bool loaded;
	/* Bytes of now's DATA that have been compared already. */
	size_t used;
};

static struct side ours, native;
static uint64_t allowed;

/* 1 loaded, 0 at the end, -1 malformed. */
static int load(struct side *side)
{
	int ret;

	if (side->loaded)
		return 1;
	ret = reader_next(&side->reader, &side->now);
	side->loaded = ret > 0;
	side->used = 0;
	return ret;
}

static void print_side(const struct side *side)
{
	if (!side->loaded) {
		printf("  %s: ends after command %" PRIu64 ", byte %zu\n", side->reader.name,
		       side->reader.number, side->reader.size);
		return;
	}
	printf("  %s: command %" PRIu64 " at byte %zu: ", side->reader.name, side->now.number,
	       side->now.offset);
	command_print(stdout, &side->now);
	putchar('\n');
}

static int differ(const char *what)
{
	printf("different: %s\n", what);
	print_side(&ours);
	print_side(&native);
	return DIFFERENT;
}

static bool same_attr(unsigned int type)
{
	const struct attribute *a = command_attr(&ours.now, type);
	const struct attribute *b = command_attr(&native.now, type);

	if (!a || !b)
		return a == b;
	return a->length == b->length && !memcmp(a->value, b->value, a->length);
}

static const char *first_difference(void)
{
	static char text[100];

	if (!ours.loaded || !native.loaded)
		return "one stream goes on where the other ends";
	if (ours.now.type == C_HEADER && native.now.type == C_HEADER)
		return "protocol";
	if (ours.now.type != native.now.type)
		return "another command";
	for (unsigned int i = 0; i < ours.now.attr_count; i++)
		if (!same_attr(ours.now.attrs[i].type)) {
			snprintf(text, sizeof(text), "%s of %s",
				 attr_name(ours.now.attrs[i].type), command_name(ours.now.type));
			return text;
		}
	return "attributes";
}

static uint64_t write_place(const struct side *side)
{
	return attr_u64(command_attr(&side->now, A_FILE_OFFSET)) + side->used;
}

/* Both are WRITEs that have come to the same byte of the same file. */
static bool writes_meet(void)
{
	return ours.now.type == C_WRITE && native.now.type == C_WRITE && same_attr(A_PATH) &&
	       write_place(&ours) == write_place(&native);
}

static int differ_in_data(const uint8_t *a, const uint8_t *b)
{
	uint64_t place = write_place(&ours);
	char text[100];

	for (; *a == *b; a++, b++)
		place++;
	snprintf(text, sizeof(text), "data at file offset %" PRIu64 ": 0x%02x and 0x%02x", place,
		 *a, *b);
	return differ(text);
}

static void use(struct side *side, size_t n)
{
	side->used += n;
	if (side->used == command_attr(&side->now, A_DATA)->length)
		side->loaded = false;
}

/* Compares as much of the two WRITEs as both have. */
static int compare_writes(void)
{
	const struct attribute *a = command_attr(&ours.now, A_DATA);
	const struct attribute *b = command_attr(&native.now, A_DATA);
	const uint8_t *pa = a->value + ours.used;
	const uint8_t *pb = b->value + native.used;
	size_t n = a->length - ours.used;

	if (n > b->length - native.used)
		n = b->length - native.used;
	if (memcmp(pa, pb, n))
		return differ_in_data(pa, pb);
	use(&ours, n);
	use(&native, n);
	return SAME;
}

static bool same_bytes(void)
{
	return ours.now.total == native.now.total &&
	       !memcmp(ours.reader.data + ours.now.offset,
		       native.reader.data + native.now.offset, ours.now.total);
}

static const struct command *whole(const struct side *side)
{
	return side->loaded ? &side->now : NULL;
}

static int compare_deviation(void)
{
	int take = 0;

	if (!ours.used && !native.used)
		take = deviation_match(whole(&ours), whole(&native));
	if (!take)
		return differ(first_difference());
	allowed++;
	if (take & TAKE_OURS)
		ours.loaded = false;
	if (take & TAKE_NATIVE) {
		deviation_note(&native.now);
		native.loaded = false;
	}
	return SAME;
}

/* Compares the next of both sides; takes the part that agrees off both. */
static int compare_next(void)
{
	if (ours.loaded && native.loaded) {
		if (!exact && writes_meet())
			return compare_writes();
		if (!ours.used && !native.used && same_bytes()) {
			deviation_note(&native.now);
			ours.loaded = false;
			native.loaded = false;
			return SAME;
		}
	}
	return compare_deviation();
}

static int report_same(void)
{
	if (!ours.reader.number) {
		fprintf(stderr, "nothing was compared: no command in either stream\n");
		return FAILED;
	}
	printf("same: %" PRIu64 " commands, %zu bytes", ours.reader.number, ours.reader.size);
	if (allowed)
		printf(", %" PRIu64 " allowed deviations", allowed);
	putchar('\n');
	return SAME;
}

/* Native gave up in its middle: the part until then was compared, and ours has to be whole. */
static int compare_rest(void)
{
	int ret = 1;

	allowed++;
	while (ret > 0) {
		ours.loaded = false;
		ret = load(&ours);
	}
	return ret ? FAILED : report_same();
}

static int compare(void)
{
	for (;;) {
		int a = load(&ours);
		int b = load(&native);
		int ret;

		if (a < 0 || b < 0)
			return FAILED;
		if (!a && !b)
			return report_same();
		if (!b && native.reader.inside && !ours.used)
			return compare_rest();
		ret = compare_next();
		if (ret)
			return ret;
	}
}

static int compare_files(const char *a, const char *b)
{
	int ret = FAILED;

	if (!reader_open(&ours.reader, a) && !reader_open(&native.reader, b)) {
		native.reader.may_stop = deviation_may_stop();
		ret = compare();
	}
	reader_close(&ours.reader);
	reader_close(&native.reader);
	return ret;
}

/* Byte offset, number and words of every command. */
static int list(const char *name)
{
	struct command command;
	struct reader reader;
	int ret = -1;

	if (reader_open(&reader, name))
		return FAILED;
	while ((ret = reader_next(&reader, &command)) > 0) {
		printf("%zu\t%" PRIu64 "\t", command.offset, command.number);
		command_print(stdout, &command);
		putchar('\n');
	}
	if (!ret && !reader.number) {
		fprintf(stderr, "%s: no command in it\n", name);
		ret = -1;
	}
	reader_close(&reader);
	return ret ? FAILED : SAME;
}

static int usage(void)
{
	fprintf(stderr, "usage: streamcmp [--exact] [--allow-deviation NAME]... OURS NATIVE\n"
			"       streamcmp --list STREAM\n"
			"NAME: %s\n", deviation_names());
	return FAILED;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "exact", no_argument, NULL, 'e' },
		{ "allow-deviation", required_argument, NULL, 'a' },
		{ "list", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'e')
			exact = true;
		else if (c == 'l')
			return list(optarg);
		else if (c != 'a' || deviation_allow(optarg))
			return usage();
	}
	if (argc - optind != 2)
		return usage();
	return compare_files(argv[optind], argv[optind + 1]);
}
