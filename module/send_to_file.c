// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SENDCP_IOC_STREAM: a stream into a pipe, file or socket with one call.
 *
 * The reader of the output may stop in the middle of a command. So a command is settled, a
 * checkpoint taken in front of it, and then it is made and written: with that checkpoint and the
 * number of bytes written after it the next call makes the same command and continues within it.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <sendcp/engine.h>

#include "checkpoint_out.h"
#include "ioctl.h"

struct sendcp_stream {
	struct sendcp_file *sfile;
	struct sendcp_send *args;
	struct file *output;
	/* Large enough for any one command. */
	u8 *command;
	size_t capacity;
	/* Bytes written by this call. */
	size_t written;
	/* Bytes of the next command that are out already. */
	u64 skip;
	/* Taken in front of the command being written. */
	u8 *before;
	size_t before_size;
	u64 before_offset;
	/* The engine is past the command that is being written. */
	bool within;
	bool end;
};

static int engine_failed(struct sendcp_stream *stream, int ret)
{
	if (ret)
		stream->sfile->error = *sendcp_engine_error(stream->sfile->engine);
	return ret;
}

/*
 * The holder of the position may wait for anything meanwhile, so this wait has to end by a signal,
 * too.
 */
static ssize_t write_once(struct file *file, const void *data, size_t size)
{
	bool seeks = file->f_mode & FMODE_ATOMIC_POS;
	loff_t position;
	ssize_t done;

	if (seeks && mutex_lock_interruptible(&file->f_pos_lock))
		return -EINTR;
	position = file->f_pos;
	done = kernel_write(file, data, size, &position);
	if (done > 0 && !(file->f_mode & FMODE_STREAM))
		file->f_pos = position;
	if (seeks)
		mutex_unlock(&file->f_pos_lock);
	return done;
}

/*
 * EMSGSIZE would make the caller enlarge the buffer for its checkpoint over and over: it comes from
 * sockets for messages that are shorter than a command, which cannot take a stream.
 */
static int write_error(ssize_t done)
{
	if (!done)
		return -EIO;
	return done == -EMSGSIZE ? -EINVAL : done;
}

/* All of it, unless a signal or a failure comes; counts what went out. */
static int write_out(struct sendcp_stream *stream, const u8 *data, size_t size)
{
	while (size) {
		ssize_t done = write_once(stream->output, data, size);

		if (done <= 0)
			return write_error(done);
		stream->written += done;
		stream->skip += done;
		data += done;
		size -= done;
		if (size && signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/*
 * The checkpoint in front of the next command. One that does not fit is found out before anything
 * is written that this call could not account for; the one before it stays.
 */
static int take_checkpoint(struct sendcp_stream *stream)
{
	struct sendcp_engine *engine = stream->sfile->engine;
	void *checkpoint;
	size_t size;
	int ret;

	ret = engine_failed(stream, sendcp_engine_checkpoint(engine, &checkpoint, &size));
	if (ret)
		return ret;
	/*
	 * With nothing written yet, memory of the caller's that is not there can still be reported.
	 */
	ret = sendcp_checkpoint_put(stream->args, checkpoint, size, sendcp_engine_offset(engine),
				    !stream->written);
	if (ret) {
		sendcp_free(checkpoint);
		return ret;
	}
	sendcp_free(stream->before);
	stream->before = checkpoint;
	stream->before_size = size;
	stream->before_offset = sendcp_engine_offset(engine);
	return 0;
}

/*
 * No more than the command has can be out. The mark of damaged contents is longer than a WRITE of a
 * few bytes: of what stands for contents the length is known when it is made.
 */
static bool skip_possible(const struct sendcp_stream *stream, u32 length)
{
	if (length && (stream->args->flags & (SENDCP_DATA_ZERO | SENDCP_DATA_SKIP)))
		return stream->skip <= stream->capacity;
	return stream->skip <= length;
}

static int settle_command(struct sendcp_stream *stream)
{
	u32 length;
	int ret;

	ret = engine_failed(stream, sendcp_engine_settle_command(stream->sfile->engine, &length,
								 &stream->end));
	if (ret)
		return ret;
	if (!skip_possible(stream, length))
		return -EINVAL;
	return stream->end ? 0 : take_checkpoint(stream);
}

static int write_command(struct sendcp_stream *stream)
{
	struct sendcp_fill fill = {
		.buffer = stream->command,
		.size = stream->capacity,
		.flags = SENDCP_FILL_ONE_COMMAND,
	};
	int ret;

	/* Also where it is made and void: the engine has passed it, and nothing of it is out. */
	ret = engine_failed(stream, sendcp_engine_fill(stream->sfile->engine, &fill));
	stream->within = !ret || sendcp_engine_is_void(stream->sfile->engine);
	/* Of contents that cannot be read any more, less is made than what is out. */
	if (!ret && stream->skip > fill.filled)
		ret = -ESTALE;
	if (!ret)
		ret = write_out(stream, stream->command + stream->skip,
				fill.filled - stream->skip);
	if (ret)
		return ret;
	stream->within = false;
	stream->skip = 0;
	return 0;
}

static int stream_commands(struct sendcp_stream *stream)
{
	int ret;

	do {
		ret = settle_command(stream);
		if (!ret && !stream->end)
			ret = write_command(stream);
		if (!ret && stream->written && signal_pending(current))
			break;
	} while (!ret && !stream->end && !(stream->args->flags & SENDCP_ONE_COMMAND));
	return ret;
}

/* The checkpoint in front of the last command, and how much after it is out. */
static int finish_within(struct sendcp_stream *stream, u64 out)
{
	int ret = sendcp_checkpoint_put(stream->args, stream->before, stream->before_size,
					stream->before_offset, true);

	stream->args->new_skip = out;
	sendcp_file_drop_engine(stream->sfile);
	return ret;
}

/*
 * The checkpoint is where the engine is. Without memory or space for that it is the one in front of
 * the last command, all of which is out: every byte written must be accounted for.
 */
static int finish_between(struct sendcp_stream *stream)
{
	u64 offset = sendcp_engine_offset(stream->sfile->engine);
	int ret = sendcp_checkpoint_out(stream->sfile, stream->args);

	/*
	 * With nothing written the caller must learn why, or the next call would fail in the same
	 * way.
	 */
	if (ret && stream->before && stream->written)
		return finish_within(stream, offset - stream->before_offset);
	if (ret)
		sendcp_file_drop_engine(stream->sfile);
	return ret;
}

/* A failure after bytes that are out comes again with the next call. */
static int finish(struct sendcp_stream *stream, int ret)
{
	if (ret && !stream->written) {
		sendcp_file_drop_engine(stream->sfile);
		return ret;
	}
	stream->args->filled = stream->written;
	stream->args->result = stream->end && !ret ? SENDCP_RESULT_END : 0;
	return stream->within ? finish_within(stream, stream->skip) : finish_between(stream);
}

static int run_stream(struct sendcp_stream *stream, const void *checkpoint)
{
	struct sendcp_file *sfile = stream->sfile;
	int ret;

	sfile->ctx->made = &stream->written;
	ret = sendcp_file_arm(sfile, stream->args, checkpoint, stream->args->checkpoint_size);
	if (ret)
		return ret;
	stream->capacity = sendcp_buffer_min(stream->args->protocol);
	stream->command = sendcp_alloc(stream->capacity);
	if (!stream->command)
		return -ENOMEM;
	ret = finish(stream, stream_commands(stream));
	sendcp_free(stream->command);
	sendcp_free(stream->before);
	return ret;
}

/* Anything that write(2) takes, except for what only takes user memory. */
static struct file *get_output(int fd)
{
	struct file *file = fget(fd);
	int ret = 0;

	if (!file)
		return ERR_PTR(-EBADF);
	if (!(file->f_mode & FMODE_WRITE))
		ret = -EBADF;
	else if (!file->f_op->write_iter || file->f_op->write)
		ret = -EINVAL;
	if (!ret)
		return file;
	fput(file);
	return ERR_PTR(ret);
}

int sendcp_send_to_file(struct sendcp_file *sfile, struct sendcp_send *args, const void *checkpoint)
{
	struct sendcp_stream stream = { .sfile = sfile, .args = args, .skip = args->skip };
	int ret;

	if (args->buffer || args->buffer_size || args->flags & SENDCP_SPLIT_WRITES)
		return -EINVAL;
	stream.output = get_output(args->output_fd);
	if (IS_ERR(stream.output))
		return PTR_ERR(stream.output);
	ret = run_stream(&stream, checkpoint);
	fput(stream.output);
	return ret;
}
