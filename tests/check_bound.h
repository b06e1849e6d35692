/* SPDX-License-Identifier: MIT
 * tests/check_bound.h - how far the outputs of one call of an operator may lie from its scalar definition, given how far
 * its operands may.
 *
 * Running error analysis (Wilkinson 1963): beside every float stands a bound of its absolute error, and each operator has
 * a rule that carries bounds from operands to results: what the derivative makes of them, plus the operator's own
 * tolerance (its column of ops.def), plus one rounding where the fused code may join a product with the sum behind it.
 * A bound is INFINITY where nothing is promised, such as behind an argmax whose two greatest are closer than their bounds.
 *
 * Elements of F16 and BF16 tensors have two values, the one computed and the one stored, a rounding apart. Readers may get
 * either (fusion keeps values in registers unrounded), so the bound beside the stored one holds for both. Where the one
 * computed is exact it is half a step of the narrow type: no other number of that type is as near. */
#ifndef CHECK_BOUND_H
#define CHECK_BOUND_H
#include "core/arena.h"
#include "gllm/context.h"

struct bound_call {
	unsigned op;               /* of ops.def, or GLLM_OP_COUNT + a row of bound_user */
	const union gllm_arg *arg; /* operands and results as the scalar definition left them */
	double *const *error;      /* by parameter; NULL: the operand is exact; zeros where outputs begin */
	const uint8_t *type;       /* by parameter: of the tensor; `arg` has floats where it is F16 or BF16 in place of F32 */
};

/* Whether there is a rule for the operator. */
bool bound_known(unsigned op);

/* Fills error[p] of every output p, as computed. */
void bound_apply(const struct bound_call *b);

/* Of the element of `type` that y, known to `error`, is rounded to. */
double bound_stored(enum gllm_type type, double y, double error);

/* Operators with several outputs, which ops.def has few of: registered by the suite in this order. */
enum { BOUND_SPLIT, BOUND_TURN, BOUND_CENTRE, BOUND_USERS };
struct bound_user {
	const char *name;
	gllm_any_fn *fn;
	gllm_call_fn *call;
	const struct gllm_param *param;
	unsigned nparams;
};
extern const struct bound_user bound_user[BOUND_USERS];
/* Whether the image lets their text be read; check -x withholds it. */
bool bound_readable(const struct gllm_image *image);
#endif
