/* SPDX-License-Identifier: MIT
 * jit/buffers.h - where values lie in a plan's workspace.
 *
 * A value or a group's scratch lives from the first to the last group that touches it. Those whose lives meet lie apart,
 * with one exception: a value takes the place of one that dies in the group where it is born, if the one kernel that touches
 * both reads each element of the old just before it stores that element of the new, and nothing else of it. Values that no
 * kernel touches, because fusion keeps them in registers, have no place. */
#ifndef GLLM_JIT_BUFFERS_H
#define GLLM_JIT_BUFFERS_H
#include "jit/fuse.h"

struct gllm_life {
	unsigned first, last;   /* groups */
	uint64_t bytes, offset; /* multiples of 64 */
	bool placed, needed;
	unsigned from;          /* the life whose place it takes; its own number if none */
	unsigned until;         /* last group of all that lie in its place one after the other */
};

/* `life` becomes an array by tensor, then by scratch; `bytes` what the workspace needs for them. Fails: OUT_OF_MEMORY. */
enum gllm_status gllm_place_buffers(const struct gllm_context *c, const struct gllm_graph *g, const struct gllm_fusion *f,
                                    struct gllm_arena *arena, struct gllm_life **life, uint64_t *bytes);
#endif
