/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times of directories, sent late since every change in a directory sets them again.
 */
#ifndef SENDCP_SEND_UTIMES_H
#define SENDCP_SEND_UTIMES_H

#include <sendcp/platform.h>

struct sendcp_engine;

/* Deferred utimes kept from one finish step to the next; the kernel's: it shows in the order. */
#define SENDCP_UTIMES_KEPT 64u

/* Notes that the directory's times are to be sent; it is the last touched one now. */
int sendcp_defer_utimes(struct sendcp_engine *engine, u64 ino, u64 generation);
/* Sets the phase that comes when the finish phases are over; nothing is sent. */
void sendcp_finished(struct sendcp_engine *engine);
/* A step of SENDCP_PHASE_TRIM: sends the times of the least recently touched one too many. */
int sendcp_step_trim(struct sendcp_engine *engine);
/* A step of SENDCP_PHASE_FLUSH: sends those of the most recently touched one. */
int sendcp_step_flush(struct sendcp_engine *engine);

#endif
