/* SPDX-License-Identifier: MIT
 * jit/trace_emit.h - a trace under way, which trace.c and trace_keep.c share. */
#ifndef GLLM_TRACE_EMIT_H
#define GLLM_TRACE_EMIT_H
#include "jit/loops.h"

enum { NODES = 4000 };

/* Bytes that are cleared at a time. */
#define WHOLE(bytes) (((bytes) + 63) & ~63u)
_Static_assert(POLY_MAX * 8 % 64 == 0 && VAL_ACCESSES * 2 % 64 == 0, "whole rows");

struct placed { /* a polynomial of the trace */
	struct gllm_poly at;
	uint16_t index;             /* 1 + its number among those that INDEX nodes name, 0 if none does */
	bool done;
};

struct emit {
	struct lifting *l;
	struct canon *c;
	struct val *v;              /* those of c */
	struct gllm_node node[NODES];          unsigned nnodes;
	struct gllm_access access[VAL_ACCESSES]; unsigned naccesses;
	struct gllm_poly poly[POLY_MAX];       unsigned npolys;
	struct gllm_term term[POLY_POOL];      unsigned nterms;
	struct gllm_loop loop[FLOW_LOOPS];     unsigned nloops;
	struct gllm_reduction reduction[LOOPS_CARRIES];
	int8_t now[FLOW_LOOPS];     /* new number of a loop, -1 if it is not kept */
	uint8_t renamed[GLLM_SYM_LOOP + FLOW_LOOPS]; /* symbols of polynomials accordingly */
	/* Per value, but one further on: what is asked of no value (at(VAL_NONE) is 0) needs no test. */
	uint8_t mark[WHOLE(VAL_MAX + 1)];
	uint16_t ref[VAL_MAX + 1];  /* of a live value: its node, UNWRITTEN if it has none */
	uint64_t hash[VAL_MAX + 1];
	uint16_t stack[4 * VAL_MAX];
	uint16_t list[VAL_MAX + 1]; unsigned nlist; /* live values, the last first: operands behind what is made of them */
	struct placed placed[POLY_MAX];
	uint16_t access_of[VAL_ACCESSES];
	uint8_t table_of[GLLM_TRACE_TABLES]; /* new number of a table */
	struct gllm_table table[GLLM_TRACE_TABLES]; unsigned ntables;
	uint16_t carry_order[LOOPS_CARRIES];
	int current;                /* loop being written, old number */
	/* Without CARRYs and reads of what is stored, all that is needed is listed first: lists linked by `then`, one for every loop
	 * from `END + loop` on, and where they end for a loop that begins (in the one around it) and for a store (in its own). */
	bool listed;
	uint16_t then[VAL_MAX + 1 + FLOW_LOOPS], last[1 + FLOW_LOOPS], done[1 + FLOW_LOOPS];
	uint16_t until_loop[FLOW_LOOPS], until_store[LOOPS_STORES];
	uint32_t inside;            /* it and those inside it, a bit each, while its first nodes are looked for */
	uint64_t reads;             /* parameters of loads that are kept, a bit each */
};

/* In emit.mark. */
enum { LIVE = 1, CARRIED = 2, SURE = 4 }; /* CARRIED: made of a CARRY; SURE: a load that always runs */
enum { MADE_OF_LOAD = 0xff };             /* in val.passed; else 1 + the last loop whose beginning looked at it */

enum { UNWRITTEN = GLLM_NO_NODE - 1, LISTED = GLLM_NO_NODE - 2 };

static inline unsigned at(uint16_t v)
{
	return (uint16_t)(v + 1u);
}

static inline bool is_live(const struct emit *e, uint16_t v)
{
	return e->mark[at(v)];
}

static inline uint32_t loop_bit(int loop)
{
	return (uint32_t)(UINT64_C(1) << (loop + 1) >> 1);
}

/* Lists what the stores need, and finds the loops that are kept. */
void gllm_emit_keep(struct emit *e);
/* Loads that do not always run go to the loop that they are for. */
void gllm_emit_settle_loads(struct emit *e);
/* Neighbouring stores to places that are apart are written in ascending order, which compilers are free to change. */
void gllm_emit_order_stores(struct emit *e);
#endif
