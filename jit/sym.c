/* SPDX-License-Identifier: MIT
 * jit/sym.c - executes blocks symbolically, in order, each once. */
#include "core/bits.h"
#include "jit/sym_exec.h"

/* Numbers come again and again: the last one made in its place of a small table is taken if it is the same. Nothing predicts
 * whether it is, and nothing waits for the answer: one is made in any case, and counts if it is not. */
static uint16_t constant(struct exec *x, uint64_t v)
{
	uint16_t *const recent = &x->recent[(v ^ v >> 4) % RECENT];
	const unsigned before = *recent;
	const struct raw *r = &x->s->raw[before];
	const unsigned same = (r->op == RAW_CONST) & ((uint64_t)r->imm == v);
	if (GLLM_RARELY(same & (x->s->n == RAW_VALUES)))
		return (uint16_t)before;
	const unsigned made = make(x, RAW_CONST, 64, 0, 0, (int64_t)v);
	x->s->n -= same;
	*recent = (uint16_t)(made ^ ((made ^ before) & (0u - same)));
	return *recent;
}

static uint64_t low(uint64_t v, unsigned w)
{
	return w >= 64 ? v : v & ((UINT64_C(1) << w) - 1);
}

/* Bits above `w` are zero for sure. */
static inline bool fits(const struct exec *x, uint16_t v, unsigned w)
{
	const struct raw *r = &x->s->raw[v];
	if (r->op == RAW_CONST)
		return low((uint64_t)r->imm, w) == (uint64_t)r->imm;
	return r->op != RAW_PHI && r->op != RAW_SP && r->op != RAW_UNDEF && r->w <= w;
}

/* What was inserted below bits that are now cut off again. */
static uint16_t inserted(const struct exec *x, uint16_t v, unsigned w)
{
	const struct raw *joined = &x->s->raw[v], *above = &x->s->raw[joined->a];
	if (joined->op != GLLM_S_OR || above->op != GLLM_S_AND || !is(x, above->b, RAW_CONST) || !fits(x, joined->b, w))
		return UNDEF;
	return low((uint64_t)x->s->raw[above->b].imm, w) == 0 ? joined->b : UNDEF;
}

static uint16_t cut(struct exec *x, uint16_t v, unsigned w)
{
	if (w >= 64 || fits(x, v, w))
		return v;
	if (inserted(x, v, w))
		return inserted(x, v, w);
	if (is(x, v, RAW_CONST))
		return constant(x, low((uint64_t)x->s->raw[v].imm, w));
	return make(x, GLLM_S_ZEXT, w, v, 0, 0);
}

static bool fold(unsigned op, unsigned w, uint64_t a, uint64_t b, uint64_t *r)
{
	unsigned k = (unsigned)(b & (w - 1));
	a = low(a, w);
	switch (op) {
	case GLLM_S_ADD: *r = a + b; break;
	case GLLM_S_SUB: *r = a - b; break;
	case GLLM_S_MUL: *r = a * b; break;
	case GLLM_S_AND: *r = a & b; break;
	case GLLM_S_OR:  *r = a | b; break;
	case GLLM_S_XOR: *r = a ^ b; break;
	case GLLM_S_SHL: *r = a << k; break;
	case GLLM_S_SHR: *r = a >> k; break;
	case GLLM_S_SAR: *r = (uint64_t)((int64_t)(a << (64 - w)) >> (64 - w) >> k); break;
	case GLLM_S_NEG: *r = 0 - a; break;
	case GLLM_S_NOT: *r = ~a; break;
	default: return false;
	}
	*r = low(*r, w);
	return true;
}

/* a op imm, where a is a constant, undefined, or a distance from the stack pointer. */
static uint16_t known_imm(struct exec *x, unsigned op, unsigned w, uint16_t a, int64_t imm)
{
	const struct raw *ra = &x->s->raw[a];
	uint64_t r;
	if (ra->op == RAW_SP && w == 64 && (op == GLLM_S_ADD || op == GLLM_S_SUB))
		return make(x, RAW_SP, 64, 0, 0, op == GLLM_S_ADD ? ra->imm + imm : ra->imm - imm);
	if (ra->op == RAW_CONST && fold(op, w, (uint64_t)ra->imm, (uint64_t)imm, &r))
		return constant(x, r);
	return make(x, op, w, a, constant(x, (uint64_t)imm), 0);
}

/* a op imm */
static uint16_t integer_imm(struct exec *x, unsigned op, unsigned w, uint16_t a, int64_t imm)
{
	_Static_assert(RAW_UNDEF == RAW_CONST + 1 && RAW_SP == RAW_CONST + 2, "neighbours");
	if (x->s->raw[a].op - (unsigned)RAW_CONST <= RAW_SP - RAW_CONST)
		return known_imm(x, op, w, a, imm);
	return make(x, op, w, a, constant(x, (uint64_t)imm), 0);
}

static uint16_t integer(struct exec *x, unsigned op, unsigned w, uint16_t a, uint16_t b)
{
	const struct raw *ra = &x->s->raw[a], *rb = &x->s->raw[b];
	uint64_t r;
	bool b_const = rb->op == RAW_CONST || op == GLLM_S_NEG || op == GLLM_S_NOT;
	if (ra->op == RAW_CONST && b_const && fold(op, w, (uint64_t)ra->imm, (uint64_t)rb->imm, &r))
		return constant(x, r);
	if (ra->op == RAW_SP && rb->op == RAW_CONST)
		return integer_imm(x, op, w, a, rb->imm);
	if (rb->op == RAW_SP && ra->op == RAW_CONST && w == 64 && op == GLLM_S_ADD)
		return make(x, RAW_SP, 64, 0, 0, ra->imm + rb->imm);
	if (a == b && a != UNDEF && (op == GLLM_S_XOR || op == GLLM_S_SUB))
		return constant(x, 0);
	return make(x, op, w, a, b, 0);
}

/* ---- locations ------------------------------------------------------------------------------------------------- */

#define FOUR(n) n, (n) + 1, (n) + 2, (n) + 3
#define SIXTEEN(n) FOUR(n), FOUR((n) + 4), FOUR((n) + 8), FOUR((n) + 12)
#define NO4 NOWHERE, NOWHERE, NOWHERE, NOWHERE
#define NO16 NO4, NO4, NO4, NO4
#define GONE4 VANISHES, VANISHES, VANISHES, VANISHES
#define GONE16 GONE4, GONE4, GONE4, GONE4
_Static_assert(GLLM_LOC_FLAGS == 64 && GLLM_LOC_T0 == 65 && GLLM_LOC_COUNT == 81 && GLLM_LOC_ZERO == 254, "the table's order");
/* Where in a state a location is, and where what is written to it goes. */
static const uint8_t place[256] = {
	SIXTEEN(0), SIXTEEN(16), SIXTEEN(32), SIXTEEN(48), GLLM_LOC_FLAGS, SIXTEEN(TEMPORARY0), NOWHERE, NOWHERE, NOWHERE,
	NO4, NO4, NO4, NO16, NO16, NO16, NO16, NO16, NO16, NO16, NO16, NO16, NO4, NO4, NO4, NOWHERE, NOWHERE, ZERO, NOWHERE,
};
static const uint8_t to[256] = {
	SIXTEEN(0), SIXTEEN(16), SIXTEEN(32), SIXTEEN(48), GLLM_LOC_FLAGS, SIXTEEN(TEMPORARY0), VANISHES, VANISHES, VANISHES,
	GONE4, GONE4, GONE4, GONE16, GONE16, GONE16, GONE16, GONE16, GONE16, GONE16, GONE16, GONE16, GONE16,
};

static uint16_t read_loc(const struct exec *x, uint8_t loc)
{
	return x->st[place[loc]];
}

static void write_loc(struct exec *x, uint8_t loc, uint16_t v)
{
	x->st[to[loc]] = v;
}

static bool is_vector(uint8_t loc)
{
	return loc >= GLLM_LOC_V0 && loc < GLLM_LOC_V0 + 32;
}

static unsigned slot_of(struct exec *x, int64_t offset, uint32_t bytes, bool lane)
{
	for (unsigned i = 0; i < x->nslots; i++)
		if (x->slot[i].offset == offset && x->slot[i].bytes == bytes && x->slot[i].lane == lane)
			return i;
	if (x->nslots == RAW_SLOTS) {
		refuse(x, "too many stack slots");
		return 0;
	}
	for (unsigned i = 0; i <= x->block; i++) /* later blocks begin with what these have */
		x->out[i * STATE + SLOT0 + x->nslots] = NOTHING;
	x->slot[x->nslots] = (struct slot){ offset, bytes, lane };
	return x->nslots++;
}

static void write_slot(struct exec *x, int64_t offset, uint32_t bytes, uint16_t v, bool lane)
{
	for (unsigned i = 0; i < x->nslots; i++)
		if (overlaps(&x->slot[i], offset, bytes))
			x->st[SLOT0 + i] = NOTHING;
	if (v != UNDEF) /* as registers are that a function saves: what no slot holds reads so as well */
		x->st[SLOT0 + slot_of(x, offset, bytes, lane)] = v;
}

/* The value of a slot; above its width there may be anything. `lane`: no more than 32 bits of it matter. */
static uint16_t read_slot(struct exec *x, int64_t offset, uint32_t bytes, bool lane)
{
	for (unsigned i = 0; i < x->nslots; i++)
		if (x->slot[i].offset == offset && x->slot[i].bytes >= bytes && x->st[SLOT0 + i] != NOTHING)
			return x->slot[i].lane && !lane && bytes > 4 ? UNDEF : x->st[SLOT0 + i];
	return UNDEF;
}

/* A value in a vector register needs no cut: of a PHI there, only the low lane is ever taken. */
static uint16_t cut_for(struct exec *x, uint8_t loc, uint16_t v, unsigned w)
{
	return is_vector(loc) && is(x, v, RAW_PHI) ? v : cut(x, v, w);
}

/* Of the value of a vector register more than the low lane is known. */
static bool whole(const struct exec *x, uint16_t v)
{
	return is(x, v, RAW_CONST) || (is(x, v, GLLM_S_LOAD) && x->s->raw[v].w >= 64);
}

/* The same of which only the low lane is known, in a vector register whose other lanes hold anything. */
static uint16_t lane(struct exec *x, uint16_t v)
{
	return whole(x, v) ? make(x, GLLM_S_ZEXT, 32, v, 0, 0) : v;
}

/* ---- operations ------------------------------------------------------------------------------------------------ */

static uint16_t address(struct exec *x, const struct gllm_sem_op_rec *s)
{
	uint16_t at = s->a == GLLM_LOC_NONE ? constant(x, (uint64_t)s->imm) : read_loc(x, s->a);
	if (s->b != GLLM_LOC_NONE) {
		uint16_t index = read_loc(x, s->b);
		if (s->scale)
			index = integer_imm(x, GLLM_S_SHL, 64, index, s->scale);
		at = integer(x, GLLM_S_ADD, 64, at, index);
	}
	if (s->a != GLLM_LOC_NONE && s->imm)
		at = integer_imm(x, GLLM_S_ADD, 64, at, s->imm);
	return at;
}

static uint64_t read_bytes(const unsigned char *p, unsigned n)
{
	return n >= 8 ? gllm_le64(p) : n == 4 ? gllm_le32(p) : n == 2 ? gllm_le16(p) : p[0];
}

void gllm_sym_folded(struct sym *s, uint64_t addr, uint32_t bytes)
{
	if (s->nfolded < RAW_FOLDED)
		s->folded[s->nfolded++] = (struct raw_folded){ addr, bytes };
}

static void load(struct exec *x, const struct gllm_sem_op_rec *s)
{
	uint16_t at = address(x, s);
	const struct raw *r = &x->s->raw[at];
	unsigned bytes = s->w / 8u;
	const unsigned char *p;
	if (r->op == RAW_SP) {
		write_loc(x, s->d, cut_for(x, s->d, read_slot(x, r->imm, bytes, is_vector(s->d) || s->w > 64), s->w));
	} else if (r->op == RAW_CONST && (p = gllm_image_at(x->img, (uint64_t)r->imm, bytes, true))) {
		gllm_sym_folded(x->s, (uint64_t)r->imm, bytes);
		write_loc(x, s->d, constant(x, read_bytes(p, bytes)));
	} else {
		write_loc(x, s->d, make(x, GLLM_S_LOAD, s->w, at, 0, 0));
	}
}

static void store(struct exec *x, const struct gllm_sem_op_rec *s)
{
	uint16_t at = address(x, s), v = read_loc(x, s->c);
	const struct raw *r = &x->s->raw[at];
	if (r->op == RAW_SP)
		write_slot(x, r->imm, s->w / 8u, cut_for(x, s->c, v, s->w), is_vector(s->c) && s->w > 32 && !whole(x, v));
	else
		x->s->store[x->s->nstores++] = make3(x, GLLM_S_STORE, s->w, at, 0,
		                                     is_vector(s->c) && s->w > 32 && !whole(x, v) ? UNDEF : v, 0);
}

static void move(struct exec *x, const struct gllm_sem_op_rec *s)
{
	uint16_t v = s->a == GLLM_LOC_NONE ? constant(x, low((uint64_t)s->imm, s->w)) : read_loc(x, s->a);
	if (is_vector(s->a) && !is_vector(s->d) && s->w > 32 && s->d < GLLM_LOC_V0 && !whole(x, v))
		v = UNDEF;
	write_loc(x, s->d, s->w >= 64 ? v : cut(x, v, s->w));
}

static void insert(struct exec *x, const struct gllm_sem_op_rec *s)
{
	uint16_t a = cut(x, read_loc(x, s->a), s->w), b = read_loc(x, s->b);
	if (is_vector(s->d)) { /* upper lanes are not tracked */
		write_loc(x, s->d, s->w < 64 ? lane(x, a) : a);
		return;
	}
	uint64_t above = ~low(~UINT64_C(0), s->w);
	b = integer(x, GLLM_S_AND, 64, b, constant(x, above));
	if (is(x, b, RAW_CONST) && x->s->raw[b].imm == 0)
		write_loc(x, s->d, a);
	else
		write_loc(x, s->d, integer(x, GLLM_S_OR, 64, b, a));
}

static uint16_t condition(struct exec *x, uint16_t flags, uint8_t cc, uint8_t fcc)
{
	uint16_t v = make(x, RAW_COND, 0, flags, 0, 0);
	x->s->raw[v].cc = cc;
	x->s->raw[v].fcc = fcc;
	return v;
}

static void call_primitive(struct exec *x, unsigned prim)
{
	const struct gllm_abi *abi = x->abi;
	struct { uint16_t a, b, c; } v = { UNDEF, UNDEF, UNDEF };
	unsigned w = 32;
	uint16_t f0 = x->st[abi->float_arg[0]], i0 = x->st[abi->int_arg[0]];
	bool int_result = false;
	switch (prim) {
	case GLLM_PRIM_SQRTF: case GLLM_PRIM_RINTF: v.a = f0; break;
	case GLLM_PRIM_LDEXPF: v.a = f0; v.b = i0; break;
	case GLLM_PRIM_FMAF: v.a = f0; v.b = x->st[abi->float_arg[1]]; v.c = x->st[abi->float_arg[2]]; break;
	case GLLM_PRIM_F16_TO_F32: case GLLM_PRIM_BF16_TO_F32: v.a = i0; break;
	case GLLM_PRIM_F32_TO_F16: case GLLM_PRIM_F32_TO_BF16: v.a = f0; w = 16; int_result = true; break;
	default: refuse(x, "a call of memset or memcpy"); return;
	}
	uint16_t r = make3(x, RAW_PRIM, w, v.a, v.b, v.c, prim);
	const uint64_t stay = (uint32_t)(abi->preserved_int | UINT64_C(1) << abi->stack_pointer) | (uint64_t)abi->preserved_vec << GLLM_LOC_V0;
	_Static_assert(UNDEF == 0 && GLLM_LOC_R0 == 0 && GLLM_LOC_V0 == 32, "a bit each");
	for (unsigned i = 0; i < 64; i++)
		x->st[i] &= (uint16_t)(0 - (stay >> i & 1));
	x->st[GLLM_LOC_FLAGS] = UNDEF;
	x->st[int_result ? abi->int_result : abi->float_result] = r;
}

static void call(struct exec *x, const struct gllm_sem_op_rec *s)
{
	uint8_t sp = x->abi->stack_pointer;
	if (flow_primitive(s)) {
		call_primitive(x, flow_primitive(s));
		return;
	}
	uint16_t back = constant(x, x->f->place[x->at].next);
	if (x->abi->link != GLLM_LOC_NONE) {
		x->st[x->abi->link] = back;
		return;
	}
	x->st[sp] = integer_imm(x, GLLM_S_SUB, 64, x->st[sp], 8);
	if (is(x, x->st[sp], RAW_SP))
		write_slot(x, x->s->raw[x->st[sp]].imm, 8, back, false);
}

/* A function must return to where it was called from, with the stack as it was. */
static void ret(struct exec *x)
{
	uint8_t sp = x->abi->stack_pointer;
	const struct flow_block *b = &x->f->block[x->block];
	const struct raw *r = &x->s->raw[x->st[sp]];
	if (r->op != RAW_SP || (!b->context && r->imm != 0)) {
		refuse(x, "the stack pointer at a return");
		return;
	}
	if (!b->context)
		return;
	uint16_t back = x->abi->link != GLLM_LOC_NONE ? x->st[x->abi->link] : read_slot(x, r->imm, 8, false);
	if (!is(x, back, RAW_CONST) || (uint64_t)x->s->raw[back].imm != x->f->block[b->succ[0]].addr)
		refuse(x, "a return to somewhere else");
	if (x->abi->link == GLLM_LOC_NONE)
		x->st[sp] = integer_imm(x, GLLM_S_ADD, 64, x->st[sp], 8);
}

static inline void branch_if(struct exec *x, uint16_t flags, uint8_t cc, uint8_t fcc)
{
	x->s->cond[x->block] = condition(x, flags, cc, fcc);
}

static uint16_t operand_b(struct exec *x, const struct gllm_sem_op_rec *s)
{
	return s->b == GLLM_LOC_NONE ? constant(x, (uint64_t)s->imm) : read_loc(x, s->b);
}

static void compare(struct exec *x, const struct gllm_sem_op_rec *s)
{
	uint16_t a = read_loc(x, s->a), b = operand_b(x, s), c = UNDEF;
	if (s->op == GLLM_S_CCMP || s->op == GLLM_S_FCCMP)
		c = condition(x, x->st[GLLM_LOC_FLAGS], s->cc, s->fcc);
	uint16_t v = make3(x, s->op, s->w, a, b, c, 0);
	x->s->raw[v].scale = s->scale;
	x->st[GLLM_LOC_FLAGS] = v;
}

static void flags_of(struct exec *x, const struct gllm_sem_op_rec *s)
{
	const uint16_t v = read_loc(x, s->a);
	const struct raw *r = &x->s->raw[v];
	x->st[GLLM_LOC_FLAGS] = sym_integer(r) && r->w == s->w ? v : make(x, GLLM_S_FLAGSOF, s->w, v, UNDEF, 0);
}

static void arithmetic(struct exec *x, const struct gllm_sem_op_rec *s)
{
	bool bitwise = s->op == GLLM_S_AND || s->op == GLLM_S_OR || s->op == GLLM_S_XOR || s->op == GLLM_S_NOT;
	unsigned w = bitwise && (is_vector(s->d) || s->w > 64) ? 32 : s->w; /* the low lane */
	uint16_t a = read_loc(x, s->a);
	if (GLLM_RARELY(a == UNDEF) && s->a == s->b && (s->op == GLLM_S_XOR || s->op == GLLM_S_SUB)) { /* the idiom for zero */
		write_loc(x, s->d, constant(x, 0));
		return;
	}
	if (GLLM_RARELY(s->op == GLLM_S_NEG || s->op == GLLM_S_NOT))
		a = integer(x, s->op, w, a, UNDEF);
	else
		a = s->b == GLLM_LOC_NONE ? integer_imm(x, s->op, w, a, s->imm) : integer(x, s->op, w, a, read_loc(x, s->b));
	write_loc(x, s->d, is_vector(s->d) && w < 64 && s->a != s->b ? lane(x, a) : a);
}

/* Operations [s, end) are left of the block: returns how many of these were executed. Two are where most often the second
 * follows, which is cheaper than to look for what comes next. */
static unsigned execute(struct exec *x, const struct gllm_sem_op_rec *s, const struct gllm_sem_op_rec *end)
{
	uint16_t a, b;
	const unsigned w = s->w;
	switch (s->op) {
	case GLLM_S_MOV: move(x, s); break;
	case GLLM_S_AND: case GLLM_S_OR: case GLLM_S_XOR: case GLLM_S_NOT:
	case GLLM_S_ADD: case GLLM_S_SUB: case GLLM_S_MUL: case GLLM_S_SHL: case GLLM_S_SHR: case GLLM_S_SAR:
	case GLLM_S_NEG: case GLLM_S_MULHU: case GLLM_S_MULHS: case GLLM_S_UDIV: case GLLM_S_SDIV:
		arithmetic(x, s);
		if (s + 1 == end || s[1].op != GLLM_S_FLAGSOF)
			break;
		flags_of(x, &s[1]);
		return 2;
	case GLLM_S_ZEXT: write_loc(x, s->d, cut(x, read_loc(x, s->a), w)); break;
	case GLLM_S_SEXT:
		a = make(x, s->op, s->imm == 32 ? 32 : 64, read_loc(x, s->a), 0, 0);
		x->s->raw[a].scale = s->w;
		write_loc(x, s->d, a);
		break;
	case GLLM_S_INSERT: insert(x, s); break;
	case GLLM_S_LOAD: load(x, s); break;
	case GLLM_S_STORE: store(x, s); break;
	case GLLM_S_ADDR: write_loc(x, s->d, w == 32 ? cut(x, address(x, s), 32) : address(x, s)); break;
	case GLLM_S_FLAGSOF: flags_of(x, s); break;
	case GLLM_S_CMP: case GLLM_S_TEST: case GLLM_S_CMN: case GLLM_S_FCMP: case GLLM_S_CCMP: case GLLM_S_FCCMP:
		compare(x, s);
		if (s + 1 == end || s[1].op != GLLM_S_BRANCH)
			break;
		branch_if(x, x->st[GLLM_LOC_FLAGS], s[1].cc, s[1].fcc);
		return 2;
	case GLLM_S_SELECT:
		a = read_loc(x, s->a);
		b = operand_b(x, s);
		write_loc(x, s->d, make3(x, s->op, w, a, b, condition(x, x->st[GLLM_LOC_FLAGS], s->cc, s->fcc), 0));
		break;
	case GLLM_S_SETCC:
		write_loc(x, s->d, make3(x, s->op, 1, 0, 0, condition(x, x->st[GLLM_LOC_FLAGS], s->cc, s->fcc), 0));
		break;
	case GLLM_S_FADD: case GLLM_S_FSUB: case GLLM_S_FMUL: case GLLM_S_FDIV: case GLLM_S_FMIN: case GLLM_S_FMAX:
	case GLLM_S_FMINN: case GLLM_S_FMAXN: case GLLM_S_FMINNM: case GLLM_S_FMAXNM: case GLLM_S_FSQRT: case GLLM_S_FNEG:
	case GLLM_S_FABS: case GLLM_S_FRINT: case GLLM_S_FMA: case GLLM_S_FMS: case GLLM_S_FNMA: case GLLM_S_FNMS:
	case GLLM_S_I2F: case GLLM_S_U2F: case GLLM_S_F2F: case GLLM_S_BLEND:
		a = read_loc(x, s->a);
		b = read_loc(x, s->b);
		write_loc(x, s->d, make3(x, s->op, w, a, b, read_loc(x, s->c), s->imm));
		break;
	case GLLM_S_F2I: case GLLM_S_F2IN: case GLLM_S_F2U: /* the result is imm bits wide, the operand w */
		a = make(x, s->op, (uint8_t)s->imm, read_loc(x, s->a), 0, 0);
		x->s->raw[a].scale = s->w;
		write_loc(x, s->d, a);
		break;
	case GLLM_S_FMASK:
		a = make(x, s->op, w, read_loc(x, s->a), read_loc(x, s->b), 0);
		x->s->raw[a].fcc = s->fcc ? s->fcc : s->cc;
		write_loc(x, s->d, a);
		break;
	case GLLM_S_BRANCH: branch_if(x, x->st[GLLM_LOC_FLAGS], s->cc, s->fcc); break;
	case GLLM_S_BRZ: case GLLM_S_BRNZ:
		a = read_loc(x, s->a);
		a = make(x, GLLM_S_CMP, w, a, constant(x, 0), 0);
		branch_if(x, a, s->op == GLLM_S_BRZ ? GLLM_CC_EQ : GLLM_CC_NE, 0);
		break;
	case GLLM_S_BRBIT:
		a = read_loc(x, s->a);
		a = make(x, GLLM_S_TEST, 64, a, constant(x, UINT64_C(1) << (s->b & 63)), 0);
		branch_if(x, a, s->scale ? GLLM_CC_NE : GLLM_CC_EQ, 0);
		break;
	case GLLM_S_CALL: call(x, s); break;
	case GLLM_S_RET: ret(x); break;
	case GLLM_S_JUMP: case GLLM_S_NOP: case GLLM_S_TRAP: break;
	default: refuse(x, "an operation that is not of the list"); break;
	}
	return 1;
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

static void copy_state(const struct exec *x, const uint16_t *from)
{
	__builtin_memcpy(x->st, from, HANDED_ON * sizeof *from); /* temporaries live for one instruction */
	for (unsigned i = HANDED_ON - SLOT0; i < x->nslots; i++)
		x->st[SLOT0 + i] = from[SLOT0 + i];
}

static void run_block(struct exec *x, uint16_t b)
{
	const struct flow_block *block = &x->f->block[b];
	x->tail = (uint64_t)b << 16 | (uint64_t)block->first << 32; /* whole: it is read as often as it is stored */
	x->st = &x->out[b * STATE];
	x->st[NOWHERE] = UNDEF;
	x->st[ZERO] = x->zero;
	x->s->first[b] = (uint16_t)x->s->n;
	if (block->npreds)
		copy_state(x, &x->out[x->f->pred[block->pred] * STATE]);
	if (block->header)
		gllm_sym_begin_loop(x, &x->f->loop[block->loop]);
	else if (block->npreds > 1)
		gllm_sym_join(x, block);
	const struct gllm_sem_op_rec *s = &x->f->op[block->first], *const end = s + block->n;
	while (s < end && !x->status) {
		const unsigned done = execute(x, s, end);
		s += done;
		x->tail += (uint64_t)done << 32;
	}
	for (unsigned k = 0; k < block->nsucc; k++)
		if (block->succ[k] <= b)
			gllm_sym_end_loop(x, &x->f->loop[x->f->block[block->succ[k]].loop]);
}

static void entry_state(struct exec *x, const struct gllm_param *param, unsigned nparams)
{
	const struct gllm_abi *abi = x->abi;
	unsigned ints = 0, floats = 0, stacked = 0;
	make(x, RAW_UNDEF, 64, 0, 0, 0);
	x->st = x->out;
	_Static_assert(UNDEF == 0, "what the bytes make");
	__builtin_memset(x->st, 0, SLOT0 * sizeof *x->st);
	__builtin_memset(x->recent, 0, sizeof x->recent);
	x->zero = constant(x, 0);
	for (unsigned i = 0; i < x->nslots; i++)
		x->st[SLOT0 + i] = NOTHING;
	x->st[abi->stack_pointer] = make(x, RAW_SP, 64, 0, 0, 0);
	for (unsigned i = 0; i < nparams; i++) {
		bool is_float = param[i].kind == GLLM_SCALAR;
		uint16_t v = make(x, RAW_PARAM, is_float ? 32 : 64, 0, 0, i);
		if (is_float && floats < abi->nfloat_args)
			x->st[abi->float_arg[floats++]] = v;
		else if (!is_float && ints < abi->nint_args)
			x->st[abi->int_arg[ints++]] = v;
		else
			write_slot(x, abi->stack_args + 8 * (int64_t)stacked++, is_float ? 4 : 8, v, false);
	}
}

static void run_all(struct exec *x, const struct gllm_param *param, unsigned nparams)
{
	struct sym *s = x->s;
	s->n = s->nstores = s->ninputs = s->nfolded = 0;
	x->nphis = 0;
	x->tail = 0;
	x->again = false;
	entry_state(x, param, nparams);
	for (unsigned b = 0; b < x->f->nblocks && !x->status; b++) {
		s->cond[b] = UNDEF;
		run_block(x, (uint16_t)b);
	}
	s->first[x->f->nblocks] = (uint16_t)s->n;
}

struct room {
	struct exec x;
	uint16_t first[FLOW_BLOCKS + 1], cond[FLOW_BLOCKS];
	struct live live[FLOW_BLOCKS];
	uint16_t phi[RAW_VALUES], same[RAW_VALUES + 1], store[RAW_VALUES], input[RAW_INPUTS];
	struct raw_folded folded[RAW_FOLDED];
	struct raw raw[RAW_VALUES + 1];
};

enum gllm_status gllm_sym_build(struct sym *s, const struct flow *f, const struct gllm_abi *abi,
                                const struct gllm_image *img, const struct gllm_param *param, unsigned nparams,
                                struct gllm_arena *a, struct gllm_error *e)
{
	struct room *const r = gllm_alloc(a, sizeof *r, 8);
	uint16_t *const out = gllm_alloc_array(a, (size_t)f->nblocks * STATE, sizeof *out, 8);
	if (!r || !out)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "scratch for symbolic execution", NULL, 0, 0, 0);
	*s = (struct sym){ .f = f, .img = img, .raw = r->raw, .input = r->input, .first = r->first, .store = r->store, .cond = r->cond,
	                   .folded = r->folded, .error = e };
	struct exec *const x = &r->x;
	x->s = s;
	x->f = f;
	x->abi = abi;
	x->img = img;
	x->out = out;
	x->live = r->live;
	x->phi = r->phi;
	x->nslots = 0;
	x->varying = 0;
	x->status = GLLM_OK;
	gllm_live_find(r->live, f, abi);
	do
		run_all(x, param, nparams);
	while (x->again && !x->status);
	if (!x->status)
		gllm_sym_drop_copies(s, r->same, x->phi, x->nphis);
	return x->status;
}
