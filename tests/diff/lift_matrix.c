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
#include <elf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "core/bits.h"
#include "gllm/ops.h"
#include "jit/context.h"
#include "jit/lift.h"
#include "tests/check_trial.h"
#include "tests/fixtures/user_ops.h"
#include "tools/host.h"

enum { RANGES = 16, ROUNDS = 16, KEEP = 1 << 20, OPS = GLLM_OP_COUNT + USER_COUNT, REASONS = 64 };

struct op {
	const char *name;
	char symbol[64];
	gllm_any_fn *fn; /* of this program */
	gllm_call_fn *call;
	const struct gllm_param *param;
	unsigned nparams;
	uint64_t hash;   /* in the first file at level ops */
	const char *seen; /* that file */
};

struct program {
	unsigned char *bytes;
	const Elf64_Ehdr *header;
	const Elf64_Sym *symbol;
	size_t nsymbols;
	const char *names;
	struct gllm_range range[RANGES];
	struct gllm_known known[GLLM_PRIM_COUNT];
	struct gllm_image image;
	const struct gllm_target *target;
	char text[64]; /* ISA-COMPILER-LEVEL-VARIANT */
	bool ops, must, joined, runs; /* must: at the flags of the library, hardened and position independent variants included */
};

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

/* ---- files --------------------------------------------------------------------------------------------------------- */

static uint64_t find(const struct program *p, const char *name)
{
	for (size_t i = 0; i < p->nsymbols; i++)
		if (strcmp(p->names + p->symbol[i].st_name, name) == 0)
			return p->symbol[i].st_value;
	return 0;
}

static void know(struct program *p, const char *name, enum gllm_primitive what)
{
	uint64_t addr = find(p, name);
	if (addr)
		p->known[p->image.nknown++] = (struct gllm_known){ addr, what };
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static bool open_program(struct program *p, const char *path)
{
	size_t size;
	const char *slash = strrchr(path, '/');
	*p = (struct program){ .bytes = host_file(path, &size), .image = { .range = p->range, .known = p->known } };
	if (!p->bytes || size < sizeof(Elf64_Ehdr))
		return false;
	snprintf(p->text, sizeof p->text, "%s", slash ? slash + 1 : path);
	*strchrnul(p->text, '.') = 0;
	p->header = (const void *)p->bytes;
	const Elf64_Phdr *ph = (const void *)(p->bytes + p->header->e_phoff);
	const Elf64_Shdr *sh = (const void *)(p->bytes + p->header->e_shoff);
	for (unsigned i = 0; i < p->header->e_phnum && p->image.nranges < RANGES; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_filesz)
			p->range[p->image.nranges++] = (struct gllm_range){ p->bytes + ph[i].p_offset, ph[i].p_vaddr,
				ph[i].p_filesz, !(ph[i].p_flags & PF_W) };
	for (unsigned i = 0; i < p->header->e_shnum; i++) {
		if (sh[i].sh_type != SHT_SYMTAB)
			continue;
		p->symbol = (const void *)(p->bytes + sh[i].sh_offset);
		p->nsymbols = sh[i].sh_size / sizeof *p->symbol;
		p->names = (const char *)p->bytes + sh[sh[i].sh_link].sh_offset;
	}
	p->target = p->header->e_machine == EM_AARCH64 ? &gllm_target_aarch64 : &gllm_target_x86_64;
#define P(id, fn) know(p, #fn, GLLM_PRIM_##id);
	GLLM_PRIMITIVES(P)
#undef P
	p->ops = has(p->text, "-ops-");
	p->must = p->ops && !has(p->text, "-fma") && !has(p->text, "-v3");
	p->joined = has(p->text, "-fma");
	return p->symbol != NULL;
}

/* Maps the program where it wants to be, if it is of this ISA and this CPU has what its variant needs. */
static bool map_program(const struct program *p, const struct gllm_profile *cpu)
{
	const Elf64_Phdr *ph = (const void *)(p->bytes + p->header->e_phoff);
	if (p->target != host_target())
		return false;
	if (p->target == &gllm_target_x86_64 && (p->joined || has(p->text, "-v3")) && !(cpu->have & GLLM_BIT(GLLM_X86_FMA)))
		return false;
	for (unsigned i = 0; i < p->header->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
			continue;
		uint64_t from = ph[i].p_vaddr & ~UINT64_C(4095), to = gllm_round_up(ph[i].p_vaddr + ph[i].p_memsz, 4096);
		void *at = (void *)(uintptr_t)from;
		if (mmap(at, to - from, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
			return false;
		memcpy((void *)(uintptr_t)ph[i].p_vaddr, p->bytes + ph[i].p_offset, ph[i].p_filesz);
		__builtin___clear_cache((char *)at, (char *)at + (to - from));
		mprotect(at, to - from, PROT_READ | (ph[i].p_flags & PF_X ? PROT_EXEC : ph[i].p_flags & PF_W ? PROT_WRITE : 0));
	}
	return true;
}

static void unmap_program(const struct program *p)
{
	const Elf64_Phdr *ph = (const void *)(p->bytes + p->header->e_phoff);
	for (unsigned i = 0; p->runs && i < p->header->e_phnum; i++) {
		uint64_t from = ph[i].p_vaddr & ~UINT64_C(4095), to = gllm_round_up(ph[i].p_vaddr + ph[i].p_memsz, 4096);
		if (ph[i].p_type == PT_LOAD && ph[i].p_memsz)
			munmap((void *)(uintptr_t)from, to - from);
	}
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
	uint64_t addr = find(p, o->symbol);
	if (!addr) {
		printf("  %s has no %s\n", p->text, o->symbol);
		failed++;
		return ABSENT;
	}
	gllm_arena_init(&keep, room, KEEP);
	if (gllm_lift(p->target, &p->image, addr, o->name, o->param, o->nparams, scratch, &keep, &t, &e) != GLLM_OK) {
		refused(p, o, &e);
		*(p->must ? &failed : &passed) += 1;
		return REFUSED;
	}
	if (shown && strcmp(shown, o->name) == 0)
		gllm_trace_print(t, put, stdout);
	bool right = p->joined || same_as(x, p, o, t, o->fn, "this program's");
	right = right && (!p->runs || same_as(x, p, o, t, (gllm_any_fn *)(uintptr_t)addr, "its own"));
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
	if (!open_program(&p, path)) {
		printf("  %s: no program\n", path);
		failed++;
		return;
	}
	p.runs = map_program(&p, cpu);
	if (p.joined && !p.runs) {
		unmap_program(&p);
		printf("%-26s %6s %8s %6s %10s  only on a CPU that runs it\n", p.text, "-", "-", "-", "-");
		skipped++;
		return;
	}
	for (unsigned i = 0; i < OPS; i++)
		count[judge(&p, &op[i], x, scratch, room)]++;
	printf("%-26s %6u %8u %6u %10u  %s\n", p.text, count[LIFTED], count[REFUSED], count[WRONG], differ,
	       p.joined ? "its own function" : p.runs ? "this program's and its own function" : "this program's function");
	fflush(stdout);
	unmap_program(&p);
}

int main(int argc, char **argv)
{
	struct gllm_arena memory, scratch;
	struct gllm_profile cpu;
	struct trial trial;
	size_t size = 8u << 20;
	for (unsigned i = 0; i < OPS; i++) {
		const struct gllm_op_info *b = &gllm_op_info[i];
		const struct user_op *u = &user_op[i - GLLM_OP_COUNT];
		op[i] = i < GLLM_OP_COUNT
			? (struct op){ .name = b->name, .fn = b->ref, .call = gllm_builtin_call(i), .param = b->param, .nparams = b->nparams }
			: (struct op){ .name = u->name, .fn = u->fn, .call = u->call, .param = u->param, .nparams = u->nparams };
		snprintf(op[i].symbol, sizeof op[i].symbol, "%s%s", i < GLLM_OP_COUNT ? "gllm_ref_" : "", op[i].name);
	}
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
