/* SPDX-License-Identifier: MIT
 * jit/fuse_traces.c - the first step of fusion: one trace of two units (fuse.h).
 *
 * Rules in order; each is offered every pair of units of its classes. Maps are offered in graph order, and to the latest
 * producer of their operands first: the others are then ready before it. */
#include "jit/fuse_state.h"
#include "core/hash.h"
#include "jit/block_form.h"
#include "jit/context.h"

#define SET(class) (1u << GLLM_OPCLASS_##class)
enum { MAPS = SET(ELEMENTWISE) | SET(INJECTIVE) };

static unsigned class_of(const struct fuser *x, uint16_t unit)
{
	return 1u << x->dag->node[unit].class;
}

/* --- what may be ------------------------------------------------------------------------------------------------------ */

/* By tensor: whether others than `reader`, `producer` and `third` read what flows between them. */
static void find_kept(struct fuser *x, uint16_t producer, uint16_t reader, uint16_t third)
{
	const struct gllm_composed *c = x->unit[reader].code;
	for (unsigned i = 0; i < c->trace.nparams; i++) {
		uint16_t t = c->source[i].tensor;
		if (c->source[i].kind != GLLM_FROM_TENSOR)
			continue;
		x->keep[t] = x->g->tensor[t].kind == GLLM_TENSOR_OUTPUT;
		for (unsigned r = x->dag->first_reader[t]; r < x->dag->first_reader[t + 1] && !x->keep[t]; r++) {
			uint16_t by = x->unit_of[x->dag->edge[x->dag->readers[r]].to];
			x->keep[t] = by != reader && by != producer && by != third;
		}
	}
}

static bool between(const struct fuser *x, const struct gllm_dag_edge *e, uint16_t producer, uint16_t reader)
{
	return x->unit_of[e->from] == producer && x->unit_of[e->to] == reader;
}

/* A read for every operand, and a write of every value that vanishes. */
static uint64_t bytes_between(const struct fuser *x, uint16_t producer, uint16_t reader)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < x->dag->nedges; i++) {
		const struct gllm_dag_edge *e = &x->dag->edge[i];
		if (!between(x, e, producer, reader))
			continue;
		bool counted = x->keep[e->tensor];
		for (unsigned k = 0; k < i && !counted; k++)
			counted = x->dag->edge[k].tensor == e->tensor && between(x, &x->dag->edge[k], producer, reader);
		bytes += counted ? e->bytes : 2 * e->bytes;
	}
	return bytes;
}

static uint64_t bytes_saved(const struct fuser *x, const struct offer *o, uint16_t producer, uint16_t reader)
{
	return bytes_between(x, producer, reader) + (o->third == GLLM_NO_PRODUCER ? 0 : bytes_between(x, o->third, reader));
}

static const char *other_path(struct fuser *x, struct offer *o)
{
	return gllm_fuse_circular(x, o->anchor, o->other, o->third, false) ? "another operand needs the group's result first" : NULL;
}

/* A chain of maps is cut where the values that a row of it computes before the cut would exceed the budget of L1: the next
 * map opens a new loop. (They stay in registers where nobody else reads them; the rule keeps the operands of long chains
 * from driving each other out.) */
static const char *chain_too_long(struct fuser *x, struct offer *o)
{
	if (x->unit[o->anchor].chain_bytes > gllm_l1_budget(&x->c->profile))
		return "the values of a row so far exceed 75 % of the L1 cache: a new loop begins";
	return other_path(x, o);
}

static unsigned shared_tensor(const struct gllm_composed *c)
{
	unsigned p = gllm_shared_operand(&c->trace);
	return p < c->trace.nparams && c->source[p].kind == GLLM_FROM_TENSOR ? c->source[p].tensor : GLLM_NO_TENSOR;
}

/* Whether a run of the plan finds its weights beyond L2. */
static bool weights_from_beyond(const struct fuser *x)
{
	const struct gllm_profile *p = &x->c->profile;
	uint64_t bytes = 0;
	for (unsigned i = 0; i < x->g->ntensors; i++)
		bytes += x->g->tensor[i].kind == GLLM_TENSOR_WEIGHT ? gllm_tensor_bytes(x->g, i) : 0;
	return p->cache[1].bytes && bytes > p->cache[1].bytes / 2;
}

/* For one row there is little to save beside the weights: what of the two products goes through memory is a part of 4 / depth of
 * them. Where they come from beyond L2, sums that wait for each other cost more (768 x 288, F16, 2 MiB of L2, one after the other
 * with the map behind the second 1.00: side by side 1.00 of weights of 0.9 MB, 1.05 of 1.8, 1.05 of 2.7, 1.01 of 7). */
static bool streams(const struct fuser *x, const struct offer *o)
{
	return x->unit[o->anchor].code->trace.nloops == 2 && weights_from_beyond(x);
}

/* Two products whose paths meet in the map that reads both. */
static const char *no_pair(struct fuser *x, struct offer *o)
{
	uint16_t one = x->g->tensor[o->tensor].producer;
	unsigned shared = shared_tensor(x->unit[o->anchor].code);
	if (x->dag->node[one].meet != o->other)
		return "the value has readers beside the map in which the products meet";
	if (gllm_fuse_reads(x, o->anchor, o->third) || gllm_fuse_reads(x, o->third, o->anchor))
		return "one product needs the other";
	o->bytes += gllm_tensor_bytes(x->g, shared);
	if (streams(x, o))
		return "one row, weights from beyond the L2 cache: one product after the other";
	return other_path(x, o);
}

/* --- how -------------------------------------------------------------------------------------------------------------- */

static enum gllm_status splice(struct fuser *x, const struct offer *o, struct gllm_arena *arena, struct gllm_composed *out,
                               const char **why)
{
	return gllm_compose_splice(x->unit[o->anchor].code, x->unit[o->other].code, x->keep, arena, out, why);
}

static enum gllm_status prepend(struct fuser *x, const struct offer *o, struct gllm_arena *arena, struct gllm_composed *out,
                                const char **why)
{
	return gllm_compose_prepend(x->unit[o->other].code, x->unit[o->anchor].code, x->keep, arena, out, why);
}

static enum gllm_status pair(struct fuser *x, const struct offer *o, struct gllm_arena *arena, struct gllm_composed *out,
                             const char **why)
{
	struct gllm_composed *both = gllm_alloc(x->arena, sizeof *both, 8);
	enum gllm_status s = both ? gllm_compose_join(x->unit[o->anchor].code, x->unit[o->third].code, x->arena, both, why)
	                          : GLLM_OUT_OF_MEMORY;
	return s == GLLM_OK ? gllm_compose_splice(both, x->unit[o->other].code, x->keep, arena, out, why) : s;
}

static const struct rule rules[] = {
	/* anchor        other  relation         refused if       how      mode                 why */
	{ SET(GEMM),      MAPS, MEETS,           no_pair,         pair,    GLLM_MODE_EPILOGUE,
	  "two products of one input, side by side under the map in which they meet" },
	{ SET(GEMM) | SET(REDUCTION), MAPS, READS_ANCHOR, other_path, splice, GLLM_MODE_EPILOGUE,
	  "a map over the elements being stored" },
	{ MAPS,           MAPS, READS_ANCHOR,    chain_too_long,  splice,  GLLM_MODE_LOOP,
	  "maps over one index space" },
	{ SET(REDUCTION), MAPS, READ_BY_ANCHOR,  other_path,      prepend, GLLM_MODE_LOOP,
	  "a map over the elements that the reduction reads first" },
};

/* --- the step --------------------------------------------------------------------------------------------------------- */

static void absorb(struct fuser *x, const struct offer *o, const struct rule *r, const struct gllm_composition *made)
{
	struct unit *to = &x->unit[o->anchor];
	const uint16_t gone[] = { o->other, o->third };
	to->code = made->code;
	to->key = made->key;
	to->saved += o->bytes;
	to->mode = (uint8_t)(to->mode == GLLM_MODE_EPILOGUE ? GLLM_MODE_EPILOGUE : r->mode);
	for (unsigned k = 0; k < 2 && gone[k] != GLLM_NO_PRODUCER; k++) {
		to->chain_bytes += x->unit[gone[k]].chain_bytes;
		to->saved += x->unit[gone[k]].saved;
		x->unit[gone[k]].code = NULL;
	}
	for (unsigned i = 0; i < x->g->nnodes; i++)
		if (x->unit_of[i] == o->other || x->unit_of[i] == o->third)
			x->unit_of[i] = o->anchor;
}

/* Where the anchor alone needs more registers than there are, nothing may get worse. */
static enum gllm_status costs_little(struct fuser *x, const struct offer *o, const struct gllm_composed *code, const char **why)
{
	unsigned before;
	enum gllm_status s = gllm_registers_of(x->unit[o->anchor].code, *x->arena, &before);
	return s == GLLM_OK ? gllm_keeps_limits(code, &x->c->profile, before, *x->arena, why) : s;
}

/* Packed weights are read by products in panels of one width alone (block_form.h): such a trace must stay one. */
static enum gllm_status keeps_packed(struct fuser *x, const struct gllm_composed *code, const char **why)
{
	struct gllm_arena arena = *x->arena;
	enum gllm_status s = GLLM_OK;
	bool packed = false;
	for (unsigned i = 0; i < code->trace.nparams; i++)
		packed = packed || (code->source[i].kind == GLLM_FROM_TENSOR && code->source[i].lanes);
	struct product *p = packed ? gllm_alloc(&arena, sizeof *p, 8) : NULL;
	if (!packed)
		return GLLM_OK;
	if (!p || gllm_block_form(&arena, code, x->g, p, &s) || s != GLLM_OK)
		return p ? s : GLLM_OUT_OF_MEMORY;
	*why = "together they could not read weights packed as these are";
	return GLLM_UNSUPPORTED;
}

/* Of all that composing by the rule is a function of, where `reader` is the unit that reads. */
static uint64_t composition_key(const struct fuser *x, const struct rule *r, const struct offer *o, uint16_t reader)
{
	const struct gllm_composed *c = x->unit[reader].code;
	uint64_t h = gllm_hash_word(gllm_hash_word(GLLM_HASH_SEED, x->unit[o->anchor].key), x->unit[o->other].key), kept = 0;
	for (unsigned i = 0; i < c->trace.nparams; i++)
		kept |= (uint64_t)(c->source[i].kind == GLLM_FROM_TENSOR && x->keep[c->source[i].tensor]) << i;
	h = gllm_hash_word(h, o->third == GLLM_NO_PRODUCER ? 0 : x->unit[o->third].key);
	return gllm_hash_word(h, kept << 8 | (uint64_t)(r - rules));
}

static struct gllm_composition compose_in(struct fuser *x, const struct rule *r, const struct offer *o, struct gllm_arena *arena)
{
	struct gllm_arena mark = *arena;
	struct gllm_composed *code = gllm_alloc(arena, sizeof *code, 8);
	struct gllm_composition made = { .code = code, .status = GLLM_OUT_OF_MEMORY };
	if (code)
		made.status = r->compose(x, o, arena, code, &made.why);
	if (made.status == GLLM_OK)
		made.status = costs_little(x, o, code, &made.why);
	if (made.status != GLLM_OK) {
		made.code = NULL;
		mark.high = arena->high;
		*arena = mark;
	}
	return made;
}

/* The trace of the units by the rule, as it is kept or made now. */
static struct gllm_composition compose(struct fuser *x, const struct rule *r, const struct offer *o, uint16_t reader)
{
	uint64_t key = composition_key(x, r, o, reader);
	const struct gllm_composition *kept = gllm_memo_find(&x->c->memo, key);
	if (kept)
		return *kept;
	struct gllm_arena *arena = gllm_memo_room(&x->c->memo, x->arena);
	struct gllm_composition made = compose_in(x, r, o, arena);
	if (made.status == GLLM_OUT_OF_MEMORY && arena != x->arena)
		made = compose_in(x, r, o, arena = x->arena);
	made.key = key;
	if (made.status != GLLM_OUT_OF_MEMORY)
		gllm_memo_keep(&x->c->memo, arena, made);
	return made;
}

/* True if the offer was accepted. Refusals leave everything as it was. */
static bool try(struct fuser *x, const struct rule *r, struct offer *o)
{
	struct gllm_arena mark = *x->arena;
	uint16_t producer = r->relation == READ_BY_ANCHOR ? o->other : o->anchor, reader = r->relation == READ_BY_ANCHOR ? o->anchor : o->other;
	find_kept(x, producer, reader, o->third);
	o->bytes = bytes_saved(x, o, producer, reader);
	struct gllm_composition made = { .status = GLLM_UNSUPPORTED, .why = r->refuses(x, o) };
	if (!made.why)
		made = compose(x, r, o, reader);
	if (made.status == GLLM_OK)
		made.status = keeps_packed(x, made.code, &made.why);
	if (made.status == GLLM_OUT_OF_MEMORY)
		x->status = made.status;
	if (made.status == GLLM_OK) { /* what is stored all the same was not saved */
		uint64_t before = bytes_saved(x, o, producer, reader);
		for (unsigned i = 0; i < made.code->trace.nparams; i++)
			if (made.code->source[i].kind == GLLM_FROM_TENSOR)
				x->keep[made.code->source[i].tensor] = true;
		o->bytes -= before - bytes_saved(x, o, producer, reader);
	}
	bool done = made.status == GLLM_OK;
	gllm_fuse_note(x, o, done, done ? r->why : made.why ? made.why : gllm_status_text(made.status));
	if (done) {
		absorb(x, o, r, &made);
		return true;
	}
	mark.high = x->arena->high;
	*x->arena = mark;
	return false;
}

/* The latest node below `below` that produces an operand of unit `u` from outside it; GLLM_NO_PRODUCER if none. */
static uint16_t latest(const struct fuser *x, uint16_t u, unsigned below, uint16_t *tensor)
{
	uint16_t best = GLLM_NO_PRODUCER;
	for (unsigned i = 0; i < x->dag->nedges; i++) {
		const struct gllm_dag_edge *e = &x->dag->edge[i];
		if (x->unit_of[e->to] == u && x->unit_of[e->from] != u && e->from < below &&
		    (best == GLLM_NO_PRODUCER || e->from > best)) {
			best = e->from;
			*tensor = e->tensor;
		}
	}
	return best;
}

/* Offers unit `u` to the units of the rule that produce its operands; for a pair, to two of them. */
static bool offer_to_producers(struct fuser *x, const struct rule *r, uint16_t u)
{
	uint16_t tensor = 0, second = 0;
	for (unsigned below = x->g->nnodes;;) {
		uint16_t from = latest(x, u, below, &tensor);
		if (from == GLLM_NO_PRODUCER)
			return false;
		below = from;
		struct offer o = { .anchor = x->unit_of[from], .other = u, .third = GLLM_NO_PRODUCER, .tensor = tensor };
		o.reader = u;
		if (!(class_of(x, o.anchor) & r->anchor))
			continue;
		if (r->relation == MEETS) {
			uint16_t also = latest(x, u, below, &second);
			while (also != GLLM_NO_PRODUCER && (x->unit_of[also] == o.anchor || !(class_of(x, x->unit_of[also]) & r->anchor)))
				also = latest(x, u, also, &second);
			if (also == GLLM_NO_PRODUCER)
				return false;
			unsigned shared = shared_tensor(x->unit[o.anchor].code);
			if (shared == GLLM_NO_TENSOR || shared != shared_tensor(x->unit[x->unit_of[also]].code))
				continue; /* no candidates: they share no input */
			/* The earlier product is the anchor, so that the names stand in the graph's order. */
			o.third = o.anchor;
			o.anchor = x->unit_of[also];
			o.tensor = second;
		}
		if (try(x, r, &o))
			return true;
	}
}

/* Unit `u` takes in the maps whose values it reads first. */
static void take_producers(struct fuser *x, const struct rule *r, uint16_t u)
{
	uint16_t tensor = 0;
	for (uint16_t below = (uint16_t)x->g->nnodes, from; (from = latest(x, u, below, &tensor)) != GLLM_NO_PRODUCER;) {
		struct offer o = { .anchor = u, .other = x->unit_of[from], .third = GLLM_NO_PRODUCER, .tensor = tensor };
		o.reader = u;
		below = from;
		if ((class_of(x, o.other) & r->other) && try(x, r, &o))
			below = (uint16_t)x->g->nnodes;
	}
}

void gllm_fuse_traces(struct fuser *x)
{
	unsigned nrules = sizeof rules / sizeof rules[0];
	for (unsigned i = 0; i < x->g->nnodes; i++) {
		uint16_t u = x->unit_of[i];
		bool done = u != i;
		for (unsigned k = 0; k < nrules && !done; k++)
			if (rules[k].relation != READ_BY_ANCHOR && (class_of(x, u) & rules[k].other))
				done = offer_to_producers(x, &rules[k], u);
	}
	for (unsigned k = 0; k < nrules; k++)
		for (unsigned i = 0; i < x->g->nnodes && rules[k].relation == READ_BY_ANCHOR; i++)
			if (x->unit_of[i] == i && (class_of(x, (uint16_t)i) & rules[k].anchor))
				take_producers(x, &rules[k], (uint16_t)i);
}
