/* SPDX-License-Identifier: MIT
 * arch/x86_64/decode.c - the table read from bytes to operands.
 *
 * Prefixes give a key (encoding, prefix, map, opcode); `run_end` names the last row for it, and the rows of one key are
 * neighbours. A row is then rejected by sizes, lengths, ModRM and decorations, or its operands are read. Registers are set
 * first, as if every operand were one, then what is in memory or in bytes of its own, since no CPU predicts the kinds of
 * operands in code that it decodes once. What reserved bits are not at their required value is not an instruction.
 * Bytes beyond `size` are never touched: of few bytes a copy is read, which goes on with zeros, and what has read beyond the
 * last one is cut off. */
#include "arch/x86_64/form.h"
#include "core/bits.h"

/* One page of 256 opcodes for every (encoding, map, prefix). */
enum { PAGES_LEG = 0, PAGES_VEX = 4 * 4, PAGES_EVEX = 4 * 7, PAGES = 4 * 13 };
#define PAGE(enc, map, pp) \
	(((enc) == LEG ? PAGES_LEG + (map) * 4 : ((enc) == VEX ? PAGES_VEX : PAGES_EVEX) + ((map) - 1) * 4) + (pp))

/* Opcodes that a row stands for: itself, eight (+r) or sixteen (+cc); the rows of a key have that in common, but for 90. */
#define COVERS(n) ((n) == PR ? 8u : (n) == PC || (n) == CM ? 16u : 1u)

/* Row + 1; 0 none. A later row of the same key overrides an earlier one on purpose: the last one is wanted. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const uint16_t run_end[PAGES * 256] = {
#define X(id, text, enc, pp, map, w, l, opc, n, ops, dec, isa, sem, arg, width) \
	[PAGE(enc, MAP_##map, pp) * 256 + (opc) ... PAGE(enc, MAP_##map, pp) * 256 + (opc) + COVERS(n) - 1] = X86_##id + 1,
#include "arch/x86_64/insn.def"
#undef X
};
#pragma GCC diagnostic pop

/* What a first byte is, or one behind a prefix; 0: an opcode. Above that, of a prefix that may be a row's own: pp. LEAD_MAP2: a
 * byte that is one only behind 0F. */
enum { LEAD_REX = 1, LEAD_MAP = 2, LEAD_MAP2 = 4, LEAD_PREFIX = 8, LEAD_VEX = 16, LEAD_EVEX = 32, LEAD_PP = 64 };
static const uint8_t lead[256] = {
	[0x66] = LEAD_PREFIX | 1 * LEAD_PP, [0xf3] = LEAD_PREFIX | 2 * LEAD_PP, [0xf2] = LEAD_PREFIX | 3 * LEAD_PP,
	[0x2e] = LEAD_PREFIX, [0x3e] = LEAD_PREFIX, [0x40 ... 0x4f] = LEAD_REX, [0x0f] = LEAD_MAP, [0x38] = LEAD_MAP2,
	[0x3a] = LEAD_MAP2, [0xc4] = LEAD_VEX, [0xc5] = LEAD_VEX, [0x62] = LEAD_EVEX,
};

enum { LONGEST = 15, W = 8, R = 4, X = 2, B = 1 }; /* bits of REX; VEX and EVEX are brought to the same places */
enum { AHEAD = 48 };           /* more than is ever read of what begins with LONGEST bytes */

/* What most instructions take is one function, and what few take does not cost it registers. */
#define PART static inline __attribute__((always_inline))
#define APART __attribute__((noinline)) static
enum outcome { NO, CUT, YES }; /* CUT: not with these bytes, but maybe with more */

/* ---- operands ------------------------------------------------------------------------------------------------------ */

/* Registers' numbers by place; those behind P_X0 are none, and what is taken for their number is not used. */
struct numbers {
	uint8_t by_place[16];
};

/* Kind, class, number, access and size, as they stand in a struct gllm_operand; all else is zero. */
PART void set_operand(struct gllm_operand *o, uint32_t op, unsigned kind, unsigned reg, unsigned size)
{
	_Static_assert(offsetof(struct gllm_operand, cls) == 1 && offsetof(struct gllm_operand, reg) == 2 &&
	               offsetof(struct gllm_operand, access) == 3 && offsetof(struct gllm_operand, size) == 4 &&
	               __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "of one word");
	const uint64_t word = (((op & O_(0, 7, 0, 0)) | (op & WR)) ^ ((uint32_t)1 << 24 | kind)) | reg << 16 | (uint64_t)size << 32;

	__builtin_memcpy(o, &word, sizeof word);
	__builtin_memset((char *)o + sizeof word, 0, sizeof *o - sizeof word);
}

/* An operand that is nothing else is taken for a register. */
PART void set_register(const struct numbers *s, const uint16_t *sizes, uint32_t op, struct gllm_operand *o)
{
	set_operand(o, op, GLLM_O_REG, s->by_place[op & 15], sizes[gllm_x86_rsize(op)]);
}

PART void set_registers(const struct numbers *s, const uint16_t *sizes, const struct gllm_x86_form *f,
                        struct gllm_operand *op)
{
	set_register(s, sizes, f->op[0], &op[0]); /* most have two */
	set_register(s, sizes, f->op[1], &op[1]);
	for (unsigned i = 2; GLLM_RARELY(i < f->n_ops); i++)
		set_register(s, sizes, f->op[i], &op[i]);
}

/* An index byte is read whether it is there or not; a displacement of one byte counts units. */
PART const unsigned char *set_memory(uint32_t op, unsigned size, unsigned modrm, unsigned rex, unsigned v2, unsigned unit,
                                     const unsigned char *p, struct gllm_operand *o, struct gllm_operand **relative)
{
	const unsigned rm = modrm & 7, sib = *p, has_sib = rm == 4, vsib = gllm_x86_place(op) == P_VSIB;
	const unsigned index = (sib >> 3 & 7) | (rex << 2 & 8) | (vsib ? v2 << 4 : 0), low = has_sib ? sib & 7 : rm;
	const unsigned indexed = has_sib & (vsib | (index != 4)), mod = modrm >> 6 & 3, no_base = (mod == 0) & (low == 5);
	const unsigned how = no_base ? 2 : mod;

	p += has_sib;
	set_operand(o, op & ~O_(0, 7, 0, 0), GLLM_O_MEM, 0, size);
	o->base = (uint8_t)(no_base ? GLLM_NO_REG - !has_sib : low | (rex << 3 & 8));
	o->index = (uint8_t)(indexed ? index : GLLM_NO_REG);
	o->index_vec = (uint8_t)vsib;
	o->scale = (uint8_t)(indexed ? sib >> 6 : 0);
	*relative = no_base > has_sib ? o : *relative;
	if (how == 1) {
		o->imm = (int64_t)(int8_t)*p * unit;
		return p + 1;
	}
	if (how == 2) {
		o->imm = (int32_t)gllm_le32(p);
		return p + 4;
	}
	return p;
}

/* What stands in bytes behind the address; NULL: a bit of a register's byte that must be 0. */
static const unsigned char *set_number(unsigned os, uint32_t op, const unsigned char *p, struct gllm_operand *o)
{
	static const uint8_t length[P_COUNT] = {
		[P_IB] = 1, [P_IS] = 1, [P_IW] = 2, [P_IZ] = 4, [P_IQ] = 8, [P_JB] = 1, [P_JZ] = 4, [P_IS4] = 1
	};
	const unsigned place = gllm_x86_place(op), n = place == P_IZ && os == 16 ? 2 : length[place], spare = 64 - 8 * n;
	const uint64_t bits = gllm_le64(p) << spare;

	if (place == P_IS4) {
		o->reg = (uint8_t)(bits >> 60);
		return bits >> 56 & 15 ? NULL : p + n;
	}
	set_operand(o, 0, place == P_JB || place == P_JZ ? GLLM_O_REL : GLLM_O_IMM, 0, 0);
	o->imm = place == P_IB || place == P_IW ? (int64_t)(bits >> spare) : (int64_t)bits >> spare;
	return p + n;
}

PART void set_fixed(uint32_t op, const unsigned char *opcode, struct gllm_operand *o)
{
	const bool cc = gllm_x86_place(op) == P_CC;

	set_operand(o, 0, cc ? GLLM_O_COND : GLLM_O_IMM, 0, 0);
	o->imm = cc ? *opcode & 15 : 1;
}

PART uint32_t run_of(const struct gllm_x86_form *f)
{
	uint32_t key;
	__builtin_memcpy(&key, &f->enc, sizeof key);
	return key;
}

/* With X86_REGISTER, which the carry from c0 on gives. */
PART unsigned modrm_at(const unsigned char *p)
{
	return *p | ((*p + 0x40u) & X86_REGISTER);
}

/* ---- legacy encodings ---------------------------------------------------------------------------------------------- */

/* Prefixes: how many of 66, of F2 and F3, of 2E and 3E; the last one of both kinds. A byte each. */
enum { N66 = 0, NREP = 8, NSEGMENT = 16, REP_IS = 24, SEGMENT_IS = 32 };
#define COUNT_OF(prefixes, what) ((unsigned)((prefixes) >> (what) & 255))
#define ANY_PREFIX UINT64_C(0xffffff)

static uint64_t read_prefixes(const unsigned char *p, const unsigned char *end)
{
	uint64_t x = 0;
	for (; p < end && lead[*p] & LEAD_PREFIX; p++) {
		if (*p == 0x66)
			x += 1 << N66;
		else if (*p >= 0xf2)
			x = ((x & ~(UINT64_C(255) << REP_IS)) | (uint64_t)*p << REP_IS) + (1 << NREP);
		else
			x = ((x & ~(UINT64_C(255) << SEGMENT_IS)) | (uint64_t)*p << SEGMENT_IS) + (1 << NSEGMENT);
	}
	return x;
}

/* The operand size where prefixes are left over once the row has its own; 0: it cannot have them. *plain: the one to be
 * kept. */
static unsigned padded_size(const struct gllm_x86_form *f, uint64_t left, unsigned size, uint8_t *plain)
{
	const unsigned n66 = COUNT_OF(left, N66), nrep = COUNT_OF(left, NREP), nsegment = COUNT_OF(left, NSEGMENT);
	const unsigned rep = COUNT_OF(left, REP_IS), segment = COUNT_OF(left, SEGMENT_IS);

	if (nrep > 1 || (nrep && (!(f->dec & REP) || rep != 0xf3)) || nsegment > 1)
		return 0;
	if (nsegment && (nrep || !(f->dec & (segment == 0x2e ? PAD : NOTRACK))))
		return 0;
	*plain = (uint8_t)(nsegment ? segment : nrep ? rep : 0);
	if (!n66)
		return size;
	if ((n66 > 1 && !(f->dec & PAD)) || (f->w & (WIG | W16)) != W16)
		return 0;
	return size == W0 ? W16 : f->dec & PAD ? W1 : 0;
}

/* 90 is NOP; with REX.B it exchanges r8. */
static bool wrong_nop(const struct gllm_x86_form *f, unsigned opcode, unsigned rex)
{
	return f->n == NM ? opcode != 0x90 || (rex & B) : f->n == PR && opcode == 0x90 && !(rex & B);
}

/* ah .. bh, as the registers of 8 bits from 4 on are read without REX. */
static void set_high(struct gllm_insn *out)
{
	for (unsigned i = 0; i < out->n; i++)
		if (out->op[i].kind == GLLM_O_REG && out->op[i].size == 8 && out->op[i].reg >= 4)
			out->op[i].reg = (uint8_t)(out->op[i].reg + 12);
}

/* The operands of a row that the bytes before them fit; returns where they end. rex as it stands, 0 if it does not. */
PART const unsigned char *set_legacy(const struct gllm_x86_form *f, const unsigned char *start, const unsigned char *operands,
                                     unsigned rex, unsigned os, struct gllm_insn *out)
{
	const unsigned opcode = operands[-1], modrm = *operands, b = rex << 3 & 8;
	struct gllm_operand *const op = out->op, *relative = &op[GLLM_INSN_OPERANDS - 1];
	const unsigned char *p = operands + gllm_x86_has_modrm(f);
	struct numbers s = { { [P_CL] = X86_RCX } };
	s.by_place[P_REG] = (uint8_t)((modrm >> 3 & 7) | (rex << 1 & 8));
	s.by_place[P_RM] = s.by_place[P_RMR] = (uint8_t)((modrm & 7) | b);
	s.by_place[P_OPR] = (uint8_t)((opcode & 7) | b);
	out->row = (uint16_t)(f - gllm_x86_forms);
	out->n = f->n_ops;
	out->vl = out->mask = out->zeroing = out->broadcast = out->rounding = 0;
	set_registers(&s, gllm_x86_register_sizes[os >> 5][0], f, op);
	relative->imm = 0;
	if (modrm < f->below)
		p = set_memory(f->op[f->rm], gllm_x86_memory_sizes[os >> 5][0][gllm_x86_msize(f->op[f->rm])], modrm, rex, 0, 1, p,
		               &op[f->rm], &relative);
	if (f->number) {
		struct gllm_operand *o = &op[f->number - 1];
		p = set_number(os, f->op[f->number - 1], p, o);
		relative = o->kind == GLLM_O_REL ? o : relative;
	}
	if (GLLM_RARELY(f->fixed))
		set_fixed(f->op[f->fixed - 1], &operands[-1], &op[f->fixed - 1]);
	out->length = (uint8_t)(p - start);
	relative->imm = (int64_t)((uint64_t)relative->imm + out->addr + out->length);
	if (GLLM_RARELY(f->dec & BYTES && !rex))
		set_high(out);
	return p;
}

/* The operand size that a row has, 0 if it has none such. */
PART unsigned operand_size(const struct gllm_x86_form *f, unsigned size)
{
	_Static_assert(W16 << 4 == 16 && W0 << 4 == 32 && W1 << 4 == 64 && WIG << 3 == 64 && W == 8, "a size is its bit");
	return (f->w & size) << 4 | (f->w & (unsigned)WIG) << 3;
}

PART unsigned size_of_rex(unsigned rex)
{
	return W0 + (rex >> 2 & 2);
}

PART bool in_run(const struct gllm_x86_form *f, uint32_t run)
{
	return f >= gllm_x86_forms && run_of(f) == run;
}

/* What precedes the operands. */
struct key {
	const unsigned char *operands; /* behind the opcode; NULL: no instruction begins so */
	uint64_t prefixes;
	unsigned pp, rex, opcode;      /* what F2 and F3, or 66, make of pp; the page too */
};

/* Of a key's rows, from the last one on, the one that the bytes are with these prefixes left over. */
static enum outcome match_legacy(const unsigned char *start, const unsigned char *end, const struct key *k, unsigned key,
                                 uint64_t left, struct gllm_insn *out)
{
	const unsigned row = run_end[key], modrm = modrm_at(k->operands);
	enum outcome found = NO;
	if (!row)
		return NO;
	const uint32_t run = run_of(&gllm_x86_forms[row - 1]);
	for (const struct gllm_x86_form *f = &gllm_x86_forms[row - 1]; in_run(f, run); f--) {
		if (((modrm ^ f->modrm) & f->modrm_mask) && k->operands < end)
			continue;
		out->rep = 0;
		const unsigned size = left & ANY_PREFIX ? padded_size(f, left, size_of_rex(k->rex), &out->rep) : size_of_rex(k->rex);
		const unsigned os = size ? operand_size(f, size) : 0;
		if (!os || (f->opcode == 0x90 && wrong_nop(f, key & 255, k->rex)))
			continue;
		if (set_legacy(f, start, k->operands, k->rex, os, out) <= end)
			return YES;
		found = CUT;
	}
	return found;
}

static struct key read_key(const unsigned char *p, const unsigned char *end)
{
	struct key k = { .pp = 0 };
	k.prefixes = read_prefixes(p, end);
	p += COUNT_OF(k.prefixes, N66) + COUNT_OF(k.prefixes, NREP) + COUNT_OF(k.prefixes, NSEGMENT);
	k.pp = COUNT_OF(k.prefixes, NREP) ? COUNT_OF(k.prefixes, REP_IS) == 0xf3 ? 2 : 3 : COUNT_OF(k.prefixes, N66) ? 1 : 0;
	if (lead[*p] == LEAD_REX)
		k.rex = *p++;
	k.opcode = PAGES_LEG << 8;
	if (lead[*p] & (LEAD_REX | LEAD_VEX | LEAD_EVEX))
		return k;
	if (lead[*p] == LEAD_MAP) {
		p++;
		k.opcode = (PAGES_LEG + MAP_0F * 4) << 8;
		if (lead[*p] == LEAD_MAP2)
			k.opcode = (PAGES_LEG + (*p++ == 0x38 ? MAP_0F38 : MAP_0F3A) * 4u) << 8;
	}
	k.opcode |= *p;
	k.operands = p + 1;
	return k;
}

/* Whatever stands before the opcode. A prefix belongs to it if a row says so, F2 and F3 before 66; else it is the plain
 * prefix. */
APART enum outcome decode_padded(const unsigned char *start, const unsigned char *end, struct gllm_insn *out)
{
	static const uint32_t own[4] = { 0, 1 << N66, 1 << NREP, 1 << NREP };
	const struct key k = read_key(start, end);
	if (!k.operands || k.operands > end)
		return k.operands ? CUT : NO;
	enum outcome found = match_legacy(start, end, &k, k.opcode | k.pp << 8, k.prefixes - own[k.pp], out);
	if (!(found & YES) && COUNT_OF(k.prefixes, NREP) && COUNT_OF(k.prefixes, N66))
		found |= match_legacy(start, end, &k, k.opcode | 1 << 8, k.prefixes - own[1], out);
	if (!(found & YES) && k.pp)
		found |= match_legacy(start, end, &k, k.opcode, k.prefixes, out);
	return found;
}

/* Most instructions: no prefix but one that is their row's, maybe REX and 0F. What is none of them has no row here and is read
 * again in the other way, and so is 90. */
PART enum outcome decode_legacy(const unsigned char *start, const unsigned char *end, struct gllm_insn *out)
{
	const unsigned char *p = start;
	unsigned page = PAGES_LEG, rex = 0;
	if (lead[*p] >= LEAD_PP)
		page += lead[*p++] / LEAD_PP;
	if (lead[*p] == LEAD_REX)
		rex = *p++;
	if (lead[*p] == LEAD_MAP) {
		p++;
		page += MAP_0F * 4;
		if (lead[*p] == LEAD_MAP2)
			page += (*p++ == 0x38 ? MAP_0F38 - MAP_0F : MAP_0F3A - MAP_0F) * 4u;
	}
	const unsigned row = run_end[page << 8 | *p++], modrm = modrm_at(p), size = size_of_rex(rex);
	if (GLLM_RARELY(!row))
		return decode_padded(start, end, out);
	const struct gllm_x86_form *f = &gllm_x86_forms[row - 1];
	const uint32_t run = run_of(f);
	while (((modrm ^ f->modrm) & f->modrm_mask) || GLLM_RARELY(!operand_size(f, size)))
		if (GLLM_RARELY(!in_run(--f, run)))
			return decode_padded(start, end, out);
	out->rep = 0;
	if (GLLM_RARELY(f->opcode == 0x90 || set_legacy(f, start, p, rex, operand_size(f, size), out) > end))
		return decode_padded(start, end, out);
	return YES;
}

/* ---- VEX and EVEX -------------------------------------------------------------------------------------------------- */

struct vector {
	unsigned enc, page, pp, opcode, modrm, rex, vvv, ll, mask;
	bool r2, v2, z, bc;            /* of EVEX */
};

/* What both have in common: their last byte but one, with W, vvvv and pp, and the map. */
static void set_key(struct vector *k, unsigned enc, unsigned map, unsigned rxb, unsigned b)
{
	k->enc = enc;
	k->page = (enc == VEX ? PAGES_VEX : PAGES_EVEX) + (map - 1) * 4;
	k->rex = rxb | (b >> 4 & W);
	k->vvv = ~b >> 3 & 15;
	k->pp = b & 3;
}

/* The opcode's address; NULL: no instruction begins so. What is cut off goes on with zeros. */
static const unsigned char *read_vex(struct vector *k, const unsigned char *p, const unsigned char *end)
{
	const bool long_form = p[0] == 0xc4;
	const unsigned a = p[1], b = long_form ? p[2] : a & 0x7f, map = long_form ? a & 31 : (unsigned)MAP_0F;

	p += long_form ? 3 : 2;
	if (p < end && (map < MAP_0F || map > MAP_0F3A))
		return NULL;
	set_key(k, VEX, map, ~a >> 5 & (long_form ? R | X | B : R), b);
	k->ll = b >> 2 & 1;
	return p;
}

static const unsigned char *read_evex(struct vector *k, const unsigned char *p, const unsigned char *end)
{
	const unsigned map = p[1] & 15, b = p[2], c = p[3];

	if ((p + 1 < end && (map < MAP_0F || map > MAP_6 || map == MAP_0F3A + 1)) || (p + 2 < end && !(b & 4)))
		return NULL;
	set_key(k, EVEX, map, ~(unsigned)p[1] >> 5 & (R | X | B), b);
	k->r2 = !(p[1] & 0x10);
	k->z = c >> 7, k->ll = c >> 5 & 3, k->bc = c >> 4 & 1, k->v2 = !(c & 8), k->mask = c & 7;
	return p + 4;
}

static bool uses(const struct gllm_x86_form *f, unsigned place)
{
	for (unsigned i = 0; i < f->n_ops; i++)
		if (gllm_x86_place(f->op[i]) == place)
			return true;
	return false;
}

/* Masks, broadcast, rounding: after ModRM, since register and memory forms read the b bit differently. */
static bool read_decoration(const struct gllm_x86_form *f, const struct vector *k, struct gllm_insn *out)
{
	if ((k->mask && !(f->dec & K)) || (k->z && (!(f->dec & Z) || !k->mask)) || ((f->dec & KREQ) && !k->mask))
		return false;
	out->mask = (uint8_t)k->mask;
	out->zeroing = k->z;
	if (k->bc && !(k->modrm & X86_REGISTER)) {
		if (gllm_x86_element(f) == 0)
			return false;
		out->broadcast = 1;
	} else if (k->bc) {
		if (!(f->dec & (ER | SAE)))
			return false;
		out->rounding = (uint8_t)(f->dec & ER ? 1 + k->ll : 1);
		out->vl = f->l & LIG ? 0 : 2;
	}
	return true;
}

/* What is said beside the operands. */
static bool vector_fits(const struct gllm_x86_form *f, const struct vector *k, struct gllm_insn *out)
{
	const bool scalar = f->l & LIG;

	out->mask = out->zeroing = out->broadcast = out->rounding = out->rep = 0;
	out->vl = (uint8_t)(scalar ? 0 : k->ll);
	if (!(f->w & (WIG | (k->rex & W ? W1 : W0))) || (scalar && k->enc == EVEX && k->ll == 3 && !k->bc))
		return false;
	if ((k->vvv || k->v2) && !uses(f, P_VVV) && (k->vvv || !uses(f, P_VSIB)))
		return false;
	if (k->enc == EVEX && (!read_decoration(f, k, out) || (f->n < 8 && (k->rex & R))))
		return false;
	if (gllm_x86_place(f->op[f->rm]) == P_VSIB && (k->modrm & 7) != 4)
		return false;
	return scalar || (out->vl <= 2 && (f->l >> out->vl & 1));
}

/* False: a register of those that are numbered by more bits than it takes. */
static bool registers_exist(const struct gllm_insn *in)
{
	static const uint8_t most[] = { [GLLM_R_GPR] = 15, [GLLM_R_VEC] = 31, [GLLM_R_MASK] = 7 };

	for (unsigned i = 0; i < in->n; i++)
		if (in->op[i].kind == GLLM_O_REG && in->op[i].reg > most[in->op[i].cls])
			return false;
	return true;
}

static enum outcome match_vector(const struct vector *k, const unsigned char *start, const unsigned char *operands,
                                 const unsigned char *end, struct gllm_insn *out)
{
	unsigned row = run_end[(k->page + k->pp) * 256 + k->opcode];
	enum outcome found = NO;
	if (!row)
		return NO;
	const struct gllm_x86_form *f = &gllm_x86_forms[--row];
	const uint32_t run = run_of(f);
	const unsigned os = k->rex & W ? 64 : 32;
	struct numbers s = { { 0 } };
	s.by_place[P_REG] = (uint8_t)((k->modrm >> 3 & 7) | (k->rex << 1 & 8) | (unsigned)k->r2 << 4);
	s.by_place[P_RM] = s.by_place[P_RMR] = (uint8_t)((k->modrm & 7) | (k->rex << 3 & (k->enc == EVEX ? 24 : 8)));
	s.by_place[P_VVV] = (uint8_t)(k->vvv | (unsigned)k->v2 << 4);
	do {
		struct gllm_operand *const op = out->op, *relative = &op[GLLM_INSN_OPERANDS - 1];
		const unsigned char *p = operands + gllm_x86_has_modrm(f);
		if (((k->modrm ^ f->modrm) & f->modrm_mask) && operands < end)
			continue;
		if (!vector_fits(f, k, out)) {
			found |= p > end ? CUT : NO;
			continue;
		}
		out->row = (uint16_t)row;
		out->n = f->n_ops;
		set_registers(&s, gllm_x86_register_sizes[os >> 5][out->vl], f, op);
		relative->imm = 0;
		if ((k->modrm & 255) < f->below) {
			unsigned bytes = gllm_x86_memory_sizes[os >> 5][out->vl][gllm_x86_msize(f->op[f->rm])] / 8u;
			bytes = out->broadcast ? gllm_x86_element(f) : bytes;
			p = set_memory(f->op[f->rm], 8 * bytes, k->modrm, k->rex, k->v2,
			               k->enc != EVEX ? 1 : f->dec & E4 ? 4 : f->dec & E8 ? 8 : bytes, p, &op[f->rm], &relative);
		}
		if (f->number) {
			const unsigned char *behind = set_number(os, f->op[f->number - 1], p, &op[f->number - 1]);
			if (!behind && p < end)
				continue;
			p = behind ? behind : p + 1;
		}
		if (!registers_exist(out))
			continue;
		found = CUT;
		if (p > end)
			continue;
		out->length = (uint8_t)(p - start);
		relative->imm = (int64_t)((uint64_t)relative->imm + out->addr + out->length);
		if (out->mask && !out->zeroing && op[0].access == 2 && op[0].kind == GLLM_O_REG && op[0].cls == GLLM_R_VEC)
			op[0].access = 3; /* what it merges with */
		return YES;
	} while (row-- > 0 && run_of(--f) == run);
	return found;
}

APART enum outcome decode_vector(const unsigned char *start, const unsigned char *end, struct gllm_insn *out)
{
	struct vector k = { .enc = LEG };
	const unsigned char *p = lead[*start] == LEAD_EVEX ? read_evex(&k, start, end) : read_vex(&k, start, end);

	if (!p || p >= end)
		return p ? CUT : NO;
	k.opcode = p[0];
	k.modrm = modrm_at(p + 1);
	return match_vector(&k, start, p + 1, end, out);
}

/* Of bytes up to `end`, with zeros behind: less than LONGEST of them are all that there are. */
static enum gllm_status decode(const unsigned char *bytes, const unsigned char *end, struct gllm_insn *out)
{
	const bool vector = lead[*bytes] & (LEAD_VEX | LEAD_EVEX);
	const enum outcome found = vector ? decode_vector(bytes, end, out) : decode_legacy(bytes, end, out);
	return found & YES ? GLLM_OK : found == CUT && end - bytes < LONGEST ? GLLM_TRUNCATED : GLLM_BAD_INSN;
}

APART enum gllm_status decode_last(const unsigned char *bytes, size_t size, struct gllm_insn *out)
{
	const size_t most = size < LONGEST ? size : LONGEST;
	unsigned char copy[AHEAD] = { 0 };

	__builtin_memcpy(copy, bytes, most);
	return decode(copy, copy + most, out);
}

enum gllm_status gllm_x86_decode(const unsigned char *bytes, size_t size, uint64_t addr, struct gllm_insn *out)
{
	out->addr = addr;
	return GLLM_RARELY(size < AHEAD) ? decode_last(bytes, size, out) : decode(bytes, bytes + LONGEST, out);
}
