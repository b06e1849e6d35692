/* SPDX-License-Identifier: MIT
 * arch/x86_64/text.c - an instruction in Intel syntax, as LLVM spells it; and the features it needs.
 *
 * Numbers are decimal and signed; targets of jumps are hexadecimal addresses; [rip + d] counts from the end of the
 * instruction. The text assembles to the same instruction, save that jump targets need an origin. */
#include "arch/x86_64/form.h"

struct line {
	char *out;
	size_t size, n; /* n counts what would be written, too */
};

static void put_char(struct line *l, char c)
{
	if (l->n + 1 < l->size)
		l->out[l->n] = c;
	l->n++;
}

static void put_text(struct line *l, const char *s)
{
	while (*s)
		put_char(l, *s++);
}

static void put_number(struct line *l, uint64_t v, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		put_char(l, digits[--n]);
}

static void put_signed(struct line *l, int64_t v)
{
	if (v < 0)
		put_char(l, '-');
	put_number(l, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10);
}

static void put_gpr(struct line *l, unsigned n, unsigned bits)
{
	static const char old[8][4] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
	static const char high[4][4] = { "ah", "ch", "dh", "bh" };

	if (n >= 16) {
		put_text(l, high[n & 3]);
	} else if (n >= 8) {
		put_char(l, 'r');
		put_number(l, n, 10);
		put_text(l, bits == 64 ? "" : bits == 32 ? "d" : bits == 16 ? "w" : "b");
	} else if (bits == 8) {
		put_char(l, old[n][0]);
		if (n >= 4)
			put_char(l, old[n][1]);
		put_char(l, 'l');
	} else {
		put_text(l, bits == 64 ? "r" : bits == 32 ? "e" : "");
		put_text(l, old[n]);
	}
}

static void put_vec(struct line *l, unsigned n, unsigned bits)
{
	put_char(l, bits == 512 ? 'z' : bits == 256 ? 'y' : 'x');
	put_text(l, "mm");
	put_number(l, n, 10);
}

static void put_size(struct line *l, unsigned bits)
{
	static const char words[7][8] = { "byte", "word", "dword", "qword", "xmmword", "ymmword", "zmmword" };
	unsigned i = 0;

	if (bits == 0)
		return;
	while (8u << i < bits)
		i++;
	put_text(l, words[i]);
	put_text(l, " ptr ");
}

static void put_displacement(struct line *l, int64_t d, bool first)
{
	if (first) {
		put_signed(l, d);
	} else if (d != 0) {
		put_text(l, d < 0 ? " - " : " + ");
		put_number(l, d < 0 ? 0 - (uint64_t)d : (uint64_t)d, 10);
	}
}

/* A gather is spelt as the whole it fetches, which is what its vector register holds. */
static unsigned fetched(const struct gllm_insn *in)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[in->row];
	unsigned i = gllm_x86_place(f->op[0]) == P_REG ? 0 : 1;

	return gllm_x86_bits(gllm_x86_rsize(f->op[i]), 0, in->vl, false);
}

static unsigned index_bits(const struct gllm_insn *in)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[in->row];
	unsigned i = gllm_x86_place(f->op[0]) == P_VSIB ? 0 : 1;

	return gllm_x86_bits(gllm_x86_rsize(f->op[i]), 0, in->vl, true);
}

static void put_memory(struct line *l, const struct gllm_insn *in, const struct gllm_operand *m)
{
	bool first = true;
	int64_t d = m->imm;

	put_size(l, m->index_vec ? fetched(in) : m->size);
	put_text(l, in->rep == 0x2e ? "cs:[" : "[");
	if (m->base == GLLM_REG_PC) {
		put_text(l, "rip");
		d = (int64_t)((uint64_t)d - in->addr - in->length);
		first = false;
	} else if (m->base != GLLM_NO_REG) {
		put_gpr(l, m->base, 64);
		first = false;
	}
	if (m->index != GLLM_NO_REG) {
		put_text(l, first ? "" : " + ");
		if (m->scale || first) {
			put_number(l, 1u << m->scale, 10);
			put_char(l, '*');
		}
		if (m->index_vec)
			put_vec(l, m->index, index_bits(in));
		else
			put_gpr(l, m->index, 64);
		first = false;
	}
	put_displacement(l, d, first);
	put_char(l, ']');
}

static void put_operand(struct line *l, const struct gllm_insn *in, unsigned i)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[in->row];
	const struct gllm_operand *o = &in->op[i];

	switch ((enum gllm_operand_kind)o->kind) {
	case GLLM_O_REG:
		if (o->cls == GLLM_R_GPR) {
			put_gpr(l, o->reg, o->size);
		} else if (o->cls == GLLM_R_VEC) {
			put_vec(l, o->reg, o->size);
		} else {
			put_char(l, 'k');
			put_number(l, o->reg, 10);
		}
		break;
	case GLLM_O_MEM:
		put_memory(l, in, o);
		break;
	case GLLM_O_IMM:
		put_signed(l, o->imm);
		break;
	case GLLM_O_REL:
		put_text(l, "0x");
		put_number(l, (uint64_t)o->imm, 16);
		break;
	case GLLM_O_NONE: case GLLM_O_COND:
		break;
	}
	if (o->kind == GLLM_O_MEM && in->broadcast) {
		unsigned wide = 128u << in->vl;
		for (unsigned j = 0; j < 4 && f->op[j]; j++) /* lanes are those of the whole operand in memory */
			if (gllm_x86_place(f->op[j]) == P_RM)
				wide = gllm_x86_bits(gllm_x86_msize(f->op[j]), 0, in->vl, false);
		put_text(l, "{1to");
		put_number(l, wide / (gllm_x86_element(f) * 8), 10);
		put_char(l, '}');
	}
	if (i == 0 && in->mask) {
		put_text(l, " {k");
		put_number(l, in->mask, 10);
		put_text(l, in->zeroing ? "} {z}" : "}");
	}
}

static void put_mnemonic(struct line *l, const struct gllm_insn *in)
{
	static const char cc[16][3] = { "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g" };
	const char *prefix = in->rep == 0xf3 ? "rep " : in->rep == 0x3e ? "notrack " : "";

	put_text(l, prefix);
	put_text(l, gllm_x86_forms[in->row].text);
	for (unsigned i = 0; i < in->n && i < GLLM_INSN_OPERANDS; i++)
		if (in->op[i].kind == GLLM_O_COND)
			put_text(l, cc[in->op[i].imm & 15]);
}

/* Operands that are no choice. */
static void put_implied(struct line *l, unsigned row)
{
	static const struct { uint16_t row; char text[40]; } implied[] = {
		{ X86_MOVSB, " byte ptr es:[rdi], byte ptr [rsi]" }, { X86_MOVSW, " word ptr es:[rdi], word ptr [rsi]" },
		{ X86_MOVSL, " dword ptr es:[rdi], dword ptr [rsi]" }, { X86_MOVSQ, " qword ptr es:[rdi], qword ptr [rsi]" },
		{ X86_STOSB, " byte ptr es:[rdi], al" }, { X86_STOSW, " word ptr es:[rdi], ax" },
		{ X86_STOSL, " dword ptr es:[rdi], eax" }, { X86_STOSQ, " qword ptr es:[rdi], rax" },
	};

	for (size_t i = 0; i < sizeof implied / sizeof implied[0]; i++)
		if (implied[i].row == row)
			put_text(l, implied[i].text);
}

/* Rounding is spelt after the last operand, but before an immediate or the integer that is converted. */
static bool rounds_here(const struct gllm_insn *in, unsigned i)
{
	const struct gllm_operand *next = &in->op[i + 1];

	if (!in->rounding || in->op[i].kind == GLLM_O_IMM)
		return false;
	if (i + 1 == in->n)
		return i == 0 || in->op[i].cls != GLLM_R_GPR;
	return next->kind == GLLM_O_IMM || (next->kind == GLLM_O_REG && next->cls == GLLM_R_GPR);
}

size_t gllm_x86_text(const struct gllm_insn *in, char *out, size_t size)
{
	static const char rounding[4][12] = { ", {rn-sae}", ", {rd-sae}", ", {ru-sae}", ", {rz-sae}" };
	struct line l = { .out = out, .size = size };
	bool first = true;

	if (in->row >= X86_ROWS || size == 0)
		return 0;
	put_mnemonic(&l, in);
	put_implied(&l, in->row);
	for (unsigned i = 0; i < in->n && i < GLLM_INSN_OPERANDS; i++) {
		if (in->op[i].kind == GLLM_O_COND)
			continue;
		put_text(&l, first ? " " : ", ");
		put_operand(&l, in, i);
		first = false;
		if (rounds_here(in, i))
			put_text(&l, gllm_x86_forms[in->row].dec & ER ? rounding[(in->rounding - 1) & 3] : ", {sae}");
	}
	out[l.n < size ? l.n : size - 1] = '\0';
	return l.n < size ? l.n : size - 1;
}

uint64_t gllm_x86_features(const struct gllm_insn *in)
{
	uint64_t isa, marks = (uint64_t)NEEDS_AVX2_AT_256 | NEEDS_VL_BELOW_512;

	if (in->row >= X86_ROWS)
		return 0;
	isa = gllm_x86_forms[in->row].isa;
	if ((isa & NEEDS_AVX2_AT_256) && in->vl > 0)
		isa |= F_(AVX2);
	if ((isa & NEEDS_VL_BELOW_512) && in->vl < 2)
		isa |= F_(AVX512VL);
	return isa & ~marks;
}
