/* SPDX-License-Identifier: MIT
 * jit/loops.h - raw values to canonical values: induction variables, trip counts, joins as selects, memory in order.
 *
 * What must stay true for a trace to mean what the code does:
 *   - A loop that tests at its end runs at least once; its trip count is kept only if that is known to be at least one
 *     where the loop is entered. Then the guard around it is no more than "runs 0 times", and goes away: a join of
 *     (value before, value after) is the value after, and a store inside needs no condition.
 *   - Every store, and every load that is kept, runs unconditionally but for such guards.
 * The parts of the work, a file each: loops_parts.h. */
#ifndef GLLM_LOOPS_H
#define GLLM_LOOPS_H
#include "jit/canon.h"
#include "jit/sym.h"

enum { LOOPS_CARRIES = 64, LOOPS_STORES = 128, LOOPS_LOADS = 512 };

struct loop_facts {
	uint16_t trip;       /* polynomial */
	bool known, bottom;  /* bottom: tested after the work of an iteration */
	bool negative;       /* the trip count may be below 0, so variables need not end at it */
	bool alive;
};

struct carry {
	uint16_t value, back; /* the CARRY; the raw value at the end of an iteration */
	int8_t loop;
};

struct effect { /* a store or load in program order */
	uint16_t value;       /* STORE: what is stored; LOAD: the LOAD */
	uint16_t access, block, raw;
	bool dead;
};

struct lifting {
	const struct flow *f;
	struct sym *s;
	struct canon c;
	const struct gllm_param *param; unsigned nparams;
	uint16_t value[RAW_VALUES];    /* per raw value; VAL_NONE: not made */
	cond_t condition[RAW_VALUES];  /* of RAW_COND */
	uint8_t live[RAW_VALUES];
	uint16_t ordered[RAW_VALUES + 1]; /* at its end the live ones but constants, then RAW_VALUES */
	uint16_t scratch[VAL_MAX];
	uint64_t around[FLOW_LOOPS + 1];  /* per loop + 1: it and those around it, bits of loop + 1; 0 stands for none */
	cond_t branch[FLOW_BLOCKS];
	bool alive[FLOW_BLOCKS];       /* some edge into the block can be taken */
	uint8_t runs[FLOW_BLOCKS];     /* gllm_always_runs, which is asked when all branches are known */
	struct loop_facts loop[FLOW_LOOPS];
	struct carry carry[LOOPS_CARRIES];  unsigned ncarries;
	struct effect store[LOOPS_STORES];  unsigned nstores;
	struct effect load[LOOPS_LOADS];    unsigned nloads;
	unsigned writable;                  /* parameters that may be stored to, a bit each; of these: */
	unsigned version[GLLM_MAX_PARAMS];  unsigned versions;
	struct { uint16_t access, value; int8_t loop; } forward[GLLM_MAX_PARAMS];
	struct gllm_error *error;
	enum gllm_status status;
};

enum gllm_status gllm_loops_run(struct lifting *l, struct sym *s, const struct gllm_param *param, unsigned nparams,
                                struct gllm_error *e);

/* The block runs in every iteration of its loop, and so on outwards, but for guards that mean "0 iterations". */
bool gllm_always_runs(struct lifting *l, uint16_t block);
/* The same where loop `around`, at or inside the block's own, may run 0 times as well. */
bool gllm_runs_with(struct lifting *l, uint16_t block, int around);
__attribute__((cold)) void gllm_lift_refuse(struct lifting *l, const char *what, uint16_t raw);
#endif
