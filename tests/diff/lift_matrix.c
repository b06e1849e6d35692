/* SPDX-License-Identifier: MIT
 * tests/diff/lift_matrix.c - operators as other compilers, flags and ISAs made them, lifted on this host.
 *
 * lift_matrix [-v] [-t OPERATOR] FILE...: static ELF programs ISA-COMPILER-LEVEL-VARIANT.elf that hold the operators of ops.def and of
 * user_ops.def. Whatever lifts must give what the function gives, bit for bit (NaNs are equal to each other): the function
 * of this very program where no products and sums are joined (every variant but fma), and the function of the file itself
 * where this CPU can run it. At level `ops`, the flags of the library, variants plain, protect and pic, everything must
 * lift, and with the hash it has in the first such file. Elsewhere it may be refused.
 * Every operator of every file is one check. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jit/lift.h"
#include "tests/diff/program.h"
#include "tools/host.h"

enum { ROUNDS = 16, KEEP = 1 << 20, REASONS = 64 };

static struct op op[OPS];
static struct { const char *what; unsigned count; char example[96]; } reason[REASONS];
static unsigned passed, failed, skipped, differ, nreasons;
static bool verbose;
static const char *shown; /* operator whose traces are printed */
static sigjmp_buf fault;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(fault, 1);
}

/* ---- checks -------------------------------------------------------------------------------------------------------- */

enum verdict { LIFTED, REFUSED, WRONG, ABSENT };

static void refused(const struct program *p, const struct op *o, const struct gllm_error *e)
{
	unsigned i = 0;
	while (i < nreasons && strcmp(reason[i].what, e->what ? e->what : "?") != 0)
		i++;
	if (i == nreasons && nreasons < REASONS)
		reason[nreasons++].what = e->what ? e->what : "?";
	if (i < REASONS && reason[i].count++ == 0)
		snprintf(reason[i].example, sizeof reason[i].example, "%s in %s at 0x%lx", o->name, p->text, (unsigned long)e->where);
	if (verbose || p->must)
		printf("  %s %s: refused at 0x%lx: %s\n", p->text, o->name, (unsigned long)e->where, e->what ? e->what : "?");
}

static void put(void *user, const char *text, size_t n)
{
	fwrite(text, 1, n, user);
}

static bool same_as(struct trial *x, const struct program *p, const struct op *o, const struct gllm_trace *t, gllm_any_fn *fn,
                    const char *whose)
{
	if (sigsetjmp(fault, 1)) {
		printf("  %s %s: WRONG: a fault against %s function in round %u\n", p->text, o->name, whose, x->round);
		return false;
	}
	if (trial_agrees(x, t, fn, o->call, ROUNDS))
		return true;
	printf("  %s %s: WRONG: differs from %s function in round %u: %s\n", p->text, o->name, whose, x->round, x->why);
	return false;
}

static enum verdict judge(const struct program *p, struct op *o, struct trial *x, struct gllm_arena *scratch, unsigned char *room)
{
	struct gllm_arena keep;
	const struct gllm_trace *t;
	struct gllm_error e = { .status = GLLM_OK };
	const Elf64_Sym *symbol = program_find(p, o->symbol);
	if (!symbol) {
		printf("  %s has no %s\n", p->text, o->symbol);
		failed++;
		return ABSENT;
	}
	gllm_arena_init(&keep, room, KEEP);
	if (gllm_lift(p->target, &p->image, symbol->st_value, o->name, o->param, o->nparams, scratch, &keep, &t, &e) != GLLM_OK) {
		refused(p, o, &e);
		*(p->must ? &failed : &passed) += 1;
		return REFUSED;
	}
	if (shown && strcmp(shown, o->name) == 0)
		gllm_trace_print(t, put, stdout);
	bool right = p->joined || same_as(x, p, o, t, o->fn, "this program's");
	right = right && (!p->runs || same_as(x, p, o, t, (gllm_any_fn *)(uintptr_t)symbol->st_value, "its own"));
	bool equal = true;
	if (p->must) {
		if (!o->seen) {
			o->hash = t->hash;
			o->seen = strdup(p->text);
		}
		equal = o->hash == t->hash;
		if (!equal)
			printf("  %s %s: hash %016lx, in %s %016lx\n", p->text, o->name, (unsigned long)t->hash, o->seen, (unsigned long)o->hash);
	}
	differ += !equal;
	*(right && equal ? &passed : &failed) += 1;
	return right ? LIFTED : WRONG;
}

static void judge_file(const char *path, const struct gllm_profile *cpu, struct trial *x, struct gllm_arena *scratch,
                       unsigned char *room)
{
	static struct program p;
	unsigned count[4] = { 0 };
	differ = 0;
	if (!program_open(&p, path)) {
		printf("  %s: no program\n", path);
		failed++;
		return;
	}
	program_map(&p, cpu);
	if (p.joined && !p.runs) {
		program_unmap(&p);
		printf("%-26s %6s %8s %6s %10s  only on a CPU that runs it\n", p.text, "-", "-", "-", "-");
		skipped++;
		return;
	}
	for (unsigned i = 0; i < OPS; i++)
		count[judge(&p, &op[i], x, scratch, room)]++;
	printf("%-26s %6u %8u %6u %10u  %s\n", p.text, count[LIFTED], count[REFUSED], count[WRONG], differ,
	       p.joined ? "its own function" : p.runs ? "this program's and its own function" : "this program's function");
	fflush(stdout);
	program_unmap(&p);
}

int main(int argc, char **argv)
{
	struct gllm_arena memory, scratch;
	struct gllm_profile cpu;
	struct trial trial;
	size_t size = 8u << 20;
	list_operators(op);
	gllm_arena_init(&memory, host_memory(size), size);
	unsigned char *room = gllm_alloc(&memory, KEEP, 64), *work = gllm_alloc(&memory, GLLM_LIFT_SCRATCH, 64);
	gllm_arena_init(&scratch, work, GLLM_LIFT_SCRATCH);
	if (!trial_init(&trial, &memory, 1) || host_profile(NULL, &cpu) != GLLM_OK)
		return 2;
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	signal(SIGILL, on_fault);
	printf("%-26s %6s %8s %6s %10s  compared with (%u operators)\n", "configuration", "lifted", "refused", "WRONG", "other hash", OPS);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			verbose = true;
		else if (strcmp(argv[i], "-t") == 0 && i + 1 < argc)
			shown = argv[++i];
		else
			judge_file(argv[i], &cpu, &trial, &scratch, room);
	}
	for (unsigned i = 0; i < nreasons; i++)
		printf("refused %4u: %s (%s)\n", reason[i].count, reason[i].what, reason[i].example);
	printf("lift matrix: %u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed != 0;
}
