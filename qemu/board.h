/* SPDX-License-Identifier: MIT
 * qemu/board.h - what a program on bare metal sees of its machine; the same on x86_64 and aarch64.
 *
 * A program defines board_main(); the board calls it once, on the boot core, with the MMU on, vector units enabled as far
 * as the CPU allows, no interrupt but that of budget_ms, and exits with its result.
 * Memory is never writable and executable at once:
 *   text RX, rodata R, data RW, free RAM RW, code memory RW through one address and RX through another; address 0, a page
 *   below the stack and everything else fault.
 * A fault outside board_try() prints what happened, where, and all registers, and exits with BOARD_EXIT_FAULT. */
#ifndef GLLM_BOARD_H
#define GLLM_BOARD_H
#include "gllm/host.h"
#include "gllm/image.h"
#include <stddef.h>
#include <stdint.h>

enum { /* exit codes 0 .. BOARD_EXIT_MOST reach the shell through qemu/run.sh; these are the board's own */
	BOARD_EXIT_FAULT = 120,  /* an exception nobody expected */
	BOARD_EXIT_BUDGET = 121, /* option budget_ms was used up */
	BOARD_EXIT_PANIC = 122,  /* the board cannot work on this machine; it said why */
	BOARD_EXIT_MOST = 126,
};

int board_main(void); /* the program's */

/* --- console and exit ---------------------------------------------------------------------------------------------- */
void board_putc(char c);
void board_write(const char *text, size_t n);
void board_text(const char *text);           /* NUL-terminated */
/* %s %c, %d %u %x plain or with l or z, %% */
void board_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void board_exit(int code);         /* codes above BOARD_EXIT_MOST are BOARD_EXIT_MOST */

/* --- time ---------------------------------------------------------------------------------------------------------- */
/* Nanoseconds since the machine was reset, as far as its counter starts there (it does in QEMU); never goes back.
 * Option budget_ms is counted by the same clock: an interrupt then ends the program, wherever it hangs, with the report
 * of a fault and BOARD_EXIT_BUDGET. */
uint64_t board_clock_ns(void);
uint64_t board_entry_ns(void);               /* the clock when the image got control */

/* --- memory -------------------------------------------------------------------------------------------------------- */
void board_memory(void **base, size_t *size);         /* free RAM, contiguous, page aligned, contents undefined */
void board_exec(struct gllm_exec_memory *out);        /* two views and publish; all of it is free */
/* Window `i` < BOARD_GUARDED of *size bytes of RAM whose neighbours on both sides fault, for tests of bounds; NULL above. */
enum { BOARD_GUARDED = 16 };
void *board_guarded(unsigned i, size_t *size);
/* The image's own text and read-only data for the lifter; returns the number of ranges. The array is static. */
unsigned board_image(const struct gllm_range **range);

/* --- what the starter handed over (fw_cfg: opt/gllm/NAME) ----------------------------------------------------------- */
/* The file given as model, page aligned in RAM (RW); false and size 0 without one. */
bool board_model(unsigned char **bytes, size_t *size);
/* Copies option NAME, NUL-terminated and cut to `size`; returns its full length, 0 if it was not given. */
size_t board_option(const char *name, char *out, size_t size);
uint64_t board_option_number(const char *name, uint64_t absent); /* decimal; `absent` also if it is not a number */

/* --- faults -------------------------------------------------------------------------------------------------------- */
struct board_fault {
	uint64_t vector;  /* x86: exception vector; aarch64: exception class (ESR.EC) */
	uint64_t code;    /* x86: error code; aarch64: ESR */
	uint64_t pc, address; /* address: CR2 or FAR; meaningless for faults that have none */
};
enum { /* vectors a test may expect, under names both machines have */
#ifdef __x86_64__
	BOARD_FAULT_READ = 14, BOARD_FAULT_WRITE = 14, BOARD_FAULT_EXEC = 14, BOARD_FAULT_INSN = 6,
#else
	BOARD_FAULT_READ = 0x25, BOARD_FAULT_WRITE = 0x25, BOARD_FAULT_EXEC = 0x21, BOARD_FAULT_INSN = 0,
#endif
};
/* Calls fn(arg); true if it faulted, *fault then says how (may be NULL). Does not nest. */
bool board_try(void (*fn)(void *arg), void *arg, struct board_fault *fault);
/* Set by the program: the name of the operator or kernel whose code `pc` is in, or NULL. Must not fault. */
extern const char *(*board_where)(uint64_t pc);
#endif
