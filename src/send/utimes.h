/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times of directories, sent late since every change in a directory sets them again.
 */
#ifndef SCP_SEND_UTIMES_H
#define SCP_SEND_UTIMES_H

#include <sendcp/platform.h>

struct scp_engine;

/* Deferred utimes kept from one finish step to the next; the kernel's: it shows in the order. */
#define SCP_UTIMES_KEPT 64u

/* Notes that the directory's times are to be sent; it is the last touched one now. */
int scp_defer_utimes(struct scp_engine *engine, u64 ino, u64 generation);
/* Sets the phase that comes when the finish phases are over; nothing is sent. */
void scp_finished(struct scp_engine *engine);
/* A step of SCP_PHASE_TRIM: sends the times of the least recently touched one too many. */
int scp_step_trim(struct scp_engine *engine);
/* A step of SCP_PHASE_FLUSH: sends those of the most recently touched one. */
int scp_step_flush(struct scp_engine *engine);

#endif
