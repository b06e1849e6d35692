/* SPDX-License-Identifier: MIT
 * tests/diff/program.c - see program.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "core/bits.h"
#include "tests/diff/program.h"
#include "tools/host.h"

void list_operators(struct op op[OPS])
{
	for (unsigned i = 0; i < OPS; i++) {
		bool own = i >= GLLM_OP_COUNT;
		const struct gllm_op_info *b = &gllm_op_info[own ? 0 : i];
		const struct user_op *u = &user_op[own ? i - GLLM_OP_COUNT : 0];
		op[i] = !own
			? (struct op){ .name = b->name, .fn = b->ref, .call = gllm_builtin_call(i), .param = b->param, .nparams = b->nparams }
			: (struct op){ .name = u->name, .fn = u->fn, .call = u->call, .param = u->param, .nparams = u->nparams };
		snprintf(op[i].symbol, sizeof op[i].symbol, "%s%s", own ? "" : "gllm_ref_", op[i].name);
	}
}

const Elf64_Sym *program_find(const struct program *p, const char *name)
{
	for (size_t i = 0; i < p->nsymbols; i++)
		if (strcmp(p->names + p->symbol[i].st_name, name) == 0)
			return &p->symbol[i];
	return NULL;
}

static void know(struct program *p, const char *name, enum gllm_primitive what)
{
	const Elf64_Sym *s = program_find(p, name);
	if (s)
		p->known[p->image.nknown++] = (struct gllm_known){ s->st_value, what };
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

bool program_open(struct program *p, const char *path)
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
	for (unsigned i = 0; i < p->header->e_phnum && p->image.nranges < PROGRAM_RANGES; i++)
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

static bool map(const struct program *p, const struct gllm_profile *cpu)
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

void program_map(struct program *p, const struct gllm_profile *cpu)
{
	p->runs = map(p, cpu);
}

void program_unmap(const struct program *p)
{
	const Elf64_Phdr *ph = (const void *)(p->bytes + p->header->e_phoff);
	for (unsigned i = 0; p->runs && i < p->header->e_phnum; i++) {
		uint64_t from = ph[i].p_vaddr & ~UINT64_C(4095), to = gllm_round_up(ph[i].p_vaddr + ph[i].p_memsz, 4096);
		if (ph[i].p_type == PT_LOAD && ph[i].p_memsz)
			munmap((void *)(uintptr_t)from, to - from);
	}
}
