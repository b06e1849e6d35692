/* SPDX-License-Identifier: MIT
 * tests/diff/program.h - static programs of operators that other compilers made (lift_matrix.sh), as images to lift from, and
 * mapped to be run where this CPU can. */
#ifndef DIFF_PROGRAM_H
#define DIFF_PROGRAM_H
#include <elf.h>
#include "gllm/ops.h"
#include "jit/context.h"
#include "tests/check_trial.h"
#include "tests/fixtures/user_ops.h"

enum { PROGRAM_RANGES = 16, OPS = GLLM_OP_COUNT + USER_COUNT };

/* Built-in operators, then those of user_ops.def. */
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
void list_operators(struct op op[OPS]);

struct program {
	unsigned char *bytes; /* of the file, only read */
	const Elf64_Ehdr *header;
	const Elf64_Sym *symbol;
	size_t nsymbols;
	const char *names;
	struct gllm_range range[PROGRAM_RANGES];
	struct gllm_known known[GLLM_PRIM_COUNT];
	struct gllm_image image; /* of range[] and known[]: a program is not moved */
	const struct gllm_target *target;
	char text[64]; /* ISA-COMPILER-LEVEL-VARIANT */
	bool ops, must, joined, runs; /* must: at the flags of the library, hardened and position independent variants included */
};

bool program_open(struct program *p, const char *path);
const Elf64_Sym *program_find(const struct program *p, const char *name); /* or NULL */

/* Maps the program where it wants to be, if it is of this ISA and this CPU has what its variant needs: sets runs. */
void program_map(struct program *p, const struct gllm_profile *cpu);
void program_unmap(const struct program *p);
#endif
