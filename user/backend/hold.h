/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holding subvolumes of a mounted filesystem: as long as a hold lasts, btrfs itself refuses (EPERM)
 * to delete them and to clear their read-only flag, as during a native send.
 *
 * It ends with this process, however that ends. Signals that stop a process (SIGSTOP, Ctrl-Z) do
 * not end it. Freezing the holder's cgroup, or a suspend, interrupts it until the thaw, so a sender
 * still has to check at the end that nothing was changed.
 */
#ifndef USER_BACKEND_HOLD_H
#define USER_BACKEND_HOLD_H

#include <stddef.h>
#include <sendcp/cancel.h>
#include <sendcp/platform.h>

struct hold;

/*
 * Holds the read-only subvolume whose root directory @fd is, and those of the same filesystem with
 * the ids @others (in any order, repeated or not). Changes to them before this returns are for
 * the caller to find out. Returns early once @interrupt is set.
 *
 * Forks (there may be threads: the child only makes system calls), so do not call it with SIGCHLD
 * ignored, and from a thread that stays: its end would end the hold. 0, or a negative errno:
 * -EPERM without CAP_SYS_ADMIN, or if one of them is writable or deleted; -ENOENT if there is no
 * such id; -EBUSY during a deduplication into one of them, and during a balance before Linux 5.13;
 * -ENOTTY if @fd is not on btrfs; -EINTR; -ECHILD if the holder was killed; or an errno of fork(2)
 * or pipe(2).
 */
int sendcp_hold_take(int fd, const u64 *others, size_t count, const struct sendcp_cancel *interrupt,
		     struct hold **out);
/* Ends the hold; no process of it is left. NULL is fine. */
void sendcp_hold_release(struct hold *hold);

#endif
