/* SPDX-License-Identifier: MIT
 * jit/vir.h - building, printing, checking and interpreting vector IR (core/vir.h).
 *
 * A builder keeps its first failure in v->status and then goes quiet. The interpreter has the exact meaning of every
 * instruction for any number of lanes; it is the oracle that lowering and the back ends are compared with. */
#ifndef GLLM_JIT_VIR_H
#define GLLM_JIT_VIR_H
#include <stddef.h>
#include "core/arena.h"
#include "core/vir.h"


struct gllm_vir_info {
	const char *name;
	char d[2];        /* class letter of the result, '-' none */
	const char *abc;  /* letters of core/vir.h */
};
extern const struct gllm_vir_info gllm_vir_info[GLLM_V_COUNT];

/* Registers 0 .. GLLM_VIR_FIRST_FREE - 1 are the arguments. The arrays are the caller's. */
void gllm_vir_init(struct gllm_vir *v, struct gllm_vi *ins, unsigned max, uint8_t *reg_class, unsigned max_regs);
unsigned gllm_vir_label(struct gllm_vir *v); /* a new label number; it stands where a LABEL instruction names it */

static inline gllm_vreg gllm_vir_reg(struct gllm_vir *v, enum gllm_class c)
{
	if (v->nregs >= v->max_regs || v->nregs >= GLLM_NO_VREG) {
		if (v->status == GLLM_OK)
			v->status = GLLM_COMPILE_ERROR;
		return 0;
	}
	v->reg_class[v->nregs] = (uint8_t)c;
	return (gllm_vreg)v->nregs++;
}

/* An instruction with all registers absent. */
static inline struct gllm_vi gllm_vi(enum gllm_vir_op op)
{
	return (struct gllm_vi){ .op = (uint8_t)op, .d = GLLM_NO_VREG, .a = GLLM_NO_VREG, .b = GLLM_NO_VREG,
	                         .c = GLLM_NO_VREG, .m = GLLM_NO_VREG };
}

/* Appends; unused fields of `i` are GLLM_NO_VREG / 0. Returns i.d. */
static inline gllm_vreg gllm_vir_emit(struct gllm_vir *v, struct gllm_vi i)
{
	if (v->n >= v->max && v->status == GLLM_OK)
		v->status = GLLM_COMPILE_ERROR;
	if (v->status == GLLM_OK) {
		struct gllm_vi *to = &v->ins[v->n++];
		*to = (struct gllm_vi){ .op = i.op, .type = i.type, .mem = i.mem, .scale = i.scale, .lanes = i.lanes, .cc = i.cc, .d = i.d,
		                        .a = i.a, .b = i.b, .c = i.c, .m = i.m, .segment = i.segment, .copy = i.copy, .aux = i.aux, .imm = i.imm };
	}
	return i.d;
}

/* The virtual registers instruction `i` reads, in order a b c m; returns how many (at most 4). Fields that an operation
 * lacks are GLLM_NO_VREG (gllm_vir_check sees to it), so its letters need not be read. */
static inline unsigned gllm_vi_uses(const struct gllm_vi *i, gllm_vreg use[4])
{
	unsigned n = 0;

	use[n] = i->a;
	n += i->a != GLLM_NO_VREG;
	use[n] = i->b;
	n += i->b != GLLM_NO_VREG;
	use[n] = i->c;
	n += i->c != GLLM_NO_VREG;
	if (i->m != GLLM_NO_VREG)
		use[n++] = i->m;
	return n;
}

static inline bool gllm_vi_stores(const struct gllm_vi *i)
{
	return i->op == GLLM_V_GSTORE || i->op == GLLM_V_VSTORE;
}

static inline bool gllm_vi_loads_vector(const struct gllm_vi *i)
{
	return i->op == GLLM_V_VLOAD || i->op == GLLM_V_VBCAST || i->op == GLLM_V_VQUAD || i->op == GLLM_V_VPAIR;
}

static inline bool gllm_vi_accesses(const struct gllm_vi *i) /* memory */
{
	return i->op == GLLM_V_GLOAD || gllm_vi_loads_vector(i) || gllm_vi_stores(i);
}

/* Instructions go without effect whose result nobody reads, moves that only rename, and steps of a register that another step
 * follows. v->ins may begin later. Fails: GLLM_OUT_OF_MEMORY. */
enum gllm_status gllm_vir_tidy(struct gllm_vir *v, struct gllm_arena scratch);

/* Loads of F16 whose values are nothing but factors of VFMA and VFNMA, the other factor being such a value as well, leave the
 * halves as they are. Fails: GLLM_OUT_OF_MEMORY. */
enum gllm_status gllm_vir_widen_late(struct gllm_vir *v, struct gllm_arena scratch);

/* May two accesses change places? */
static inline bool gllm_vi_independent(const struct gllm_vi *a, const struct gllm_vi *b)
{
	return a->segment == GLLM_VIR_FIXED || b->segment == GLLM_VIR_FIXED || (!gllm_vi_stores(a) && !gllm_vi_stores(b)) ||
	       (a->segment && a->segment == b->segment && a->copy != b->copy);
}

/* Two loads that widen what lies side by side become one of both and a VWIDEN for each; where machine.has_widen, `lanes` the
 * machine's. A buffer without room is left as it is. Fails: GLLM_OUT_OF_MEMORY. */
enum gllm_status gllm_vir_pair_loads(struct gllm_vir *v, unsigned lanes, struct gllm_arena scratch);

/* Copies of addends that stay in an innermost loop come from the frame where that takes less time (VMOV, GLLM_VIR_KEPT); on
 * machines that put sums over addends. A buffer without room is left as it is. Fails: GLLM_OUT_OF_MEMORY. */
enum gllm_status gllm_vir_keep_addends(struct gllm_vir *v, const struct gllm_machine *m, struct gllm_arena scratch);

/* Labels, branches, brackets, fences, the end. */
static inline bool gllm_vi_is_flow(const struct gllm_vi *i)
{
	return i->op >= GLLM_V_LABEL && i->op <= GLLM_V_RET;
}

/* A line with the name and a line for each instruction, whole lines at a time. */
void gllm_vir_print(const struct gllm_vir *v, const char *name, void (*out)(void *user, const char *text, size_t n), void *user);

/* Classes, labels, brackets, definition before use. `work` has gllm_vir_check_bytes(v) bytes. GLLM_COMPILE_ERROR names
 * the instruction in e->where. */
size_t gllm_vir_check_bytes(const struct gllm_vir *v);
enum gllm_status gllm_vir_check(const struct gllm_vir *v, void *work, struct gllm_error *e);

/* Runs the kernel. `workspace` has gllm_vir_run_bytes(v, lanes) bytes, 8-byte aligned. lanes: of 32 bits in a vector, a
 * power of two; at most GLLM_VIR_LANES, of halves as well. Only memory of active lanes is touched. GLLM_RUNTIME_ERROR after 2^31 steps. */
size_t gllm_vir_run_bytes(const struct gllm_vir *v, unsigned lanes);
enum gllm_status gllm_vir_run(const struct gllm_vir *v, unsigned lanes, const void *args, void *shared, void *worker,
                              uint64_t begin, uint64_t end, void *workspace);
#endif
