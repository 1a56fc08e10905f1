// SPDX-License-Identifier: GPL-2.0-or-later
/* A defect for `make analyze` to find: one past the end of an array. */
int defect(void);

int defect(void)
{
	int numbers[4] = { 0 };

	numbers[4] = 1;
	return numbers[0];
}
