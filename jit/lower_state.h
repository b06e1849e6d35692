/* SPDX-License-Identifier: MIT
 * jit/lower_state.h - what the parts of lowering share.
 *
 *   lower_poly.c  polynomials with the fixed dims put in; addresses as base + stride per loop
 *   lower_plan.c  which loop is vectorised, how many copies of each
 *   lower_order.c which loops may be reordered
 *   lower.c       walks the loop tree: loops, phases, bodies, pointers
 *   lower_phase.c the phases of a loop: copies, fewer copies, a tail
 *   lower_range.c what stands before the loops, and how the work may be split
 *   lower_carry.c accumulators
 *   lower_value.c constants, and the blocks of registers that hold a node's copies
 *   lower_address.c memory operands
 *   lower_hoist.c what stands before an innermost loop
 *   lower_memory.c nodes that access memory
 *   lower_node.c  one node as instructions
 *   lower_copies.c how many copies of a map hide its latency
 *   lower_rows.c  rows side by side
 *   lower_repeat.c copies of an innermost loop's iterations from the first of them
 *   lower_turn.c  loads that lie along another loop than the lanes
 *   lower_tile.c  sums of products of words of two rows and columns at once
 *   lower_spread.c  accesses of every second, fourth or eighth element
 *   lower_idiom.c values that are put together from bytes, and can be loaded; sums under a condition
 *   lower_half.c  whether all lanes can be halves
 *   lower_scale.c products with powers of two, and lanes whose result is known
 *
 * Words used throughout. A loop is *reorderable* if its iterations may run in any order (its carries are associative
 * reductions, its memory accesses independent). Reorderable loops can be *copied* (several iterations side by side in the
 * body, "unroll and jam") and one of them on each path can be *vectorised* (consecutive iterations in the lanes).
 * A loop is emitted as *phases*: the copied body, fewer copies, then a masked or a one-at-a-time tail.
 * *Paired*: the loop around a vectorised reduction, copied as often as results fit one vector; the copies' accumulators
 * are reduced together (VHPAIR), so the paired loop's own nodes are vectorised along it. What the reduction needs of
 * these nodes per copy exists a second time in *split* form: one register with equal lanes per copy. */
#ifndef GLLM_JIT_LOWER_STATE_H
#define GLLM_JIT_LOWER_STATE_H
#include "jit/lower.h"
#include "jit/vir.h"

enum { OPEN_LOOPS = 34, POLY_TERMS = 8, MAX_PHASES = 4, MAX_COPIES = 16, MAX_BODY = 1024, MAX_POOL = 512, MAX_KNOWN = 4, NO_SYM = -1 };
#define NO_BLOCK UINT32_MAX

struct poly {
	unsigned n;
	struct gllm_term t[POLY_TERMS];
};

struct lin { /* a number of the loop nest: fixed, or a polynomial over dims known at run time */
	int64_t c;
	int16_t sym; /* NO_SYM: c */
};

struct induction { /* base + sum of stride * loop, for a parameter's address or as a plain integer (param < 0) */
	int param;
	int16_t base;       /* runtime part of the base; NO_SYM none */
	uint32_t loops;     /* with a stride */
	gllm_ref last_use;
	gllm_vreg reg;      /* where its current value is */
	struct lin *stride; /* per loop */
};

struct place { /* an access or polynomial: an induction plus a fixed displacement */
	uint16_t ind;
	struct { int16_t sym; int64_t times; } base; /* of a hint: what is known at run time besides; NO_SYM none */
	int64_t disp;
};

struct loop_plan {
	uint32_t inside;      /* this loop and its ancestors */
	int8_t only_child;    /* -1: none or several */
	bool leaf, reorderable, vector, paired, partial; /* partial: its carries differ from lane to lane */
	bool together;        /* its iterations may run side by side, as copies in one body: reorderable, but for what each stores alike */
	bool shared;          /* its iterations may run on different workers, each with memory of its own */
	bool carries;         /* has CARRY nodes */
	bool tiled;           /* its sums are tiles: lower_tile.c */
	uint8_t copies, columns; /* while an enclosing loop is copied, too */
	uint8_t copies_alone, columns_alone;
	uint8_t sums, sums_alone; /* most accumulators; copies beyond them take turns */
	uint8_t accumulators;
	int64_t trip;         /* -1: known at run time */
};

struct phase {
	bool vector, paired, masked;
	uint8_t copies;       /* paired: columns */
	int64_t step;         /* iterations of the loop per body */
	int64_t count;        /* of bodies; -1: while step iterations remain; -2: once if any remain */
};

struct frame {
	int loop;             /* -1 the function itself */
	unsigned phase, nphases;
	struct phase ph[MAX_PHASES];
	gllm_ref at;
	gllm_vreg count, mask;
	unsigned head, skip;
	bool in_loop, ranged;
	uint8_t across;       /* the nearest frame, this one or one outside, that is vectorised or paired; 0 none */
	int64_t advanced;     /* iterations by which fixed pointers have moved */
	uint32_t slot_mark, body_mark;
	unsigned offset_mark;
	unsigned const_mark;
	gllm_vreg *saved;     /* induction registers at entry */
	gllm_vreg counted;    /* in this body: an induction plus the number of the lane, or NO_VREG */
	uint16_t counted_ind;
};

struct walk { /* the frames that have copies, slowest first */
	unsigned n, frame[OPEN_LOOPS], radix[OPEN_LOOPS];
	uint32_t moved; /* the loop whose copy differs from the last tuple's, while faster ones begin again; first: all */
};

/* Lanes whose result is known: lower_scale.c. choice = condition ? constant : other, or the other way round. */
struct known {
	gllm_ref condition, choice, constant, other;
	gllm_ref result;      /* the last node that follows from the choice alone */
	uint32_t bits;        /* its value where the constant was chosen: 0 or -0 */
	bool negated;         /* the constant is chosen where the condition holds */
};

struct lower {
	const struct gllm_trace *t;
	const struct gllm_lower_options *o;
	const struct gllm_machine *m;
	struct gllm_vir *v;
	struct gllm_kernel_info *info;
	struct gllm_arena *arena;
	struct gllm_error *e;
	enum gllm_status status;
	unsigned lanes, vregs;
	bool halves;             /* lanes of 16 bits: lower_half.c */

	/* plan */
	uint32_t *dep;           /* per node: loops along which its value varies */
	uint16_t *uses;
	gllm_ref *fused;         /* ADD, SUB: the product contracted into it; MUL: itself if it is contracted away */
	gllm_ref *direct;        /* per node: the CARRY whose accumulator it may write at once */
	uint8_t *split;          /* per node: needed in split form */
	uint8_t *turned;         /* per node: number of the loop it lies along plus one if it is turned, else 0 */
	uint8_t *spread;         /* per node: elements between its lanes if they are more than one, else 0 */
	gllm_ref *half;          /* per MUL: the LOAD of the lower byte of the half in memory that is its value; NO_NODE */
	uint8_t *idle;           /* per node: it is read by nodes alone that are not emitted */
	uint8_t *loaded;         /* per LOAD: the type that its elements are loaded as */
	gllm_ref *signed_load;   /* per node: the LOAD whose value it has, since that loads integers with their sign; NO_NODE */
	struct known known[MAX_KNOWN]; unsigned nknown;
	uint8_t *integer;        /* per node: needed as an integer in class G */
	uint16_t *reduction;     /* per node: number of the reduction of a CARRY, 0xffff none */
	gllm_ref *through;       /* per CARRY of nested loops that are one sum: the innermost one, whose accumulators serve all; NO_NODE */
	struct loop_plan *loop;
	struct induction *ind;   unsigned ninds;
	struct place *access, *index, *trip;
	struct poly *sym;        gllm_vreg *sym_reg; unsigned nsyms, max_syms;

	/* emission */
	struct frame *frame;     unsigned depth; /* frames in use */
	uint64_t copied;         /* a bit per frame in use: its present phase has several copies; of these frames: */
	struct { uint32_t loop; uint16_t copies; bool vector; } present[OPEN_LOOPS]; /* the loop's bit and its phase's copies */
	uint32_t paired;         /* a bit per loop: it is open and its present phase paired */
	uint8_t frame_of[32];    /* per open loop: its frame */
	gllm_ref *line;          /* room for the nodes of a segment */
	uint32_t *val, *sval, *gval, *result;    /* per node: block of registers */
	gllm_vreg *slot;         uint32_t nslots, max_slots;
	gllm_ref *same;          /* per CONST, then per negated one: the first one with the same bits */
	gllm_vreg *constant;     /* per node, then negated: CONST or SCALAR in a register now, or GLLM_NO_VREG */
	gllm_ref *const_list;    unsigned nconst;
	uint32_t *pool;          unsigned npool, first_word; /* tables lie before that one */
	gllm_vreg pool_reg, number[4]; /* numbers of lanes: lower_spread.c */
	gllm_vreg lane_numbers;  /* lane i holds i */
	struct offset_reg { int64_t mult; int16_t sym; gllm_vreg reg; } offset[64];
	unsigned noffsets;
	struct indexed { uint16_t segment; gllm_vreg base, value, address; uint32_t bytes; } indexed; /* the last such address */
	unsigned tuple[OPEN_LOOPS]; /* copy number per frame */
	gllm_vreg ahead;     /* 0 or 1: so many iterations of ahead_loop later are the integers that are loaded now; GLLM_NO_VREG */
	int ahead_loop;
	bool past;           /* a store past the caches was emitted */
	bool split_form;
	uint16_t segment, copy;  /* of the accesses emitted now (core/vir.h); 0 none */
	uint16_t nsegments;
	unsigned irregular;  /* how often what was emitted depended on the number of its copy in ways of its own: lower_repeat.c */
};

/* The first failure sticks. Returns false always, so that callers can say `return gllm_lower_fail(..)`. */
bool gllm_lower_fail(struct lower *l, enum gllm_status s, const char *what, uint64_t where);
void *gllm_lower_alloc(struct lower *l, size_t n, size_t size); /* zeros */
void *gllm_lower_room(struct lower *l, size_t n, size_t size);  /* anything */

/* lower.c */
/* All copies that a node of `node_loop` with this dependence has, one tuple after another: do .. while (.._next). */
void gllm_lower_walk(struct lower *l, struct walk *w, uint32_t dep, int node_loop, bool split);
bool gllm_lower_walk_next(struct lower *l, struct walk *w);
void gllm_lower_walk_past(struct lower *l, const struct walk *w, unsigned k); /* on to the last copies of the frames from k on */
void gllm_lower_move(struct lower *l, gllm_vreg d, gllm_vreg a);
gllm_vreg gllm_lower_slot(struct lower *l, unsigned slot); /* a word of the arguments */
gllm_vreg gllm_lower_integer(struct lower *l, int64_t x);

static inline struct frame *gllm_lower_top(struct lower *l)
{
	return &l->frame[l->depth - 1];
}

static inline struct phase *gllm_lower_phase(struct frame *f)
{
	return &f->ph[f->phase];
}

/* What lanes of elements of `type` hold. */
static inline enum gllm_type gllm_lower_lane_type(const struct lower *l, unsigned type)
{
	switch ((enum gllm_type)type) {
	case GLLM_F32: case GLLM_F16: case GLLM_BF16: return l->halves ? GLLM_F16 : GLLM_F32;
	case GLLM_U32: return GLLM_U32;
	case GLLM_I8: case GLLM_U8: case GLLM_I16: case GLLM_U16: case GLLM_I32: case GLLM_I64: case GLLM_MASK:
	case GLLM_TYPE_COUNT: break;
	}
	return GLLM_I32;
}

/* lower_hoist.c */
/* Constants of an innermost loop stand before it while registers last; those that are read anyway come last, and only where few
 * registers hold others: values of copies that run side by side need them more. */
void gllm_lower_hoist_constants(struct lower *l, unsigned loop);
void gllm_lower_hoist_all_offsets(struct lower *l, unsigned loop);

/* lower_phase.c */
void gllm_lower_plan_phases(const struct lower *l, struct frame *f);            /* of the loop in f->loop, which begins */
unsigned gllm_lower_accumulators(const struct lower *l, const struct frame *f); /* that the phases of f share, for each carry */

/* lower_range.c */
void gllm_lower_choose_range(struct lower *l);
void gllm_lower_place_tables(struct lower *l);
void gllm_lower_prologue(struct lower *l);

/* lower_carry.c */
void gllm_lower_mark_through(struct lower *l);
void gllm_lower_start_carry(struct lower *l, gllm_ref carry);
void gllm_lower_finish_carries(struct lower *l, unsigned loop); /* after the loop's frame is gone */
/* What the index that INDEX n gives this copy may lack where it goes: its pair adds it behind the loop, once. */
unsigned gllm_lower_later(const struct lower *l, gllm_ref n);
void gllm_lower_commit_carries(struct lower *l);                /* at the end of a body of the top frame */
/* Whether this phase must keep the accumulators' other lanes by a select. */
bool gllm_lower_needs_select(const struct lower *l, unsigned loop, const struct phase *p);

static inline bool gllm_lower_in_loop(const struct lower *l, gllm_ref n, unsigned loop)
{
	return n >= l->t->loop[loop].first && n < l->t->loop[loop].end;
}

static inline bool gllm_lower_is_access(const struct gllm_node *n)
{
	return n->op == GLLM_N_LOAD || n->op == GLLM_N_STORE;
}

/* lower_poly.c */
bool gllm_terms_add_term(struct poly *p, struct gllm_term t);
bool gllm_terms_add(struct poly *p, const struct poly *q, int64_t factor);
bool gllm_terms_mul(struct poly *r, const struct poly *p, const struct poly *q);
bool gllm_terms_fixed(const struct poly *p, int64_t *value);
bool gllm_terms_not_negative(const struct poly *p);
bool gllm_lower_poly(struct lower *l, struct gllm_poly p, struct poly *out);
struct poly gllm_lower_lin_poly(const struct lower *l, struct lin x);
bool gllm_lower_places(struct lower *l);

/* lower_plan.c */
bool gllm_lower_plan(struct lower *l);
/* Operands of a node; CARRY's second one is of the next iteration. */
unsigned gllm_lower_sources(const struct gllm_trace *t, gllm_ref n, gllm_ref out[4]);

/* lower_order.c */
void gllm_lower_mark_order(struct lower *l);
bool gllm_lower_rectangular(const struct lower *l, unsigned loop); /* loops inside run equally often in every iteration */

/* lower_idiom.c */
void gllm_lower_mark_halves(struct lower *l); /* after uses are counted */
void gllm_lower_mark_sums_under(struct lower *l); /* after products are contracted: a SELECT of an idle ADD is such a sum */
void gllm_lower_mark_loaded(struct lower *l); /* after loops in lanes are chosen */

/* lower_half.c */
bool gllm_lower_fits_halves(struct lower *l);

/* lower_scale.c */
/* The exponent of LDEXP n as a float where the machine scales by floats; NO_NODE: it is none, or n no LDEXP. */
gllm_ref gllm_lower_float_exponent(const struct lower *l, gllm_ref n);
void gllm_lower_mark_known(struct lower *l); /* after uses are counted */
/* Of which node n is the condition, the choice or the result; NULL. */
const struct known *gllm_lower_known(const struct lower *l, gllm_ref n);

/* lower_copies.c */
unsigned gllm_lower_copies(struct lower *l, unsigned loop);

/* lower_rows.c */
unsigned gllm_lower_carries(const struct lower *l, unsigned loop);       /* CARRY nodes of the loop and those within */
unsigned gllm_lower_side_by_side(const struct lower *l, unsigned rows); /* most copies of the loop `rows`, by the passes within */

/* lower_repeat.c */
struct repeat { /* of a frame's copies */
	unsigned frame, first, copies; /* the number of the copy that others are written from, and how many there are */
	int loop;             /* the frame's */
	uint32_t outer;       /* loops whose copies are slower */
	const gllm_ref *line; unsigned n; /* the nodes */
	bool begins;          /* that copy has begun */
	unsigned begin, end;  /* its instructions */
	unsigned regs, each;  /* the first of its registers, and how many are its own */
	unsigned tuples;      /* of copies of other loops within it */
	unsigned constants, offsets, irregular;
};
/* May copies of frame k of the walk, of the nodes `line` that end the top frame's body, be written from one of them? */
bool gllm_lower_may_repeat(struct lower *l, const struct walk *w, unsigned k, const gllm_ref *line, unsigned n, struct repeat *r);
void gllm_lower_repeat_from(const struct lower *l, struct repeat *r); /* that one begins */
/* It has ended: all copies behind it; false if it has turned out to be of its own kind. */
bool gllm_lower_repeat(struct lower *l, struct repeat *r);

/* lower_turn.c */
int gllm_lower_turns(const struct lower *l, gllm_ref n, unsigned v);
unsigned gllm_lower_turned(struct lower *l, gllm_ref n, unsigned fv, unsigned fw, unsigned *first, gllm_vreg *out);

/* lower_tile.c */
void gllm_lower_mark_tiles(struct lower *l);
gllm_vreg gllm_lower_tile(struct lower *l, gllm_ref sum, const struct gllm_node *dot); /* `sum` adds `dot` on */
gllm_vreg gllm_lower_tile_row(struct lower *l, gllm_ref carry);

/* lower_spread.c */
unsigned gllm_lower_spreads(const struct lower *l, gllm_ref n, unsigned v);
void gllm_lower_spread_numbers(struct lower *l);
gllm_vreg gllm_lower_spread_load(struct lower *l, gllm_ref n, const struct frame *f, enum gllm_type type);
void gllm_lower_spread_store(struct lower *l, gllm_ref n, const struct frame *f, enum gllm_type type);

/* lower_value.c */
static inline const struct gllm_node *node(const struct lower *l, gllm_ref n)
{
	return &l->t->node[n];
}

gllm_vreg gllm_lower_emit(struct lower *l, enum gllm_vir_op op, enum gllm_type type, gllm_vreg a, gllm_vreg b, gllm_vreg c);
gllm_vreg gllm_lower_g(struct lower *l, enum gllm_vir_op op, gllm_vreg a, gllm_vreg b, int64_t imm);
gllm_vreg gllm_lower_word(struct lower *l, uint32_t bits, gllm_vreg into);
gllm_vreg gllm_lower_constant(struct lower *l, gllm_ref n);
gllm_vreg gllm_lower_constant_value(struct lower *l, gllm_ref n); /* as the body emitted now reads it */
gllm_ref gllm_lower_negated(const struct lower *l, gllm_ref n); /* number of CONST n with the other sign */
bool gllm_lower_subtracts(const struct lower *l, gllm_ref n);   /* product less constant, contracted */
gllm_vreg gllm_lower_addend(struct lower *l, gllm_ref n); /* of the product that is contracted into n */
/* Number of the constant that is node n's addend and that each use reads from memory, where a sum is put over it; else NO_NODE. */
gllm_ref gllm_lower_read_addend(const struct lower *l, gllm_ref n);
/* Copies of frame f's loop as a node of `node_loop` sees them. */
static inline unsigned gllm_lower_radix(const struct lower *l, unsigned f, int node_loop, bool split_form)
{
	bool own = node_loop >= 0 && (l->present[f].loop & l->paired) >> node_loop & 1;

	return own && !split_form ? 1 : l->present[f].copies;
}

/* How many copies a value has. */
static inline uint32_t gllm_lower_places_of(const struct lower *l, uint32_t dep, int node_loop, bool split_form)
{
	uint32_t n = 1;

	for (uint64_t frames = l->copied; frames; frames &= frames - 1) {
		unsigned f = (unsigned)__builtin_ctzll(frames);
		if (dep & l->present[f].loop)
			n *= gllm_lower_radix(l, f, node_loop, split_form);
	}
	return n;
}

/* Which of them the nodes being emitted now see. */
static inline uint32_t gllm_lower_index(const struct lower *l, uint32_t dep, int node_loop, bool split_form)
{
	uint32_t i = 0;

	for (uint64_t frames = l->copied; frames; frames &= frames - 1) {
		unsigned f = (unsigned)__builtin_ctzll(frames);
		if (dep & l->present[f].loop)
			i = i * gllm_lower_radix(l, f, node_loop, split_form) + l->tuple[f];
	}
	return i;
}

uint32_t gllm_lower_block(struct lower *l, uint32_t dep, int node_loop, bool split_form, unsigned extra);
uint32_t gllm_lower_carry_index(const struct lower *l, gllm_ref carry, unsigned copy);
unsigned gllm_lower_own_copy(const struct lower *l, int loop);
gllm_vreg *gllm_lower_place(struct lower *l, gllm_ref n); /* of its value for the current tuple */
gllm_vreg gllm_lower_value(struct lower *l, gllm_ref n);

/* lower_address.c */
unsigned gllm_lower_lane_frame(const struct lower *l);
/* Fills the memory operand of `i` for the current tuple, `by` bytes further; `bytes` is the size of the access. */
void gllm_lower_address(struct lower *l, struct place p, int64_t by, unsigned bytes, struct gllm_vi *i);
void gllm_lower_address_by(struct lower *l, struct place p, struct lin stride, int64_t times, unsigned bytes, struct gllm_vi *i);
/* The same for access `a` at `p`, with the part that is computed from data. */
void gllm_lower_access_address(struct lower *l, const struct gllm_access *a, struct place p, struct gllm_vi *i);
/* Fetches what the trace's hints say, for the body that begins. */
void gllm_lower_hints(struct lower *l);
bool gllm_lower_has_offsets(const struct lower *l, gllm_ref n); /* node n is an access that may need registers beside its pointer */
void gllm_lower_hoist_offsets(struct lower *l, gllm_ref n);
gllm_vreg gllm_lower_integer_at(struct lower *l, struct place p);
gllm_vreg *gllm_lower_integer_place(struct lower *l, gllm_ref n); /* of its value in class G */
gllm_vreg gllm_lower_integer_value(struct lower *l, gllm_ref n);

/* lower_memory.c */
gllm_vreg gllm_lower_memory_node(struct lower *l, gllm_ref n);  /* a LOAD or STORE */
gllm_vreg gllm_lower_half_node(struct lower *l, gllm_ref load); /* the half whose lower byte `load` reads, in all lanes */
/* A store of a vector goes past the caches if all of it does, and the options say so. */
void gllm_lower_note_past(struct lower *l, unsigned param, struct gllm_vi *i);
/* An access that serves one copy only is one of an iteration that may change places with others. */
void gllm_lower_note_copy(const struct lower *l, gllm_ref n, struct gllm_vi *i);
/* Fetches what access `n` of the current tuple reaches `by` bytes further on into the nearest cache, or, if there is
 * anything further on and the options say so, into the second. */
void gllm_lower_fetch(struct lower *l, gllm_ref n, int64_t by);

/* lower_node.c */
void gllm_lower_node(struct lower *l, gllm_ref n);
gllm_vreg gllm_lower_integer_node(struct lower *l, gllm_ref n); /* its value in class G, computed anew; GLLM_NO_VREG: it has none */
unsigned gllm_lower_temporaries(const struct lower *l, gllm_ref n);
gllm_vreg gllm_lower_combine(struct lower *l, gllm_ref carry, gllm_vreg part, gllm_vreg into, gllm_vreg d);
#endif
