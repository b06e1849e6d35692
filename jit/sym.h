/* SPDX-License-Identifier: MIT
 * jit/sym.h - raw SSA: blocks executed symbolically.
 *
 * Registers, flags and stack slots become values. A raw value is a 64-bit pattern; an operation of width w leaves the
 * bits above w zero, except that the upper lanes of vector registers are not tracked. Values are numbered in the order
 * of execution, so operands come first, but for the back edge of a header's PHI.
 *   - The stack pointer is a constant distance from its value at entry everywhere (RAW_SP); memory at such an address is
 *     a slot, known by (offset, size). Everything else is memory of the parameters.
 *   - PHI has one input per predecessor of its block. One whose inputs are all equal (perhaps through other such PHIs) is
 *     a copy, and nothing is made of it: what would be is made of that input. */
#ifndef GLLM_SYM_H
#define GLLM_SYM_H
#include "gllm/types.h"
#include "jit/flow.h"

enum { RAW_VALUES = 8000, RAW_INPUTS = 12000, RAW_SLOTS = 64, RAW_FOLDED = 2000 };

enum raw_op { /* beside those of enum gllm_sem_op */
	RAW_CONST = GLLM_S_COUNT, /* imm */
	RAW_UNDEF,
	RAW_SP,                   /* entry stack pointer + imm */
	RAW_PARAM,                /* parameter imm */
	RAW_PHI,                  /* inputs sym.input[imm ..]; a, b: of the blocks before it, and fcc is not 0 if there are more */
	RAW_COND,                 /* a = flags, cc and fcc; flags are a comparison or an operation on integers; else not known */
	RAW_PRIM,                 /* primitive imm of a, b, c */
};

struct raw {
	union {
		struct {
			uint8_t op, w, cc, fcc;
			uint16_t a, b;
		};
		uint64_t head; /* all of that */
	};
	union {
		struct {
			uint16_t c;
			uint16_t block, at; /* at: the flow operation that made it */
			uint8_t scale;      /* PHI: not 0 if it is a copy */
			uint8_t loc;        /* PHI: the location it is of */
		};
		uint64_t tail; /* and of that */
	};
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
	uint16_t *first;     /* per block, and one beyond: its first value */
	uint16_t *store;   unsigned nstores; /* the STOREs */
	uint16_t *cond;      /* per block with two successors: the RAW_COND of its branch */
	struct raw_folded *folded; unsigned nfolded; /* RAW_FOLDED: perhaps not all */
	struct gllm_error *error;
};

/* An operation on integers; where flags are asked for, it stands for the comparison of its value with 0. */
static inline bool sym_integer(const struct raw *x)
{
	return x->op - (unsigned)GLLM_S_ADD <= GLLM_S_SAR - GLLM_S_ADD;
}

/* Those of a header are its first values; the ones of a loop inside may follow them directly. */
static inline bool sym_header_phi(const struct sym *s, unsigned v, uint16_t header)
{
	return v < s->n && s->raw[v].op == RAW_PHI && s->raw[v].block == header;
}

enum gllm_status gllm_sym_build(struct sym *s, const struct flow *f, const struct gllm_abi *abi,
                                const struct gllm_image *img, const struct gllm_param *param, unsigned nparams,
                                struct gllm_arena *a, struct gllm_error *e);

/* These are all PHIs there are. `same` is scratch, one per value. */
void gllm_sym_drop_copies(struct sym *s, uint16_t *same, const uint16_t *phi, unsigned n);

/* Memory of the image that what is lifted depends on. */
void gllm_sym_folded(struct sym *s, uint64_t addr, uint32_t bytes);
#endif
