// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resume --append with a sidecar: what its hashes prove of FILE is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "append/append.h"
#include "append/survey.h"
#include "fileio.h"
#include "message.h"
#include "proof.h"
#include "text.h"
#include "unwrap/layout.h"

/* What the first block of a zstd frame can have with all that is around it. */
#define FIRST_BLOCK_MAX ((128u << 10) + 64)
/* An archive that is shorter cannot be told from anything else. */
#define ARCHIVE_HEADER 512

struct judge {
	struct survey *survey;
	struct proof proof;
	bool begun;
};

static const char stream_magic[] = "btrfs-stream";

/*
 * Bytes before the first batch that is known count until that batch is found wrong: old lines are
 * dropped, and nothing else is left to prove these bytes with.
 */
static bool take(void *context, const void *data, size_t size, u64 *proven)
{
	struct judge *judge = context;
	struct proof *proof = &judge->proof;
	const struct sidecar *sidecar = proof->sidecar;
	u64 oldest = sidecar->count ? sidecar->batches[0].output_offset : 0;

	if (!judge->begun)
		proof_seek(proof, judge->survey->plain - size);
	judge->begun = true;
	proof_feed(proof, data, size);
	*proven = scp_max(proof->proven, scp_min(proof->offset, oldest));
	return !proof->wrong && proof->offset <= sidecar_made(sidecar);
}

/*
 * An archive of ours that was cut in its first member. Others' may have one of that name, but not
 * with that in it, unless there is nothing in it yet.
 */
static bool manifest_begun(const struct survey *survey)
{
	const bool cpio = survey->wrapping.archive == ARCHIVE_CPIO;
	const u64 name_at = cpio ? 110 : 0, text_at = cpio ? 124 : 512;
	char name[sizeof(LAYOUT_MANIFEST)], text[32];

	if (survey->wrapping.level || read_at(survey->fd, name, sizeof(name), name_at) ||
	    memcmp(name, LAYOUT_MANIFEST, sizeof(name)))
		return false;
	if (survey->size < text_at + sizeof(text))
		return true;
	return !read_at(survey->fd, text, sizeof(text), text_at) &&
	       sidecar_recognise(text, sizeof(text));
}

/* So little that nothing of the stream can be read. */
static bool nothing_begun(const struct survey *survey)
{
	if (survey->wrapping.archive)
		return survey->manifest || manifest_begun(survey);
	return survey->size <= (survey->wrapping.level ? FIRST_BLOCK_MAX : 0);
}

/* Nothing but a part of the first batch, or not even that: making it again loses nothing. */
static bool hardly_begun(const struct survey *survey, const struct proof *proof)
{
	const struct sidecar *sidecar = proof->sidecar;
	u64 first = sidecar->count ? sidecar_batch_end(&sidecar->batches[0]) :
				     sidecar->header.buffer_size;
	size_t size = (size_t)scp_min(survey->plain, sizeof(stream_magic) - 1);

	if (survey->size < ARCHIVE_HEADER && sidecar->header.wrapping.archive)
		return true;
	if (proof->wrong || survey->plain > first ||
	    (sidecar->count && sidecar->batches[0].output_offset))
		return false;
	return size ? !memcmp(survey->head, stream_magic, size) : nothing_begun(survey);
}

static int check_proven(const struct survey *survey, const struct proof *proof)
{
	const struct sidecar *sidecar = proof->sidecar;

	if (proof->count || hardly_begun(survey, proof))
		return 0;
	if (!proof->wrong && sidecar->count && sidecar->batches[0].output_offset)
		return error_line("%s holds %llu bytes of the stream, but the sidecar goes back "
				  "to byte %llu only: it cannot be gone on with", survey->name,
				  survey->plain, sidecar_batch_end(&sidecar->batches[0]));
	return error_line("%s: nothing in it is proven by the sidecar: it is not this stream, or "
			  "damaged from its beginning on; left as it is", survey->name);
}

/* A compressed file goes on with bytes that lie behind the cut and are proven all the same. */
static void take_rest(struct resume *resume, struct survey *survey)
{
	resume->known = survey->blocks.rest;
	resume->known_size = survey->blocks.rest_size;
	survey->blocks.rest = NULL;
}

/*
 * An archive that another program compressed into one frame cannot be cut inside it: the members'
 * ends are no frames' ends. Of a frame of ours, little enough is lost.
 */
static int check_frames(const struct survey *survey, const struct sidecar_header *header)
{
	if (!survey->wrapping.archive || !survey->wrapping.level || survey->at.file_offset ||
	    survey->proven <= header->interval + header->buffer_size)
		return 0;
	return error_line("%s is an archive in one zstd frame, and can be cut nowhere: unpack it "
			  "with zstd -d (as far as that goes), and --append to that",
			  survey->name);
}

static int find_point(struct resume *resume, struct survey *survey, const struct proof *proof)
{
	u64 proven = proof->count ? survey->proven : 0;

	/* An archive that ends before its first whole segment begins anew. */
	if (survey->wrapping.archive)
		proven = survey->at.output_offset;
	if (!proven)
		memset(&survey->at, 0, sizeof(survey->at));
	if (check_proven(survey, proof) || check_frames(survey, &resume->sidecar.header))
		return -1;
	/* Too little of it to be told what it was to become. */
	if (!proven && survey->plain < ARCHIVE_HEADER && sidecar_wrapped(&resume->sidecar))
		survey->wrapping = resume->sidecar.header.wrapping;
	if (resume_point_stream(&resume->sidecar, proven, &resume->point))
		return -1;
	if (proven < survey->plain)
		info_line("%s: the stream is right up to byte %llu and goes on there; the %llu "
			  "bytes behind it are made again", survey->name, proven,
			  survey->plain - proven);
	take_rest(resume, survey);
	return 0;
}

/* The sidecar may be of a stream that something else wrapped; its marks may be of another file. */
static int adapt_sidecar(struct resume *resume, const struct survey *survey)
{
	struct wrapping *wrapping = &resume->sidecar.header.wrapping;
	struct wrapping found = survey->wrapping;
	int ret = 0;

	if (found.level && wrapping->level)
		found.level = wrapping->level;
	if (found.archive == wrapping->archive && found.level == wrapping->level)
		ret = resume_wrapped_marks(&resume->sidecar, &resume->output, &survey->at);
	if (ret)
		return ret < 0 ? -1 : 0;
	*wrapping = found;
	return journal_rewrap(resume->journal, &resume->sidecar);
}

int append_broken_off(const struct resume *resume)
{
	char *checkpoint = shell_quote(journal_path(resume->journal));
	char *file = shell_quote(resume->output_path);

	error_line("broken off, go on with: sendcp resume --checkpoint %s --append %s", checkpoint,
		   file);
	free(file);
	free(checkpoint);
	return EXIT_BROKEN_OFF;
}

/* Whether the snapshot is still there matters only if something is left to be made of it. */
static int go_on(struct resume *resume, struct survey *survey)
{
	bool complete = resume_point_complete(&resume->sidecar, &resume->point);

	if (!complete && resume_open_subject(resume))
		return EXIT_FAILED;
	if (survey_cut(survey) || adapt_sidecar(resume, survey))
		return append_broken_off(resume);
	if (complete)
		info_line("the stream is complete: all %llu bytes were sent",
			  sidecar_made(&resume->sidecar));
	resume->point.at = survey->at;
	resume->mark = sidecar_wrapped(&resume->sidecar) && survey->at.file_offset;
	return resume_go_on(resume);
}

static int survey_with_proof(struct resume *resume, struct survey *survey, struct judge *judge)
{
	const struct sidecar *sidecar = &resume->sidecar;

	survey->skip = sidecar->count ? sidecar->batches[0].output_offset : 0;
	survey->context = judge;
	if (proof_begin(&judge->proof, sidecar, 0))
		return error_line("out of memory");
	return survey_file(survey);
}

int append_with_sidecar(struct resume *resume)
{
	struct survey survey = {
		.fd = resume->output.fd,
		.name = resume->output_path,
		.take = take,
	};
	struct judge judge = { .survey = &survey };
	int code = EXIT_FAILED;

	if (!survey_with_proof(resume, &survey, &judge) &&
	    !find_point(resume, &survey, &judge.proof))
		code = go_on(resume, &survey);
	else if (survey.stopped)
		code = append_stopped(resume);
	proof_end(&judge.proof);
	survey_clear(&survey);
	return code;
}
