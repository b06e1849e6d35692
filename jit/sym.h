/* SPDX-License-Identifier: MIT
 * jit/sym.h - raw SSA: blocks executed symbolically.
 *
 * Registers, flags and stack slots become values. A raw value is a 64-bit pattern; an operation of width w leaves the
 * bits above w zero, except that the upper lanes of vector registers are not tracked. Values are numbered in the order
 * of execution, so operands come first, but for the back edge of a header's PHI.
 *   - The stack pointer is a constant distance from its value at entry everywhere (RAW_SP); memory at such an address is
 *     a slot, known by (offset, size). Everything else is memory of the parameters.
 *   - PHI has one input per predecessor of its block. `same` maps every value to the one it always equals: a PHI whose
 *     inputs are all equal (perhaps through other such PHIs) is that input. */
#ifndef GLLM_SYM_H
#define GLLM_SYM_H
#include "gllm/types.h"
#include "jit/flow.h"

enum { RAW_VALUES = 8000, RAW_INPUTS = 12000, RAW_SLOTS = 64, RAW_FOLDED = 512 };

enum raw_op { /* beside those of enum gllm_sem_op */
	RAW_CONST = GLLM_S_COUNT, /* imm */
	RAW_UNDEF,
	RAW_SP,                   /* entry stack pointer + imm */
	RAW_PARAM,                /* parameter imm */
	RAW_PHI,                  /* inputs sym.input[imm ..] */
	RAW_COND,                 /* a = flags, cc and fcc; w != 0: always compares as floats do */
	RAW_PRIM,                 /* primitive imm of a, b, c */
};

struct raw {
	uint8_t op, w, cc, fcc;
	uint16_t a, b, c;
	uint16_t block, at; /* at: the flow operation that made it */
	uint8_t scale;
	uint8_t loc;             /* PHI: the location it is of */
	int64_t imm;
};

struct raw_folded { /* memory of the image whose contents became constants */
	uint64_t addr;
	uint32_t bytes;
};

struct sym {
	const struct flow *f;
	const struct gllm_image *img;
	struct raw *raw;   unsigned n;
	uint16_t *input;   unsigned ninputs;
	uint16_t *same;
	uint16_t *first;     /* per block, and one beyond: its first value */
	uint16_t *store;   unsigned nstores; /* the STOREs */
	uint16_t *cond;      /* per block with two successors: the RAW_COND of its branch */
	struct raw_folded *folded; unsigned nfolded; /* each once; RAW_FOLDED: perhaps not all */
	struct gllm_error *error;
};

/* Those of a header are its first values; the ones of a loop inside may follow them directly. */
static inline bool sym_header_phi(const struct sym *s, unsigned v, uint16_t header)
{
	return v < s->n && s->raw[v].op == RAW_PHI && s->raw[v].block == header;
}

enum gllm_status gllm_sym_build(struct sym *s, const struct flow *f, const struct gllm_abi *abi,
                                const struct gllm_image *img, const struct gllm_param *param, unsigned nparams,
                                struct gllm_arena *a, struct gllm_error *e);

/* Fills `same`; these are all PHIs there are. */
void gllm_sym_find_copies(struct sym *s, const uint16_t *phi, unsigned n);

/* Memory of the image that what is lifted depends on. */
void gllm_sym_folded(struct sym *s, uint64_t addr, uint32_t bytes);
#endif
