// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resume --append with a journal: the part of FILE that its hashes prove is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "container/layout.h"
#include "container/unwrap.h"
#include "job/resume_command.h"
#include "journal/batch_verifier.h"
#include "resume/append/append.h"
#include "resume/append/scan.h"
#include "resume/file.h"
#include "resume/prefix.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/summary.h"

/* The most bytes that the first block of a zstd frame can have with its frame's header. */
#define FIRST_BLOCK_MAX ((128u << 10) + 64)
/* An archive that is shorter cannot be distinguished from anything else. */
#define ARCHIVE_HEADER 512
/* The manifest of an archive, with room for many subvolumes. */
#define MANIFEST_MAX (64u << 10)

struct verifier {
	struct file_scan *scan;
	struct batch_verifier batches;
	bool begun;
	/* Of all of the stream's bytes, where no batch proves anything; from byte 0 on. */
	struct hash all;
};

/* The most bytes of a stream's beginning that the journal can have no line of yet. */
static u64 beginning(const struct journal_contents *contents)
{
	if (contents->count)
		return journal_batch_end(&contents->batches[0]);
	return journal_undurable_max(&contents->header);
}

/*
 * Bytes before the first batch that is known count until that batch is found wrong: old lines are
 * dropped, and nothing else is left to prove these bytes with.
 */
static bool verify_bytes(void *context, const void *data, size_t size, u64 *proven)
{
	struct verifier *verifier = context;
	struct batch_verifier *batches = &verifier->batches;
	const struct journal_contents *contents = batches->contents;
	u64 oldest = contents->count ? contents->batches[0].output_offset : 0;

	if (!verifier->begun)
		batch_verifier_seek(batches, verifier->scan->plain - size);
	verifier->begun = true;
	if (!batches->count)
		hash_add(&verifier->all, data, size);
	batch_verifier_feed(batches, data, size);
	*proven = sendcp_max(batches->proven, sendcp_min(batches->offset, oldest));
	return !batches->wrong && batches->offset <= sendcp_max(journal_made(contents),
								beginning(contents));
}

/*
 * An archive of ours that was cut in its first member. Others' may have one of that name, but not
 * with that in it, unless there is nothing in it yet.
 */
static bool manifest_begun(const struct file_scan *scan)
{
	const bool cpio = scan->container.archive == ARCHIVE_CPIO;
	const u64 name_at = cpio ? 110 : 0, text_at = cpio ? 124 : 512;
	char name[sizeof(LAYOUT_MANIFEST)], text[32];

	if (scan->container.level || read_at(scan->fd, name, sizeof(name), name_at) ||
	    memcmp(name, LAYOUT_MANIFEST, sizeof(name)))
		return false;
	if (scan->size < text_at + sizeof(text))
		return true;
	return !read_at(scan->fd, text, sizeof(text), text_at) &&
	       journal_recognise(text, sizeof(text));
}

/* The little that is there is what an archive of ours begins with. */
static bool archive_begun(const struct file_scan *scan, const struct container_spec *container)
{
	static const char cpio_magic[] = "070701";
	char bytes[sizeof(LAYOUT_MANIFEST)];
	const char *wanted = container->archive == ARCHIVE_CPIO ? cpio_magic : LAYOUT_MANIFEST;
	size_t size = (size_t)sendcp_min(scan->size, strlen(wanted));

	if (read_at(scan->fd, bytes, size, 0))
		return false;
	return container->level ? unwrap_zstd_begun((u8 *)bytes, size) :
				 !memcmp(bytes, wanted, size);
}

/* So little that nothing of the stream can be read. */
static bool too_short_to_tell(const struct file_scan *scan, const struct container_spec *container)
{
	if (!scan->size)
		return true;
	if (container->archive && scan->size < ARCHIVE_HEADER)
		return archive_begun(scan, container);
	if (scan->container.archive)
		return scan->manifest || manifest_begun(scan);
	return scan->container.level && scan->size <= FIRST_BLOCK_MAX;
}

/*
 * An archive without a byte of the stream is one that was only begun: no longer than a manifest, or
 * than what is not durable yet if no segment ever was. A longer one is damaged, or another.
 */
static bool only_begun(const struct file_scan *scan, const struct journal_contents *contents)
{
	u64 most = MANIFEST_MAX;

	if (!contents->header.container.archive)
		return true;
	if (!contents->mark_count)
		most += journal_undurable_max(&contents->header);
	return scan->size <= most;
}

/* The bytes read are the beginning of the stream: making it again loses nothing. */
static int stream_begun(struct resume *resume, const struct file_scan *scan,
			const struct verifier *verifier)
{
	const struct journal_contents *contents = &resume->contents;
	u8 hash[HASH_SIZE];

	if (verifier->batches.wrong || scan->plain > beginning(contents) ||
	    (contents->count && contents->batches[0].output_offset))
		return 0;
	if (!resume->job.source && resume_open_job(resume))
		return -1;
	hash_result(&verifier->all, hash);
	return resume_prefix_hash(resume, scan->plain, hash);
}

/* Not even a beginning: a shell made it, or the file that was meant is on a disk not mounted. */
static bool holds_nothing(const struct file_scan *scan)
{
	if (!scan->size)
		return true;
	return scan->container.level && !scan->container.archive && scan->blocks.whole &&
	       !scan->plain;
}

static int refuse_empty(const struct resume *resume)
{
	char *command = resume_command(journal_path(resume->journal), resume->options);

	error_line("%s holds none of the %llu bytes that were made", resume->output_path,
		   journal_made(&resume->contents));
	error_line("to start over: %s --restart", command);
	free(command);
	return -1;
}

static int check_proven(struct resume *resume, const struct file_scan *scan,
			const struct verifier *verifier)
{
	const struct journal_contents *contents = &resume->contents;
	bool short_archive = contents->header.container.archive && scan->size < ARCHIVE_HEADER;
	int ret;

	if (verifier->batches.count)
		return 0;
	if (resume->options->append && contents->count && holds_nothing(scan))
		return refuse_empty(resume);
	if (scan->plain && !short_archive)
		ret = stream_begun(resume, scan, verifier);
	else
		ret = too_short_to_tell(scan, &contents->header.container) &&
		      only_begun(scan, contents);
	if (ret)
		return ret < 0 ? -1 : 0;
	if (!verifier->batches.wrong && contents->count && contents->batches[0].output_offset)
		return error_line("%s holds %llu bytes of the stream and cannot be resumed: the "
				  "checkpoint file goes back only to byte %llu", scan->name,
				  scan->plain, journal_batch_end(&contents->batches[0]));
	return error_line("%s: nothing in it is proven by the checkpoint file: it is not this "
			  "stream, or is damaged from its first byte; left as it is", scan->name);
}

/* The bytes of a compressed file after the cut may be proven all the same. */
static void adopt_rest(struct resume *resume, struct file_scan *scan)
{
	resume->known = scan->blocks.rest;
	resume->known_size = scan->blocks.rest_size;
	scan->blocks.rest = NULL;
}

/*
 * An archive that another program compressed into one frame cannot be cut inside it: the members'
 * ends are no frames' ends. Of a frame of ours, little enough is lost.
 */
static int check_frames(const struct file_scan *scan, const struct journal_header *header)
{
	if (!scan->container.archive || !scan->container.level || scan->at.file_offset ||
	    scan->proven <= header->interval + header->buffer_size)
		return 0;
	return error_line("%s is an archive in one zstd frame and cannot be truncated: unpack it "
			  "with zstd -d (as far as possible), and --append to that", scan->name);
}

static int find_point(struct resume *resume, struct file_scan *scan,
		      const struct verifier *verifier)
{
	const struct batch_verifier *batches = &verifier->batches;
	u64 proven = batches->count ? scan->proven : 0;

	/* An archive that ends before its first whole segment begins anew. */
	if (scan->container.archive)
		proven = scan->at.output_offset;
	if (!proven)
		memset(&scan->at, 0, sizeof(scan->at));
	if (check_proven(resume, scan, verifier) || check_frames(scan, &resume->contents.header))
		return -1;
	/* Too little of it to know what it was to become. */
	if (!proven && scan->plain < ARCHIVE_HEADER && journal_in_container(&resume->contents))
		scan->container = resume->contents.header.container;
	if (resume_point_stream(&resume->contents, proven, &resume->point))
		return -1;
	if (resume_point_complete(&resume->contents, &resume->point) &&
	    append_check_follows(resume, scan))
		return -1;
	if (proven < scan->plain)
		info_line("%s: the stream is correct up to byte %llu; the "
			  "%llu bytes after it are regenerated", scan->name, proven,
			  scan->plain - proven);
	adopt_rest(resume, scan);
	return 0;
}

/* The journal may be of a stream that something else wrapped; its marks may be of another file. */
static int adapt_journal(struct resume *resume, const struct file_scan *scan)
{
	struct container_spec *container = &resume->contents.header.container;
	struct container_spec found = scan->container;
	int ret = 0;

	if (found.level && container->level)
		found.level = container->level;
	if (found.archive == container->archive && found.level == container->level)
		ret = resume_container_marks(&resume->contents, &resume->output, &scan->at);
	if (ret)
		return ret < 0 ? -1 : 0;
	*container = found;
	return journal_set_container(resume->journal, &resume->contents);
}

int append_broken_off(const struct resume *resume)
{
	char *command = resume_command_append(journal_path(resume->journal), resume->options,
					      resume->output_path);

	error_line("interrupted; resume with: %s", command);
	summary_resume(command);
	free(command);
	return EXIT_BROKEN_OFF;
}

static int note_complete(struct resume *resume, const struct file_scan *scan)
{
	struct stream_place total = {
		.output_offset = scan->plain,
		.file_offset = scan->size,
	};

	info_line("the stream is complete: all %llu bytes were sent", scan->plain);
	if (journal_complete(resume->journal, &total) || journal_sync(resume->journal))
		return append_broken_off(resume);
	return resume_complete(resume);
}

/* Whether the snapshot is still there matters only if something is left to be made of it. */
static int go_on(struct resume *resume, struct file_scan *scan)
{
	bool complete = resume_point_complete(&resume->contents, &resume->point);

	if (complete && append_is_whole_archive(resume, scan))
		return note_complete(resume, scan);
	if (!complete && !resume->job.source && resume_open_job(resume))
		return EXIT_FAILED;
	if (scan_truncate(scan) || adapt_journal(resume, scan))
		return append_broken_off(resume);
	if (complete)
		info_line("the stream is complete: all %llu bytes were sent",
			  journal_made(&resume->contents));
	resume->point.at = scan->at;
	resume->mark = journal_in_container(&resume->contents) && scan->at.file_offset;
	return resume_go_on(resume);
}

static int scan_with_proof(struct resume *resume, struct file_scan *scan, struct verifier *verifier)
{
	const struct journal_contents *contents = &resume->contents;

	scan->skip = contents->count ? contents->batches[0].output_offset : 0;
	scan->context = verifier;
	hash_init(&verifier->all);
	batch_verifier_begin(&verifier->batches, contents, 0);
	return scan_file(scan);
}

int append_with_journal(struct resume *resume)
{
	struct file_scan scan = {
		.fd = resume->output.fd,
		.name = resume->output_path,
		.take = verify_bytes,
	};
	struct verifier verifier = { .scan = &scan };
	int code = EXIT_FAILED;

	if (!scan_with_proof(resume, &scan, &verifier) &&
	    !find_point(resume, &scan, &verifier))
		code = go_on(resume, &scan);
	else if (scan.stopped)
		code = append_stopped(resume);
	batch_verifier_end(&verifier.batches);
	hash_clear(&verifier.all);
	scan_clear(&scan);
	return code;
}
