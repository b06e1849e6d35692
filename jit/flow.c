/* SPDX-License-Identifier: MIT
 * jit/flow.c - discovers blocks from the entry. */
#include "core/bits.h"
#include "jit/flow.h"

struct context {
	uint64_t entry, back; /* address of the function; of the instruction behind the call */
	uint16_t parent;
	uint8_t depth;
};

enum {
	BUCKETS = 256,   /* far more than most functions have blocks: an instruction that none begins at should find its own empty,
	                  * as what two addresses have in common cannot be predicted */
	FLOW_COMMON = 2, /* operations of most instructions */
};
static const char not_constant[] = "a jump or call to an address that is not constant";

struct discovery {
	struct flow *f;
	const struct gllm_target *t;
	const struct gllm_image *img;
	struct context *context;
	unsigned ncontexts;
	uint16_t bucket[BUCKETS], chain[FLOW_BLOCKS]; /* blocks by address */
	uint64_t read_to;                             /* nothing from here on was read */
	bool indirect;                                /* some jump or call was resolved by what stands before it */
};

static bool covers(const struct gllm_range *r, uint64_t addr, uint64_t size)
{
	return addr >= r->addr && addr - r->addr < r->size && size <= r->size - (addr - r->addr);
}

static const struct gllm_range *range_of(const struct gllm_image *img, uint64_t addr, uint64_t size)
{
	for (unsigned i = 0; i < img->nranges; i++)
		if (covers(&img->range[i], addr, size))
			return &img->range[i];
	return NULL;
}

const unsigned char *gllm_image_at(const struct gllm_image *img, uint64_t addr, uint64_t size, bool immutable)
{
	const struct gllm_range *r = range_of(img, addr, size);
	return !r || (immutable && !r->immutable) ? NULL : r->bytes + (addr - r->addr);
}

static enum gllm_primitive known(const struct gllm_image *img, uint64_t addr)
{
	for (unsigned i = 0; i < img->nknown; i++)
		if (img->known[i].addr == addr)
			return img->known[i].what;
	return GLLM_PRIM_NONE;
}

enum gllm_status gllm_flow_refuse(struct flow *f, const char *what, uint64_t addr)
{
	return gllm_fail(f->error, GLLM_NOT_LIFTED, what, NULL, addr - f->entry, 0, 0);
}

/* ---- discovery ------------------------------------------------------------------------------------------------- */

/* The next block at `addr` after block n of that address; the first one for FLOW_NONE. */
static uint16_t next_at(const struct discovery *d, uint64_t addr, uint16_t n)
{
	n = n == FLOW_NONE ? d->bucket[addr % BUCKETS] : d->chain[n];
	while (n != FLOW_NONE && d->f->block[n].addr != addr)
		n = d->chain[n];
	return n;
}

static inline uint16_t find_block(const struct discovery *d, uint64_t addr, uint16_t context)
{
	uint16_t n = next_at(d, addr, FLOW_NONE);
	while (n != FLOW_NONE && d->f->block[n].context != context)
		n = next_at(d, addr, n);
	return n;
}

/* Constants of a block's registers, followed from its start: enough for jumps through a table of addresses in
 * immutable memory, as linkage stubs make them. */
static bool constant_at(const struct discovery *d, unsigned first, unsigned end, uint8_t loc, uint64_t *value)
{
	uint64_t v[GLLM_LOC_COUNT];
	bool is[GLLM_LOC_COUNT] = { false };
	for (unsigned i = first; i < end; i++) {
		const struct gllm_sem_op_rec *s = &d->f->op[i];
		if (s->d >= GLLM_LOC_COUNT)
			continue;
		bool a = s->a == GLLM_LOC_NONE || (s->a < GLLM_LOC_COUNT && is[s->a]);
		bool b = s->b == GLLM_LOC_NONE || (s->b < GLLM_LOC_COUNT && is[s->b]);
		uint64_t x = s->a < GLLM_LOC_COUNT && a ? v[s->a] : 0, y = s->b < GLLM_LOC_COUNT && b ? v[s->b] : 0;
		uint64_t at = x + (y << s->scale) + (uint64_t)s->imm;
		const unsigned char *p;
		is[s->d] = false;
		if (s->op == GLLM_S_MOV && s->w == 64 && a) {
			v[s->d] = s->a == GLLM_LOC_NONE ? (uint64_t)s->imm : x;
			is[s->d] = true;
		} else if ((s->op == GLLM_S_ADDR || (s->op == GLLM_S_ADD && s->b == GLLM_LOC_NONE)) && a && b && s->w != 32) {
			v[s->d] = at;
			is[s->d] = true;
		} else if (s->op == GLLM_S_LOAD && s->w == 64 && a && b && (p = gllm_image_at(d->img, at, 8, true))) {
			v[s->d] = gllm_le64(p);
			is[s->d] = true;
		}
	}
	*value = loc < GLLM_LOC_COUNT && is[loc] ? v[loc] : 0;
	return loc < GLLM_LOC_COUNT && is[loc];
}

/* Do the jumps and calls through registers lead where they were found to lead, by the operations of block b alone? */
static bool resolved_within(const struct discovery *d, const struct flow_block *b)
{
	bool same = true;
	for (unsigned i = b->first; i < (unsigned)b->first + b->n && same; i++) {
		const struct gllm_sem_op_rec *s = &d->f->op[i];
		uint64_t target;
		if ((s->op == GLLM_S_JUMP || s->op == GLLM_S_CALL) && s->a != GLLM_LOC_NONE)
			same = constant_at(d, b->first, i, s->a, &target) && target == (uint64_t)s->imm;
	}
	return same;
}

/* Cuts the block that holds the address of block `made` inside. False if a jump or call in the part behind the cut was
 * resolved by what stands before it. */
static bool cut_block(const struct discovery *d, uint16_t made)
{
	struct flow *f = d->f;
	struct flow_block *m = &f->block[made];
	for (unsigned i = 0; i < made; i++) {
		struct flow_block *b = &f->block[i];
		if (GLLM_MOSTLY(m->addr - b->addr >= b->bytes) || b->context != m->context)
			continue;
		for (uint16_t k = 1; k < b->n; k++) {
			if (f->place[b->first + k].addr != m->addr)
				continue;
			m->first = (uint16_t)(b->first + k);
			m->n = (uint16_t)(b->n - k);
			m->bytes = (uint32_t)(b->addr + b->bytes - m->addr);
			m->nsucc = b->nsucc;
			m->succ[0] = b->succ[0];
			m->succ[1] = b->succ[1];
			b->n = k;
			b->bytes = (uint32_t)(m->addr - b->addr);
			b->nsucc = 1;
			b->succ[0] = made;
			return !d->indirect || resolved_within(d, m);
		}
	}
	return true;
}

/* The block that starts at (addr, context), made if new. */
static enum gllm_status block_at(struct discovery *d, uint64_t addr, uint16_t context, uint16_t *n_out)
{
	struct flow *f = d->f;
	uint16_t n = find_block(d, addr, context);
	*n_out = n;
	if (n != FLOW_NONE)
		return GLLM_OK;
	if (f->nblocks == FLOW_BLOCKS)
		return gllm_flow_refuse(f, "too many blocks", addr);
	*n_out = n = (uint16_t)f->nblocks++;
	f->block[n] = (struct flow_block){ .addr = addr, .context = context, .loop = -1, .idom = FLOW_NONE };
	d->chain[n] = d->bucket[addr % BUCKETS];
	d->bucket[addr % BUCKETS] = n;
	return addr >= d->read_to || cut_block(d, n) ? GLLM_OK : gllm_flow_refuse(f, not_constant, addr);
}

/* Making a block may have cut block n: the part that ends where n ended. */
static uint16_t last_part(const struct flow *f, uint16_t n, unsigned end)
{
	while (f->block[n].first + f->block[n].n != (int)end)
		n = f->block[n].succ[0];
	return n;
}

/* Edges from block n, which was just read, to `next` and, if there are two, to `taken`. */
static enum gllm_status link(struct discovery *d, uint16_t n, uint16_t context, uint64_t next, const uint64_t *taken)
{
	struct flow *f = d->f;
	unsigned end = f->block[n].first + f->block[n].n;
	uint16_t to, other;
	enum gllm_status s = block_at(d, next, context, &to);
	other = to;
	if (!s && taken)
		s = block_at(d, *taken, context, &other);
	if (s)
		return s;
	struct flow_block *b = &f->block[last_part(f, n, end)];
	b->nsucc = to == other ? 1 : 2;
	b->succ[0] = to;
	b->succ[1] = other;
	return GLLM_OK;
}

static enum gllm_status enter(struct discovery *d, uint16_t parent, uint64_t target, const struct flow_place *call,
                              uint16_t *made)
{
	for (uint16_t c = parent; ; c = d->context[c].parent) {
		if (d->context[c].entry == target)
			return gllm_flow_refuse(d->f, "recursion", call->addr);
		if (c == 0)
			break;
	}
	if (d->ncontexts == FLOW_CONTEXTS || d->context[parent].depth == FLOW_DEPTH)
		return gllm_flow_refuse(d->f, "calls nest too deeply", call->addr);
	*made = (uint16_t)d->ncontexts++;
	d->context[*made] = (struct context){ target, call->next, parent, (uint8_t)(d->context[parent].depth + 1) };
	return GLLM_OK;
}

static bool ends_block(const struct gllm_sem_op_rec *s)
{
	return s->op >= GLLM_S_JUMP && s->op <= GLLM_S_TRAP && s->op != GLLM_S_NOP && /* as core/sem.h lists them */
	       !flow_primitive(s);
}

/* What follows block n, whose last operation is `last`: the edges of that, or the block at the address behind it. */
static enum gllm_status leave_block(struct discovery *d, uint16_t n, unsigned last)
{
	const struct gllm_sem_op_rec *o = &d->f->op[last];
	const struct flow_place *place = &d->f->place[last];
	uint16_t context = d->f->block[n].context, inner = 0;
	uint64_t target = (uint64_t)o->imm;
	enum gllm_status s;
	if (!ends_block(o))
		return link(d, n, context, place->next, NULL);
	switch (o->op) {
	case GLLM_S_JUMP:
		return link(d, n, context, target, NULL);
	case GLLM_S_CALL:
		s = enter(d, context, target, place, &inner);
		return s ? s : link(d, n, inner, target, NULL);
	case GLLM_S_RET:
		return context ? link(d, n, d->context[context].parent, d->context[context].back, NULL) : GLLM_OK;
	case GLLM_S_TRAP:
		return GLLM_OK;
	default:
		return link(d, n, context, place->next, &target);
	}
}

/* Resolves jumps and calls through registers, and turns a jump to a primitive into a call and a return, which is appended.
 * The operation is the last one yet. False: the target is unknown. */
static bool resolve(struct discovery *d, unsigned first)
{
	struct flow *f = d->f;
	struct gllm_sem_op_rec *o = &f->op[f->nops - 1];
	bool call = o->op == GLLM_S_CALL;
	if (o->op != GLLM_S_JUMP && !call)
		return true;
	uint64_t target = (uint64_t)o->imm;
	if (o->a != GLLM_LOC_NONE && !(d->indirect = constant_at(d, first, f->nops - 1, o->a, &target)))
		return false;
	enum gllm_primitive prim = known(d->img, target);
	o->imm = (int64_t)target;
	if (call)
		o->scale = (uint8_t)prim;
	if (call || !prim)
		return true;
	o->op = GLLM_S_CALL;
	o->scale = (uint8_t)prim;
	o[1] = (struct gllm_sem_op_rec){ .op = GLLM_S_RET, .w = 64, .d = GLLM_LOC_NONE, .a = GLLM_LOC_NONE, .b = GLLM_LOC_NONE,
	                                 .c = GLLM_LOC_NONE };
	f->place[f->nops] = f->place[f->nops - 1];
	f->nops++;
	return true;
}

/* Where the next instruction is: its address, and of its range what is left, at p. */
struct reader {
	uint64_t addr, left;
	const unsigned char *p;
};

/* Appends the operations of an instruction, and goes on behind it. *ends: so does the block. */
static enum gllm_status read_insn(struct discovery *d, unsigned first, struct reader *at, bool *ends)
{
	struct flow *f = d->f;
	struct gllm_insn insn;
	struct gllm_sem sem = { .op = &f->op[f->nops] };
	struct flow_place *place = &f->place[f->nops];
	const uint64_t addr = at->addr;
	if (d->t->decode(at->p, (size_t)at->left, addr, &insn))
		return gllm_fail(f->error, GLLM_BAD_INSN, "decoding", NULL, addr - f->entry, 0, at->p[0]);
	if (d->t->meaning(&insn, &sem))
		return gllm_flow_refuse(f, "an instruction whose meaning cannot be said", addr);
	if (GLLM_RARELY(!sem.n))
		sem.op[sem.n++] = (struct gllm_sem_op_rec){ .op = GLLM_S_NOP };
	if (f->nops + sem.n + 2 > FLOW_OPS)
		return gllm_flow_refuse(f, "too many instructions", addr);
	at->addr += insn.length;
	at->left -= insn.length;
	at->p += insn.length;
	for (unsigned i = 0; i < FLOW_COMMON; i++) {
		place[i].addr = addr;
		place[i].next = at->addr;
	}
	for (unsigned i = FLOW_COMMON; GLLM_RARELY(i < sem.n); i++)
		place[i] = place[0];
	f->nops += sem.n;
	*ends = false;
	if (GLLM_MOSTLY(sem.op[sem.n - 1].op < GLLM_S_JUMP))
		return GLLM_OK;
	if (!resolve(d, first))
		return gllm_flow_refuse(f, not_constant, addr);
	*ends = ends_block(&f->op[f->nops - 1]);
	return GLLM_OK;
}

/* A function that is called again has the operations it had the first time. */
static bool read_before(struct discovery *d, uint16_t n, enum gllm_status *s)
{
	struct flow *f = d->f;
	struct flow_block *b = &f->block[n];
	for (uint16_t k = next_at(d, b->addr, FLOW_NONE); k != FLOW_NONE; k = next_at(d, b->addr, k)) {
		if (!f->block[k].n)
			continue;
		b->first = f->block[k].first;
		b->n = f->block[k].n;
		b->bytes = f->block[k].bytes;
		*s = leave_block(d, n, b->first + b->n - 1u);
		return true;
	}
	return false;
}

static enum gllm_status read_block(struct discovery *d, uint16_t n)
{
	struct flow *f = d->f;
	const uint16_t context = f->block[n].context;
	const unsigned first = f->nops;
	struct reader at = { .addr = f->block[n].addr };
	bool ends;
	enum gllm_status s;
	if (read_before(d, n, &s))
		return s;
	f->block[n].first = (uint16_t)first;
	do {
		if (GLLM_RARELY(!at.left)) {
			const struct gllm_range *r = range_of(d->img, at.addr, 1);
			if (!r)
				return gllm_flow_refuse(f, "code leads out of the image", at.addr);
			at.p = r->bytes + (at.addr - r->addr);
			at.left = r->size - (at.addr - r->addr);
		}
		s = read_insn(d, first, &at, &ends);
		if (s)
			return s;
	} while (!ends && (GLLM_MOSTLY(d->bucket[at.addr % BUCKETS] == FLOW_NONE) || find_block(d, at.addr, context) == FLOW_NONE));
	f->block[n].n = (uint16_t)(f->nops - first);
	f->block[n].bytes = (uint32_t)(at.addr - f->block[n].addr);
	d->read_to = at.addr > d->read_to ? at.addr : d->read_to;
	return leave_block(d, n, f->nops - 1);
}

static enum gllm_status discover(struct discovery *d, uint64_t addr)
{
	d->context[0] = (struct context){ .entry = addr };
	d->ncontexts = 1;
	d->read_to = 0;
	d->indirect = false;
	_Static_assert(FLOW_NONE == 0xffff, "what the bytes make");
	__builtin_memset(d->bucket, 0xff, sizeof d->bucket);
	uint16_t first;
	block_at(d, addr, 0, &first);
	for (uint16_t n = 0; n < d->f->nblocks; n++) { /* blocks made meanwhile are read in their turn; cut ones are read */
		if (d->f->block[n].n)
			continue;
		enum gllm_status s = read_block(d, n);
		if (s)
			return s;
	}
	return GLLM_OK;
}

struct room {
	struct gllm_sem_op_rec op[FLOW_OPS + GLLM_SEM_MAX]; /* the last ones may turn out too many */
	struct flow_place place[FLOW_OPS + FLOW_COMMON];
	struct flow_block block[FLOW_BLOCKS];
	uint16_t pred[2 * FLOW_BLOCKS];
	struct flow_loop loop[FLOW_LOOPS];
	struct context context[FLOW_CONTEXTS];
};

enum gllm_status gllm_flow_build(struct flow *f, const struct gllm_target *t, const struct gllm_image *img,
                                 uint64_t addr, struct gllm_arena *a, struct gllm_error *e)
{
	struct room *const r = gllm_alloc(a, sizeof *r, 8);
	if (!r)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "scratch for the flow graph", NULL, 0, 0, 0);
	*f = (struct flow){ .op = r->op, .place = r->place, .block = r->block, .pred = r->pred, .loop = r->loop, .entry = addr, .error = e };
	struct discovery d; /* a block's link in its chain is made with it */
	d.f = f;
	d.t = t;
	d.img = img;
	d.context = r->context;
	enum gllm_status s = discover(&d, addr);
	return s ? s : gllm_flow_arrange(f, a);
}
