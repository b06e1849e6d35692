/* SPDX-License-Identifier: MIT
 * arch/x86_64/bytes.h - parts of an instruction's bytes: the prefix of VEX and EVEX, the memory operand. Private to encode.c,
 * which finds out whether operands fit a form, and put.c, which is told that they do. Each returns the place behind. */
#ifndef GLLM_X86_BYTES_H
#define GLLM_X86_BYTES_H
#include "arch/x86_64/form.h"
#include "core/bits.h"

/* What of an EVEX prefix decorates the instruction: k register, zeroing, broadcast or rounding. */
enum { X86_DECORATION_MASK = 24, X86_DECORATION_B = 28, X86_DECORATION_Z = 31 };
static inline uint32_t gllm_x86_decoration(uint32_t mask, uint32_t zeroing, bool b)
{
	return mask << X86_DECORATION_MASK | zeroing << X86_DECORATION_Z | (uint32_t)b << X86_DECORATION_B;
}

/* The prefix is one word, its first byte the lowest: what the row says of it, which is VEX's long form or EVEX with registers 0,
 * with the bits of registers turned. rm: bit 3 is B, bit 4 X. */
static inline unsigned char *gllm_x86_put_prefix(unsigned char *o, const struct gllm_x86_form *f, uint32_t decoration, uint32_t reg,
                                                 uint32_t rm, uint32_t vvv, uint32_t w, uint32_t vl)
{
	uint32_t prefix = f->prefix ^ w << 23 ^ (reg & 8) << 12 ^ (rm & 24) << 10 ^ (vvv & 15) << 19;

	if (f->enc == EVEX) {
		gllm_put_le32(o, prefix ^ (reg & 16) << 8 ^ (vvv & 16) << 23 ^ vl << 29 ^ decoration);
		return o + 4;
	}
	prefix |= vl << 18;
	if ((prefix & 0x807f00) != 0x6100) { /* X, B, W or a map that is not 0F */
		gllm_put_le32(o, prefix);
		return o + 3;
	}
	o[0] = 0xc5;
	o[1] = (unsigned char)((prefix >> 8 & 0x80) | (prefix >> 16 & 0x7f));
	return o + 2;
}

/* Registers of a memory operand as put_prefix wants them: B in bit 3, X in bit 4. */
static inline uint32_t gllm_x86_address_bits(const struct gllm_operand *m)
{
	return (m->base < 16 ? m->base & 8u : 0) | (m->index < 32 ? m->index & 8u : 0) << 1;
}

/* Log2 of the unit of disp8, for an access of so many bits. */
static inline unsigned gllm_x86_disp_shift(const struct gllm_x86_form *f, unsigned bits)
{
	return f->enc != EVEX ? 0 : f->dec & E4 ? 2 : f->dec & E8 ? 3 : (unsigned)__builtin_ctz(bits) - 3;
}

/* The same without a base register, or relative to the pc: then the displacement is still to be put. */
static inline unsigned char *gllm_x86_put_baseless(unsigned char *o, unsigned r, const struct gllm_operand *m)
{
	if (m->base == GLLM_REG_PC) {
		*o++ = (unsigned char)(r | 5);
		return o + 4;
	}
	*o++ = (unsigned char)(r | 4);
	*o++ = (unsigned char)((unsigned)m->scale << 6 | (m->index == GLLM_NO_REG ? 4 : m->index & 7u) << 3 | 5);
	gllm_put_le32(o, (uint32_t)m->imm);
	return o + 4;
}

/* ModRM, SIB and displacement of `m`; disp8 counts 1 << `shift` bytes. */
static inline unsigned char *gllm_x86_put_memory(unsigned char *o, unsigned reg, const struct gllm_operand *m, unsigned shift)
{
	unsigned base = m->base & 7u, r = (reg & 7) << 3;
	int32_t d = (int32_t)m->imm, units = d >> shift;

	if (m->base >= 16)
		return gllm_x86_put_baseless(o, r, m);
	bool near = units == (int8_t)units && (int32_t)((uint32_t)units << shift) == d;
	unsigned mod = d == 0 && base != 5 ? 0 : near ? 1 : 2;
	if (m->index != GLLM_NO_REG) {
		*o++ = (unsigned char)(mod << 6 | r | 4);
		*o++ = (unsigned char)((unsigned)m->scale << 6 | (m->index & 7u) << 3 | base);
	} else {
		*o++ = (unsigned char)(mod << 6 | r | base);
		if (base == 4)
			*o++ = (unsigned char)((unsigned)m->scale << 6 | 4 << 3 | 4);
	}
	if (mod == 1) {
		*o++ = (unsigned char)units;
	} else if (mod == 2) {
		gllm_put_le32(o, (uint32_t)d);
		o += 4;
	}
	return o;
}

/* An instruction of whole vectors, 128 << vl bits, in a form of shape X86_VECTORS: ModRM.reg, vvvv (0 where the form has none)
 * and ModRM.rm. An immediate is the caller's to put behind it. */
static inline unsigned char *gllm_x86_put_vectors(unsigned char *o, const struct gllm_x86_form *f, unsigned vl, uint32_t decoration,
                                                  unsigned reg, unsigned vvv, unsigned rm)
{
	o = gllm_x86_put_prefix(o, f, decoration, reg, rm, vvv, f->w == W1, vl);
	o[0] = f->opcode;
	o[1] = (unsigned char)(0xc0 | (reg & 7) << 3 | (rm & 7));
	return o + 2;
}

/* The same with a memory operand, decorated; the decoration's bit b: it is one element that is broadcast. */
static inline unsigned char *gllm_x86_put_vectors_at(unsigned char *o, const struct gllm_x86_form *f, unsigned vl, uint32_t decoration,
                                                     unsigned reg, unsigned vvv, const struct gllm_operand *m)
{
	unsigned bits = decoration >> X86_DECORATION_B & 1 ? 8 * gllm_x86_element(f) : gllm_x86_memory_sizes[0][vl][f->access];

	o = gllm_x86_put_prefix(o, f, decoration, reg, gllm_x86_address_bits(m), vvv, f->w == W1, vl);
	*o++ = f->opcode;
	return gllm_x86_put_memory(o, reg, m, gllm_x86_disp_shift(f, bits));
}

/* Prefixes and opcode of an instruction of general registers of 32 or 64 bits, in a form of shape X86_GENERAL. */
static inline unsigned char *gllm_x86_put_general_opcode(unsigned char *o, const struct gllm_x86_form *f, bool wide, unsigned reg, uint32_t rm)
{
	unsigned rex = (wide && !(f->w & WIG) ? 8u : 0u) | (reg & 8) >> 1 | (rm & 16) >> 3 | (rm & 8) >> 3;

	if (rex)
		*o++ = (unsigned char)(0x40 | rex);
	if (f->map == MAP_0F)
		*o++ = 0x0f;
	*o++ = f->opcode;
	return o;
}

static inline unsigned char *gllm_x86_put_general(unsigned char *o, const struct gllm_x86_form *f, bool wide, unsigned reg, unsigned rm)
{
	reg = f->n < 8 ? f->n : reg;
	o = gllm_x86_put_general_opcode(o, f, wide, reg, rm);
	*o++ = (unsigned char)(0xc0 | (reg & 7) << 3 | (rm & 7));
	return o;
}

static inline unsigned char *gllm_x86_put_general_at(unsigned char *o, const struct gllm_x86_form *f, bool wide, unsigned reg,
                                                     const struct gllm_operand *m)
{
	reg = f->n < 8 ? f->n : reg;
	o = gllm_x86_put_general_opcode(o, f, wide, reg, gllm_x86_address_bits(m));
	return gllm_x86_put_memory(o, reg, m, 0);
}
/* An opcode that holds its register's number. */
static inline unsigned char *gllm_x86_put_opcode_register(unsigned char *o, const struct gllm_x86_form *f, unsigned reg)
{
	if (reg & 8)
		*o++ = 0x41;
	*o++ = (unsigned char)(f->opcode | (reg & 7));
	return o;
}

/* A jump, `by` bytes on from its own end, on a condition or, above 15, always. */
static inline unsigned char *gllm_x86_put_jump(unsigned char *o, unsigned cond, bool near, int32_t by)
{
	if (!near) {
		*o++ = cond > 15 ? gllm_x86_forms[X86_JMP_8].opcode : (unsigned char)(gllm_x86_forms[X86_JCC_8].opcode | cond);
		*o++ = (unsigned char)by;
		return o;
	}
	if (cond > 15) {
		*o++ = gllm_x86_forms[X86_JMP].opcode;
	} else {
		*o++ = 0x0f;
		*o++ = (unsigned char)(gllm_x86_forms[X86_JCC].opcode | cond);
	}
	gllm_put_le32(o, (uint32_t)by);
	return o + 4;
}
#endif
