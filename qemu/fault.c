/* SPDX-License-Identifier: MIT
 * qemu/fault.c - says what went wrong, where, in whose code, and ends; or lets board_try() continue.
 * Runs on a stack of its own, so a stack overflow is reported too. */
#include "qemu/machine.h"

const char *(*board_where)(uint64_t pc);

static bool reporting;
static struct board_fault seen;

static bool inside(uint64_t pc, const unsigned char *from, const unsigned char *to)
{
	return pc >= (uint64_t)(uintptr_t)from && pc < (uint64_t)(uintptr_t)to;
}

/* What the program knows, else which part of memory it is. */
static const char *where(uint64_t pc)
{
	const char *name = board_where != NULL ? board_where(pc) : NULL;
	struct gllm_exec_memory code;

	if (name != NULL)
		return name;
	board_exec(&code);
	if (inside(pc, code.exec, code.exec + code.size))
		return "compiled code";
	return inside(pc, image_text, image_text_end) ? "the image's text" : "no code";
}

static _Noreturn void report(const struct machine_fault *f, int code)
{
	if (reporting) { /* the report itself faulted: no second report, whose memory may be gone too */
		board_text("\nboard: fault within a fault\n");
		board_exit(BOARD_EXIT_FAULT);
	}
	reporting = true;
	board_print("\nfault: %s, vector %lu, code 0x%lx", f->name, f->fault.vector, f->fault.code);
	if (f->has_address)
		board_print(", address 0x%lx", f->fault.address);
	board_print("\n  pc 0x%lx", f->fault.pc);
	if (inside(f->fault.pc, image_text, image_text_end))
		board_print(" (text + 0x%lx)", f->fault.pc - (uint64_t)(uintptr_t)image_text);
	for (unsigned i = 0; i < f->nregs; i++)
		board_print("%s%s 0x%lx", i % 4 == 0 ? "\n  " : "  ", f->reg[i].name, f->reg[i].value);
	board_text("\n  in ");
	board_text(where(f->fault.pc)); /* last: it runs the program's code on what may be broken data */
	board_text("\n");
	board_exit(code);
}

void board_fault_report(const struct machine_fault *f)
{
	if (board_try_sp == 0)
		report(f, BOARD_EXIT_FAULT);
	seen = f->fault;
	*f->pc = (uint64_t)(uintptr_t)board_try_end;
	*f->sp = board_try_sp;
}

void board_alarm(const struct machine_fault *f)
{
	uint64_t left = board_budget_left_ns();

	if (left == 0)
		report(f, BOARD_EXIT_BUDGET);
	machine_alarm(left);
}

bool board_try_call(void (*fn)(void *arg), void *arg); /* try.S */

bool board_try(void (*fn)(void *arg), void *arg, struct board_fault *fault)
{
	bool faulted = board_try_call(fn, arg);

	if (faulted && fault != NULL)
		*fault = seen;
	return faulted;
}
