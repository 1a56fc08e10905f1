/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: all lines written are read back, after any crash, by one run at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "commands/command.h"
#include "journal/write.h"
#include "resume/point.h"
#include "util/json_line.h"
#include "util/message.h"

#define BATCH 1000u

struct place {
	char directory[32];
	char path[64];
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->directory, "/tmp/sendcp-unit.XXXXXX");
	if (!mkdtemp(place->directory)) {
		free(place);
		return -1;
	}
	snprintf(place->path, sizeof(place->path), "%s/cp", place->directory);
	*state = place;
	return 0;
}

#define AT(offset) ((struct stream_place){ .output_offset = (offset), .file_offset = (offset) })

static int tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	rmdir(place->directory);
	free(place);
	return 0;
}

/* Two subvolumes; strings are literals, so it is never cleared. */
static void make_header(struct journal_header *header, struct identity identities[2])
{
	*header = (struct journal_header){
		.tool = (char *)"test", .protocol = 2, .flags = 0x10, .one_end = true,
		.buffer_size = 4096, .buffers = 3, .interval = 2 * BATCH,
		.output = (char *)"/some/where", .keep = true, .fsid = { 1, 2, 3 },
		.subvolumes = { identities, 2 }, .sources_grow = true,
	};
	for (unsigned int i = 0; i < 2; i++)
		identities[i] = (struct identity){
			.id = 256 + i, .uuid = { (u8)i, 7 }, .ctransid = 99,
			.spec = (char *)"s", .path = (char *)"/m/\xff s\n\"",
		};
}

static struct journal *create(const char *path)
{
	struct journal_header header;
	struct journal *journal;
	struct identity identities[2];

	make_header(&header, identities);
	assert_int_equal(journal_create(path, &header, &journal), 0);
	return journal;
}

static struct journal_batch make_batch(u32 subvolume, u64 stream_offset, u64 output_offset)
{
	static u8 checkpoint[3] = { 5, 6, 7 };

	return (struct journal_batch){
		.subvolume = subvolume, .length = BATCH, .stream_offset = stream_offset,
		.output_offset = output_offset, .hash = { (u8)(output_offset / BATCH) },
		.checkpoint = checkpoint, .checkpoint_size = sizeof(checkpoint),
	};
}

/* @count batches of the first subvolume from @from on. */
static void add(struct journal *journal, u64 from, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct journal_batch batch = make_batch(0, from, from);

		assert_int_equal(journal_put_batch(journal, &batch), 0);
		from += BATCH;
	}
}

static void what_is_written_is_read(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;
	struct stat st;

	add(journal, 0, 3);
	assert_int_equal(journal_delivered(journal, &AT(2500)), 0);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_int_equal(contents.count, 3);
	assert_true(contents.delivered_known && !contents.complete);
	assert_int_equal(contents.delivered.output_offset, 2500);
	assert_string_equal(contents.output, "/some/where");
	assert_string_equal(contents.header.subvolumes.identities[1].path, "/m/\xff s\n\"");
	assert_int_equal(contents.header.subvolumes.identities[1].uuid[0], 1);
	assert_true(contents.header.one_end && contents.header.keep &&
		    contents.header.sources_grow);
	assert_int_equal(contents.header.interval, 2 * BATCH);
	assert_int_equal(contents.batches[2].checkpoint_size, 3);
	assert_int_equal(contents.batches[2].hash[0], 2);
	journal_clear(&contents);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* However much of the file a crash left: it is read as far as its lines are whole. */
static void any_torn_end_is_ignored(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;
	struct stat head, whole;
	size_t last = 0;

	assert_int_equal(stat(place->path, &head), 0);
	add(journal, 0, 3);
	journal_close(journal);
	assert_int_equal(stat(place->path, &whole), 0);
	for (off_t size = whole.st_size; size >= head.st_size; size--) {
		assert_int_equal(truncate(place->path, size), 0);
		assert_int_equal(journal_read_path(place->path, &contents), 0);
		assert_true(size == whole.st_size || contents.count <= last);
		assert_true(contents.good_size <= (u64)size);
		last = contents.count;
		journal_clear(&contents);
	}
	assert_int_equal(last, 0);
	assert_int_equal(truncate(place->path, head.st_size - 1), 0);
	assert_int_equal(journal_read_path(place->path, &contents), -1);
}

static void flip(const char *path, off_t offset)
{
	int fd = open(path, O_RDWR);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

static void damage_counts_unless_it_is_the_end(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;
	struct stat head, st;

	assert_int_equal(stat(place->path, &head), 0);
	add(journal, 0, 1);
	assert_int_equal(journal_sync(journal), 0);
	add(journal, BATCH, 1);
	journal_close(journal);
	assert_int_equal(stat(place->path, &st), 0);
	flip(place->path, st.st_size - 10);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_int_equal(contents.count, 1);
	journal_clear(&contents);
	flip(place->path, head.st_size + 10);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_int_equal(contents.count, 0);
	journal_clear(&contents);
	flip(place->path, st.st_size - 10);
	assert_int_equal(journal_read_path(place->path, &contents), -1);
	flip(place->path, head.st_size + 10);
	flip(place->path, 40);
	assert_int_equal(journal_read_path(place->path, &contents), -1);
}

/* A power cut may leave any lines since the last sync: those after a gap do not count. */
static void lines_since_a_sync_may_be_lost_in_any_order(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;
	struct stat durable;

	add(journal, 0, 2);
	assert_int_equal(journal_sync(journal), 0);
	assert_int_equal(stat(place->path, &durable), 0);
	add(journal, 2 * BATCH, 3);
	journal_close(journal);
	flip(place->path, durable.st_size + 10);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_int_equal(contents.count, 2);
	assert_int_equal(contents.good_size, durable.st_size);
	journal_clear(&contents);
}

/* A torn end is cut off when a run resumes, and lines follow the whole ones. */
static void going_on_behind_a_torn_end(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;
	struct stat st;

	add(journal, 0, 3);
	journal_close(journal);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(truncate(place->path, st.st_size - 5), 0);
	assert_int_equal(journal_open(place->path, &contents, &journal), 0);
	assert_int_equal(contents.count, 2);
	journal_clear(&contents);
	assert_int_equal(journal_resumed(journal, &AT(2 * BATCH), NULL), 0);
	add(journal, 2 * BATCH, 2);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_int_equal(contents.count, 4);
	assert_null(contents.output);
	assert_false(contents.delivered_known);
	journal_clear(&contents);
}

/* Until 0.1.0 the type "delivered" was "handed": such files are read, and resumed from. */
static void a_delivered_line_may_have_its_old_name(void **state)
{
	const struct place *place = *state;
	struct json_object *object = json_object_new_object();
	struct journal *journal = create(place->path);
	struct journal_contents contents;
	size_t length;
	char *line;
	int fd;

	add(journal, 0, 3);
	journal_close(journal);
	json_put_string(object, "type", "handed");
	json_put_u64(object, "output_offset", 2500);
	line = json_line_format(object, &length);
	fd = open(place->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, line, length), length);
	close(fd);
	free(line);
	json_object_put(object);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_true(contents.delivered_known);
	assert_int_equal(contents.delivered.output_offset, 2500);
	journal_clear(&contents);
}

static void later_batches_take_the_place_of_earlier_ones(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_batch batch = make_batch(0, 2 * BATCH, 2 * BATCH);
	struct journal_contents contents;

	add(journal, 0, 5);
	assert_int_equal(journal_complete(journal, &AT(5 * BATCH)), 0);
	assert_int_equal(journal_resumed(journal, &AT(2 * BATCH + 1), "/else"), 0);
	batch.hash[0] = 77;
	assert_int_equal(journal_put_batch(journal, &batch), 0);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_int_equal(contents.count, 3);
	assert_int_equal(contents.batches[2].hash[0], 77);
	assert_false(contents.complete);
	assert_string_equal(contents.output, "/else");
	journal_clear(&contents);
}

static void a_gap_is_refused(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;

	add(journal, 0, 1);
	add(journal, 2 * BATCH, 1);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), -1);
}

/* The end of one subvolume may be an empty batch; the next begins at the same byte. */
static void subvolumes_follow_each_other(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_batch end = make_batch(0, BATCH, BATCH);
	struct journal_batch next = make_batch(1, 0, BATCH);
	struct resume_point point;
	struct journal_contents contents;

	end.length = 0;
	end.end = true;
	next.end = true;
	add(journal, 0, 1);
	assert_int_equal(journal_put_batch(journal, &end), 0);
	assert_int_equal(journal_put_batch(journal, &next), 0);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_int_equal(contents.count, 3);
	assert_int_equal(resume_point_at(&contents, BATCH, &point), 0);
	assert_int_equal(point.start.subvolume, 1);
	assert_null(point.start.checkpoint);
	assert_null(point.proof);
	assert_int_equal(resume_point_at(&contents, BATCH + 1, &point), 0);
	assert_ptr_equal(point.proof, &contents.batches[2]);
	assert_int_equal(point.before.subvolume, 1);
	assert_null(point.before.checkpoint);
	assert_int_equal(resume_point_at(&contents, 2 * BATCH, &point), 1);
	assert_true(resume_point_complete(&contents, &point));
	assert_int_equal(resume_point_at(&contents, 2 * BATCH + 1, &point), -1);
	journal_clear(&contents);
}

static void points_within_and_between_batches(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct resume_point point;
	struct journal_contents contents;

	add(journal, 0, 4);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_int_equal(resume_point_at(&contents, 0, &point), 0);
	assert_true(!point.start.checkpoint && !point.start.output_offset && !point.proof);
	assert_int_equal(resume_point_at(&contents, 2 * BATCH, &point), 0);
	assert_true(point.start.checkpoint == contents.batches[1].checkpoint && !point.proof);
	assert_int_equal(resume_point_at(&contents, 2 * BATCH - 1, &point), 0);
	assert_ptr_equal(point.proof, &contents.batches[1]);
	assert_ptr_equal(point.before.checkpoint, contents.batches[0].checkpoint);
	assert_ptr_equal(point.start.checkpoint, contents.batches[1].checkpoint);
	assert_int_equal(point.start.output_offset, 2 * BATCH);
	/* Nobody can have more than was made, or than was written. */
	assert_int_equal(resume_point_at(&contents, 4 * BATCH + 1, &point), -1);
	contents.delivered_known = true;
	contents.delivered = AT(3 * BATCH);
	assert_int_equal(resume_point_at(&contents, 3 * BATCH + 1, &point), -1);
	assert_int_equal(resume_point_at(&contents, 3 * BATCH, &point), 0);
	journal_clear(&contents);
}

static void old_lines_go_and_enough_stay(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct resume_point point;
	struct journal_contents contents;
	struct stat st;

	assert_int_equal(journal_resumed(journal, &AT(0), "/kept/output"), 0);
	journal_set_keep(journal, 10 * BATCH);
	add(journal, 0, 1000);
	journal_close(journal);
	assert_int_equal(stat(place->path, &st), 0);
	assert_true(st.st_size < 10000);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_true(contents.count > 10 && contents.count <= 21);
	assert_int_equal(journal_batch_end(&contents.batches[contents.count - 1]), 1000 * BATCH);
	assert_string_equal(contents.output, "/kept/output");
	/*
	 * It can be resumed anywhere in the part that is kept, and before that only at the
	 * beginning.
	 */
	assert_int_equal(resume_point_at(&contents, 990 * BATCH, &point), 0);
	assert_int_equal(resume_point_at(&contents, 990 * BATCH + 1, &point), 0);
	assert_int_equal(resume_point_at(&contents, 500 * BATCH, &point), -1);
	assert_int_equal(resume_point_at(&contents, contents.batches[0].output_offset, &point), -1);
	assert_int_equal(resume_point_at(&contents, 0, &point), 0);
	journal_clear(&contents);
}

/* A run that is resumed with a thinned journal thins it further. */
static void thinning_goes_on_in_the_next_run(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;

	journal_set_keep(journal, 10 * BATCH);
	add(journal, 0, 55);
	journal_close(journal);
	assert_int_equal(journal_open(place->path, &contents, &journal), 0);
	journal_clear(&contents);
	journal_set_keep(journal, 10 * BATCH);
	assert_int_equal(journal_resumed(journal, &AT(53 * BATCH), NULL), 0);
	add(journal, 53 * BATCH, 60);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_true(contents.count > 10 && contents.count <= 21);
	assert_null(contents.output);
	assert_int_equal(journal_batch_end(&contents.batches[contents.count - 1]), 113 * BATCH);
	journal_clear(&contents);
}

/* Through thinning, in this run and in later ones; and it is written once. */
static void the_total_stays(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;
	struct stat before, after;

	add(journal, 0, 2);
	assert_int_equal(journal_total(journal, 5000), 0);
	assert_int_equal(stat(place->path, &before), 0);
	assert_int_equal(journal_total(journal, 5000), 0);
	assert_int_equal(stat(place->path, &after), 0);
	assert_true(before.st_size == after.st_size);
	journal_set_keep(journal, 10 * BATCH);
	add(journal, 2 * BATCH, 98);
	journal_close(journal);
	assert_int_equal(journal_open(place->path, &contents, &journal), 0);
	assert_true(contents.total == 5000 && contents.count < 30);
	journal_clear(&contents);
	journal_set_keep(journal, 10 * BATCH);
	add(journal, 100 * BATCH, 100);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_true(contents.total == 5000 && contents.count < 30);
	assert_int_equal(journal_batch_end(&contents.batches[contents.count - 1]), 200 * BATCH);
	journal_clear(&contents);
}

static void who_has_it_is_seen_without_waiting(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;
	bool running = false;

	add(journal, 0, 2);
	assert_int_equal(journal_look(place->path, &contents, &running), 0);
	assert_true(running && contents.count == 2);
	journal_clear(&contents);
	journal_close(journal);
	assert_int_equal(journal_look(place->path, &contents, &running), 0);
	assert_true(!running && contents.count == 2);
	journal_clear(&contents);
}

static void one_run_at_a_time(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal *second;
	struct journal_header header;
	struct journal_contents contents;
	struct identity identities[2];

	make_header(&header, identities);
	journal_set_keep(journal, 10 * BATCH);
	assert_int_equal(journal_open(place->path, &contents, &second), -1);
	add(journal, 0, 50);
	/* Thinning has replaced the file meanwhile; the new one is locked too. */
	assert_int_equal(journal_open(place->path, &contents, &second), -1);
	assert_int_equal(journal_create(place->path, &header, &second), -1);
	journal_close(journal);
	assert_int_equal(journal_open(place->path, &contents, &second), 0);
	journal_clear(&contents);
	journal_close(second);
}

static void foreign_files_are_left_alone(void **state)
{
	const struct place *place = *state;
	struct journal_header header;
	struct journal_contents contents;
	struct journal *journal;
	struct identity identities[2];
	FILE *file = fopen(place->path, "w");

	make_header(&header, identities);
	fputs("precious\n", file);
	fclose(file);
	assert_int_equal(journal_create(place->path, &header, &journal), -1);
	assert_int_equal(journal_read_path(place->path, &contents), -1);
	file = fopen(place->path, "w");
	fputs("{\"sendcp_journal\":2}\n", file);
	fclose(file);
	assert_int_equal(journal_read_path(place->path, &contents), -1);
	/* An empty file, or an old journal, may be overwritten. */
	assert_int_equal(truncate(place->path, 0), 0);
	journal_close(create(place->path));
	journal_close(create(place->path));
}

static void write_lines(struct journal *journal, const char *path, const u8 *data)
{
	FILE *file = fopen(path, "w");

	for (u64 at = 0; at < 5 * BATCH; at += BATCH) {
		struct journal_batch batch = make_batch(0, at, at);

		hash_of(data + at, BATCH, batch.hash);
		assert_int_equal(journal_put_batch(journal, &batch), 0);
	}
	fwrite(data, 1, 5 * BATCH, file);
	fclose(file);
}

/* A file is trusted as far as the hashes of its last interval go. */
static void files_are_proven(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct output output = { .name = "file", .file = true };
	struct resume_point point;
	struct journal_contents contents;
	u8 data[5 * BATCH];
	char path[80];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7 + i / 256);
	snprintf(path, sizeof(path), "%s.out", place->path);
	write_lines(journal, path, data);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	contents.header.interval = BATCH;
	contents.header.buffer_size = BATCH;
	output.fd = open(path, O_RDWR);
	assert_int_equal(resume_point_file(&contents, &output, INT64_MAX, &point), 0);
	assert_int_equal(point.at.file_offset, 5 * BATCH);
	assert_int_equal(ftruncate(output.fd, 5 * BATCH - 1), 0);
	assert_int_equal(resume_point_file(&contents, &output, INT64_MAX, &point), 0);
	assert_int_equal(point.at.file_offset, 4 * BATCH);
	/* Not beyond what the caller wants. */
	assert_int_equal(resume_point_file(&contents, &output, 3 * BATCH - 1, &point), 0);
	assert_int_equal(point.at.file_offset, 2 * BATCH);
	flip(path, 3 * BATCH + 5);
	assert_int_equal(resume_point_file(&contents, &output, INT64_MAX, &point), 0);
	assert_int_equal(point.at.file_offset, 3 * BATCH);
	assert_ptr_equal(point.start.checkpoint, contents.batches[2].checkpoint);
	for (unsigned int i = 0; i < 3; i++)
		flip(path, i * BATCH);
	/* Nothing is right. */
	assert_int_equal(resume_point_file(&contents, &output, INT64_MAX, &point), 1);
	assert_int_equal(point.at.file_offset, 0);
	close(output.fd);
	unlink(path);
	journal_clear(&contents);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The largest checkpoint there is comes back; nothing of it is taken for a torn line. */
static void the_largest_checkpoint_is_read_back(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_batch batch = make_batch(0, BATCH, BATCH);
	struct journal_contents contents;
	u8 *largest = malloc(SENDCP_CHECKPOINT_SIZE_MAX);

	assert_non_null(largest);
	for (u32 i = 0; i < SENDCP_CHECKPOINT_SIZE_MAX; i++)
		largest[i] = (u8)(i * 37 + (i >> 13));
	batch.checkpoint = largest;
	batch.checkpoint_size = SENDCP_CHECKPOINT_SIZE_MAX;
	add(journal, 0, 1);
	assert_int_equal(journal_put_batch(journal, &batch), 0);
	add(journal, 2 * BATCH, 1);
	journal_close(journal);
	assert_int_equal(journal_open(place->path, &contents, &journal), 0);
	assert_int_equal(contents.count, 3);
	assert_int_equal(contents.batches[1].checkpoint_size, SENDCP_CHECKPOINT_SIZE_MAX);
	assert_memory_equal(contents.batches[1].checkpoint, largest, SENDCP_CHECKPOINT_SIZE_MAX);
	journal_close(journal);
	journal_clear(&contents);
	free(largest);
}

/*
 * A line that could not be read back is refused; the lines written before stay good, and more may
 * follow.
 */
static void a_line_that_is_too_long_is_not_written(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_batch batch = make_batch(0, BATCH, BATCH);
	struct journal_contents contents;
	struct stat before, after;

	add(journal, 0, 1);
	assert_int_equal(stat(place->path, &before), 0);
	batch.checkpoint_size = SENDCP_CHECKPOINT_SIZE_MAX + (1u << 20);
	batch.checkpoint = calloc(1, batch.checkpoint_size);
	assert_non_null(batch.checkpoint);
	assert_int_equal(journal_put_batch(journal, &batch), -1);
	assert_int_equal(journal_error(journal), -EMSGSIZE);
	free(batch.checkpoint);
	assert_int_equal(stat(place->path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	add(journal, BATCH, 1);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	assert_int_equal(contents.count, 2);
	journal_clear(&contents);
}

/* No crash makes a line longer: it is damage, which is not cut away. */
static void a_line_that_is_too_long_is_damage(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct journal_contents contents;
	struct stat before, after;
	char *text = malloc(SENDCP_CHECKPOINT_SIZE_MAX);
	int fd;

	assert_non_null(text);
	memset(text, 'A', SENDCP_CHECKPOINT_SIZE_MAX);
	add(journal, 0, 2);
	journal_close(journal);
	fd = open(place->path, O_WRONLY | O_APPEND);
	assert_true(fd >= 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(write(fd, text, SENDCP_CHECKPOINT_SIZE_MAX),
				 SENDCP_CHECKPOINT_SIZE_MAX);
	close(fd);
	free(text);
	assert_int_equal(stat(place->path, &before), 0);
	assert_int_not_equal(journal_read_path(place->path, &contents), 0);
	assert_int_not_equal(journal_open(place->path, &contents, &journal), 0);
	assert_null(journal);
	assert_int_equal(stat(place->path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
}

/* send looked at it before it was locked. */
static void another_send_is_not_continued(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);
	struct options options = { .checkpoint = place->path };
	struct journal_contents contents;
	u8 seen[HASH_SIZE];

	add(journal, 0, 3);
	journal_close(journal);
	assert_int_equal(journal_read_path(place->path, &contents), 0);
	memcpy(seen, contents.header_hash, sizeof(seen));
	journal_clear(&contents);
	options.seen_header = seen;
	/* Its output is not there. */
	assert_int_equal(command_resume(&options), EXIT_FAILED);
	seen[0] ^= 1;
	assert_int_equal(command_resume(&options), EXIT_BROKEN_OFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read),
		TEST(any_torn_end_is_ignored),
		TEST(damage_counts_unless_it_is_the_end),
		TEST(lines_since_a_sync_may_be_lost_in_any_order),
		TEST(going_on_behind_a_torn_end),
		TEST(later_batches_take_the_place_of_earlier_ones),
		TEST(a_gap_is_refused),
		TEST(subvolumes_follow_each_other),
		TEST(points_within_and_between_batches),
		TEST(a_delivered_line_may_have_its_old_name),
		TEST(old_lines_go_and_enough_stay),
		TEST(thinning_goes_on_in_the_next_run),
		TEST(the_total_stays),
		TEST(who_has_it_is_seen_without_waiting),
		TEST(one_run_at_a_time),
		TEST(foreign_files_are_left_alone),
		TEST(files_are_proven),
		TEST(the_largest_checkpoint_is_read_back),
		TEST(a_line_that_is_too_long_is_not_written),
		TEST(a_line_that_is_too_long_is_damage),
		TEST(another_send_is_not_continued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
