/* SPDX-License-Identifier: MIT
 * arch/x86_64/decode.c - the table read from bytes to operands.
 *
 * Prefixes give a key (encoding, prefix, map, opcode); `run_end` names the last row for it, and the rows of one key are
 * neighbours. A row is then rejected by sizes, lengths, ModRM and decorations, or its operands are read. What reserved bits
 * are not at their required value is not an instruction. Bytes beyond `size` are never touched. */
#include "arch/x86_64/form.h"
#include "core/bits.h"

/* One page of 256 opcodes for every (encoding, map, prefix). */
enum { PAGES_LEG = 0, PAGES_VEX = 4 * 4, PAGES_EVEX = 4 * 7, PAGES = 4 * 13 };
#define PAGE(enc, map, pp) \
	(((enc) == LEG ? PAGES_LEG + (map) * 4 : ((enc) == VEX ? PAGES_VEX : PAGES_EVEX) + ((map) - 1) * 4) + (pp))

/* Opcodes that a row stands for: itself, eight (+r) or sixteen (+cc). */
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

struct bytes { /* what was read so far */
	const unsigned char *p;
	size_t size, at;
	bool cut;                  /* a read went beyond the end */
	struct gllm_operand *relative; /* the operand that counts from the instruction's end */
};

struct key {
	uint64_t addr;
	unsigned enc, pp, map, opcode;
	unsigned rep;              /* f2, f3: the last one */
	unsigned segment;          /* 2e, 3e */
	unsigned n66, nrep, nseg;
	bool rex, w, r, x, b;      /* true: set (not inverted) */
	bool r2, v2, z, bc;        /* EVEX */
	unsigned vvv, ll, mask;
	size_t modrm;              /* offset after the opcode */
};

static unsigned next(struct bytes *s)
{
	if (s->at < s->size)
		return s->p[s->at++];
	s->cut = true;
	return 0;
}

static uint64_t next_le(struct bytes *s, unsigned n)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)next(s) << 8 * i;
	return v;
}

static int64_t sign(uint64_t v, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;
	return (int64_t)(v << shift) >> shift;
}

/* Legacy prefixes and REX; returns the first byte that is neither. */
static unsigned read_prefixes(struct bytes *s, struct key *k)
{
	for (;;) {
		unsigned c = next(s);
		if (s->at > 15)
			return 0x67; /* too long; not a byte of any row */
		if (c == 0x66)
			k->n66++;
		else if (c == 0xf2 || c == 0xf3)
			k->rep = c, k->nrep++;
		else if (c == 0x2e || c == 0x3e)
			k->segment = c, k->nseg++;
		else if ((c & 0xf0) == 0x40) {
			k->rex = true;
			k->w = c >> 3 & 1, k->r = c >> 2 & 1, k->x = c >> 1 & 1, k->b = c & 1;
			c = next(s);
			return (c & 0xf0) == 0x40 || c == 0xc4 || c == 0xc5 || c == 0x62 ? 0x67 : c;
		} else
			return c;
	}
}

static bool read_vex(struct bytes *s, struct key *k, unsigned c)
{
	unsigned a = next(s), b;

	k->enc = VEX;
	k->r = !(a & 0x80);
	if (c == 0xc5) {
		b = a & 0x7f;
		k->map = MAP_0F;
	} else {
		b = next(s);
		k->x = !(a & 0x40), k->b = !(a & 0x20), k->w = b >> 7;
		k->map = a & 31;
	}
	k->vvv = ~b >> 3 & 15, k->ll = b >> 2 & 1, k->pp = b & 3;
	k->opcode = next(s);
	return s->cut || (k->map >= MAP_0F && k->map <= MAP_0F3A);
}

static bool read_evex(struct bytes *s, struct key *k)
{
	unsigned a = next(s), b, c;

	k->enc = EVEX;
	if (s->cut)
		return true;
	k->r = !(a & 0x80), k->x = !(a & 0x40), k->b = !(a & 0x20), k->r2 = !(a & 0x10);
	k->map = a & 15;
	if (k->map < MAP_0F || k->map > MAP_6 || k->map == MAP_0F3A + 1)
		return false;
	b = next(s);
	k->w = b >> 7, k->vvv = ~b >> 3 & 15, k->pp = b & 3;
	if (!s->cut && !(b & 4))
		return false;
	c = next(s);
	k->z = c >> 7, k->ll = c >> 5 & 3, k->bc = c >> 4 & 1, k->v2 = !(c & 8), k->mask = c & 7;
	k->opcode = next(s);
	return true;
}

/* Everything before ModRM. False: no instruction begins so. */
static bool read_key(struct bytes *s, struct key *k)
{
	unsigned c = read_prefixes(s, k);

	if (s->cut)
		return true;
	if (c == 0xc4 || c == 0xc5 || c == 0x62) {
		if (k->n66 || k->nrep || k->nseg)
			return false;
		return c == 0x62 ? read_evex(s, k) : read_vex(s, k, c);
	}
	if (c == 0x0f) {
		c = next(s);
		k->map = c == 0x38 ? MAP_0F38 : c == 0x3a ? MAP_0F3A : MAP_0F;
		if (k->map != MAP_0F)
			c = next(s);
	}
	k->opcode = c;
	return true;
}

/* Prefixes left over once `pp` is taken as the row's own: may this row have them? */
static bool padding_fits(const struct gllm_x86_form *f, const struct key *k, unsigned left66, unsigned left_rep, uint8_t *rep)
{
	if (left_rep > 1 || (left_rep && (!(f->dec & REP) || k->rep != 0xf3)) || k->nseg > 1)
		return false;
	if (left_rep)
		*rep = (uint8_t)k->rep;
	if (k->nseg) {
		if (!(f->dec & (k->segment == 0x2e ? PAD : NOTRACK)) || left_rep)
			return false;
		*rep = (uint8_t)k->segment;
	}
	if (left66 > 1 && !(f->dec & PAD))
		return false;
	return !left66 || (f->w & (WIG | W16)) == W16;
}

/* The operand size that the prefixes choose, and the plain ones among them; 0: not this row. */
static unsigned legacy_size(const struct gllm_x86_form *f, const struct key *k, uint8_t *rep)
{
	unsigned left66 = k->n66 - (f->pp == 1), left_rep = k->nrep - (f->pp >= 2);

	if ((left66 | left_rep | k->nseg) && !padding_fits(f, k, left66, left_rep, rep))
		return 0;
	if (f->w & WIG)
		return 64;
	if (k->w)
		return (f->w & W1) && (!left66 || (f->dec & PAD)) ? 64 : 0;
	if (left66)
		return 16;
	return f->w & W0 ? 32 : 0;
}

static bool lengths_fit(const struct gllm_x86_form *f, const struct key *k, unsigned *os, unsigned *vl)
{
	*os = k->w ? 64 : 32;
	if (!(f->w & WIG) && !(f->w & (k->w ? W1 : W0)))
		return false;
	*vl = f->l & LIG ? 0 : k->ll;
	return f->l & LIG ? k->enc == VEX || k->ll < 3 || k->bc : true;
}

/* Masks, broadcast, rounding: after ModRM, since register and memory forms read the b bit differently. */
static bool read_decoration(const struct gllm_x86_form *f, const struct key *k, bool memory, unsigned *vl,
                            struct gllm_insn *out)
{
	if ((k->mask && !(f->dec & K)) || (k->z && (!(f->dec & Z) || !k->mask)) || ((f->dec & KREQ) && !k->mask))
		return false;
	out->mask = (uint8_t)k->mask;
	out->zeroing = k->z;
	if (k->bc && memory) {
		if (gllm_x86_element(f) == 0)
			return false;
		out->broadcast = 1;
	} else if (k->bc) {
		if (!(f->dec & (ER | SAE)))
			return false;
		out->rounding = (uint8_t)(f->dec & ER ? 1 + k->ll : 1);
		*vl = f->l & LIG ? 0 : 2;
	}
	return true;
}

static struct gllm_operand gllm_register(const struct gllm_x86_form *f, const struct key *k, uint32_t op, unsigned n,
                                         unsigned bits)
{
	unsigned cls = gllm_x86_class(op);

	if (cls == GLLM_R_GPR && bits == 8 && f->enc == LEG && !k->rex && n >= 4)
		n += 12;
	return (struct gllm_operand){ .kind = GLLM_O_REG, .cls = (uint8_t)cls, .reg = (uint8_t)n, .size = (uint16_t)bits };
}

static void read_memory(struct bytes *s, const struct key *k, unsigned modrm, unsigned unit, bool vsib, struct gllm_operand *o)
{
	struct gllm_operand m = { .kind = GLLM_O_MEM, .base = GLLM_NO_REG, .index = GLLM_NO_REG, .index_vec = vsib };
	unsigned mod = modrm >> 6, base = modrm & 7, sib;

	if (base == 4) {
		sib = next(s);
		base = sib & 7;
		m.scale = (uint8_t)(sib >> 6);
		m.index = (uint8_t)((sib >> 3 & 7) | (unsigned)k->x << 3 | (vsib ? (unsigned)k->v2 << 4 : 0));
		if (!vsib && m.index == 4) {
			m.index = GLLM_NO_REG;
			m.scale = 0;
		}
	} else if (mod == 0 && base == 5) {
		m.base = GLLM_REG_PC;
		m.imm = sign(next_le(s, 4), 4);
		s->relative = o;
		*o = m;
		return;
	}
	if (mod == 0 && base == 5) {
		m.imm = sign(next_le(s, 4), 4);
		*o = m;
		return;
	}
	m.base = (uint8_t)(base | (unsigned)k->b << 3);
	if (mod == 1)
		m.imm = sign(next(s), 1) * (int64_t)unit;
	else if (mod == 2)
		m.imm = sign(next_le(s, 4), 4);
	*o = m;
}

static unsigned register_bits(uint32_t op, unsigned os, unsigned vl)
{
	return gllm_x86_bits(gllm_x86_rsize(op), os, vl, gllm_x86_class(op) == GLLM_R_VEC);
}

struct sizes {
	unsigned os, vl;
	bool broadcast;
};

/* Reads ModRM.rm as `op`; false if it is of the other kind, or a register that does not exist. */
static bool read_rm(struct bytes *s, const struct gllm_x86_form *f, const struct key *k, unsigned modrm, uint32_t op,
                    const struct sizes *z, struct gllm_operand *o)
{
	unsigned place = gllm_x86_place(op), n = (modrm & 7) | (unsigned)k->b << 3, cls = gllm_x86_class(op);

	if (modrm < 0xc0) {
		unsigned bits = z->broadcast ? gllm_x86_element(f) * 8 : gllm_x86_bits(gllm_x86_msize(op), z->os, z->vl, false);
		unsigned unit = f->enc != EVEX ? 1 : f->dec & E4 ? 4 : f->dec & E8 ? 8 : bits / 8;
		if (place == P_RMR || (place == P_VSIB && (modrm & 7) != 4))
			return false;
		read_memory(s, k, modrm, unit, place == P_VSIB, o);
		o->size = (uint16_t)bits;
		return true;
	}
	if (place != P_RM && place != P_RMR)
		return false;
	if (f->enc == EVEX && cls == GLLM_R_VEC)
		n |= (unsigned)k->x << 4;
	if ((cls == GLLM_R_MASK && n > 7) || (f->enc == EVEX && cls != GLLM_R_VEC && k->x))
		return false;
	*o = gllm_register(f, k, op, n, register_bits(op, z->os, z->vl));
	return true;
}

/* A register whose number takes up to five bits. */
static bool read_number(const struct gllm_x86_form *f, const struct key *k, uint32_t op, unsigned n, const struct sizes *z,
                        struct gllm_operand *o)
{
	unsigned cls = gllm_x86_class(op);

	*o = gllm_register(f, k, op, n, register_bits(op, z->os, z->vl));
	return n <= (cls == GLLM_R_VEC ? 31u : cls == GLLM_R_MASK ? 7u : 15u);
}

static bool set(struct gllm_operand *o, unsigned kind, int64_t imm)
{
	*o = (struct gllm_operand){ .kind = (uint8_t)kind, .imm = imm };
	return true;
}

static bool read_operand(struct bytes *s, const struct gllm_x86_form *f, const struct key *k, unsigned modrm, uint32_t op,
                         const struct sizes *z, struct gllm_operand *o)
{
	unsigned n;

	switch ((enum gllm_x86_place)gllm_x86_place(op)) {
	case P_REG: return read_number(f, k, op, (modrm >> 3 & 7) | (unsigned)k->r << 3 | (unsigned)k->r2 << 4, z, o);
	case P_VVV: return read_number(f, k, op, k->vvv | (unsigned)k->v2 << 4, z, o);
	case P_RM: case P_RMR: case P_MEM: case P_VSIB: return read_rm(s, f, k, modrm, op, z, o);
	case P_OPR:
		n = (k->opcode & 7) | (unsigned)k->b << 3;
		return read_number(f, k, op, n, z, o) && !gllm_x86_is_nop(f, n);
	case P_IS4:
		n = next(s);
		return read_number(f, k, op, n >> 4, z, o) && (n & 15) == 0;
	case P_ACC: return read_number(f, k, op, X86_RAX, z, o);
	case P_X0:  return read_number(f, k, op, 0, z, o);
	case P_CL:  return read_number(f, k, op, X86_RCX, z, o);
	case P_ONE: return set(o, GLLM_O_IMM, 1);
	case P_IB:  return set(o, GLLM_O_IMM, (int64_t)next(s));
	case P_IS:  return set(o, GLLM_O_IMM, sign(next(s), 1));
	case P_IW:  return set(o, GLLM_O_IMM, (int64_t)next_le(s, 2));
	case P_IZ:  n = z->os == 16 ? 2 : 4; return set(o, GLLM_O_IMM, sign(next_le(s, n), n));
	case P_IQ:  return set(o, GLLM_O_IMM, (int64_t)next_le(s, 8));
	case P_JB:  s->relative = o; return set(o, GLLM_O_REL, sign(next(s), 1));
	case P_JZ:  s->relative = o; return set(o, GLLM_O_REL, sign(next_le(s, 4), 4));
	case P_CC:  return set(o, GLLM_O_COND, (int64_t)(k->opcode & 15));
	case P_NONE: break;
	}
	return false;
}

static bool uses(const struct gllm_x86_form *f, unsigned place)
{
	for (unsigned i = 0; i < 4 && f->op[i]; i++)
		if (gllm_x86_place(f->op[i]) == place)
			return true;
	return false;
}

/* Displacements become addresses; a merging destination is read, too. */
static void finish(struct gllm_insn *out, uint64_t addr, const struct bytes *s)
{
	out->addr = addr;
	out->length = (uint8_t)s->at;
	if (s->relative)
		s->relative->imm = (int64_t)((uint64_t)s->relative->imm + addr + s->at);
	if (out->mask && !out->zeroing && out->op[0].access == 2 && out->op[0].kind == GLLM_O_REG && out->op[0].cls == GLLM_R_VEC)
		out->op[0].access = 3;
}

/* Is it this row, whose /digit is right? GLLM_TRUNCATED: it still may be. */
static enum gllm_status match(unsigned row, const struct key *k, struct bytes s, struct gllm_insn *out)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[row];
	struct sizes z = { .vl = 0 };
	unsigned modrm = 0;
	uint8_t rep = 0;

	if (f->enc == LEG) {
		z.os = legacy_size(f, k, &rep);
		if (z.os == 0 || (f->n == NM && f->opcode == 0x90 && k->b)) /* with REX.B, 90 exchanges r8 */
			return GLLM_BAD_INSN;
	} else {
		if (!lengths_fit(f, k, &z.os, &z.vl))
			return GLLM_BAD_INSN;
		if ((k->vvv || k->v2) && !uses(f, P_VVV) && (k->vvv || !uses(f, P_VSIB)))
			return GLLM_BAD_INSN;
	}
	if (gllm_x86_has_modrm(f)) {
		modrm = next(&s);
		if (s.cut)
			return GLLM_TRUNCATED;
		if (f->n >= FIX && modrm != (f->n & 0xff))
			return GLLM_BAD_INSN;
	}
	*out = (struct gllm_insn){ .row = (uint16_t)row, .rep = rep };
	if (f->enc == EVEX && !read_decoration(f, k, modrm < 0xc0, &z.vl, out))
		return GLLM_BAD_INSN;
	if (f->enc != LEG && !(f->l & LIG) && (z.vl > 2 || !(f->l >> z.vl & 1)))
		return GLLM_BAD_INSN;
	if (f->n < 8 && (k->r2 || (f->enc == EVEX && k->r)))
		return GLLM_BAD_INSN;
	z.broadcast = out->broadcast;
	unsigned n = 0;
	for (; n < 4 && f->op[n]; n++) {
		if (!read_operand(&s, f, k, modrm, f->op[n], &z, &out->op[n]) && !s.cut)
			return GLLM_BAD_INSN;
		out->op[n].access = (uint8_t)gllm_x86_access(f->op[n]);
	}
	out->n = (uint8_t)n;
	if (s.cut)
		return GLLM_TRUNCATED;
	if (s.at > 15)
		return GLLM_BAD_INSN;
	out->vl = (uint8_t)z.vl;
	finish(out, k->addr, &s);
	return GLLM_OK;
}

/* The rows of one key that cover this opcode. */
static enum gllm_status match_key(const struct key *k, const struct bytes *s, struct gllm_insn *out)
{
	unsigned digit = s->at < s->size ? s->p[s->at] >> 3 & 7 : 8; /* of ModRM, if that is what follows; 8: any */
	enum gllm_status best = GLLM_BAD_INSN;
	unsigned row = run_end[PAGE(k->enc, k->map, k->pp) * 256 + k->opcode];
	const struct gllm_x86_form *f = gllm_x86_forms + row;
	unsigned first = row ? f[-1].opcode : 0;

	while (row-- > 0 && (--f)->opcode == first && f->pp == k->pp && f->map == k->map && f->enc == k->enc) {
		enum gllm_status status;
		if ((k->opcode != first && k->opcode - first >= COVERS(f->n)) || (f->n < 8 && f->n != digit && digit < 8))
			continue;
		status = match(row, k, *s, out);
		if (status == GLLM_OK)
			return status;
		if (status == GLLM_TRUNCATED)
			best = status;
	}
	return best;
}

enum gllm_status gllm_x86_decode(const unsigned char *bytes, size_t size, uint64_t addr, struct gllm_insn *out)
{
	struct bytes s = { .p = bytes, .size = size };
	struct key k = { .addr = addr };
	enum gllm_status best = GLLM_BAD_INSN;

	if (!read_key(&s, &k))
		return GLLM_BAD_INSN;
	if (s.cut)
		return size < 15 ? GLLM_TRUNCATED : GLLM_BAD_INSN;
	if (k.enc != LEG)
		return match_key(&k, &s, out);
	/* A prefix belongs to the opcode if a row says so, F2 and F3 before 66; else it is the plain prefix. */
	for (unsigned may_be = 1u | (k.n66 ? 2u : 0u) | (k.rep ? k.rep == 0xf3 ? 4u : 8u : 0u); may_be; may_be &= ~(1u << k.pp)) {
		enum gllm_status status;
		k.pp = 31u - (unsigned)__builtin_clz(may_be);
		status = match_key(&k, &s, out);
		if (status == GLLM_OK)
			return status;
		if (status == GLLM_TRUNCATED)
			best = status;
	}
	return best;
}
