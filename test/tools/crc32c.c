// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CRC-32C by table, eight bytes at a time, as send streams use it: seed as given, no inversion.
 */
#include "stream.h"

#include <endian.h>
#include <string.h>

/* table[0] is the plain byte table; table[k] moves a byte's CRC on over k further zero bytes. */
static uint32_t table[8][256];

static void build_table(void)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
		table[0][byte] = crc;
	}
	for (unsigned int byte = 0; byte < 256; byte++)
		for (int k = 1; k < 8; k++)
			table[k][byte] = table[k - 1][byte] >> 8 ^
					 table[0][table[k - 1][byte] & 0xff];
}

uint32_t crc32c_update(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	if (!table[0][1])
		build_table();
	for (; size >= 8; size -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		word = le64toh(word) ^ crc;
		crc = 0;
		for (int k = 0; k < 8; k++)
			crc ^= table[7 - k][word >> 8 * k & 0xff];
	}
	while (size--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
	return crc;
}
