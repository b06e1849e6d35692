/* SPDX-License-Identifier: MIT
 * tests/check_a64_insn.c - the AArch64 table against itself: every row, both directions; and spellings and meanings of
 * chosen words. tests/diff/a64_insn.py compares the same table with LLVM. */
#include "tests/check.h"
#if GLLM_JIT
#include "arch/aarch64/form.h"
#include "core/bits.h"

static enum gllm_status decode(uint32_t word, uint64_t addr, struct gllm_insn *in)
{
	unsigned char bytes[4];
	gllm_put_le32(bytes, word);
	return gllm_a64_decode(bytes, sizeof bytes, addr, in);
}

static uint32_t encode(const struct gllm_insn *in) /* 0 if it does not fit: no row but udf #0 has that word */
{
	unsigned char bytes[4] = { 0 };
	return gllm_a64_encode(in, bytes) == 4 ? gllm_le32(bytes) : 0;
}

/* Where the base is moved by a register, 31 is the other form: by the bytes accessed. */
static bool other_form(unsigned row, uint32_t word)
{
	for (unsigned i = 0; i < GLLM_INSN_OPERANDS; i++)
		if (a64_kind(gllm_a64_info[row].op[i]) == A64_K_MEMSTEP)
			return (word >> 16 & 31) == 31;
	return false;
}

/* Fixed bits lie outside every field, and fields do not overlap. */
static void check_rows(struct check *t)
{
	unsigned bad_fixed = 0, overlaps = 0, ambiguous = 0;
	for (unsigned row = 0; row < A64_ROW_COUNT; row++) {
		uint32_t seen = 0;
		bad_fixed += (gllm_a64_key[row].fixed & ~gllm_a64_key[row].mask) != 0;
		for (unsigned i = 0; i < GLLM_INSN_OPERANDS; i++) {
			overlaps += (seen & a64_field(gllm_a64_info[row].op[i])) != 0;
			seen |= a64_field(gllm_a64_info[row].op[i]);
		}
		overlaps += seen != ~gllm_a64_key[row].mask;
		/* Two rows match one word exactly if their fixed bits agree wherever both are fixed. */
		for (unsigned other = 0; other < row; other++) {
			uint32_t both = gllm_a64_key[row].mask & gllm_a64_key[other].mask;
			uint32_t word = gllm_a64_key[row].fixed | gllm_a64_key[other].fixed;
			if (((gllm_a64_key[row].fixed ^ gllm_a64_key[other].fixed) & both) == 0 && !other_form(row, word) &&
			    !other_form(other, word)) {
				check_print(t, "rows %u and %u (%s, %s) match one word\n", other, row,
				            gllm_a64_info[other].text, gllm_a64_info[row].text);
				ambiguous++;
			}
		}
	}
	CHECK_EQ(t, bad_fixed, 0);
	CHECK_EQ(t, overlaps, 0);
	CHECK_EQ(t, ambiguous, 0);
}

/* Random operands: the row is found, the word comes back, at any address. */
static void check_round_trip(struct check *t)
{
	unsigned missing = 0, wrong_row = 0, wrong_word = 0, wrong_text = 0;
	for (unsigned row = 0; row < A64_ROW_COUNT; row++) {
		unsigned decoded = 0;
		for (unsigned i = 0; i < 400 && decoded < 24; i++) {
			uint32_t word = gllm_a64_key[row].fixed | ((uint32_t)check_random(t) & ~gllm_a64_key[row].mask);
			uint64_t addr = check_random(t) >> 20 & ~UINT64_C(3);
			struct gllm_insn in;
			char text[96];
			if (other_form(row, word) || decode(word, addr, &in) != GLLM_OK)
				continue;
			decoded++;
			wrong_row += in.row != row;
			if (encode(&in) != word && word) {
				check_print(t, "row %u: %x encodes as %x\n", row, word, encode(&in));
				wrong_word++;
			}
			size_t n = gllm_a64_text(&in, text, sizeof text);
			wrong_text += n == 0 || n + 1 >= sizeof text || text[n] != 0;
		}
		if (!decoded)
			check_print(t, "row %u (%s) never decodes\n", row, gllm_a64_info[row].text);
		missing += !decoded;
	}
	CHECK_EQ(t, missing, 0);
	CHECK_EQ(t, wrong_row, 0);
	CHECK_EQ(t, wrong_word, 0);
	CHECK_EQ(t, wrong_text, 0);
}

/* Any word is refused or comes back unchanged, and its meaning fits. */
static void check_random_words(struct check *t)
{
	unsigned wrong = 0, accepted = 0, overflow = 0;
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t word = (uint32_t)check_random(t);
		struct gllm_insn in;
		struct gllm_sem_op_rec meaning[GLLM_SEM_MAX];
		struct gllm_sem sem = { .op = meaning };
		if (decode(word, 0, &in) != GLLM_OK)
			continue;
		accepted++;
		wrong += encode(&in) != word && word != 0;
		overflow += gllm_a64_meaning(&in, &sem) == GLLM_OK && (sem.n == 0 || sem.n > GLLM_SEM_MAX);
	}
	CHECK(t, accepted > 10000);
	CHECK_EQ(t, wrong, 0);
	CHECK_EQ(t, overflow, 0);
}

static void check_truncation(struct check *t)
{
	static const unsigned char add[4] = { 0x20, 0x00, 0x02, 0x8b };
	struct gllm_insn in;
	for (size_t n = 0; n < 4; n++)
		CHECK_STATUS(t, gllm_a64_decode(add, n, 0, &in), GLLM_TRUNCATED);
	CHECK_STATUS(t, gllm_a64_decode(add, 4, 0, &in), GLLM_OK);
}

/* One operand changed so that it no longer fits must make the encoder refuse. */
static void check_refusals(struct check *t)
{
	struct gllm_insn in = { .row = A64_LDR_Q, .n = 2, .op = { a64_q(1), a64_mem(2, 16) } };
	CHECK_EQ(t, encode(&in), 0x3dc00441);
	in.n = 1;
	CHECK_EQ(t, encode(&in), 0);
	in.n = 2;
	in.op[1] = a64_mem(2, 8); /* not a multiple of the access */
	CHECK_EQ(t, encode(&in), 0);
	in.op[1] = a64_mem(2, -16);
	CHECK_EQ(t, encode(&in), 0);
	in.op[1] = a64_mem(2, 65536); /* one past the range */
	CHECK_EQ(t, encode(&in), 0);
	in.op[1] = a64_mem_post(2, 16);
	CHECK_EQ(t, encode(&in), 0);
	in.op[1] = a64_mem(A64_ZR, 16); /* a base is never zr */
	CHECK_EQ(t, encode(&in), 0);
	in = (struct gllm_insn){ .row = A64_FMLA_V4S, .n = 3, .op = { a64_v(0, A64_4S), a64_v(1, A64_4S), a64_v(31, A64_4S) } };
	CHECK_EQ(t, encode(&in), 0x4e3fcc20);
	in.op[2] = a64_v(31, A64_2S);
	CHECK_EQ(t, encode(&in), 0);
	in.op[2] = a64_v(32, A64_4S);
	CHECK_EQ(t, encode(&in), 0);
	in.op[2] = a64_q(3);
	CHECK_EQ(t, encode(&in), 0);
	in = (struct gllm_insn){ .row = A64_ADD_X, .n = 3, .op = { a64_x(0), a64_x(1), a64_x(A64_SP) } };
	CHECK_EQ(t, encode(&in), 0);
	in.op[2] = a64_shifted(a64_x(A64_ZR), A64_LSL, 63);
	CHECK_EQ(t, encode(&in), 0x8b1ffc20);
	in.op[2] = a64_shifted(a64_x(2), A64_LSL, 64);
	CHECK_EQ(t, encode(&in), 0);
	in = (struct gllm_insn){ .row = A64_ADDI_X, .n = 3, .op = { a64_x(A64_SP), a64_x(A64_SP), a64_imm(4096) } };
	CHECK_EQ(t, encode(&in), 0);
	in.op[2] = a64_imm_shifted(1, 12);
	CHECK_EQ(t, encode(&in), 0x914007ff);
	in = (struct gllm_insn){ .row = A64_ANDI_X, .n = 3, .op = { a64_x(0), a64_x(1), a64_imm(0xff00ff) } };
	CHECK_EQ(t, encode(&in), 0);
	in = (struct gllm_insn){ .row = A64_BCOND, .n = 2, .op = { a64_cond(A64_NE), a64_rel(-4) } };
	CHECK_EQ(t, encode(&in), 0x54ffffe1);
	in.op[1] = a64_rel(-2);
	CHECK_EQ(t, encode(&in), 0);
	in.op[1] = a64_rel(1 << 20);
	CHECK_EQ(t, encode(&in), 0);
	in = (struct gllm_insn){ .row = A64_LDP_X_POST, .n = 3, .op = { a64_x(1), a64_x(2), a64_mem_post(2, 16) } };
	CHECK_EQ(t, encode(&in), 0); /* the base would be loaded and written back */
	in.row = A64_ROW_COUNT;
	CHECK_EQ(t, encode(&in), 0);
}

/* Bitmask immediates: every pattern the format can say, and its neighbours that it cannot. */
static void check_bitmasks(struct check *t)
{
	unsigned count = 0, wrong = 0;
	for (uint32_t bits = 0; bits < 1u << 13; bits++) {
		uint64_t pattern = 0;
		uint32_t back = 0;
		if (!gllm_a64_bitmask_get(bits, 64, &pattern))
			continue;
		count++;
		wrong += !gllm_a64_bitmask_put(pattern, 64, &back) || back != bits;
	}
	CHECK_EQ(t, count, 5334); /* sum of e * (e - 1) over element sizes 2 .. 64 */
	CHECK_EQ(t, wrong, 0);
	CHECK(t, !gllm_a64_is_bitmask(0, 64) && !gllm_a64_is_bitmask(~UINT64_C(0), 64) && !gllm_a64_is_bitmask(5, 64));
	CHECK(t, gllm_a64_is_bitmask(0xffffffff, 64) && !gllm_a64_is_bitmask(0xffffffff, 32));
}

static void check_spelling(struct check *t)
{
	static const struct { uint32_t word; const char *text; } known[] = {
		{ 0x4e20cc00, "fmla v0.4s, v0.4s, v0.4s" },  { 0x3dc00041, "ldr q1, [x2]" },
		{ 0xaa0103e0, "mov x0, x1" },                { 0xd2800540, "mov x0, #42" },
		{ 0x12800000, "mov w0, #-1" },               { 0xeb02003f, "cmp x1, x2" },
		{ 0xd37df020, "lsl x0, x1, #3" },            { 0x93407c20, "sxtw x0, w1" },
		{ 0x9a9f17e0, "cset x0, eq" },               { 0xd65f03c0, "ret" },
		{ 0xd503201f, "nop" },                       { 0xd503245f, "bti c" },
		{ 0x54000081, "b.ne 0x1010" },               { 0x910003fd, "mov x29, sp" },
		{ 0xa9bf7bfd, "stp x29, x30, [sp, #-16]!" }, { 0xa8c17bfd, "ldp x29, x30, [sp], #16" },
		{ 0xb8627820, "ldr w0, [x1, x2, lsl #2]" },  { 0xb8624820, "ldr w0, [x1, w2, uxtw]" },
		{ 0x1e2e1000, "fmov s0, #1.00000000" },      { 0x4f81e800, "sdot v0.4s, v0.16b, v1.4b[2]" },
		{ 0xa5424020, "ld1w { z0.s }, p0/z, [x1, x2, lsl #2]" },
		{ 0x0cdf7020, "ld1 { v0.8b }, [x1], #8" },   { 0x0c827020, "st1 { v0.8b }, [x1], x2" },
		{ 0x4d60e020, "ld4r { v0.16b, v1.16b, v2.16b, v3.16b }, [x1]" }, { 0x38627820, "ldrb w0, [x1, x2, lsl #0]" },
		{ 0x9eae0020, "fmov x0, v1.d[1]" },          { 0x2e213820, "shll v0.8h, v1.8b, #8" },
		{ 0x5e30d820, "faddp h0, v1.2h" },           { 0x0f03fe00, "fmov v0.4h, #1.00000000" },
		{ 0x4f00e400, "movi v0.16b, #0" },           { 0x4f046400, "movi v0.4s, #128, lsl #24" },
	};
	for (size_t i = 0; i < GLLM_COUNT(known); i++) {
		struct gllm_insn in;
		char text[96];
		CHECK_STATUS(t, decode(known[i].word, 0x1000, &in), GLLM_OK);
		gllm_a64_text(&in, text, sizeof text);
		CHECK_TEXT(t, text, known[i].text);
		char cut[8]; /* a short buffer: cut, terminated, nothing beyond */
		CHECK(t, gllm_a64_text(&in, cut, sizeof cut) < sizeof cut && gllm_a64_text(&in, NULL, 0) == 0);
	}
}

/* The last micro-operation of one word, whose fields stand for the row's sem column. */
static struct gllm_sem_op_rec last_of(struct check *t, uint32_t word, unsigned count)
{
	struct gllm_insn in;
	struct gllm_sem_op_rec meaning[GLLM_SEM_MAX];
	struct gllm_sem sem = { .op = meaning };
	CHECK_STATUS(t, decode(word, 0x1000, &in), GLLM_OK);
	CHECK_STATUS(t, gllm_a64_meaning(&in, &sem), GLLM_OK);
	CHECK_EQ(t, sem.n, count);
	return sem.op[sem.n ? sem.n - 1 : 0];
}

static void check_meaning(struct check *t)
{
	struct gllm_sem_op_rec m = last_of(t, 0x54000081, 1); /* b.ne 0x1010 */
	CHECK(t, m.op == GLLM_S_BRANCH && m.cc == GLLM_CC_NE && m.fcc == GLLM_CC_FUNE && m.imm == 0x1010);
	m = last_of(t, 0x54000084, 1); /* b.mi */
	CHECK(t, m.cc == GLLM_CC_SNEG && m.fcc == GLLM_CC_FOLT);
	m = last_of(t, 0xbc627820, 1); /* ldr s0, [x1, x2, lsl #2] */
	CHECK(t, m.op == GLLM_S_LOAD && m.w == 32 && m.d == GLLM_LOC_V0 && m.a == 1 && m.b == 2 && m.scale == 2);
	m = last_of(t, 0xa9bf7bfd, 3); /* stp x29, x30, [sp, #-16]! */
	CHECK(t, m.op == GLLM_S_STORE && m.w == 64 && m.c == 30 && m.a == 31 && m.imm == 8);
	m = last_of(t, 0xa8c17bfd, 3); /* ldp x29, x30, [sp], #16 */
	CHECK(t, m.op == GLLM_S_ADD && m.d == 31 && m.a == 31 && m.imm == 16);
	m = last_of(t, 0xa9400440, 2); /* ldp x0, x1, [x2] */
	CHECK(t, m.op == GLLM_S_LOAD && m.d == 1 && m.imm == 8);
	m = last_of(t, 0xa9400841, 2); /* ldp x1, x2, [x2]: the base falls last */
	CHECK(t, m.op == GLLM_S_LOAD && m.d == 2 && m.a == 2);
	m = last_of(t, 0xa9400442, 3); /* ldp x2, x1, [x2]: the first would change the address of the second */
	CHECK(t, m.op == GLLM_S_MOV && m.d == 2 && m.a == GLLM_LOC_T0);
	m = last_of(t, 0x1f030041, 1); /* fmadd s1, s2, s3, s0 */
	CHECK(t, m.op == GLLM_S_FMA && m.w == 32 && m.a == GLLM_LOC_V0 + 2 && m.c == GLLM_LOC_V0);
	m = last_of(t, 0x1f038041, 1); /* fmsub: c - a * b */
	CHECK(t, m.op == GLLM_S_FNMA);
	m = last_of(t, 0x1f230041, 1); /* fnmadd: -(a * b) - c */
	CHECK(t, m.op == GLLM_S_FNMS);
	m = last_of(t, 0x2f00e400, 1); /* movi d0, #0 */
	CHECK(t, m.op == GLLM_S_MOV && m.w == 64 && m.b == GLLM_LOC_NONE && m.imm == 0);
	m = last_of(t, 0x6f00e400, 1); /* movi v0.2d, #0 */
	CHECK(t, m.op == GLLM_S_MOV && m.w == 128);
	m = last_of(t, 0x4f046400, 1); /* movi v0.4s, #128, lsl #24 */
	CHECK(t, m.op == GLLM_S_MOV && m.imm == INT64_C(-0x7fffffff80000000));
	m = last_of(t, 0x90000000, 1); /* adrp x0, 0x1000 */
	CHECK(t, m.op == GLLM_S_ADDR && m.a == GLLM_LOC_NONE && m.imm == 0x1000);
	m = last_of(t, 0xd65f03c0, 1);
	CHECK_EQ(t, m.op, GLLM_S_RET);
	m = last_of(t, 0x97ffffff, 1); /* bl 0xffc */
	CHECK(t, m.op == GLLM_S_CALL && m.imm == 0xffc);
	struct gllm_insn in;
	struct gllm_sem_op_rec meaning[GLLM_SEM_MAX];
	struct gllm_sem sem = { .op = meaning };
	CHECK_STATUS(t, decode(0x4e20cc00, 0, &in), GLLM_OK); /* fmla on four lanes is no scalar code */
	CHECK_STATUS(t, gllm_a64_meaning(&in, &sem), GLLM_NOT_LIFTED);
}

void check_a64_insn(struct check *t)
{
	check_rows(t);
	check_round_trip(t);
	check_random_words(t);
	check_truncation(t);
	check_refusals(t);
	check_bitmasks(t);
	check_spelling(t);
	check_meaning(t);
}
#else
void check_a64_insn(struct check *t) { check_skip(t, "built without back ends"); }
#endif
