/* SPDX-License-Identifier: MIT
 * tests/diff/lift_mutants.c - operators whose machine code was changed at random, lifted and run beside their traces.
 *
 * lift_mutants SEED COUNT FILE...: programs of lift_matrix.sh for the ISA this runs on. Of each operator of each file COUNT
 * mutants are made by one or two changes: of a byte, or of the order, the copies or the jumps of instructions. Whatever still lifts must give what the changed code gives: a process of its own
 * runs both. Nothing is said of mutants that fault, run on for long, reach beyond the operands (which end at guards) or show
 * the bits of NaNs. A mutant may break the calling convention: it is called by code that keeps all registers. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "jit/lift.h"
#include "tests/diff/program.h"
#include "tools/host.h"

enum { ROUNDS = 16, KEEP = 1 << 20, GUARD = 16 << 20, SECONDS = 2, INSNS = 4096 };
enum verdict { EQUAL, WRONG, UNJUDGED, VERDICTS };

struct lab {
	struct program program;
	struct trial trial;
	struct gllm_arena scratch;
	unsigned char *room; /* KEEP bytes for a trace */
	uint64_t random;
	unsigned count[VERDICTS], refused;
};

static struct op op[OPS];

/* ---- calls that keep every register ---------------------------------------------------------------------------------- */

typedef void thunk_fn(gllm_any_fn *fn, const union gllm_arg *arg, gllm_call_fn *call);
thunk_fn kept_call;
static gllm_call_fn *calling;
extern uint64_t kept_stack;
uint64_t kept_stack;

#ifdef __x86_64__
__asm__(".text\n"
        "kept_call: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; sub $8, %rsp\n"
        "mov %rsp, kept_stack(%rip); call *%rdx; mov kept_stack(%rip), %rsp; cld\n"
        "add $8, %rsp; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");
#elif defined __aarch64__
__asm__(".text\n"
        "kept_call: stp x29, x30, [sp, #-160]!; stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]; stp x23, x24, [sp, #48]\n"
        "stp x25, x26, [sp, #64]; stp x27, x28, [sp, #80]; stp d8, d9, [sp, #96]; stp d10, d11, [sp, #112]\n"
        "stp d12, d13, [sp, #128]; stp d14, d15, [sp, #144]\n"
        "adrp x9, kept_stack; add x9, x9, :lo12:kept_stack; mov x10, sp; str x10, [x9]; blr x2\n"
        "adrp x9, kept_stack; add x9, x9, :lo12:kept_stack; ldr x10, [x9]; mov sp, x10\n"
        "ldp d14, d15, [sp, #144]; ldp d12, d13, [sp, #128]; ldp d10, d11, [sp, #112]; ldp d8, d9, [sp, #96]\n"
        "ldp x27, x28, [sp, #80]; ldp x25, x26, [sp, #64]; ldp x23, x24, [sp, #48]; ldp x21, x22, [sp, #32]\n"
        "ldp x19, x20, [sp, #16]; ldp x29, x30, [sp], #160; ret\n");
#endif

static void keeping(gllm_any_fn *fn, const union gllm_arg *arg)
{
	kept_call(fn, arg, calling);
}

/* ---- mutants --------------------------------------------------------------------------------------------------------- */

static uint64_t next(struct lab *l)
{
	uint64_t z = l->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 (Steele, Lea, Flood 2014) */
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Where the instructions begin; the last number is the end. */
static unsigned cut(const struct lab *l, const unsigned char *code, size_t size, size_t *start)
{
	struct gllm_insn insn;
	unsigned n = 0;
	start[0] = 0;
	while (n < INSNS && start[n] < size &&
	       l->program.target->decode(code + start[n], size - start[n], start[n], &insn) == GLLM_OK) {
		start[n + 1] = start[n] + insn.length;
		n++;
	}
	return n;
}

static void swap_with_next(unsigned char *code, const size_t *start, unsigned i)
{
	unsigned char first[16];
	size_t a = start[i + 1] - start[i], b = start[i + 2] - start[i + 1];
	memcpy(first, code + start[i], a);
	memmove(code + start[i], code + start[i + 1], b);
	memcpy(code + start[i] + b, first, a);
}

/* One instruction in place of another of its length. */
static void copy_over(struct lab *l, unsigned char *code, const size_t *start, unsigned n, unsigned i)
{
	unsigned from = (unsigned)(next(l) % n);
	for (unsigned k = 0; k < n; k++, from = (from + 1) % n)
		if (from != i && start[from + 1] - start[from] == start[i + 1] - start[i]) {
			memcpy(code + start[i], code + start[from], start[i + 1] - start[i]);
			return;
		}
}

/* A short jump of x86-64 goes to the beginning of another instruction; on AArch64 a turned bit does that. */
static void jump_elsewhere(struct lab *l, unsigned char *code, const size_t *start, unsigned n)
{
	unsigned i = (unsigned)(next(l) % n), to = (unsigned)(next(l) % n);
	for (unsigned k = 0; k < n; k++, i = (i + 1) % n) {
		int64_t distance = (int64_t)start[to] - (int64_t)start[i + 1];
		bool jump = start[i + 1] - start[i] == 2 && ((code[start[i]] & 0xf0) == 0x70 || code[start[i]] == 0xeb);
		if (!jump || distance < -128 || distance > 127)
			continue;
		code[start[i] + 1] = (unsigned char)distance;
		return;
	}
}

/* A bit turned, any byte, or an instruction moved, copied or made to jump elsewhere. */
static void mutate(struct lab *l, unsigned char *code, size_t size)
{
	size_t start[INSNS + 1];
	for (unsigned edits = 1 + (unsigned)(next(l) % 2); edits; edits--) {
		unsigned n = cut(l, code, size, start);
		uint64_t r = next(l), at = next(l) % size;
		switch (r % 8) {
		case 0: case 1: case 2:
			code[at] = (unsigned char)(code[at] ^ 1u << (r >> 8 & 7));
			break;
		case 3:
			code[at] = (unsigned char)(r >> 8);
			break;
		case 4: case 5:
			if (n > 1)
				swap_with_next(code, start, (unsigned)((r >> 8) % (n - 1)));
			break;
		case 6:
			if (n)
				copy_over(l, code, start, n, (unsigned)((r >> 8) % n));
			break;
		default:
			if (n)
				jump_elsewhere(l, code, start, n);
		}
	}
}

/* Bits of NaNs, which traces do not state, may show as numbers: some float lies across the bytes of others, or is taken for an
 * integer in a round of hostile operands. */
static bool shows_nans(const struct gllm_trace *t, bool hostile)
{
	for (unsigned i = 0; i < t->nnodes; i++)
		if (hostile && t->node[i].op == GLLM_N_BITS && t->node[t->node[i].a].type == GLLM_F32)
			return true;
	for (unsigned i = 0; i < t->naccesses; i++) {
		const struct gllm_access *a = &t->access[i];
		const unsigned bytes = gllm_type_bytes((enum gllm_type)a->type);
		for (unsigned k = 0; k < a->offset.count; k++)
			if (t->term[a->offset.first + k].coef % (int64_t)bytes)
				return true;
		if (a->index != GLLM_NO_NODE && a->index_bytes % bytes)
			return true;
	}
	return false;
}

static void give_up(int signal)
{
	(void)signal;
	_exit(UNJUDGED);
}

/* Faults and long runs end the process, on a stack of their own: a mutant may have lost its. */
static void watch(void)
{
	static unsigned char stack[64 << 10];
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGALRM };
	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof stack }, NULL);
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
		sigaction(fatal[i], &(struct sigaction){ .sa_handler = give_up, .sa_flags = SA_ONSTACK }, NULL);
	alarm(SECONDS);
}

/* In a process of its own: the code as it is in `bytes`, run at its address. */
static enum verdict judge(struct lab *l, const struct op *o, const struct gllm_trace *t, const Elf64_Sym *s, const unsigned char *bytes)
{
	uintptr_t at = s->st_value, from = at & ~(uintptr_t)4095;
	if (mprotect((void *)from, (at + s->st_size - from + 4095) & ~(size_t)4095, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		return UNJUDGED;
	memcpy((void *)at, bytes, s->st_size);
	__builtin___clear_cache((char *)at, (char *)at + s->st_size);
	watch();
	calling = o->call;
	if (trial_agrees(&l->trial, t, (gllm_any_fn *)at, keeping, ROUNDS))
		return EQUAL;
	return l->trial.beyond || shows_nans(t, l->trial.round % 2) ? UNJUDGED : WRONG;
}

static void mutant(struct lab *l, const struct op *o, const Elf64_Sym *s, const unsigned char *before, unsigned char *code)
{
	struct gllm_arena keep;
	const struct gllm_trace *t;
	gllm_arena_init(&keep, l->room, KEEP);
	if (gllm_lift(l->program.target, &l->program.image, s->st_value, o->name, o->param, o->nparams, &l->scratch, &keep, &t,
	              NULL) != GLLM_OK) {
		l->refused++;
		return;
	}
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(judge(l, o, t, s, code));
	bool ended = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status);
	enum verdict v = ended && WEXITSTATUS(status) < VERDICTS ? (enum verdict)WEXITSTATUS(status) : UNJUDGED;
	l->count[v]++;
	if (v != WRONG)
		return;
	printf("  %s %s: WRONG:", l->program.text, o->name);
	for (size_t i = 0; i < s->st_size; i++)
		if (code[i] != before[i])
			printf(" at 0x%zx %02x for %02x", i, code[i], before[i]);
	printf("\n");
}

static void judge_operator(struct lab *l, const struct op *o, unsigned count)
{
	const Elf64_Sym *s = program_find(&l->program, o->symbol);
	for (unsigned i = 0; s && i < l->program.image.nranges; i++) {
		struct gllm_range *r = &l->program.range[i];
		if (s->st_value - r->addr >= r->size || r->size - (s->st_value - r->addr) < s->st_size || !s->st_size)
			continue;
		const unsigned char *before = r->bytes;
		unsigned char *bytes = malloc(r->size), *code = bytes + (s->st_value - r->addr);
		memcpy(bytes, before, r->size);
		r->bytes = bytes;
		for (unsigned k = 0; k < count; k++) {
			memcpy(code, before + (s->st_value - r->addr), s->st_size);
			mutate(l, code, s->st_size);
			mutant(l, o, s, before + (s->st_value - r->addr), code);
		}
		r->bytes = before;
		free(bytes);
	}
}

/* Operands between guards. */
static bool operands(struct trial *x)
{
	for (unsigned i = 0; i < 2 * GLLM_MAX_PARAMS; i++) {
		unsigned char *p = mmap(NULL, 2 * (size_t)GUARD + TRIAL_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED || mprotect(p + GUARD, TRIAL_BYTES, PROT_READ | PROT_WRITE) != 0)
			return false;
		(i % 2 ? x->want : x->got)[i / 2] = p + GUARD;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct lab l;
	struct gllm_arena memory;
	struct gllm_profile cpu;
	const size_t size = 8u << 20;
	unsigned passed = 0, failed = 0, skipped = 0;
	if (argc < 3)
		return 2;
	list_operators(op);
	gllm_arena_init(&memory, host_memory(size), size);
	l.room = gllm_alloc(&memory, KEEP, 64);
	gllm_arena_init(&l.scratch, gllm_alloc(&memory, GLLM_LIFT_SCRATCH, 64), GLLM_LIFT_SCRATCH);
	if (!trial_init(&l.trial, &memory, 1) || host_profile(NULL, &cpu) != GLLM_OK || !operands(&l.trial))
		return 2;
	l.random = strtoull(argv[1], NULL, 0);
	for (int i = 3; i < argc; i++) {
		if (!program_open(&l.program, argv[i]))
			return 2;
		program_map(&l.program, &cpu);
		if (!l.program.runs) {
			printf("%-26s only on a CPU that runs it\n", l.program.text);
			skipped++;
			continue;
		}
		memset(l.count, 0, sizeof l.count);
		l.refused = 0;
		for (unsigned k = 0; k < OPS; k++)
			judge_operator(&l, &op[k], (unsigned)atoi(argv[2]));
		printf("%-26s mutants: %u equal, %u WRONG, %u not judged, %u refused\n", l.program.text, l.count[EQUAL], l.count[WRONG],
		       l.count[UNJUDGED], l.refused);
		fflush(stdout);
		passed += l.count[EQUAL];
		failed += l.count[WRONG] + (l.count[EQUAL] == 0); /* some must lift and run */
		program_unmap(&l.program);
	}
	printf("lift mutants: %u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed != 0;
}
