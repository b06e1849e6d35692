/* SPDX-License-Identifier: MIT
 * tests/check_recipe.h - a graph as plain data: drawn at random, built, filled with operands, evaluated by the scalar
 * definitions with a bound of the error beside every float, printed, and made smaller. */
#ifndef CHECK_RECIPE_H
#define CHECK_RECIPE_H
#include "check.h"
#include "core/arena.h"
#include "gllm/graph.h"

enum { RECIPE_TENSORS = 96, RECIPE_NODES = 24 };

enum recipe_fill {
	FILL_AROUND,   /* floats in -range .. range; half floats likewise */
	FILL_POSITIVE, /* range / 4 .. range */
	FILL_BELOW,    /* integers below `range` */
	FILL_BYTES,    /* any */
	FILL_BLOCKS,   /* bytes below 64: half-precision scales among them stay below 2 */
};

struct recipe_tensor {
	uint8_t kind, type, fill;
	bool turned;            /* rows are the packing's columns */
	uint16_t lanes;         /* 0: the weight is bound as it is, else packed */
	uint16_t salt;          /* which operand it is, whatever its number */
	float range;
	uint64_t rows, cols;    /* rows may be GLLM_ROWS */
};

struct recipe_node {
	uint16_t op;            /* of the context */
	uint64_t batch;
	struct gllm_actual actual[GLLM_MAX_PARAMS];
};

struct recipe {
	uint64_t seed, max_rows;
	struct recipe_tensor tensor[RECIPE_TENSORS];
	struct recipe_node node[RECIPE_NODES];
	unsigned ntensors, nnodes;
};

/* Values and error bounds of all tensors for one row count. Memory is the arena's it was made with. */
struct recipe_values {
	unsigned char *data[RECIPE_TENSORS];
	float *wide[RECIPE_TENSORS];    /* the same elements, of F16 and BF16 tensors */
	double *error[RECIPE_TENSORS];  /* NULL: exact */
};

uint64_t recipe_elements(const struct recipe *r, unsigned tensor, uint64_t rows);
uint64_t recipe_bytes(const struct recipe *r, unsigned tensor, uint64_t rows);
/* What it is bound as. */
struct gllm_packing recipe_packing(const struct recipe *r, unsigned tensor);
uint64_t recipe_bound(const struct recipe *r, unsigned tensor);
void recipe_pack(const struct recipe *r, unsigned tensor, const unsigned char *from, unsigned char *to);
/* Whether the scalar definitions can run it: nothing is narrow that they have as F32, nothing packed. */
bool recipe_plain(const struct gllm_context *c, const struct recipe *r);
/* Element `i` of a tensor of floats. */
float recipe_float(enum gllm_type type, const void *data, uint64_t i);
/* Node that produces the tensor; nnodes if none does. */
unsigned recipe_producer(const struct gllm_context *c, const struct recipe *r, unsigned tensor);

/* A random graph in which every value is finite and every error bound small beside it. */
void recipe_draw(struct check *t, struct gllm_context *c, struct gllm_arena arena, struct recipe *out);

enum gllm_status recipe_build(struct gllm_context *c, const struct recipe *r, struct gllm_graph **out, struct gllm_error *e);

/* The operand of a tensor that no node produces, for max_rows rows. */
void recipe_fill_operand(const struct recipe *r, unsigned tensor, unsigned char *to);

/* The same, exact, in allocated values. */
void recipe_give_operand(const struct recipe *r, unsigned tensor, struct recipe_values *v);

/* False if the arena is too small. */
bool recipe_allocate(const struct recipe *r, unsigned tensor, struct gllm_arena *arena, struct recipe_values *v);
/* One node, all its batch steps. */
void recipe_evaluate(const struct gllm_context *c, const struct recipe *r, unsigned node, uint64_t rows, struct recipe_values *v);
/* All of them; tensors are allocated and filled. */
bool recipe_run(const struct gllm_context *c, const struct recipe *r, uint64_t rows, struct gllm_arena *arena,
                struct recipe_values *v);

void recipe_print(const struct check *t, const struct gllm_context *c, const struct recipe *r);

/* The recipe with change number `i` that makes it smaller; false when there are no more. A change may be none. */
bool recipe_reduce(const struct gllm_context *c, const struct recipe *r, unsigned i, struct recipe *out);
#endif
