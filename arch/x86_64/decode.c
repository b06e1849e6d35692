/* SPDX-License-Identifier: MIT
 * arch/x86_64/decode.c - the table read from bytes to operands.
 *
 * Prefixes give a key (encoding, prefix, map, opcode); `run_end` names the last row for it, and the rows of one key are
 * neighbours. What else the bytes say of sizes, lengths, ModRM and decorations is a set of facts, and every row has the set
 * of facts that exclude it, which its columns tell: the row that is not excluded is the instruction's, and its operands are
 * read. What reserved bits are not at their required value is not an instruction. Bytes beyond `size` are never touched: of few
 * bytes a copy is read, which goes on with zeros, and what has read beyond the last one is cut off. */
#include "arch/x86_64/form.h"
#include "core/bits.h"

/* One page of 256 opcodes for every (encoding, map, prefix). */
enum { PAGES_LEG = 0, PAGES_VEX = 4 * 4, PAGES_EVEX = 4 * 7, PAGES = 4 * 13 };
#define PAGE(enc, map, pp) \
	(((enc) == LEG ? PAGES_LEG + (map) * 4 : ((enc) == VEX ? PAGES_VEX : PAGES_EVEX) + ((map) - 1) * 4) + (pp))

/* Where the last row of a key is named; of the first page, which has most groups by /digit, the last one up to each digit. Its
 * eight entries an opcode are seven more than others have. */
#define MORE (7 * 256)
#define SLOT(page, opcode, reg) ((page) * 256 + (opcode) + ((page) == 0 ? (opcode) * 7 + (reg) : MORE))

/* Opcodes that a row stands for: itself, eight (+r) or sixteen (+cc); the rows of a key have that in common, but for 90. */
#define COVERS(n) ((n) == PR ? 8u : (n) == PC || (n) == CM ? 16u : 1u)

/* Row + 1; 0 none. A later row of the same key overrides an earlier one on purpose: the last one is wanted. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const uint16_t run_end[SLOT(PAGES, 0, 0)] = {
#define X(id, text, enc, pp, map, w, l, opc, n, ops, dec, isa, sem, arg, width) \
	[SLOT(PAGE(enc, MAP_##map, pp), opc, (n) < 8 ? (n) : 0) ... SLOT(PAGE(enc, MAP_##map, pp), (opc) + COVERS(n) - 1, 7)] = \
		X86_##id + 1,
#include "arch/x86_64/insn.def"
#undef X
};
#pragma GCC diagnostic pop

/* Facts that exclude rows. The sets of OS, VL, REG and RM have one bit of each value. */
enum fact {
	F_OS,                  /* operand size: 16, 32, 64 bits */
	F_VL = F_OS + 3,       /* vector length: 128, 256, 512, none */
	F_REG = F_VL + 4,      /* ModRM.reg */
	F_RM = F_REG + 8,      /* ModRM.rm */
	F_MEMORY = F_RM + 8,   /* ModRM.rm is memory; a register */
	F_REGISTER,
	F_ZERO, F_NOT_ZERO,    /* the number in the opcode */
	F_LEFT_66,             /* prefixes that the opcode has not */
	F_LEFT_F3, F_2E, F_3E,
	F_MANY_66,             /* more than one, or one that W overrules */
	F_REG_8, F_REG_16,     /* the number in ModRM.reg is above 7; above 15 */
	F_RM_8, F_RM_16,       /* that in ModRM.rm, a register */
	F_VVV_8,               /* that in vvvv */
	F_VVV, F_V2,           /* vvvv is there; the fifth bit of vvvv or of the index */
	F_DIGIT_R,             /* R of EVEX, which is no part of a digit */
	F_MASKED, F_UNMASKED, F_ZEROING, F_BROADCAST, F_ROUNDING, /* what EVEX says; UNMASKED: nothing */
	F_COMMON,              /* nobody looked at ModRM.rm and the number in the opcode */
	F_NEVER,
	F_KEY = 48             /* from here on, of rows: their key */
};
#define BIT(fact) (UINT64_C(1) << (fact))
#define BITS(fact, set) ((uint64_t)(set) << (fact))
#define IF(condition, fact) ((condition) ? BIT(fact) : 0)

/* The facts that do not exclude a row. */
#define ANY_AT(place, a, b, c, d) (AT_(a, place) || AT_(b, place) || AT_(c, place) || AT_(d, place))
#define ANY_OF(place, class, a, b, c, d) (OF_(a, place, class) || OF_(b, place, class) || OF_(c, place, class) || OF_(d, place, class))
#define IS_90(enc, map, opc) ((enc) == LEG && (map) == MAP_1B && (opc) == 0x90)
#define FITS_SIZES(w, l) \
	(BITS(F_OS, (w) & WIG ? 7 : (w) & 7) | BITS(F_VL, (l) & LIG ? 7 : (l) & 7) | IF(((w) & (WIG | W16)) == W16, F_LEFT_66))
#define FITS_MODRM(n, ...) \
	(BITS(F_REG, (n) < 8 ? 1 << ((n) & 7) : (n) >= FIX ? 1 << ((n) >> 3 & 7) : 255) | \
	 BITS(F_RM, (n) >= FIX ? 1 << ((n) & 7) : ANY_AT(P_VSIB, __VA_ARGS__) ? 1 << 4 : 255) | \
	 IF((n) < FIX && !ANY_AT(P_RMR, __VA_ARGS__), F_MEMORY) | \
	 IF(!ANY_AT(P_MEM, __VA_ARGS__) && !ANY_AT(P_VSIB, __VA_ARGS__), F_REGISTER) | IF((n) >= 8, F_DIGIT_R))
#define FITS_REGISTER(place, f8, f16, ...) \
	(IF(!ANY_OF(place, GLLM_R_MASK, __VA_ARGS__), f8) | \
	 IF(!ANY_OF(place, GLLM_R_MASK, __VA_ARGS__) && !ANY_OF(place, GLLM_R_GPR, __VA_ARGS__), f16))
#define FITS_REGISTERS(...) \
	(FITS_REGISTER(P_REG, F_REG_8, F_REG_16, __VA_ARGS__) | (FITS_REGISTER(P_RM, F_RM_8, F_RM_16, __VA_ARGS__) & \
	 FITS_REGISTER(P_RMR, F_RM_8, F_RM_16, __VA_ARGS__)) | IF(!ANY_OF(P_VVV, GLLM_R_MASK, __VA_ARGS__), F_VVV_8) | \
	 IF(ANY_AT(P_VVV, __VA_ARGS__), F_VVV) | IF(ANY_OF(P_VVV, GLLM_R_VEC, __VA_ARGS__) || ANY_AT(P_VSIB, __VA_ARGS__), F_V2))
#define FITS_DECORATION(dec) \
	(IF((dec) & REP, F_LEFT_F3) | IF((dec) & PAD, F_2E) | IF((dec) & PAD, F_MANY_66) | IF((dec) & NOTRACK, F_3E) | \
	 IF((dec) & K, F_MASKED) | IF(!((dec) & KREQ), F_UNMASKED) | IF((dec) & Z, F_ZEROING) | IF((dec) & (B2 | B4 | B8), F_BROADCAST) | \
	 IF((dec) & (ER | SAE), F_ROUNDING))
#define FITS(enc, map, w, l, opc, n, dec, a, b, c, d, ...) \
	(FITS_SIZES(w, l) | FITS_MODRM(n, a, b, c, d) | FITS_REGISTERS(a, b, c, d) | FITS_DECORATION(dec) | \
	 IF(!IS_90(enc, map, opc) || (n) == NM, F_ZERO) | IF(!IS_90(enc, map, opc) || (n) == PR, F_NOT_ZERO) | \
	 IF(!IS_90(enc, map, opc) && (n) < FIX, F_COMMON))
#define KEY(enc, map, pp, opc) BITS(F_KEY, PAGE(enc, map, pp) << 8 | (opc))

/* Of every row the facts that exclude it, and its key; before the first one what has another key. */
static const uint64_t excluding[X86_ROWS + 1] = {
	~UINT64_C(0),
#define X(id, text, enc, pp, map, w, l, opc, n, ops, dec, isa, sem, arg, width) \
	(BIT(F_KEY) - 1) ^ FITS(enc, MAP_##map, w, l, opc, n, dec, ops, 0, 0, 0, 0) ^ KEY(enc, MAP_##map, pp, opc),
#include "arch/x86_64/insn.def"
#undef X
};

/* What a first byte is, or one behind a prefix; the first three have the number that they have as `pp`. */
enum { LEAD_OPCODE, LEAD_66, LEAD_F3, LEAD_F2, LEAD_2E, LEAD_3E, LEAD_REX, LEAD_VEX, LEAD_EVEX };
static const uint8_t lead[256] = {
	[0x66] = LEAD_66, [0xf2] = LEAD_F2, [0xf3] = LEAD_F3, [0x2e] = LEAD_2E, [0x3e] = LEAD_3E,
	[0x40 ... 0x4f] = LEAD_REX, [0xc4] = LEAD_VEX, [0xc5] = LEAD_VEX, [0x62] = LEAD_EVEX,
};

enum { LONGEST = 15, W = 8, R = 4, X = 2, B = 1 }; /* bits of REX; VEX and EVEX are brought to the same places */
enum { AHEAD = 48 };           /* more than is ever read of what begins with LONGEST bytes */

/* How many of each prefix there are, four bits each; the longest instruction has no more than fit. */
#define PREFIX(what) (1u << 4 * (what))
#define PREFIXES(counts, what) ((counts) >> 4 * (what) & 15)

/* Numbers of registers by where they come from, a byte each. */
#define NUMBER(from, n) ((uint64_t)(n) << 8 * (from))

/* What there is of every instruction. */
struct reading {
	const unsigned char *p, *end; /* what is not read yet; where no instruction goes on */
	unsigned opcode;
	unsigned rex;              /* W R X B; set, not inverted */
	unsigned bare;             /* the size of which registers 4..7 are high bytes: 8, but not with REX or what has its bits */
	unsigned os;               /* operand size: 0 16, 1 32, 2 64 bits */
	uint64_t number;           /* only what prefixes say of them, until ModRM is read */
};

/* And what only few have. */
struct rest {
	struct reading r;
	unsigned enc, page;
	unsigned pp;               /* that the opcode has if there is such a row: F2 and F3 are asked before 66 */
	unsigned prefixes;         /* counted; VEX and EVEX have the one that they say */
	uint8_t rep;               /* the prefix that is left */
	/* of VEX and EVEX */
	unsigned vl, mask;
	bool v2, zeroing, b;
	bool rounding;             /* by b, of a register form; else it broadcasts */
};

static inline bool cut(const struct reading *r)
{
	return r->p > r->end;
}

static inline unsigned next(struct reading *r)
{
	return *r->p++;
}

/* ---- before ModRM ------------------------------------------------------------------------------------------------ */

#define OF_REX(rex) (NUMBER(FROM_ONE, 1) | NUMBER(FROM_REG, (rex) << 1 & 8) | NUMBER(FROM_RM, (rex) << 3 & 8))
static const uint64_t numbers_of_rex[16] = {
	OF_REX(0), OF_REX(1), OF_REX(2), OF_REX(3), OF_REX(4), OF_REX(5), OF_REX(6), OF_REX(7),
	OF_REX(8), OF_REX(9), OF_REX(10), OF_REX(11), OF_REX(12), OF_REX(13), OF_REX(14), OF_REX(15),
};

/* What VEX and EVEX have in common: their last byte but one, with W, vvvv and pp, and the map. */
static void set_vector_key(struct rest *x, unsigned enc, unsigned map, unsigned rxb, unsigned b)
{
	struct reading *r = &x->r;

	x->enc = enc;
	x->page = (enc == VEX ? PAGES_VEX : PAGES_EVEX) + (map - 1) * 4;
	r->rex = rxb | (b >> 4 & W);
	r->bare = 1;
	r->number = numbers_of_rex[r->rex] | NUMBER(FROM_VVV, ~b >> 3 & 15);
	x->pp = b & 3;
	x->prefixes = x->pp ? PREFIX(x->pp) : 0;
}

static bool read_vex(struct rest *x)
{
	struct reading *r = &x->r;
	unsigned c = next(r), a = next(r), b = c == 0xc4 ? next(r) : a & 0x7f, map = c == 0xc4 ? a & 31 : (unsigned)MAP_0F;

	set_vector_key(x, VEX, map, ~a >> 5 & (c == 0xc4 ? R | X | B : R), b);
	x->vl = b >> 2 & 1;
	r->opcode = next(r);
	return cut(r) || (map >= MAP_0F && map <= MAP_0F3A);
}

static bool read_evex(struct rest *x)
{
	struct reading *r = &x->r;
	unsigned a = r->p[1], map = a & 15, b = r->p[2], c = r->p[3];

	r->p += 2;
	if (cut(r))
		return true;
	if (map < MAP_0F || map > MAP_6 || map == MAP_0F3A + 1)
		return false;
	r->p++;
	if (!cut(r) && !(b & 4))
		return false;
	r->p++;
	set_vector_key(x, EVEX, map, ~a >> 5 & (R | X | B), b);
	x->zeroing = c >> 7, x->vl = c >> 5 & 3, x->b = c >> 4 & 1, x->v2 = !(c & 8), x->mask = c & 7;
	r->number |= NUMBER(FROM_REG, ~a & 16) | NUMBER(FROM_RM, r->rex << 3 & 16) | NUMBER(FROM_VVV, x->v2 << 4);
	r->opcode = next(r);
	return true;
}

/* Everything before ModRM. False: no instruction begins so. */
static bool read_key(struct rest *x)
{
	struct reading *r = &x->r;
	unsigned map = MAP_1B, what;

	for (; (what = lead[*r->p]) - 1 < LEAD_3E && !cut(r); r->p++) {
		x->prefixes += PREFIX(what);
		x->pp = what == LEAD_F2 || what == LEAD_F3 ? what : x->pp;
	}
	if (!x->pp && PREFIXES(x->prefixes, LEAD_66))
		x->pp = LEAD_66;
	if (what >= LEAD_VEX && !x->prefixes)
		return what == LEAD_EVEX ? read_evex(x) : read_vex(x);
	r->bare = what == LEAD_REX ? 1 : 8;
	r->rex = what == LEAD_REX ? next(r) & 15 : 0;
	r->number = numbers_of_rex[r->rex];
	r->opcode = next(r);
	if (r->opcode == 0x0f) {
		r->opcode = next(r);
		map = r->opcode == 0x38 ? MAP_0F38 : r->opcode == 0x3a ? MAP_0F3A : MAP_0F;
		if (map != MAP_0F)
			r->opcode = next(r);
	}
	x->page = PAGES_LEG + map * 4;
	return true;
}

/* ---- facts ------------------------------------------------------------------------------------------------------- */

static inline uint64_t facts_of_modrm(unsigned modrm)
{
	return BIT(F_REG + (modrm >> 3 & 7)) | BIT(F_RM + (modrm & 7)) | BIT(modrm < 0xc0 ? F_MEMORY : F_REGISTER);
}

/* Of registers that VEX and EVEX can name and a class has not. */
static uint64_t facts_of_numbers(uint64_t number, bool memory)
{
	return IF(number & NUMBER(FROM_REG, 24), F_REG_8) | IF(number & NUMBER(FROM_REG, 16), F_REG_16) |
	       IF(number & NUMBER(FROM_VVV, 24), F_VVV_8) | IF(!memory && number & NUMBER(FROM_RM, 24), F_RM_8) |
	       IF(!memory && number & NUMBER(FROM_RM, 16), F_RM_16);
}

/* What b says needs ModRM. */
static uint64_t facts_of_evex(const struct rest *x, bool there)
{
	return BIT(x->mask ? F_MASKED : F_UNMASKED) | IF(x->zeroing, F_ZEROING) | IF(x->zeroing && !x->mask, F_NEVER) |
	       IF(x->b && there, x->rounding ? F_ROUNDING : F_BROADCAST) | IF(x->r.rex & R, F_DIGIT_R);
}

/* Whatever prefix is the opcode's. ModRM that is cut off excludes nothing. */
static uint64_t facts_of_key(const struct rest *x, unsigned modrm)
{
	const bool there = x->r.p < x->r.end;
	uint64_t facts = BIT((x->r.opcode & 7) || (x->r.rex & B) ? F_NOT_ZERO : F_ZERO);

	if (there)
		facts |= facts_of_modrm(modrm) | (x->enc == LEG ? 0 : facts_of_numbers(x->r.number, modrm < 0xc0));
	if (there || !x->b)
		facts |= BIT(F_VL + (x->rounding ? 2 : x->vl));
	if (x->enc != LEG)
		facts |= IF(x->r.number & NUMBER(FROM_VVV, 15), F_VVV) | IF(x->v2, F_V2);
	return x->enc == EVEX ? facts | facts_of_evex(x, there) : facts;
}

/* Of what is left of the prefixes if the opcode has one of them, and the operand size that they choose. */
static uint64_t facts_of_prefixes(unsigned left, bool wide)
{
	unsigned left66 = PREFIXES(left, LEAD_66), f3 = PREFIXES(left, LEAD_F3), f2 = PREFIXES(left, LEAD_F2);
	unsigned cs = PREFIXES(left, LEAD_2E), ds = PREFIXES(left, LEAD_3E);

	return BIT(F_OS + (wide ? 2 : left66 ? 0 : 1)) | IF(left66, F_LEFT_66) | IF(left66 > 1 || (left66 && wide), F_MANY_66) |
	       IF(f3, F_LEFT_F3) | IF(cs, F_2E) | IF(ds, F_3E) | IF(f2 || f3 + cs + ds > 1, F_NEVER);
}

static uint8_t prefix_left(unsigned left)
{
	return PREFIXES(left, LEAD_2E) ? 0x2e : PREFIXES(left, LEAD_3E) ? 0x3e : PREFIXES(left, LEAD_F3) ? 0xf3 : 0;
}

/* The row of one key that no fact excludes, + 1; 0 if there is none. */
static inline unsigned find_row(unsigned end, uint64_t facts)
{
	for (; excluding[end] & facts; end--)
		if (!end || (excluding[end] ^ excluding[end - 1]) >> F_KEY)
			return 0;
	return end;
}

/* ---- operands ---------------------------------------------------------------------------------------------------- */

/* A register; of what is none only the kind. What may be memory is a register yet. */
static inline void set_operand(const struct reading *r, uint32_t op, const uint16_t *sizes, struct gllm_operand *o)
{
	unsigned size = sizes[gllm_x86_rsize(op)], n = r->number >> (op >> 5 & 7u << 3) & 255;
	uint32_t head = (op >> KIND_SHIFT & 0x03000307) ^ 1u << 24;

	if (size == r->bare)
		n += n >= 4 ? 12 : 0;
	head |= n << 16;
	o->kind = (uint8_t)head;
	o->cls = (uint8_t)(head >> 8);
	o->reg = (uint8_t)(head >> 16);
	o->access = (uint8_t)(head >> 24);
	o->size = (uint16_t)size;
	o->imm = 0;
}

/* The displacement is counted from the instruction's end if the result is true. `v2`: the fifth bit of a vector index. */
static inline bool read_memory(struct reading *r, unsigned modrm, unsigned unit, bool vsib, unsigned v2, struct gllm_operand *o)
{
	static const uint8_t bytes[4] = { 0, 1, 4 };
	unsigned mod = modrm >> 6, sib = (modrm & 7) == 4, byte = *r->p, base = (sib ? byte : modrm) & 7;
	unsigned index = (byte >> 3 & 7) | (r->rex << 2 & 8) | v2 << 4;
	bool indexed = sib && (index != 4 || vsib), far = mod == 0 && base == 5, pc = far && !sib;
	uint32_t disp;

	r->p += sib;
	disp = gllm_le32(r->p);
	r->p += far ? 4 : bytes[mod];
	o->kind = GLLM_O_MEM;
	o->cls = o->reg = 0;
	o->base = (uint8_t)(pc ? GLLM_REG_PC : far ? GLLM_NO_REG : base | (r->rex << 3 & 8));
	o->index = (uint8_t)(indexed ? index : GLLM_NO_REG);
	o->index_vec = vsib;
	o->scale = (uint8_t)(indexed ? byte >> 6 : 0);
	o->imm = mod == 1 ? (int8_t)disp * (int64_t)unit : mod == 2 || far ? (int32_t)disp : 0;
	return pc;
}

/* What stands behind all else: bytes, of which `mask` is left, then with `sign` for a sign; or a constant that is in no bytes. */
struct last {
	uint64_t mask, sign, less;
	uint64_t relative;         /* all bits: counted from the instruction's end */
};
#define UNSIGNED(n) { .mask = ~UINT64_C(0) >> (64 - 8 * (n)) }
#define SIGNED(n, from_end) { .mask = ~UINT64_C(0) >> (64 - 8 * (n)), .sign = UINT64_C(1) << (8 * (n) - 1), \
	.less = UINT64_C(1) << (8 * (n) - 1), .relative = from_end }
static const struct last last_of[P_CC + 1] = {
	[P_IS4] = UNSIGNED(1), [P_ONE] = { .less = ~UINT64_C(0) }, [P_IB] = UNSIGNED(1), [P_IS] = SIGNED(1, 0), [P_IW] = UNSIGNED(2),
	[P_IZ] = SIGNED(4, 0), [P_IQ] = UNSIGNED(8), [P_JB] = SIGNED(1, ~UINT64_C(0)), [P_JZ] = SIGNED(4, ~UINT64_C(0)),
}, last_word = SIGNED(2, 0);

static bool read_vector_memory(struct reading *r, const struct rest *x, unsigned modrm, const struct gllm_x86_form *f,
                               struct gllm_operand *o)
{
	bool vsib = gllm_x86_place(f->op[f->memory]) == P_VSIB;

	if (x->b)
		o->size = (uint16_t)(gllm_x86_element(f) * 8);
	return read_memory(r, modrm, x->enc != EVEX ? 1 : f->dec & E4 ? 4 : f->dec & E8 ? 8 : o->size / 8u, vsib, vsib && x->v2, o);
}

/* What EVEX decorates with; a merging destination is read, too. */
static void decorate(const struct rest *x, const struct gllm_x86_form *f, struct gllm_insn *out)
{
	out->mask = (uint8_t)x->mask;
	out->zeroing = x->zeroing;
	out->broadcast = x->b && !x->rounding;
	out->rounding = (uint8_t)(!x->rounding ? 0 : f->dec & ER ? 1 + x->vl : 1);
	if (x->mask && !x->zeroing && out->op[0].access == 2 && out->op[0].kind == GLLM_O_REG && out->op[0].cls == GLLM_R_VEC)
		out->op[0].access = 3;
}

/* Row `row` - 1, from ModRM on. `x` is NULL if it has none of what only few have: for that there is a copy of its own. */
static inline __attribute__((always_inline)) enum gllm_status
read_row(unsigned row, struct reading r, const struct rest *x, const unsigned char *bytes, uint64_t addr, struct gllm_insn *out)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[--row];
	const unsigned modrm = *r.p, has_modrm = f->dec / MODRM & 1;
	const unsigned wide = !x || x->enc == LEG ? (unsigned)f->w / WIG << 1 : 0; /* 64 bits whatever the bytes say: 3 is 2, too */
	const unsigned os = r.os | wide, vl = !x || f->l & LIG ? 0 : x->rounding ? 2 : x->vl;
	const uint16_t *sizes = gllm_x86_register_sizes[vl][os];
	bool relative = false;

	r.number |= NUMBER(FROM_REG, modrm >> 3 & 7) | NUMBER(FROM_RM, (modrm ^ ((modrm ^ r.opcode) & (has_modrm - 1))) & 7);
	set_operand(&r, f->op[0], sizes, &out->op[0]);
	set_operand(&r, f->op[1], sizes, &out->op[1]);
	for (unsigned i = 2; i < f->noperands; i++)
		set_operand(&r, f->op[i], sizes, &out->op[i]);
	out->op[f->condition].imm = r.opcode & 15;
	r.p += has_modrm;
	if ((modrm < 0xc0) & has_modrm) {
		struct gllm_operand *o = &out->op[f->memory];
		o->size = gllm_x86_memory_sizes[vl][os][f->access];
		relative = x ? read_vector_memory(&r, x, modrm, f, o) : read_memory(&r, modrm, 1, false, 0, o);
	}
	const bool word = f->place == P_IZ && os == 0;
	const struct last *last = word ? &last_word : &last_of[f->place];
	const uint64_t v = gllm_le64(r.p) & last->mask;
	r.p += word ? 2 : f->bytes;
	if (cut(&r))
		return GLLM_TRUNCATED;
	const uint64_t end = addr + (uint64_t)(r.p - bytes);
	out->op[f->last].imm = (int64_t)((v ^ last->sign) - last->less + (last->relative & end));
	if (relative)
		out->op[f->memory].imm = (int64_t)((uint64_t)out->op[f->memory].imm + end);
	out->addr = addr;
	out->row = (uint16_t)row;
	out->length = (uint8_t)(r.p - bytes);
	out->n = f->noperands;
	out->vl = (uint8_t)vl;
	out->mask = out->zeroing = out->broadcast = out->rounding = out->rep = 0;
	if (!x)
		return GLLM_OK;
	out->rep = x->rep;
	if (x->enc == EVEX)
		decorate(x, f, out);
	if (f->place != P_IS4)
		return GLLM_OK;
	out->op[f->last].reg = (uint8_t)(v >> 4);
	out->op[f->last].imm = 0;
	return v & 15 ? GLLM_BAD_INSN : GLLM_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* Any instruction. */
static enum gllm_status decode_any(const unsigned char *bytes, size_t most, uint64_t addr, struct gllm_insn *out)
{
	struct rest x = { .r = { .p = bytes, .end = bytes + most } };
	uint64_t facts, more;
	unsigned row = 0, left, modrm;

	if (!read_key(&x))
		return GLLM_BAD_INSN;
	if (cut(&x.r))
		return GLLM_TRUNCATED;
	modrm = *x.r.p;
	x.rounding = x.b && modrm >= 0xc0;
	facts = facts_of_key(&x, modrm);
	for (;;) {
		left = x.prefixes - (x.pp ? PREFIX(x.pp) : 0);
		more = left ? facts_of_prefixes(left, x.r.rex & W) : BIT(F_OS + 1) << (x.r.rex >> 3);
		row = find_row(run_end[SLOT(x.page + x.pp, x.r.opcode, x.r.p < x.r.end ? modrm >> 3 & 7 : 7)], facts | more);
		if (row || !x.pp || x.enc != LEG)
			break;
		x.pp = x.pp != LEAD_66 && PREFIXES(x.prefixes, LEAD_66) ? LEAD_66 : 0;
	}
	x.rep = left ? prefix_left(left) : 0;
	x.r.os = (more >> F_OS & 7) >> 1;
	if (row && x.r.p >= x.r.end && gllm_x86_has_modrm(&gllm_x86_forms[row - 1])) /* what it says may be impossible */
		return GLLM_TRUNCATED;
	return row ? read_row(row, x.r, &x, bytes, addr, out) : GLLM_BAD_INSN;
}

/* Most instructions have at most one prefix, which is their opcode's, then REX or not, 0F or not, and the opcode. Nothing could
 * predict what of these is there, so it is found without branches. Others are read as any. */
static enum gllm_status decode(const unsigned char *bytes, size_t most, uint64_t addr, struct gllm_insn *out)
{
	uint64_t b = gllm_le64(bytes);
	unsigned what = lead[b & 255], prefix = what - 1 < LEAD_F2, pp = what & (0u - prefix), rex, map, modrm, slot, row;
	struct reading r = { .end = bytes + most };

	if (what >= LEAD_VEX)
		return decode_any(bytes, most, addr, out);
	b >>= prefix * 8;
	rex = (b & 0xf0) == 0x40;
	r.rex = b & (0u - rex) & 15;
	r.bare = 8 - 7 * rex;
	b >>= rex * 8;
	map = (b & 255) == 0x0f;
	b >>= map * 8;
	r.opcode = b & 255;
	modrm = b >> 8 & 255;
	r.p = bytes + 1 + prefix + rex + map;
	r.number = numbers_of_rex[r.rex];
	r.os = 1 + (r.rex >> 3);
	slot = PAGE(LEG, map, pp) * 256 + r.opcode + MORE;
	slot += (r.opcode * 7 + (modrm >> 3 & 7) - MORE) & (0u - (map + pp == 0)); /* SLOT without a branch */
	row = find_row(run_end[slot],
	               BIT(F_REG + (modrm >> 3 & 7)) | BIT(modrm < 0xc0 ? F_MEMORY : F_REGISTER) | BIT(F_OS) << r.os | BIT(F_VL) |
	               BIT(F_COMMON));
	if (!row || r.p >= r.end)
		return decode_any(bytes, most, addr, out);
	return read_row(row, r, NULL, bytes, addr, out);
}

enum gllm_status gllm_x86_decode(const unsigned char *bytes, size_t size, uint64_t addr, struct gllm_insn *out)
{
	unsigned char copy[AHEAD];
	enum gllm_status s;

	if (size < AHEAD) {
		__builtin_memset(copy, 0, sizeof copy);
		__builtin_memcpy(copy, bytes, size < LONGEST ? size : LONGEST);
		bytes = copy;
	}
	s = decode(bytes, size < LONGEST ? size : LONGEST, addr, out);
	return s == GLLM_TRUNCATED && size >= LONGEST ? GLLM_BAD_INSN : s;
}
