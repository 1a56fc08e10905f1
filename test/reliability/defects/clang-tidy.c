// SPDX-License-Identifier: GPL-2.0-or-later
/* A defect for `make analyze` to find: a macro whose argument has no parentheses. */
#define TWICE(x) x * 2

int defect(int number);

int defect(int number)
{
	return TWICE(number + 1);
}
