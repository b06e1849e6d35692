/* SPDX-License-Identifier: MIT
 * qemu/fw_cfg.c - files and strings from QEMU's fw_cfg device, by DMA: a model of any size arrives in one request.
 * All numbers of the interface are big-endian. Without the device nothing is found, which is an ordinary answer. */
#include "qemu/machine.h"

enum { KEY_SIGNATURE = 0x00, KEY_FEATURES = 0x01, KEY_DIRECTORY = 0x19, FEATURE_DMA = 2 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SELECT = 8 };
enum { ENTRIES_MOST = 128, NAME_BYTES = 56 };

struct entry { /* of the directory */
	uint32_t size;
	uint16_t key, reserved;
	char name[NAME_BYTES];
};

struct request {
	uint32_t control, length;
	uint64_t address;
};

static struct {
	uint32_t count;
	struct entry entry[ENTRIES_MOST];
} directory;
static unsigned entries;

static void dma_read(uint16_t key, void *out, uint32_t n)
{
	volatile struct request r __attribute__((aligned(16)));

	r.control = __builtin_bswap32((uint32_t)key << 16 | DMA_SELECT | DMA_READ);
	r.length = __builtin_bswap32(n);
	r.address = __builtin_bswap64((uint64_t)(uintptr_t)out);
	machine_fw_cfg_dma((const void *)&r);
	while (__builtin_bswap32(r.control) & ~(uint32_t)DMA_ERROR)
		;
	if (r.control != 0)
		board_panic("fw_cfg refused a read");
}

void fw_cfg_start(void)
{
	static const char signature[4] = { 'Q', 'E', 'M', 'U' };

	machine_fw_cfg_select(KEY_SIGNATURE);
	for (unsigned i = 0; i < sizeof signature; i++)
		if (machine_fw_cfg_byte() != (uint8_t)signature[i])
			return;
	machine_fw_cfg_select(KEY_FEATURES); /* little-endian, this one */
	if (!(machine_fw_cfg_byte() & FEATURE_DMA))
		return;
	dma_read(KEY_DIRECTORY, &directory, sizeof directory);
	entries = __builtin_bswap32(directory.count);
	if (entries > ENTRIES_MOST)
		entries = ENTRIES_MOST;
}

static bool same_name(const char *a, const char *b)
{
	for (unsigned i = 0; i < NAME_BYTES; i++) {
		if (a[i] != b[i])
			return false;
		if (a[i] == 0)
			return true;
	}
	return false;
}

bool fw_cfg_find(const char *name, struct fw_item *out)
{
	for (unsigned i = 0; i < entries; i++) {
		const struct entry *e = &directory.entry[i];

		if (!same_name(e->name, name))
			continue;
		out->size = __builtin_bswap32(e->size);
		out->key = __builtin_bswap16(e->key);
		return true;
	}
	return false;
}

void fw_cfg_read(struct fw_item item, void *out, uint32_t n)
{
	if (n > 0)
		dma_read(item.key, out, n);
}
