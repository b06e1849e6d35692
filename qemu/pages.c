/* SPDX-License-Identifier: MIT
 * qemu/pages.c - page tables, built once before they are switched on. An entry is written once: mapping the same page
 * twice is an error of the board, so no page can end up with two kinds by accident. */
#include "qemu/machine.h"

enum { ENTRIES = 512, TABLES = PAGES_MOST_GIB + 32, TOP_SHIFT = 39, LEVEL_BITS = 9, BLOCK_SHIFT = 21, PAGE_SHIFT = 12 };
static const uint64_t address_bits = 0x0000fffffffff000;

static uint64_t table[TABLES][ENTRIES] __attribute__((aligned(4096)));
static unsigned used = 1; /* the first is the root */

const uint64_t *pages_root(void)
{
	return table[0];
}

static uint64_t *below(uint64_t *entry)
{
	if (*entry == 0) {
		if (used == TABLES)
			board_panic("out of page tables");
		*entry = (uint64_t)(uintptr_t)table[used++] | machine_page_format.table;
	}
	return (uint64_t *)(uintptr_t)(*entry & address_bits);
}

void pages_map(uint64_t to, uint64_t from, uint64_t size, enum page_kind kind)
{
	const struct page_format *f = &machine_page_format;

	while (size > 0) {
		bool block = ((to | from) & (PAGE_BLOCK - 1)) == 0 && size >= PAGE_BLOCK;
		unsigned leaf = block ? BLOCK_SHIFT : PAGE_SHIFT, shift = TOP_SHIFT;
		uint64_t *t = table[0], step = UINT64_C(1) << leaf;

		for (; shift > leaf; shift -= LEVEL_BITS)
			t = below(&t[to >> shift & (ENTRIES - 1)]);
		if (t[to >> shift & (ENTRIES - 1)] != 0)
			board_panic("a page is mapped twice");
		t[to >> shift & (ENTRIES - 1)] = from | f->kind[kind] | (block ? f->block : f->page);
		to += step;
		from += step;
		size -= step;
	}
}
