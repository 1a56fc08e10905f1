// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files a call names by fd: taken, looked at, given back.
 */
#include <linux/exportfs.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/sched/signal.h>
#include <linux/statfs.h>
#include <linux/uaccess.h>
#include <sendcp/ondisk.h>

#include "files.h"
#include "handle.h"

/* An open file with @mode, or -EBADF. */
static struct file *get_open_file(int fd, fmode_t mode)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (file->f_mode & mode)
		return file;
	fput(file);
	return ERR_PTR(-EBADF);
}

/* The filesystem's own file handle says which tree an inode is in. */
static int read_root(struct file *file, u64 *root)
{
	struct sendcp_inode_handle handle = { 0 };
	int words = SENDCP_INODE_HANDLE_WORDS;
	int type;

	type = exportfs_encode_fh(file->f_path.dentry, (struct fid *)&handle, &words, 0);
	if (type != FILEID_BTRFS_WITHOUT_PARENT || words != SENDCP_INODE_HANDLE_WORDS)
		return -EINVAL;
	if (handle.inode != SENDCP_ROOT_DIR_ID)
		return -EINVAL;
	*root = handle.root;
	return 0;
}

static int subvolume_get(int fd, struct sendcp_subvolume *subvolume)
{
	struct file *file = get_open_file(fd, FMODE_READ);
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (file_inode(file)->i_sb->s_magic != BTRFS_SUPER_MAGIC || !d_is_dir(file->f_path.dentry))
		ret = -EINVAL;
	else
		ret = read_root(file, &subvolume->root);
	if (ret)
		fput(file);
	else
		subvolume->file = file;
	return ret;
}

static bool same_filesystem(const struct sendcp_subvolume *a, const struct sendcp_subvolume *b)
{
	return file_inode(a->file)->i_sb == file_inode(b->file)->i_sb;
}

/* Copies the fds at user address @from; NULL for none, or an error pointer. */
static s32 *copy_fds(u64 from, u32 count, u32 most)
{
	s32 *fds;

	if (!count)
		return from ? ERR_PTR(-EINVAL) : NULL;
	if (count > most)
		return ERR_PTR(-E2BIG);
	fds = sendcp_alloc(count * sizeof(*fds));
	if (!fds)
		return ERR_PTR(-ENOMEM);
	if (!copy_from_user(fds, u64_to_user_ptr(from), count * sizeof(*fds)))
		return fds;
	sendcp_free(fds);
	return ERR_PTR(-EFAULT);
}

/*
 * Any block device opened for reading: its superblock decides whether it is one of the
 * filesystem's.
 */
static int device_get(int fd, struct file **device)
{
	struct file *file = get_open_file(fd, FMODE_READ);

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (!S_ISBLK(file_inode(file)->i_mode)) {
		fput(file);
		return -ENOTBLK;
	}
	*device = file;
	return 0;
}

static int devices_get(const struct sendcp_send *args, struct sendcp_files *files)
{
	s32 *fds = copy_fds(args->device_fds, args->device_count, SENDCP_DEVICES_MAX);
	int ret = 0;
	u32 i;

	if (IS_ERR(fds))
		return PTR_ERR(fds);
	if (!fds)
		return -EINVAL;
	files->devices = sendcp_zalloc(args->device_count * sizeof(*files->devices));
	if (!files->devices)
		ret = -ENOMEM;
	for (i = 0; !ret && i < args->device_count; i++) {
		ret = device_get(fds[i], &files->devices[i]);
		if (!ret)
			files->device_count++;
	}
	sendcp_free(fds);
	return ret;
}

static int clone_get(int fd, struct sendcp_files *files)
{
	struct sendcp_subvolume *clone = &files->clones[files->clone_count];
	int ret = subvolume_get(fd, clone);

	if (ret)
		return ret;
	files->clone_count++;
	return same_filesystem(clone, &files->subvolume) ? 0 : -EXDEV;
}

static int clones_get(const struct sendcp_send *args, struct sendcp_files *files)
{
	s32 *fds = copy_fds(args->clone_fds, args->clone_count, SENDCP_CLONES_MAX);
	int ret = 0;
	u32 i;

	if (IS_ERR_OR_NULL(fds))
		return PTR_ERR_OR_ZERO(fds);
	files->clones = sendcp_zalloc(args->clone_count * sizeof(*files->clones));
	if (!files->clones)
		ret = -ENOMEM;
	for (i = 0; !ret && i < args->clone_count; i++) {
		ret = fatal_signal_pending(current) ? -EINTR : clone_get(fds[i], files);
		cond_resched();
	}
	sendcp_free(fds);
	return ret;
}

static int parent_get(int fd, struct sendcp_files *files)
{
	int ret;

	if (fd == -1)
		return 0;
	ret = subvolume_get(fd, &files->parent);
	if (!ret && !same_filesystem(&files->parent, &files->subvolume))
		ret = -EXDEV;
	return ret;
}

int sendcp_files_get(const struct sendcp_send *args, struct sendcp_files *files)
{
	int ret = subvolume_get(args->subvolume_fd, &files->subvolume);

	if (!ret)
		ret = parent_get(args->parent_fd, files);
	if (!ret)
		ret = clones_get(args, files);
	if (!ret)
		ret = devices_get(args, files);
	return ret;
}

static void put(struct file *file)
{
	if (file)
		fput(file);
}

void sendcp_files_put(struct sendcp_files *files)
{
	u32 i;

	put(files->subvolume.file);
	put(files->parent.file);
	for (i = 0; i < files->clone_count; i++)
		put(files->clones[i].file);
	for (i = 0; i < files->device_count; i++)
		put(files->devices[i]);
	sendcp_free(files->clones);
	sendcp_free(files->devices);
	memset(files, 0, sizeof(*files));
}

static u32 fsid_word(const u8 *fsid, unsigned int index)
{
	__be32 word;

	memcpy(&word, fsid + index * sizeof(word), sizeof(word));
	return be32_to_cpu(word);
}

/* statfs gives the XOR of the fsid's halves and of the subvolume's id. */
int sendcp_files_match_fsid(const struct sendcp_files *files, const u8 *fsid)
{
	const struct sendcp_subvolume *subvolume = &files->subvolume;
	struct kstatfs stat;
	int ret;

	ret = vfs_statfs(&subvolume->file->f_path, &stat);
	if (ret)
		return ret;
	return (u32)stat.f_fsid.val[0] == (fsid_word(fsid, 0) ^ fsid_word(fsid, 2) ^
					   upper_32_bits(subvolume->root)) &&
	       (u32)stat.f_fsid.val[1] == (fsid_word(fsid, 1) ^ fsid_word(fsid, 3) ^
					   lower_32_bits(subvolume->root));
}
