/* SPDX-License-Identifier: MIT
 * jit/schedule.c - a list scheduler: of what could start now, what the most cycles still depend on goes first.
 *
 * A step is what moves as one: an instruction, or one and the load before it that becomes its memory operand. Steps become
 * ready when all they depend on is issued. Time is counted in cycles of a machine that issues `width` instructions a cycle
 * in order; one that looks ahead needs the same distances between dependent instructions where its window is too short.
 *
 * A constant that one step reads from memory is loaded when all else that this step reads is under way: sooner it would
 * only hold a register.
 *
 * Registers are counted as linear scan will count them (vir_span.h).
 * A step that would need more than there are waits until the oldest one, which is always ready, has ended something; if
 * even that passes the limit the line is tried again with more registers held back and more of a lead for older steps, so
 * that copies of an iteration do not want most registers at one time, and at last kept as it was. Edges run from earlier to
 * later instructions only, so one pass backwards finds the heights. */
#include "jit/schedule.h"
#include "jit/vir.h"
#include "jit/vir_span.h"

enum { MAX_LINE = 512, EDGES = 8, FILES = 3, TRIES = 5, SHORT = 200, LONG = 32, HELD_BACK = 4, NEAR = 4, NONE = 0xffff };

struct edge {
	uint16_t to, next;
	uint8_t latency;
};

struct step { /* by the number of its instruction in the line */
	uint16_t load;    /* instruction that is its memory operand, NONE without */
	uint16_t edges;   /* first of a list, NONE at its end */
	uint16_t preds, left;
	uint16_t late, nlate; /* loads that wait for what else it reads: the first of a list by `late`, NONE at its end */
	uint16_t height;  /* cycles from its start to the end of all that depends on it */
	uint16_t key;     /* the height and the step's lead: the greatest goes first */
	uint32_t ready;   /* first cycle in which what it reads is there */
	uint8_t kind, slots, latency;
	uint8_t temps[2]; /* of class G and V; a result that is better apart from what it reads counts as one */
	bool constant, waits; /* it is one of those loads; and still waits */
	bool done;
};

struct reg {
	uint16_t writer;      /* in the line so far, plus one */
	uint16_t readers;     /* head of a list of those since, NONE empty */
	uint16_t reads, left; /* in the line */
	bool live;
	bool kept;            /* in the frame, not in a register */
};

struct schedule {
	struct gllm_vir *v;
	const struct gllm_machine *m;
	struct gllm_arena *arena;
	uint16_t *ready;      /* per register; 0 between lines */
	struct reg *reg;      /* NULL until a line is reordered, as all that follows */
	struct gllm_vir_span *span; uint32_t *close;
	bool converting;      /* conversions take half of the line's time or more */
	unsigned begin, n;    /* the line */
	struct step *step;    /* of the line */
	uint16_t *owner;      /* instruction -> its step */
	struct edge *edge;    unsigned nedges;
	struct reader { uint16_t at, next; } *reader; unsigned nreaders;
	uint16_t *memory;     unsigned nmemory; /* accesses so far */
	uint16_t *queue;      unsigned nqueue;  /* ready steps, highest first */
	uint16_t *order;      unsigned norder;
	unsigned longest;     /* of the heights */
	unsigned oldest;      /* step that is neither issued nor waits: always ready */
	struct gllm_vi *copy;
	uint32_t busy[GLLM_UNITS], issued;      /* when each unit is free again, in parts of a cycle */
	unsigned live[FILES], at_begin[FILES], limit[FILES];
	bool full;            /* edges ran out */
	bool stores;          /* the line is of iterations that end; else of sums, whose steps all are as old as the sums */
	bool plenty;          /* registers for whatever goes next */
};

static const struct gllm_vi *at(const struct schedule *s, unsigned i)
{
	return &s->v->ins[s->begin + i];
}

static bool writes(const struct gllm_vi *i)
{
	return i->d != GLLM_NO_VREG;
}

static unsigned file_of(const struct schedule *s, gllm_vreg r)
{
	return s->m->class_file[s->v->reg_class[r]];
}

static const struct gllm_timing *timing(const struct schedule *s, const struct gllm_vi *i)
{
	return gllm_timing_of(s->m, i);
}

/* --- is there anything to gain? ------------------------------------------------------------------------------------- */

/* A core that looks ahead starts the oldest instruction that is ready. Where one unit of several converts, and is what a line
 * waits for, conversions must be older than what the others do as well. */
static bool converts(const struct gllm_vi *i)
{
	return i->op == GLLM_V_VCVT || i->op == GLLM_V_VCVTN;
}

static inline unsigned operand_ready(const struct schedule *s, gllm_vreg r, unsigned start)
{
	return r != GLLM_NO_VREG && s->ready[r] > start ? s->ready[r] : start;
}

/* One turn takes `longest` cycles and wants the busiest unit for `bound` of them. The machine's window holds window / size
 * turns: are these too few to keep that unit at work? The same of what waits there, without the time of a load:
 * for maps, lines of up to SHORT instructions with chains longer than LONG. ready[] is the cycle in which a value is there. */
static bool latency_bound(struct schedule *s)
{
	unsigned used[GLLM_UNITS] = { 0 }, longest = 0, size = 0, bound = 0, converting = 0;
	const struct gllm_vi *line = at(s, 0), *end = line + s->n;

	for (const struct gllm_vi *i = line; i < end; i++) {
		const struct gllm_timing *t = timing(s, i);
		unsigned start = operand_ready(s, i->a, 0);
		start = operand_ready(s, i->b, start);
		start = operand_ready(s, i->c, start);
		start = operand_ready(s, i->m, start) + t->latency;
		if (writes(i))
			s->ready[i->d] = (uint16_t)start;
		longest = start > longest ? start : longest;
		used[t->unit] += t->slots;
		if (converts(i))
			converting += t->slots;
	}
	for (unsigned u = 0; u < GLLM_UNITS; u++) {
		unsigned cycles = used[u] / (s->m->units[u] ? s->m->units[u] : 1);
		bound = cycles > bound ? cycles : bound;
		size += used[u];
	}
	bound = size / s->m->width > bound ? size / s->m->width : bound;
	for (const struct gllm_vi *i = line; i < end; i++)
		if (writes(i))
			s->ready[i->d] = 0;
	s->converting = s->m->one_converts && s->m->window && 2 * converting >= bound;
	unsigned load = s->m->timing[GLLM_V_VLOAD].latency;
	bool maps = longest > load + LONG && s->n <= SHORT;
	return longest * size > s->m->window * bound || s->converting ||
	       (maps && s->m->waiting && (longest - load) * size > s->m->waiting * bound);
}

/* --- what depends on what ------------------------------------------------------------------------------------------- */

static inline void depend(struct schedule *s, unsigned before, unsigned after, unsigned latency)
{
	unsigned from = s->owner[before], to = s->owner[after];

	if (from == to)
		return;
	if (s->nedges == EDGES * MAX_LINE) {
		s->full = true;
		return;
	}
	s->edge[s->nedges] = (struct edge){ .to = (uint16_t)to, .next = s->step[from].edges, .latency = (uint8_t)latency };
	s->step[from].edges = (uint16_t)s->nedges++;
	s->step[to].preds++;
}

static void depend_on_registers(struct schedule *s, unsigned i)
{
	const struct gllm_vi *in = at(s, i);
	gllm_vreg r[4];
	unsigned n = gllm_vi_uses(in, r);

	for (unsigned k = 0; k < n; k++) {
		struct reg *x = &s->reg[r[k]];
		if (x->writer)
			depend(s, x->writer - 1u, i, timing(s, at(s, x->writer - 1u))->latency);
		s->reader[s->nreaders] = (struct reader){ .at = (uint16_t)i, .next = x->readers };
		x->readers = (uint16_t)s->nreaders++;
		x->reads++;
	}
	if (!writes(in))
		return;
	struct reg *x = &s->reg[in->d];
	for (unsigned k = x->readers; k != NONE; k = s->reader[k].next)
		if (s->reader[k].at != i)
			depend(s, s->reader[k].at, i, 0);
	if (x->writer)
		depend(s, x->writer - 1u, i, 1);
	x->readers = NONE;
	x->writer = (uint16_t)(i + 1);
}

/* Copies fetch ahead one by one, each behind the last one's store: asked for together, their lines wait for one another, and the
 * stores for them (exp of 256 MiB: a seventh). */
static void fetch_in_turn(struct schedule *s, unsigned i)
{
	unsigned k = s->nmemory;

	while (k > 0 && !gllm_vi_stores(at(s, s->memory[k - 1])))
		k--;
	if (k > 0)
		depend(s, s->memory[k - 1], i, 0);
}

static void depend_on_memory(struct schedule *s, unsigned i)
{
	if (at(s, i)->op == GLLM_V_PREFETCH)
		fetch_in_turn(s, i);
	if (!gllm_vi_accesses(at(s, i)))
		return;
	for (unsigned k = 0; k < s->nmemory; k++)
		if (!gllm_vi_independent(at(s, s->memory[k]), at(s, i)))
			depend(s, s->memory[k], i, gllm_vi_stores(at(s, s->memory[k])));
	s->memory[s->nmemory++] = (uint16_t)i;
}

/* A load that its reader, or the reader after one more load, takes as its memory operand. */
static void join(struct schedule *s, unsigned i)
{
	const struct gllm_vi *load = at(s, i);
	unsigned user = i + 1;

	if (!s->m->takes || !gllm_vi_accesses(load) || gllm_vi_stores(load))
		return;
	if (user < s->n && gllm_vi_accesses(at(s, user)) && !gllm_vi_stores(at(s, user)))
		user++;
	if (user >= s->n || s->step[user].load != NONE || s->span[load->d].last != s->begin + user ||
	    s->span[load->d].first != s->begin + i || !s->m->takes(load, at(s, user)))
		return;
	s->step[user].load = (uint16_t)i;
	s->owner[i] = (uint16_t)user;
}

static void find_heights(struct schedule *s)
{
	s->longest = 0;
	for (unsigned i = s->n; i-- > 0;) {
		struct step *u = &s->step[i];
		unsigned height = u->latency;
		for (unsigned e = u->edges; e != NONE; e = s->edge[e].next)
			if (height < s->edge[e].latency + s->step[s->edge[e].to].height)
				height = s->edge[e].latency + s->step[s->edge[e].to].height;
		u->height = (uint16_t)height;
		s->longest = height > s->longest ? height : s->longest;
	}
}

/* The step that all edges of u lead to, NONE if there is none or several; `n` how many they are. */
static unsigned only_user(const struct schedule *s, const struct step *u, unsigned *n)
{
	unsigned user = u->edges == NONE ? NONE : s->edge[u->edges].to;

	*n = 0;
	for (unsigned e = u->edges; e != NONE; e = s->edge[e].next, ++*n)
		if (s->edge[e].to != user)
			return NONE;
	return user;
}

/* Loads of constants that one step reads, and nothing must go before. */
static void find_late(struct schedule *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct step *u = &s->step[i];
		unsigned n, user = at(s, i)->segment == GLLM_VIR_FIXED && s->owner[i] == i && u->preds == 0 ? only_user(s, u, &n) : NONE;
		if (user == NONE)
			continue;
		u->constant = true;
		u->late = s->step[user].late;
		s->step[user].late = (uint16_t)i;
		s->step[user].nlate = (uint16_t)(s->step[user].nlate + n);
	}
}

static void find_dependences(struct schedule *s)
{
	s->nedges = s->nreaders = s->nmemory = 0;
	s->full = false;
	for (unsigned i = 0; i < s->n; i++) {
		s->step[i] = (struct step){ .load = NONE, .edges = NONE, .late = NONE };
		s->owner[i] = (uint16_t)i;
	}
	for (unsigned i = 0; i < s->n; i++)
		join(s, i);
	for (unsigned i = 0; i < s->n; i++) {
		depend_on_registers(s, i);
		depend_on_memory(s, i);
	}
	for (unsigned i = 0; i < s->n; i++) {
		const struct gllm_timing *t = timing(s, at(s, i));
		struct gllm_need need = s->m->need(at(s, i));
		struct step *u = &s->step[i];
		u->kind = t->unit;
		u->latency = t->latency;
		/* a copy of an operand that must survive goes through the same unit */
		u->slots = (uint8_t)(t->slots + (t->unit == GLLM_UNIT_V && need.apart ? 1u : 0u));
		u->temps[0] = need.g;
		u->temps[1] = (uint8_t)(need.v + need.apart);
	}
	find_heights(s);
	find_late(s);
}

/* --- registers ------------------------------------------------------------------------------------------------------ */

static void count_live(struct schedule *s)
{
	for (unsigned f = 0; f < FILES; f++)
		s->at_begin[f] = 0;
	for (unsigned r = 0; r < s->v->nregs; r++)
		s->at_begin[file_of(s, (gllm_vreg)r)] += !s->reg[r].kept && s->span[r].first < s->begin && s->span[r].last >= s->begin;
}

/* Registers live again as they are at the line's beginning. */
static void rewind(struct schedule *s)
{
	gllm_vreg r[5];

	for (unsigned f = 0; f < FILES; f++)
		s->live[f] = s->at_begin[f];
	for (unsigned i = 0; i < s->n; i++) {
		unsigned n = gllm_vi_uses(at(s, i), r);
		if (writes(at(s, i)))
			r[n++] = at(s, i)->d;
		for (; n-- > 0;) {
			s->reg[r[n]].left = s->reg[r[n]].reads;
			s->reg[r[n]].live = s->span[r[n]].first < s->begin && !s->reg[r[n]].kept;
		}
	}
}

static bool ends_here(const struct schedule *s, gllm_vreg r)
{
	return s->span[r].last < s->begin + s->n;
}

/* Registers of each file that step u needs at once, as things are now. What becomes a memory operand has one, too. */
static void needed(const struct schedule *s, unsigned u, unsigned need[FILES])
{
	const struct gllm_vi *in = at(s, u);
	gllm_vreg r[4];
	unsigned n = gllm_vi_uses(in, r), dying = 0;

	for (unsigned f = 0; f < FILES; f++)
		need[f] = s->live[f];
	need[s->m->class_file[GLLM_CLASS_G]] += s->step[u].temps[0];
	need[s->m->class_file[GLLM_CLASS_V]] += s->step[u].temps[1] + (s->step[u].load != NONE ? 1u : 0u);
	if (!writes(in) || s->reg[in->d].live)
		return;
	for (unsigned k = 0; k < n; k++)
		dying += s->reg[r[k]].live && s->reg[r[k]].left == 1 && ends_here(s, r[k]) &&
		         file_of(s, r[k]) == file_of(s, in->d);
	if (need[file_of(s, in->d)] < s->live[file_of(s, in->d)] + 1 - (dying > 0))
		need[file_of(s, in->d)] = s->live[file_of(s, in->d)] + 1 - (dying > 0);
}

static void step_reads(struct schedule *s, const struct gllm_vi *in)
{
	gllm_vreg r[4];

	for (unsigned k = gllm_vi_uses(in, r); k-- > 0;) {
		struct reg *x = &s->reg[r[k]];
		if (--x->left == 0 && x->live && ends_here(s, r[k])) {
			x->live = false;
			s->live[file_of(s, r[k])]--;
		}
	}
}

static void step_registers(struct schedule *s, unsigned u)
{
	const struct gllm_vi *in = at(s, u);

	if (s->step[u].load != NONE)
		step_reads(s, at(s, s->step[u].load));
	step_reads(s, in);
	if (!writes(in) || s->reg[in->d].live || (s->reg[in->d].left == 0 && ends_here(s, in->d)))
		return;
	s->reg[in->d].live = true;
	s->live[file_of(s, in->d)]++;
}

/* A line whose values alone, without what instructions want besides, are more than there are registers for spills in its
 * present order: it may take as many as it takes in that. */
static void raise_limits(struct schedule *s)
{
	unsigned most[FILES] = { 0 }, values[FILES] = { 0 };

	rewind(s);
	for (unsigned i = 0; i < s->n; i++) {
		unsigned need[FILES];
		if (s->owner[i] != i)
			continue;
		needed(s, i, need);
		step_registers(s, i);
		for (unsigned f = 0; f < FILES; f++) {
			most[f] = need[f] > most[f] ? need[f] : most[f];
			values[f] = s->live[f] > values[f] ? s->live[f] : values[f];
		}
	}
	for (unsigned f = 0; f < FILES; f++)
		if (values[f] > s->limit[f])
			s->limit[f] = most[f];
}

/* --- the list ------------------------------------------------------------------------------------------------------- */

static inline void enqueue(struct schedule *s, unsigned u)
{
	unsigned k = s->nqueue++;

	for (; k > 0; k--) {
		unsigned other = s->queue[k - 1];
		if (s->step[other].key > s->step[u].key || (s->step[other].key == s->step[u].key && other < u))
			break;
		s->queue[k] = (uint16_t)other;
	}
	s->queue[k] = (uint16_t)u;
}

static uint32_t later(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* The cycle in which step u can start. */
static uint32_t start_of(const struct schedule *s, unsigned u)
{
	unsigned kind = s->step[u].kind;
	uint32_t free = s->m->units[kind] ? s->busy[kind] / s->m->units[kind] : 0;

	return later(later(s->step[u].ready, free), s->issued / s->m->width);
}

/* Of the registers that steps are to leave free those that step u is: the fewer the nearer it is to the oldest one, which
 * they are kept for. */
static unsigned left_free(const struct schedule *s, unsigned u, unsigned held_back)
{
	unsigned ahead = u > s->oldest ? (u - s->oldest) * NEAR : 0;

	return s->stores && ahead < s->n ? held_back * ahead / s->n : held_back;
}

static inline bool fits(const struct schedule *s, unsigned u, unsigned held_back)
{
	unsigned need[FILES];

	if (s->plenty)
		return true;
	needed(s, u, need);
	held_back = left_free(s, u, held_back);
	for (unsigned f = 0; f < FILES; f++)
		if (need[f] + (need[f] > s->live[f] ? held_back : 0) > s->limit[f])
			return false;
	return true;
}

/* The place in the queue of what goes next: the highest of those that can start first and fit. The oldest always may. */
static unsigned choose(const struct schedule *s, unsigned held_back)
{
	unsigned best = NONE;
	uint32_t first = UINT32_MAX;

	for (unsigned k = 0; k < s->nqueue && first > s->issued / s->m->width; k++) {
		unsigned u = s->queue[k];
		uint32_t start = start_of(s, u);
		if (start < first && (u == s->oldest || fits(s, u, held_back))) {
			first = start;
			best = k;
		}
	}
	return best;
}

/* Constants that step u reads are loaded from now on if all else is issued, to be there when that is. */
static void release(struct schedule *s, unsigned u)
{
	if (s->step[u].left != s->step[u].nlate)
		return;
	for (unsigned k = s->step[u].late; k != NONE; k = s->step[k].late) {
		s->step[k].waits = false;
		s->step[k].ready = later(s->step[u].ready, s->step[k].latency) - s->step[k].latency;
		s->oldest = k < s->oldest ? k : s->oldest;
		enqueue(s, k);
	}
}

/* Step u takes its place among the cycles; what depends on it starts later. */
static void start(struct schedule *s, unsigned u)
{
	unsigned kind = s->step[u].kind;
	uint32_t at = start_of(s, u);

	s->issued = later(s->issued, at * s->m->width) + 1;
	s->busy[kind] = later(s->busy[kind], at * s->m->units[kind]) + s->step[u].slots;
	for (unsigned e = s->step[u].edges; e != NONE; e = s->edge[e].next)
		s->step[s->edge[e].to].ready = later(s->step[s->edge[e].to].ready, at + s->edge[e].latency);
}

static void issue(struct schedule *s, unsigned place)
{
	unsigned u = s->queue[place];

	for (unsigned k = place + 1; k < s->nqueue; k++)
		s->queue[k - 1] = s->queue[k];
	s->nqueue--;
	start(s, u);
	if (s->step[u].load != NONE)
		s->order[s->norder++] = s->step[u].load;
	s->order[s->norder++] = (uint16_t)u;
	s->step[u].done = true;
	step_registers(s, u);
	for (unsigned e = s->step[u].edges; e != NONE; e = s->edge[e].next) {
		if (--s->step[s->edge[e].to].left == 0)
			enqueue(s, s->edge[e].to);
		else
			release(s, s->edge[e].to);
	}
}

static void first_cycle(struct schedule *s)
{
	s->issued = 0;
	for (unsigned k = 0; k < GLLM_UNITS; k++)
		s->busy[k] = 0;
	for (unsigned i = 0; i < s->n; i++)
		s->step[i].ready = 0;
}

/* What the line takes in its present order, as `issued` has it. */
static uint32_t present(struct schedule *s)
{
	first_cycle(s);
	for (unsigned i = 0; i < s->n; i++)
		if (s->owner[i] == i)
			start(s, i);
	return s->issued;
}

/* True if the registers sufficed. `lead`: cycles that the first step is preferred by, others in proportion. */
static bool list(struct schedule *s, unsigned held_back, unsigned lead)
{
	s->nqueue = s->norder = s->oldest = 0;
	first_cycle(s);
	rewind(s);
	for (unsigned i = 0; i < s->n; i++) {
		s->step[i].left = s->step[i].preds;
		s->step[i].done = false;
		s->step[i].key = (uint16_t)(s->step[i].height + lead * (s->n - i) / s->n);
		s->step[i].waits = s->step[i].constant;
	}
	for (unsigned i = 0; i < s->n; i++) {
		if (s->owner[i] != i || s->step[i].waits)
			continue;
		if (s->step[i].preds == 0)
			enqueue(s, i);
		else
			release(s, i);
	}
	while (s->nqueue) {
		while (s->owner[s->oldest] != s->oldest || s->step[s->oldest].done || s->step[s->oldest].waits)
			s->oldest++;
		s->plenty = true;
		for (unsigned f = 0; f < FILES; f++)
			s->plenty = s->plenty && s->live[f] + held_back + GLLM_VIR_TEMPS + 1 <= s->limit[f];
		unsigned place = choose(s, held_back);
		if (!fits(s, s->queue[place], 0))
			return false;
		issue(s, place);
	}
	return s->norder == s->n;
}

static void reorder(struct schedule *s)
{
	for (unsigned i = 0; i < s->n; i++)
		s->copy[i] = *at(s, i);
	for (unsigned i = 0; i < s->n; i++)
		s->v->ins[s->begin + i] = s->copy[s->order[i]];
}

/* What the line has noted of its registers is forgotten. */
static void forget(struct schedule *s)
{
	gllm_vreg r[5];

	for (unsigned i = 0; i < s->n; i++) {
		unsigned n = gllm_vi_uses(at(s, i), r);
		if (writes(at(s, i)))
			r[n++] = at(s, i)->d;
		for (; n-- > 0;) {
			struct reg *x = &s->reg[r[n]];
			x->writer = x->reads = x->left = 0;
			x->readers = NONE;
		}
	}
}

/* --- the function --------------------------------------------------------------------------------------------------- */

/* What reordering takes. */
static bool prepare(struct schedule *s)
{
	struct gllm_arena *arena = s->arena;

	s->reg = gllm_alloc_array(arena, s->v->nregs + 1u, sizeof *s->reg, 8);
	s->span = gllm_alloc_array(arena, s->v->nregs + 1u, sizeof *s->span, 4);
	s->close = gllm_alloc_array(arena, s->v->n + 1u, sizeof *s->close, 4);
	s->step = gllm_alloc_array(arena, MAX_LINE, sizeof *s->step, 4);
	s->owner = gllm_alloc_array(arena, MAX_LINE, sizeof *s->owner, 2);
	s->edge = gllm_alloc_array(arena, EDGES * MAX_LINE, sizeof *s->edge, 2);
	s->reader = gllm_alloc_array(arena, 4 * MAX_LINE, sizeof *s->reader, 2);
	s->memory = gllm_alloc_array(arena, MAX_LINE, sizeof *s->memory, 2);
	s->queue = gllm_alloc_array(arena, MAX_LINE, sizeof *s->queue, 2);
	s->order = gllm_alloc_array(arena, MAX_LINE, sizeof *s->order, 2);
	s->copy = gllm_alloc_array(arena, MAX_LINE, sizeof *s->copy, 8);
	if (!s->reg || !s->span || !s->close || !s->step || !s->owner || !s->edge || !s->reader || !s->memory || !s->queue || !s->order ||
	    !s->copy)
		return false;
	for (unsigned r = 0; r < s->v->nregs; r++)
		s->reg[r] = (struct reg){ .readers = NONE };
	for (unsigned i = 0; i < s->v->n && s->m->adds_over; i++)
		if (s->v->ins[i].op == GLLM_V_VMOV && s->v->ins[i].aux == GLLM_VIR_KEPT)
			s->reg[s->v->ins[i].a].kept = true;
	gllm_vir_spans(s->v, s->span, s->close);
	return true;
}

static void schedule_line(struct schedule *s)
{
	count_live(s);
	find_dependences(s);
	for (unsigned f = 0; f < FILES; f++)
		s->limit[f] = s->m->norder[f];
	uint32_t before = present(s);
	s->stores = false;
	for (unsigned i = 0; i < s->n; i++)
		s->stores |= gllm_vi_stores(at(s, i));
	for (unsigned k = 0; k < TRIES && !s->full; k++) {
		if (list(s, k * HELD_BACK, s->stores ? k * s->longest / 2 : 0)) {
			if (s->issued < before || (s->converting && s->issued == before))
				reorder(s);
			break;
		}
		if (k == 0)
			raise_limits(s);
	}
	forget(s);
}

/* A run of instructions without branches. What moves pointers at its end stays there. False without memory. */
static bool straight_line(struct schedule *s, unsigned begin, unsigned end)
{
	while (end > begin && s->v->ins[end - 1].op == GLLM_V_GADDI && s->v->ins[end - 1].d == s->v->ins[end - 1].a)
		end--;
	for (; begin + 1 < end; begin += s->n) {
		s->begin = begin;
		s->n = end - begin < MAX_LINE ? end - begin : MAX_LINE;
		if (!latency_bound(s))
			continue;
		if (!s->reg && !prepare(s))
			return false;
		schedule_line(s);
	}
	return true;
}

static bool innermost_loop(struct schedule *s, unsigned begin, unsigned end)
{
	bool ok = true;

	for (unsigned i = begin; i <= end && ok; i++)
		if (i == end || gllm_vi_is_flow(&s->v->ins[i])) {
			ok = straight_line(s, begin, i);
			begin = i + 1;
		}
	return ok;
}

enum gllm_status gllm_schedule(struct gllm_vir *v, const struct gllm_machine *m, struct gllm_arena *arena)
{
	struct schedule s = { .v = v, .m = m, .arena = arena };
	size_t used = arena->used;
	unsigned begin = 0;
	bool ok = true;

	if (v->status != GLLM_OK || !m->timing)
		return v->status;
	s.ready = gllm_alloc_array(arena, v->nregs + 1u, sizeof *s.ready, 8);
	if (!s.ready)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned r = 0; r < v->nregs; r++)
		s.ready[r] = 0;
	for (unsigned i = 0; i < v->n && ok; i++) {
		if (!gllm_vi_is_flow(&v->ins[i]))
			continue;
		if (v->ins[i].op == GLLM_V_LOOP_BEGIN)
			begin = i + 1;
		if (v->ins[i].op == GLLM_V_LOOP_END && begin) {
			ok = innermost_loop(&s, begin, i);
			begin = 0;
		}
	}
	arena->used = used;
	return ok ? GLLM_OK : GLLM_OUT_OF_MEMORY;
}
