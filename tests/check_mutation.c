/* SPDX-License-Identifier: MIT
 * tests/check_mutation.c - would the comparison of a trace with its function notice a wrong trace?
 *
 * Every operator of ops.def and user_ops.def is lifted, and its trace spoiled in one place at a time: a term or factor
 * dropped, operands of an operation that does not commute swapped, a loop run once more or once less, an access moved by
 * one element, the first value of a carry (the identity of a reduction) changed. Every such mutant must give something else
 * than the function, on the operands that the other suites use. Not counted are mutants that are equal to the original
 * for a reason stated at `equal` and `partial` below. */
#include "check.h"
#include "check_trial.h"
#include "core/bits.h"
#include "fixtures/user_ops.h"
#include "gllm/ops.h"
#include "jit/context.h"
#include "jit/lift.h"

enum { KEEP = 256 << 10, ROUNDS = 4 * 96, MUTANTS = 4096, MARGIN = 512 };

enum kind { DROP, SWAP, LONGER, SHORTER, MOVE, CHANGE, KINDS, NOTHING };
static const char *const kind_name[] = { "drop", "swap", "trip + 1", "trip - 1", "offset", "identity" };

struct mutant {
	enum kind kind;
	unsigned at; /* number of the node, loop or access */
};

struct nursery {
	struct check *t;
	struct gllm_arena scratch, keep;
	struct trial trial;
	struct mutant *mutant;
	unsigned alive, equal, made[KINDS], caught[KINDS];
	/* the trace under mutation */
	struct gllm_trace copy;
	struct gllm_node *node;
	struct gllm_loop *loop;
	struct gllm_access *access;
	struct gllm_term *term;
	unsigned char *work[GLLM_MAX_PARAMS];
};

/* ---- mutations ----------------------------------------------------------------------------------------------------- */

/* Another first value: 1 for 0, 2 for 1 or an infinity, a neighbour of an integer. */
static uint64_t other_constant(const struct gllm_node *n)
{
	return n->type != GLLM_F32 ? n->imm ^ 1 : n->imm == 0 ? 0x3f800000 : 0x40000000;
}

/* The polynomial plus `by`, written behind all terms. */
static struct gllm_poly shifted(struct nursery *y, struct gllm_poly p, int64_t by)
{
	struct gllm_poly q = { (uint16_t)y->copy.nterms, (uint16_t)(p.count + 1) };
	for (unsigned i = 0; i < p.count; i++)
		y->term[q.first + i] = y->copy.term[p.first + i];
	y->term[q.first + p.count] = (struct gllm_term){ .coef = by };
	y->copy.nterms += q.count;
	return q;
}

/* Spoils the copy; false if the place has nothing to spoil in this way. */
static bool spoil(struct nursery *y, const struct mutant *m)
{
	struct gllm_node *n = &y->node[m->at];
	gllm_ref a;
	switch (m->kind) {
	case DROP:
		if (n->op == GLLM_N_FMA)
			n->op = GLLM_N_MUL;
		else if (n->op == GLLM_N_ADD || n->op == GLLM_N_SUB || n->op == GLLM_N_MUL || n->op == GLLM_N_DIV)
			n->op = GLLM_N_BITS; /* of the same type: the first operand */
		else
			return false;
		return true;
	case SWAP:
		a = n->a;
		if (n->op == GLLM_N_SELECT) {
			a = n->b;
			n->b = n->c;
			n->c = a;
		} else if (n->op == GLLM_N_SUB || n->op == GLLM_N_DIV || n->op == GLLM_N_LT || n->op == GLLM_N_LE) {
			n->a = n->b;
			n->b = a;
		} else {
			return false;
		}
		return true;
	case LONGER:
		y->loop[m->at].trip = shifted(y, y->loop[m->at].trip, 1);
		return true;
	case SHORTER:
		y->loop[m->at].trip = shifted(y, y->loop[m->at].trip, -1);
		return true;
	case MOVE:
		y->access[m->at].offset = shifted(y, y->access[m->at].offset, gllm_type_bytes((enum gllm_type)y->access[m->at].type));
		return true;
	case CHANGE:
		if (n->op != GLLM_N_CARRY || y->node[n->a].op != GLLM_N_CONST)
			return false;
		y->node[n->a].imm = other_constant(&y->node[n->a]);
		return true;
	case NOTHING: case KINDS:
		break;
	}
	return false;
}

static unsigned places(const struct gllm_trace *t, enum kind k)
{
	return k == LONGER || k == SHORTER ? t->nloops : k == MOVE ? t->naccesses : t->nnodes;
}

static void restore(struct nursery *y, const struct gllm_trace *t)
{
	y->copy = *t;
	for (unsigned i = 0; i < t->nnodes; i++)
		y->node[i] = t->node[i];
	for (unsigned i = 0; i < t->nloops; i++)
		y->loop[i] = t->loop[i];
	for (unsigned i = 0; i < t->naccesses; i++)
		y->access[i] = t->access[i];
	for (unsigned i = 0; i < t->nterms; i++)
		y->term[i] = t->term[i];
	y->copy.node = y->node;
	y->copy.loop = y->loop;
	y->copy.access = y->access;
	y->copy.term = y->term;
}

/* ---- equal mutants ------------------------------------------------------------------------------------------------- */

/* A difference that is only squared, or of which only the size is used: (a - b) and (b - a) round alike. */
static bool equal(const struct gllm_trace *t, const struct mutant *m)
{
	const struct gllm_node *n = &t->node[m->at];
	bool even = m->kind == SWAP && n->op == GLLM_N_SUB;
	for (unsigned i = 0; even && i < t->nnodes; i++) {
		const struct gllm_node *u = &t->node[i];
		unsigned uses = (unsigned)(u->a == m->at) + (unsigned)(u->b == m->at) + (unsigned)(u->c == m->at);
		even = !uses || u->op == GLLM_N_ABS || (u->op == GLLM_N_MUL && uses == 2);
	}
	return even;
}

/* Operators that take the logarithm of what is never below 1: its arms for zeros, denormals and negative numbers never
 * run there, so mutants within them are equal. (Operator log meets all of them.) No more than `most` may survive. */
static const struct { const char *name; unsigned most; } partial[] = {
	{ "user_softplus", 12 }, { "user_mish", 12 }, { "user_log_cosh", 12 }, { "user_log_sum_exp", 12 },
};

static unsigned allowed(const char *name)
{
	for (unsigned i = 0; i < GLLM_COUNT(partial); i++) {
		unsigned k = 0;
		while (name[k] && name[k] == partial[i].name[k])
			k++;
		if (name[k] == partial[i].name[k])
			return partial[i].most;
	}
	return 0;
}

/* ---- the run ------------------------------------------------------------------------------------------------------- */

/* The mutant gives what the function gave, on the operands of this round. */
static bool survives(struct nursery *y, const struct gllm_trace *t, const struct mutant *m, const size_t *window)
{
	union gllm_arg arg[GLLM_MAX_PARAMS];
	restore(y, t);
	spoil(y, m);
	for (unsigned i = 0; i < t->nparams; i++)
		arg[i] = y->trial.got_arg[i];
	for (unsigned i = 0; i < t->nparams; i++) {
		if (t->param[i].kind >= GLLM_DIM)
			continue;
		if (gllm_trace_extent(&y->copy, i, arg) > window[i])
			return false;
		arg[i].ptr = y->work[i] + MARGIN;
		const uint64_t *from = (const void *)(y->trial.got[i] + TRIAL_ROOM - MARGIN);
		for (size_t k = 0; k < (window[i] + 2 * MARGIN) / 8; k++)
			((uint64_t *)(void *)y->work[i])[k] = from[k];
	}
	if (gllm_trace_eval(&y->copy, arg, y->trial.value) != GLLM_OK)
		return false;
	for (unsigned i = 0; i < t->nparams; i++)
		if (t->param[i].kind < GLLM_DIM &&
		    !trial_same(&t->param[i], y->work[i], y->trial.want[i] + TRIAL_ROOM - MARGIN, window[i] + 2 * MARGIN))
			return false;
	return true;
}

static void breed(struct nursery *y, const struct gllm_trace *t)
{
	y->alive = 0;
	for (unsigned k = 0; k < KINDS; k++) {
		for (unsigned i = 0; i < places(t, (enum kind)k) && y->alive < MUTANTS; i++) {
			struct mutant m = { (enum kind)k, i };
			restore(y, t);
			if (!spoil(y, &m) || equal(t, &m))
				continue;
			y->mutant[y->alive++] = m;
			y->made[k]++;
		}
	}
}

static void check_mutants(struct nursery *y, const char *name, const struct gllm_trace *t, gllm_any_fn *fn, gllm_call_fn *call)
{
	size_t window[GLLM_MAX_PARAMS];
	breed(y, t);
	for (unsigned round = 2; round < ROUNDS && y->alive; round++) {
		trial_prepare(&y->trial, t->param, t->nparams, round);
		for (unsigned i = 0; i < t->nparams; i++) {
			window[i] = t->param[i].kind < GLLM_DIM ? (size_t)gllm_trace_extent(t, i, y->trial.got_arg) : 0;
			window[i] = (size_t)gllm_round_up(window[i] + MARGIN, 64);
			if (window[i] + MARGIN > 2 * TRIAL_ROOM) {
				CHECK(y->t, false && "operands fit");
				return;
			}
		}
		call(fn, y->trial.want_arg);
		if (!survives(y, t, &(struct mutant){ NOTHING, 0 }, window)) { /* else all would be caught for another reason */
			CHECK(y->t, false && "the trace itself is noticed");
			check_print(y->t, "     %s in round %u\n", name, round);
			return;
		}
		unsigned left = 0;
		for (unsigned i = 0; i < y->alive; i++) {
			if (survives(y, t, &y->mutant[i], window))
				y->mutant[left++] = y->mutant[i];
			else
				y->caught[y->mutant[i].kind]++;
		}
		y->alive = left;
	}
	for (unsigned i = 0; i < y->alive; i++)
		y->made[y->mutant[i].kind] -= y->alive <= allowed(name);
	y->equal += y->alive <= allowed(name) ? y->alive : 0;
	for (unsigned i = 0; y->alive > allowed(name) && i < y->alive; i++)
		check_print(y->t, "     %s: not noticed: %s at %u (%s)\n", name, kind_name[y->mutant[i].kind], y->mutant[i].at,
		            y->mutant[i].kind == DROP || y->mutant[i].kind == SWAP || y->mutant[i].kind == CHANGE
		            ? gllm_node_name((enum gllm_node_op)t->node[y->mutant[i].at].op) : "");
	CHECK(y->t, y->alive <= allowed(name));
}

static void check_operator(struct nursery *y, const char *name, gllm_any_fn *fn, gllm_call_fn *call,
                           const struct gllm_param *param, unsigned nparams)
{
	const struct gllm_trace *t;
	y->keep.used = 0;
	if (!CHECK_STATUS(y->t, gllm_lift(check_target(y->t), check_image(y->t), (uint64_t)(uintptr_t)fn, name, param, nparams,
	                                  &y->scratch, &y->keep, &t, NULL), GLLM_OK)) {
		check_print(y->t, "     %s\n", name);
		return;
	}
	if (CHECK(y->t, t->nnodes <= TRIAL_NODES && trial_agrees(&y->trial, t, fn, call, 6)))
		check_mutants(y, name, t, fn, call);
}

static bool open_nursery(struct nursery *y, struct check *t)
{
	struct gllm_arena a;
	size_t size;
	void *memory = check_memory(t, &size);
	*y = (struct nursery){ .t = t };
	gllm_arena_init(&a, memory, size);
	void *scratch = gllm_alloc(&a, GLLM_LIFT_SCRATCH, 64), *keep = gllm_alloc(&a, KEEP, 64);
	gllm_arena_init(&y->scratch, scratch, GLLM_LIFT_SCRATCH);
	gllm_arena_init(&y->keep, keep, KEEP);
	y->mutant = gllm_alloc(&a, MUTANTS * sizeof *y->mutant, 64);
	y->node = gllm_alloc(&a, KEEP, 64);
	y->loop = gllm_alloc(&a, KEEP, 64);
	y->access = gllm_alloc(&a, KEEP, 64);
	y->term = gllm_alloc(&a, 2 * KEEP, 64);
	for (unsigned i = 0; i < GLLM_MAX_PARAMS; i++)
		y->work[i] = gllm_alloc(&a, TRIAL_BYTES, 64);
	bool ok = y->work[GLLM_MAX_PARAMS - 1] && trial_init(&y->trial, &a, check_random(t));
	return CHECK(t, scratch && keep && ok);
}

void check_mutation(struct check *t)
{
	static struct nursery y;
	unsigned made = 0, caught = 0;
	if (!check_image(t) || !check_target(t)) {
		check_skip(t, "the platform gives no image to lift from");
		return;
	}
	if (!open_nursery(&y, t))
		return;
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
		const struct gllm_op_info *o = &gllm_op_info[i];
		check_operator(&y, o->name, o->ref, gllm_builtin_call(i), o->param, o->nparams);
	}
	for (unsigned i = 0; i < USER_COUNT; i++) {
		const struct user_op *u = &user_op[i];
		check_operator(&y, u->name, u->fn, u->call, u->param, u->nparams);
	}
	for (unsigned k = 0; k < KINDS; k++) {
		check_print(t, "%s%s %u of %u", k ? ", " : "mutants noticed: ", kind_name[k], y.caught[k], y.made[k]);
		made += y.made[k];
		caught += y.caught[k];
	}
	check_print(t, "; together %u of %u, %u equal to the original\n", caught, made, y.equal);
}
