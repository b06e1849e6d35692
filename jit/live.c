/* SPDX-License-Identifier: MIT
 * jit/live.c - registers read and written by blocks, then backwards along the edges. */
#include "core/bits.h"
#include "jit/live.h"

#define BITS4(n) UINT64_C(1) << (n), UINT64_C(2) << (n), UINT64_C(4) << (n), UINT64_C(8) << (n)
#define BITS16(n) BITS4(n), BITS4(n + 4), BITS4(n + 8), BITS4(n + 12)
const uint64_t gllm_live_bit[256] = { BITS16(0), BITS16(16), BITS16(32), BITS16(48) };

struct convention { /* of primitives and of calls */
	uint64_t arguments, clobbered, stack;
	uint64_t spill;
};

static struct convention convention(const struct gllm_abi *abi)
{
	uint64_t stack = live_bit(abi->stack_pointer);
	return (struct convention){
		.arguments = live_bit(abi->int_arg[0]) | live_bit(abi->float_arg[0]) | live_bit(abi->float_arg[1]) |
		             live_bit(abi->float_arg[2]),
		.clobbered = ((uint32_t)~abi->preserved_int | (uint64_t)(uint32_t)~abi->preserved_vec << GLLM_LOC_V0) & ~stack,
		.stack = stack | live_bit(abi->link),
		.spill = live_spill(abi),
	};
}

static struct live of_block(const struct gllm_sem_op_rec *s, unsigned n, const struct gllm_abi *abi, const struct convention *c)
{
	uint64_t read = 0, written = 0;
	unsigned spills = 0;
	for (const struct gllm_sem_op_rec *end = s + n; s < end; s++) {
		uint64_t reads = live_bit(s->a) | live_bit(s->b) | live_bit(s->c), writes = live_bit(s->d);
		spills |= live_is_spill(s, c->spill);
		if (GLLM_RARELY(s->op >= GLLM_S_CALL)) {
			reads |= c->stack | (flow_primitive(s) ? c->arguments : 0);
			writes |= flow_primitive(s) ? c->clobbered : s->op == GLLM_S_CALL ? live_bit(abi->link) : 0;
		}
		read |= reads & ~written;
		written |= writes;
	}
	return (struct live){ .read = read, .written = written, .in = live_bit(abi->stack_pointer), .spills = spills };
}

void gllm_live_find(struct live *of, const struct flow *f, const struct gllm_abi *abi)
{
	const struct convention c = convention(abi);
	for (unsigned b = 0; b < f->nblocks; b++)
		of[b] = of_block(&f->op[f->block[b].first], f->block[b].n, abi, &c);
	for (bool again = true; again; ) {
		again = false;
		for (unsigned i = f->nblocks; i-- > 0; ) {
			const struct flow_block *b = &f->block[i];
			const uint64_t out = (of[b->succ[0]].in | of[b->succ[b->nsucc >> 1]].in) & (b->nsucc ? ~UINT64_C(0) : 0);
			const uint64_t in = of[i].in | of[i].read | (out & ~of[i].written);
			again |= b->header & (in != of[i].in);
			of[i].in = in;
		}
	}
}
