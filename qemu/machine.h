/* SPDX-License-Identifier: MIT
 * qemu/machine.h - between the shared part of the board and qemu/<isa>/: what only the machine knows.
 * Everything here may run before the MMU is on (aarch64: memory is then Device, so no unaligned access and no vector
 * registers): board files are compiled with general registers and, where that matters, aligned accesses only. */
#ifndef GLLM_MACHINE_H
#define GLLM_MACHINE_H
#include "qemu/board.h"

/* --- the machine's side, qemu/<isa>/machine.c ----------------------------------------------------------------------- */
void machine_console(void);                    /* makes the serial port ready */
void machine_send(const char *text, size_t n);
void machine_vectors(void);                    /* from here on faults reach board_fault_report */
void machine_ram(uint64_t boot_info);          /* calls board_ram_region for each range of RAM */
void machine_devices(void);                    /* calls pages_map for the registers it needs */
void machine_pages_on(const uint64_t *root);
void machine_vector_units(void);               /* enables what the CPU has */
void machine_clock_start(void);                /* from here on machine_ticks and machine_tick_scale hold */
uint64_t machine_ticks(void);
uint64_t machine_tick_scale(void);             /* nanoseconds per tick, times 2^32 */
void machine_alarm(uint64_t ns);               /* calls board_alarm in `ns` or earlier, once */
void machine_fw_cfg_select(uint16_t key);
uint8_t machine_fw_cfg_byte(void);
void machine_fw_cfg_dma(const void *request);  /* returns when the request is done */
void machine_strict_alignment(void);           /* unaligned accesses fault from here on, where the machine can do that */
_Noreturn void machine_exit(unsigned status);  /* QEMU ends with this status */

/* --- the shared side ------------------------------------------------------------------------------------------------ */
_Noreturn void board_start(uint64_t boot_info, uint64_t entry_ticks); /* from start.S: stack and zeroed bss, nothing else */
_Noreturn void board_panic(const char *why);
void board_ram_region(uint64_t base, uint64_t size);

struct machine_register { const char *name; uint64_t value; };
struct machine_fault {
	struct board_fault fault;
	const char *name;                      /* of the exception */
	bool has_address;
	uint64_t *pc, *sp;                     /* in the saved frame: where it continues */
	unsigned nregs;
	struct machine_register reg[40];
};
/* Returns only inside board_try, with *pc and *sp set to its end. */
void board_fault_report(const struct machine_fault *f);

void board_alarm(const struct machine_fault *f); /* where it was interrupted; returns if it was too early */
uint64_t board_budget_left_ns(void);

extern uint64_t board_try_sp;                  /* try.S: stack to continue on; 0 outside board_try */
extern const unsigned char board_try_end[];    /* try.S: continues here with that stack */

/* fw_cfg.c */
struct fw_item { uint32_t size; uint16_t key; };
void fw_cfg_start(void);                       /* finds out whether there is one */
bool fw_cfg_find(const char *name, struct fw_item *out);
void fw_cfg_read(struct fw_item item, void *out, uint32_t n); /* the first n bytes, n <= item.size */

/* pages.c: one shape of table for both machines: four levels of 512 entries; leaves of 4 KiB and 2 MiB */
enum page_kind { PAGE_TEXT, PAGE_RODATA, PAGE_DATA, PAGE_DEVICE, PAGE_CODE, PAGE_KINDS };
struct page_format {
	uint64_t table;                        /* bits of an entry that names a table */
	uint64_t page, block;                  /* bits of a 4 KiB and of a 2 MiB leaf */
	uint64_t kind[PAGE_KINDS];
};
extern const struct page_format machine_page_format;
enum { PAGE_BYTES = 4096, PAGE_BLOCK = 2 << 20 };
enum { PAGES_MOST_GIB = 48 };                  /* RAM beyond this many GiB is left alone */
void pages_map(uint64_t to, uint64_t from, uint64_t size, enum page_kind kind); /* all multiples of PAGE_BYTES */
const uint64_t *pages_root(void);

/* ldscripts/<isa>.ld */
extern unsigned char image_text[], image_text_end[], image_rodata[], image_rodata_end[], image_data[], image_end[];
extern unsigned char image_guard[], image_fault_stack[], image_fault_stack_end[], image_stack[], image_stack_end[];
#endif
