/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subjects of ioctltest: each a program of its own, with its arguments. */
#ifndef SENDCP_TEST_SUBJECTS_H
#define SENDCP_TEST_SUBJECTS_H

/* Each returns the exit status; argv[0] is the subject's first argument. */
int test_case(int argc, char **argv);
int test_split(int argc, char **argv);
int test_signals(int argc, char **argv);
int test_kill(int argc, char **argv);
int test_arguments(int argc, char **argv);
int test_memory(int argc, char **argv);
int test_checkpoints(int argc, char **argv);
int test_outputs(int argc, char **argv);
int test_room(int argc, char **argv);
int test_sharing(int argc, char **argv);
int test_unmount(int argc, char **argv);
int test_devices(int argc, char **argv);
int test_changed(int argc, char **argv);
int test_privilege(int argc, char **argv);
int test_faults(int argc, char **argv);
int do_stream(int argc, char **argv);
int do_pieces(int argc, char **argv);
int do_hold(int argc, char **argv);

#endif
