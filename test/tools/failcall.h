/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failcall.so: preloaded into sendcp, counts its calls of each class, and fails one of them.
 *
 *   FAILCALL        CLASS:SLOT:N:WAY: the N-th call of a class that a thread makes after main()
 *                   has begun. WAY is an errno's number, "short" or "kill"; with a "+" after it,
 *                   all calls of the class from then on, by any thread, fail the same way.
 *   FAILCALL_TABLE  a file of sizeof(struct failcall_table) bytes, where the counts are left
 *   FAILCALL_TRACE  CLASS: each of its calls is recorded in the table, by the hash of its callers
 *
 * A slot is a thread or a forked child, numbered as they are made; main() has slot 0. So a place is
 * the same in each run, however threads take turns. Programs that are executed are left alone.
 */
#ifndef FAILCALL_H
#define FAILCALL_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

/* The driver in Python has the same names in the same order. */
enum failcall_class {
	CALL_MEMORY,
	CALL_READ,
	CALL_QUEUE,
	CALL_WRITE,
	CALL_FLUSH,
	CALL_SYNC,
	CALL_RENAME,
	CALL_TRUNCATE,
	CALL_OPEN,
	CALL_CLOSE,
	CALL_IOCTL,
	CALL_THREAD,
	CALL_PROCESS,
	CALL_PIPE,
	CALL_LOCK,
	CALL_POLL,
	CALL_STAT,
	CALL_CLASSES,
};

#define FAILCALL_SLOTS 64
#define FAILCALL_CLASSES_MAX 32
#define FAILCALL_RECORDS 65536
#define FAILCALL_DEPTH 24

struct failcall_record {
	uint32_t slot;
	uint32_t n;
	uint64_t callers;
};

struct failcall_table {
	uint32_t slots;
	uint32_t hits;
	uint32_t records;
	uint32_t unused;
	uint32_t counts[FAILCALL_SLOTS][FAILCALL_CLASSES_MAX];
	/* Of the call that failed first, innermost first: offsets in the program. */
	uint64_t callers[FAILCALL_DEPTH];
	char function[32];
	/* The program or library that made that call; libc and the sanitizers do so for others. */
	char object[32];
	struct failcall_record record[FAILCALL_RECORDS];
};

enum failcall_way {
	GO_ON,
	FAIL,
	SHORTEN,
};

/* What becomes of this call; errno is set if it is to fail. */
enum failcall_way failcall_next(enum failcall_class class, const char *function);

/* For calls that cannot be shortened. */
bool failcall_fails(enum failcall_class class, const char *function);

/* The next definition of the function @name, after the ones of this library. */
void *failcall_real(void **cached, const char *name);

#endif
