/* SPDX-License-Identifier: MIT
 * arch/x86_64/decode.c - the table read from bytes to operands.
 *
 * Prefixes give a key (encoding, prefix, map, opcode); `run_end` names the last row for it, and the rows of one key are
 * neighbours. A row is then rejected by sizes, lengths, ModRM and decorations, or its operands are read. What reserved bits
 * are not at their required value is not an instruction. Bytes beyond `size` are never touched: of few bytes a copy is read,
 * which goes on with zeros, and what has read beyond the last one is cut off. */
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

/* What a first byte is, or one behind a prefix; 0: an opcode. */
enum { LEAD_PREFIX = 1, LEAD_REX, LEAD_MAP, LEAD_VEX, LEAD_EVEX };
static const uint8_t lead[256] = {
	[0x66] = LEAD_PREFIX, [0xf2] = LEAD_PREFIX, [0xf3] = LEAD_PREFIX, [0x2e] = LEAD_PREFIX, [0x3e] = LEAD_PREFIX,
	[0x40 ... 0x4f] = LEAD_REX, [0x0f] = LEAD_MAP, [0xc4] = LEAD_VEX, [0xc5] = LEAD_VEX, [0x62] = LEAD_EVEX,
};

enum { LONGEST = 15, W = 8, R = 4, X = 2, B = 1 }; /* bits of REX; VEX and EVEX are brought to the same places */
enum { AHEAD = 48 };           /* more than is ever read of what begins with LONGEST bytes */

struct reading {
	const unsigned char *p, *end; /* what is not read yet; where no instruction goes on */
	const unsigned char *start, *operands; /* of the instruction; behind its opcode */
	uint64_t addr;
	struct gllm_operand *relative; /* the operand that counts from the instruction's end */
	bool truncated;            /* some row was cut off that else may fit */
	/* the key, and what came with it */
	uint8_t enc, pp, map, page, opcode;
	uint8_t rep;               /* f2, f3: the last one */
	uint8_t segment;           /* 2e, 3e */
	uint8_t n66, nrep, nseg;
	bool prefixed;             /* by any of these */
	uint8_t rex;               /* W R X B; set, not inverted */
	bool has_rex;              /* or what has its bits, so that 4..7 are no high bytes */
	bool r2, v2, z, bc;        /* of EVEX */
	uint8_t vvv, ll, mask;
	/* of the row that is tried */
	uint8_t modrm;
	bool broadcast;
	unsigned os, vl;
};

static inline bool cut(const struct reading *r)
{
	return r->p > r->end;
}

static inline unsigned next(struct reading *r)
{
	return *r->p++;
}

static uint64_t next_le(struct reading *r, unsigned n)
{
	const unsigned char *p = r->p;
	r->p += n;
	return n == 4 ? gllm_le32(p) : n == 2 ? gllm_le16(p) : gllm_le64(p);
}

static int64_t sign(uint64_t v, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;
	return (int64_t)(v << shift) >> shift;
}

static void note_prefix(struct reading *r, unsigned c)
{
	r->prefixed = true;
	if (c == 0x66)
		r->n66++;
	else if (c >= 0xf2)
		r->rep = (uint8_t)c, r->nrep++;
	else
		r->segment = (uint8_t)c, r->nseg++;
}

/* What VEX and EVEX have in common: their last byte but one, with W, vvvv and pp, and the map. */
static void set_vector_key(struct reading *r, unsigned enc, unsigned map, unsigned rxb, unsigned b)
{
	r->enc = (uint8_t)enc;
	r->map = (uint8_t)map;
	r->page = (uint8_t)((enc == VEX ? PAGES_VEX : PAGES_EVEX) + (map - 1) * 4);
	r->rex = (uint8_t)(rxb | (b >> 4 & W));
	r->has_rex = true;
	r->vvv = ~b >> 3 & 15;
	r->pp = b & 3;
}

static bool read_vex(struct reading *r, unsigned c)
{
	unsigned a = next(r), b = c == 0xc4 ? next(r) : a & 0x7f, map = c == 0xc4 ? a & 31 : (unsigned)MAP_0F;

	set_vector_key(r, VEX, map, ~a >> 5 & (c == 0xc4 ? R | X | B : R), b);
	r->ll = b >> 2 & 1;
	r->opcode = (uint8_t)next(r);
	return cut(r) || (map >= MAP_0F && map <= MAP_0F3A);
}

static bool read_evex(struct reading *r)
{
	unsigned a = next(r), map = a & 15, b, c;

	if (cut(r))
		return true;
	if (map < MAP_0F || map > MAP_6 || map == MAP_0F3A + 1)
		return false;
	b = next(r);
	set_vector_key(r, EVEX, map, ~a >> 5 & (R | X | B), b);
	r->r2 = !(a & 0x10);
	if (!cut(r) && !(b & 4))
		return false;
	c = next(r);
	r->z = c >> 7, r->ll = c >> 5 & 3, r->bc = c >> 4 & 1, r->v2 = !(c & 8), r->mask = c & 7;
	r->opcode = (uint8_t)next(r);
	return true;
}

/* Everything before ModRM. False: no instruction begins so. */
static bool read_key(struct reading *r)
{
	unsigned c = next(r), what;

	for (; (what = lead[c]) == LEAD_PREFIX && !cut(r); c = next(r))
		note_prefix(r, c);
	if (what == LEAD_REX) {
		r->has_rex = true;
		r->rex = c & 15;
		c = next(r);
		what = lead[c];
		if (what == LEAD_REX || what >= LEAD_VEX)
			return false;
	}
	if (what >= LEAD_VEX) {
		if (r->prefixed)
			return false;
		return what == LEAD_EVEX ? read_evex(r) : read_vex(r, c);
	}
	if (what == LEAD_MAP) {
		c = next(r);
		r->map = (uint8_t)(c == 0x38 ? MAP_0F38 : c == 0x3a ? MAP_0F3A : MAP_0F);
		if (r->map != MAP_0F)
			c = next(r);
	}
	r->page = (uint8_t)(PAGES_LEG + r->map * 4);
	r->opcode = (uint8_t)c;
	return true;
}

/* Prefixes left over once `pp` is taken as the row's own: may this row have them? */
static bool padding_fits(const struct gllm_x86_form *f, const struct reading *r, unsigned left66, unsigned left_rep,
                         uint8_t *rep)
{
	if (left_rep > 1 || (left_rep && (!(f->dec & REP) || r->rep != 0xf3)) || r->nseg > 1)
		return false;
	if (left_rep)
		*rep = r->rep;
	if (r->nseg) {
		if (!(f->dec & (r->segment == 0x2e ? PAD : NOTRACK)) || left_rep)
			return false;
		*rep = r->segment;
	}
	if (left66 > 1 && !(f->dec & PAD))
		return false;
	return !left66 || (f->w & (WIG | W16)) == W16;
}

/* The operand size that the prefixes choose, and the plain ones among them; 0: not this row. */
static unsigned legacy_size(const struct gllm_x86_form *f, const struct reading *r, uint8_t *rep)
{
	_Static_assert(W16 << 4 == 16 && W0 << 4 == 32 && W1 << 4 == 64, "a size is its bit");
	unsigned size = r->rex & W ? W1 : W0;

	if (r->prefixed) {
		unsigned left66 = r->n66 - (unsigned)(r->pp == 1), left_rep = r->nrep - (unsigned)(r->pp >= 2);
		if ((left66 | left_rep | r->nseg) && !padding_fits(f, r, left66, left_rep, rep))
			return 0;
		if (left66)
			size = size == W0 ? W16 : f->dec & PAD ? W1 : 0;
	}
	return f->w & WIG ? 64 : (f->w & size) << 4;
}

static bool uses(const struct gllm_x86_form *f, unsigned place)
{
	for (unsigned i = 0; i < 4 && f->op[i]; i++)
		if (gllm_x86_place(f->op[i]) == place)
			return true;
	return false;
}

/* Masks, broadcast, rounding: after ModRM, since register and memory forms read the b bit differently. */
static bool read_decoration(const struct gllm_x86_form *f, struct reading *r, struct gllm_insn *out)
{
	if ((r->mask && !(f->dec & K)) || (r->z && (!(f->dec & Z) || !r->mask)) || ((f->dec & KREQ) && !r->mask))
		return false;
	out->mask = r->mask;
	out->zeroing = r->z;
	if (r->bc && r->modrm < 0xc0) {
		if (gllm_x86_element(f) == 0)
			return false;
		out->broadcast = 1;
	} else if (r->bc) {
		if (!(f->dec & (ER | SAE)))
			return false;
		out->rounding = (uint8_t)(f->dec & ER ? 1 + r->ll : 1);
		r->vl = f->l & LIG ? 0 : 2;
	}
	r->broadcast = out->broadcast;
	return true;
}

/* What VEX and EVEX say beside the operands. */
static bool vector_fits(const struct gllm_x86_form *f, struct reading *r, struct gllm_insn *out)
{
	bool scalar = f->l & LIG;

	r->os = r->rex & W ? 64 : 32;
	r->vl = scalar ? 0 : r->ll;
	if (!(f->w & (WIG | (r->rex & W ? W1 : W0))) || (scalar && r->enc == EVEX && r->ll == 3 && !r->bc))
		return false;
	if ((r->vvv || r->v2) && !uses(f, P_VVV) && (r->vvv || !uses(f, P_VSIB)))
		return false;
	if (r->enc == EVEX && (!read_decoration(f, r, out) || (f->n < 8 && (r->rex & R))))
		return false;
	return scalar || (r->vl <= 2 && (f->l >> r->vl & 1));
}

static void read_memory(struct reading *r, unsigned unit, bool vsib, struct gllm_operand *o)
{
	unsigned mod = r->modrm >> 6, base = r->modrm & 7;
	bool relative = mod == 0 && base == 5;

	o->kind = GLLM_O_MEM;
	o->index = GLLM_NO_REG;
	o->index_vec = vsib;
	if (base == 4) {
		unsigned sib = next(r), index = (sib >> 3 & 7) | (r->rex << 2 & 8) | (vsib ? (unsigned)r->v2 << 4 : 0);
		base = sib & 7;
		if (vsib || index != 4) {
			o->index = (uint8_t)index;
			o->scale = (uint8_t)(sib >> 6);
		}
	}
	o->base = (uint8_t)(base | (r->rex << 3 & 8));
	if (mod == 0 && base == 5) {
		o->base = relative ? GLLM_REG_PC : GLLM_NO_REG;
		r->relative = relative ? o : NULL;
		mod = 2;
	}
	if (mod == 1)
		o->imm = sign(next(r), 1) * (int64_t)unit;
	else if (mod == 2)
		o->imm = sign(next_le(r, 4), 4);
}

/* False: a register that does not exist. */
static inline bool set_register(const struct reading *r, uint32_t op, unsigned n, struct gllm_operand *o)
{
	static const uint8_t most[] = { [GLLM_R_GPR] = 15, [GLLM_R_VEC] = 31, [GLLM_R_MASK] = 7 };
	unsigned cls = gllm_x86_class(op), bits = gllm_x86_bits(gllm_x86_rsize(op), r->os, r->vl, true);

	o->kind = GLLM_O_REG;
	o->cls = (uint8_t)cls;
	o->reg = (uint8_t)(bits == 8 && !r->has_rex && n >= 4 ? n + 12 : n);
	o->size = (uint16_t)bits;
	return n <= most[cls];
}

/* Of a place that is not in ModRM. */
static bool read_other(struct reading *r, const struct gllm_x86_form *f, uint32_t op, struct gllm_operand *o)
{
	unsigned place = gllm_x86_place(op), n;

	switch ((enum gllm_x86_place)place) {
	case P_VVV: return set_register(r, op, r->vvv | (unsigned)r->v2 << 4, o);
	case P_OPR:
		n = (r->opcode & 7) | (r->rex << 3 & 8);
		return !gllm_x86_is_nop(f, n) && set_register(r, op, n, o);
	case P_IS4:
		n = next(r);
		return !(n & 15) && set_register(r, op, n >> 4, o);
	case P_ACC: return set_register(r, op, X86_RAX, o);
	case P_X0:  return set_register(r, op, 0, o);
	case P_CL:  return set_register(r, op, X86_RCX, o);
	case P_ONE: o->imm = 1; return true;
	case P_IB:  o->imm = next(r); return true;
	case P_IS:  o->imm = sign(next(r), 1); return true;
	case P_IW:  o->imm = (int64_t)next_le(r, 2); return true;
	case P_IZ:  n = r->os == 16 ? 2 : 4; o->imm = sign(next_le(r, n), n); return true;
	case P_IQ:  o->imm = (int64_t)next_le(r, 8); return true;
	case P_JB:  case P_JZ:
		o->kind = GLLM_O_REL;
		o->imm = place == P_JB ? sign(next(r), 1) : sign(next_le(r, 4), 4);
		r->relative = o;
		return true;
	case P_CC:
		o->kind = GLLM_O_COND;
		o->imm = r->opcode & 15;
		return true;
	case P_REG: case P_RM: case P_RMR: case P_MEM: case P_VSIB: case P_NONE: default: return false;
	}
}

/* False: not this row, or a register that does not exist. */
static inline bool read_operand(struct reading *r, const struct gllm_x86_form *f, uint32_t op, struct gllm_operand *o)
{
	unsigned place = gllm_x86_place(op), bits;

	*o = (struct gllm_operand){ .kind = GLLM_O_IMM, .access = (uint8_t)gllm_x86_access(op) };
	if (place == P_REG)
		return set_register(r, op, (r->modrm >> 3 & 7) | (r->rex << 1 & 8) | (unsigned)r->r2 << 4, o);
	if (place > P_VSIB)
		return read_other(r, f, op, o);
	if (r->modrm >= 0xc0)
		return place <= P_RMR &&
		       set_register(r, op, (r->modrm & 7) | (r->rex << 3 & 8) | (r->enc == EVEX ? r->rex << 3 & 16 : 0), o);
	if (place == P_RMR || (place == P_VSIB && (r->modrm & 7) != 4))
		return false;
	bits = r->broadcast ? gllm_x86_element(f) * 8 : gllm_x86_bits(gllm_x86_msize(op), r->os, r->vl, false);
	o->size = (uint16_t)bits;
	read_memory(r, r->enc != EVEX ? 1 : f->dec & E4 ? 4 : f->dec & E8 ? 8 : bits / 8, place == P_VSIB, o);
	return true;
}

/* Displacements become addresses; a merging destination is read, too. */
static void finish(struct gllm_insn *out, const struct reading *r)
{
	out->addr = r->addr;
	out->length = (uint8_t)(r->p - r->start);
	out->vl = (uint8_t)r->vl;
	if (r->relative)
		r->relative->imm = (int64_t)((uint64_t)r->relative->imm + r->addr + out->length);
	if (out->mask && !out->zeroing && out->op[0].access == 2 && out->op[0].kind == GLLM_O_REG && out->op[0].cls == GLLM_R_VEC)
		out->op[0].access = 3;
}

/* 90 is NOP; with REX.B it exchanges r8. */
static bool wrong_nop(const struct gllm_x86_form *f, const struct reading *r)
{
	return f->n == NM && (r->opcode != 0x90 || (r->rex & B));
}

/* Is it this row? What is cut off still may be. */
static bool match(const struct gllm_x86_form *f, struct reading *r, struct gllm_insn *out)
{
	uint8_t rep = 0;
	unsigned n = 0;

	r->p = r->operands;
	r->relative = NULL;
	if (r->enc == LEG) {
		r->os = legacy_size(f, r, &rep);
		if (r->os == 0 || (f->opcode == 0x90 && wrong_nop(f, r)))
			return false;
	}
	r->p += gllm_x86_has_modrm(f);
	out->rep = rep;
	out->mask = out->zeroing = out->broadcast = out->rounding = 0;
	if (r->enc != LEG && !vector_fits(f, r, out))
		return false;
	for (; n < 4 && f->op[n]; n++)
		if (!read_operand(r, f, f->op[n], &out->op[n]) && !cut(r))
			return false;
	out->n = (uint8_t)n;
	if (cut(r))
		return false;
	finish(out, r);
	return true;
}

static inline uint32_t run_of(const struct gllm_x86_form *f)
{
	uint32_t key;
	__builtin_memcpy(&key, &f->enc, sizeof key);
	return key;
}

/* The rows of one key, from the last one on. */
static bool match_key(struct reading *r, unsigned pp, struct gllm_insn *out)
{
	unsigned row = run_end[(r->page + pp) * 256u + r->opcode];
	if (!row)
		return false;
	const struct gllm_x86_form *f = &gllm_x86_forms[--row];
	const uint32_t run = run_of(f);
	r->pp = (uint8_t)pp;
	do {
		if (((r->modrm ^ f->modrm) & f->modrm_mask) && r->operands < r->end)
			continue;
		out->row = (uint16_t)row;
		if (match(f, r, out))
			return true;
		r->truncated = r->truncated || cut(r);
	} while (row-- > 0 && run_of(--f) == run);
	return false;
}

enum gllm_status gllm_x86_decode(const unsigned char *bytes, size_t size, uint64_t addr, struct gllm_insn *out)
{
	unsigned char copy[AHEAD];
	const size_t most = size < LONGEST ? size : LONGEST;
	bool found;

	if (size < AHEAD) {
		__builtin_memset(copy, 0, sizeof copy);
		__builtin_memcpy(copy, bytes, most);
		bytes = copy;
	}
	struct reading r = { .p = bytes, .end = bytes + most, .start = bytes, .addr = addr };
	if (!read_key(&r))
		return GLLM_BAD_INSN;
	if (cut(&r))
		return size < LONGEST ? GLLM_TRUNCATED : GLLM_BAD_INSN;
	const unsigned pp = r.pp;
	r.operands = r.p;
	r.modrm = *r.p;
	/* A prefix belongs to the opcode if a row says so, F2 and F3 before 66; else it is the plain prefix. */
	found = (r.nrep && match_key(&r, r.rep == 0xf3 ? 2 : 3, out)) || (r.n66 && match_key(&r, 1, out)) ||
	        match_key(&r, pp, out);
	return found ? GLLM_OK : r.truncated && size < LONGEST ? GLLM_TRUNCATED : GLLM_BAD_INSN;
}
