/* SPDX-License-Identifier: MIT
 * tests/check_x86_insn.c - the x86-64 table read in both directions, on any host. */
#include "arch/x86_64/bytes.h"
#include "tests/check.h"
#include "tests/diff/x86_random.h"

enum { PER_ROW = 24, RANDOM_STRINGS = 40000 };

static uint64_t draw(void *user)
{
	return check_random(user);
}

static bool same_bytes(const unsigned char *a, const unsigned char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* Every shorter string is cut, and bytes behind the instruction do not matter. `end` is the end of readable memory. */
static bool cut_right(const struct gllm_insn *want, const unsigned char *bytes, size_t n, unsigned char *end)
{
	struct gllm_insn got;

	for (size_t k = 0; k < n; k++) {
		unsigned char *at = end - k;
		for (size_t i = 0; i < k; i++)
			at[i] = bytes[i];
		if (gllm_x86_decode(at, k, want->addr, &got) != GLLM_TRUNCATED)
			return false;
	}
	for (size_t i = 0; i < n; i++)
		(end - n)[i] = bytes[i];
	return gllm_x86_decode(end - n, n, want->addr, &got) == GLLM_OK && x86_same(want, &got) && got.length == n;
}

/* Is this what an instruction of whole vectors, or of general registers of 32 or 64 bits, is made of? */
static bool is_register(const struct gllm_operand *o, unsigned cls, unsigned bits)
{
	return o->kind == GLLM_O_REG && o->cls == cls && o->size == bits;
}

static bool is_address(const struct gllm_operand *o)
{
	return o->kind == GLLM_O_MEM && o->base < 16 && !o->index_vec;
}

/* The instruction as select puts it from the numbers of its registers; 0 if it is none that select would put so. `put` counts
 * them by shape. */
static size_t put_by_shape(const struct gllm_insn *in, unsigned char *out, unsigned put[X86_GENERAL_AT + 1])
{
	const struct gllm_x86_form *f = &gllm_x86_forms[in->row];
	bool vectors = f->shape == X86_VECTORS || f->shape == X86_VECTORS_AT, only_memory = f->shape == X86_VECTORS_AT || f->shape == X86_GENERAL_AT;
	unsigned reg = 0, vvv = 0, rm = 0, bits = vectors ? 128u << in->vl : 0;
	const struct gllm_operand *m = NULL;
	int64_t imm = 0;
	unsigned char *o;
	size_t imm_bytes = 0;

	if (f->shape == X86_OTHER || in->rounding || in->rep)
		return 0;
	for (unsigned k = 0; k < in->n; k++) {
		const struct gllm_operand *x = &in->op[k];
		unsigned place = gllm_x86_place(f->op[k]);
		if (!vectors && x->kind == GLLM_O_REG && bits == 0)
			bits = x->size;
		if (place == P_IB || place == P_IS || place == P_IZ) {
			imm = x->imm;
			imm_bytes = place == P_IZ ? 4 : 1;
		} else if (is_address(x)) {
			m = x;
		} else if (!is_register(x, vectors ? GLLM_R_VEC : GLLM_R_GPR, bits) || (bits != 32 && bits < 64)) {
			return 0;
		} else {
			*(place == P_REG ? &reg : place == P_VVV ? &vvv : &rm) = x->reg;
		}
	}
	if ((only_memory && !m) || (!m && (in->mask | in->zeroing)) || (f->n < 8 && bits == 0 && !(f->w & WIG)))
		return 0;
	if (vectors)
		o = m ? gllm_x86_put_vectors_at(out, f, in->vl, gllm_x86_decoration(in->mask, in->zeroing, in->broadcast), reg, vvv, m)
		      : gllm_x86_put_vectors(out, f, in->vl, 0, reg, vvv, rm);
	else
		o = m ? gllm_x86_put_general_at(out, f, bits == 64, reg, m) : gllm_x86_put_general(out, f, bits == 64, reg, rm);
	for (size_t k = 0; k < imm_bytes; k++)
		*o++ = (unsigned char)((uint64_t)imm >> 8 * k);
	put[f->shape]++;
	return (size_t)(o - out);
}

static bool round_trip(const struct gllm_insn *in, unsigned char *end, unsigned put[X86_GENERAL_AT + 1], const char **why)
{
	unsigned char bytes[16], again[16];
	struct gllm_insn got;
	size_t n = gllm_x86_encode(in, bytes);

	*why = "not encoded";
	if (n == 0)
		return x86_has_high_byte(in);
	*why = "not decoded";
	if (gllm_x86_decode(bytes, n, in->addr, &got) != GLLM_OK || got.length != n)
		return false;
	*why = "decoded to something else";
	if (!x86_same(in, &got))
		return false;
	*why = "encoded to other bytes";
	if (gllm_x86_encode(&got, again) != n || !same_bytes(bytes, again, n))
		return false;
	*why = "put by its shape as other bytes";
	unsigned char shaped[X86_ROOM];
	size_t short_way = put_by_shape(in, shaped, put);
	if (short_way != 0 && (short_way != n || !same_bytes(bytes, shaped, n)))
		return false;
	*why = "cut string not GLLM_TRUNCATED";
	return cut_right(in, bytes, n, end);
}

static void check_rows(struct check *t, unsigned char *end)
{
	const struct x86_draw r = { draw, t };
	unsigned put[X86_GENERAL_AT + 1] = { 0 };

	for (unsigned row = 0; row < X86_ROWS; row++) {
		const char *why = "";
		bool ok = true;
		for (unsigned i = 0; i < PER_ROW && ok; i++) {
			struct gllm_insn in;
			char text[128];
			x86_random_insn(&r, row, &in);
			ok = round_trip(&in, end, put, &why);
			gllm_x86_text(&in, text, sizeof text);
			if (!ok)
				check_print(t, "row %u: %s: %s\n", row, why, text);
		}
		CHECK(t, ok);
	}
	for (unsigned shape = X86_VECTORS; shape <= X86_GENERAL_AT; shape++)
		CHECK(t, put[shape] > PER_ROW);
}

static bool same_key(const struct gllm_x86_form *a, const struct gllm_x86_form *b)
{
	return a->enc == b->enc && a->map == b->map && a->pp == b->pp && a->opcode == b->opcode;
}

/* The decoder walks neighbours only. */
static void check_runs(struct check *t)
{
	const struct gllm_x86_form *form = gllm_x86_forms;
	unsigned apart = 0;

	for (unsigned i = 0; i < X86_ROWS; i++)
		for (unsigned j = i + 2; j < X86_ROWS; j++)
			if (same_key(&form[i], &form[j]) && !same_key(&form[j - 1], &form[j])) {
				check_print(t, "rows %s and %s of one key are apart\n", form[i].text, form[j].text);
				apart++;
			}
	CHECK_EQ(t, apart, 0);
}

static void random_bytes(struct check *t, unsigned char *b, size_t n)
{
	static const unsigned char start[16] = { 0x62, 0xc4, 0xc5, 0x0f, 0x66, 0xf2, 0xf3, 0x48, 0x41, 0x62, 0xc4, 0x0f, 0, 0, 0, 0 };
	static const unsigned char map[5] = { 1, 2, 3, 5, 6 };
	uint64_t x = check_random(t);

	for (size_t i = 0; i < n; i++)
		b[i] = (unsigned char)check_random(t);
	if (start[x & 15])
		b[0] = start[x & 15];
	if (b[0] == 0x62) { /* fixed bits, so that more than one string in fifty is an instruction */
		b[1] = (unsigned char)((b[1] & 0xf0) | map[(x >> 8) % 5]);
		b[2] |= 4;
		if (x & 16)
			b[3] &= 0x6f;
	} else if (b[0] == 0xc4) {
		b[1] = (unsigned char)((b[1] & 0xe0) | (1 + (b[1] & 3) % 3));
	}
	if (x & 32 && (b[0] == 0x66 || b[0] == 0xf2 || b[0] == 0xf3 || b[0] == 0x48))
		b[1] = 0x0f;
}

static bool counts_from_end(const struct gllm_insn *in)
{
	for (unsigned i = 0; i < in->n; i++)
		if (in->op[i].kind == GLLM_O_REL || (in->op[i].kind == GLLM_O_MEM && in->op[i].base == GLLM_REG_PC))
			return true;
	return false;
}

/* What random bytes decode to is stable under cutting, and encodes to bytes that mean the same. */
static bool random_string(const unsigned char *bytes, unsigned char *end, unsigned *accepted)
{
	struct gllm_insn first, got;
	unsigned char again[16];
	enum gllm_status full = gllm_x86_decode(bytes, 15, 4096, &first);
	size_t n;

	if (full == GLLM_TRUNCATED)
		return false; /* fifteen bytes are always enough */
	for (size_t k = 0; k <= 15; k++) {
		enum gllm_status s;
		for (size_t i = 0; i < k; i++)
			(end - k)[i] = bytes[i];
		s = gllm_x86_decode(end - k, k, 4096, &got);
		if (full == GLLM_OK && s != (k < first.length ? GLLM_TRUNCATED : GLLM_OK))
			return false;
		if (full != GLLM_OK && s == GLLM_OK)
			return false;
	}
	if (full != GLLM_OK)
		return true;
	++*accepted;
	n = gllm_x86_encode(&first, again);
	if (n != first.length && counts_from_end(&first))
		return true; /* another length may put the target out of reach */
	return n != 0 && n <= first.length && gllm_x86_decode(again, n, 4096, &got) == GLLM_OK && x86_same(&first, &got);
}

static void check_random_bytes(struct check *t, unsigned char *end)
{
	unsigned accepted = 0, bad = 0;

	for (unsigned i = 0; i < RANDOM_STRINGS; i++) {
		unsigned char bytes[16];
		random_bytes(t, bytes, sizeof bytes);
		if (!random_string(bytes, end, &accepted) && bad++ < 8) {
			struct gllm_insn in;
			char text[128] = "";
			if (gllm_x86_decode(bytes, 15, 4096, &in) == GLLM_OK)
				gllm_x86_text(&in, text, sizeof text);
			check_print(t, "%x %x %x %x %x %x %x %x: %s\n", (unsigned)bytes[0], (unsigned)bytes[1], (unsigned)bytes[2],
			            (unsigned)bytes[3], (unsigned)bytes[4], (unsigned)bytes[5], (unsigned)bytes[6],
			            (unsigned)bytes[7], text);
		}
	}
	CHECK_EQ(t, bad, 0);
	CHECK(t, accepted > RANDOM_STRINGS / 20);
}

static void check_refusals(struct check *t)
{
	unsigned char out[16];
	struct gllm_insn in = { .row = X86_VADDPS, .n = 3, .op = { x86_vec(0, 256), x86_vec(1, 256), x86_vec(2, 128) } };

	CHECK_EQ(t, gllm_x86_encode(&in, out), 0); /* sizes differ */
	in.op[2] = x86_vec(16, 256);
	CHECK_EQ(t, gllm_x86_encode(&in, out), 0); /* no such register in VEX */
	in.op[2] = x86_mem(X86_RAX, X86_RSP, 0, 0, 256);
	CHECK_EQ(t, gllm_x86_encode(&in, out), 0); /* rsp is no index */
	in.op[2] = x86_mem(X86_RAX, X86_RCX, 0, INT64_C(1) << 31, 256);
	CHECK_EQ(t, gllm_x86_encode(&in, out), 0);
	in.op[2] = x86_mem(X86_RAX, X86_RCX, 0, 64, 0);
	CHECK_EQ(t, gllm_x86_encode(&in, out), 6);
	in.mask = 1;
	CHECK_EQ(t, gllm_x86_encode(&in, out), 0); /* masks are EVEX's */
	in = (struct gllm_insn){ .row = X86_EVADDPS, .n = 3, .rounding = 1,
	                         .op = { x86_vec(0, 256), x86_vec(1, 256), x86_vec(2, 256) } };
	CHECK_EQ(t, gllm_x86_encode(&in, out), 0); /* rounding implies 512 bits */
	in = (struct gllm_insn){ .row = X86_ADD8_MR, .n = 2, .op = { x86_gpr(X86_AH, 8), x86_gpr(X86_R8, 8) } };
	CHECK_EQ(t, gllm_x86_encode(&in, out), 0); /* ah beside REX */
	in = (struct gllm_insn){ .row = X86_JMP_8, .n = 1, .op = { x86_rel(200) } };
	CHECK_EQ(t, gllm_x86_encode(&in, out), 0); /* out of reach */
	in.op[0] = x86_rel(129);
	CHECK_EQ(t, gllm_x86_encode(&in, out), 2);
	in.row = X86_ROWS;
	CHECK_EQ(t, gllm_x86_encode(&in, out), 0);
}

static void check_spelling(struct check *t)
{
	static const struct { const char *text; unsigned n; unsigned char bytes[15]; } known[] = {
		{ "nop", 1, { 0x90 } },
		{ "endbr64", 4, { 0xf3, 0x0f, 0x1e, 0xfa } },
		{ "nop word ptr cs:[rax + rax]", 10, { 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 } },
		{ "nop word ptr cs:[rax + rax]", 11, { 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 } },
		{ "notrack jmp rax", 3, { 0x3e, 0xff, 0xe0 } },
		{ "lea rax, [rdi + 4*rsi - 8]", 5, { 0x48, 0x8d, 0x44, 0xb7, 0xf8 } },
		{ "addss xmm0, dword ptr [rdi + 4*rax]", 5, { 0xf3, 0x0f, 0x58, 0x04, 0x87 } },
		{ "setb sil", 4, { 0x40, 0x0f, 0x92, 0xc6 } },
		{ "mov dh, ah", 2, { 0x88, 0xe6 } },
		{ "vfmadd231ps ymm1, ymm0, ymmword ptr [rdx + 32]", 6, { 0xc4, 0xe2, 0x7d, 0xb8, 0x4a, 0x20 } },
		{ "vaddps zmm1 {k2} {z}, zmm3, dword ptr [rax + 4]{1to16}", 7, { 0x62, 0xf1, 0x64, 0xda, 0x58, 0x48, 0x01 } },
		{ "rep movsq qword ptr es:[rdi], qword ptr [rsi]", 3, { 0xf3, 0x48, 0xa5 } },
		{ "blendvps xmm1, xmm2, xmm0", 5, { 0x66, 0x0f, 0x38, 0x14, 0xca } },
		{ "vgatherqps xmm0, qword ptr [rax + 2*xmm1], xmm2", 6, { 0xc4, 0xe2, 0x69, 0x93, 0x04, 0x48 } },
		{ "vgatherdpd ymm0 {k1}, ymmword ptr [rax + 2*xmm17]", 7, { 0x62, 0xf2, 0xfd, 0x21, 0x92, 0x04, 0x48 } },
		{ "vcvtsi2ss xmm0, xmm1, {rn-sae}, eax", 6, { 0x62, 0xf1, 0x76, 0x18, 0x2a, 0xc0 } },
		{ "vaddph zmm1, zmm3, word ptr [rax + 2]{1to32}", 7, { 0x62, 0xf5, 0x64, 0x58, 0x58, 0x48, 0x01 } },
		{ "vfmadd231sh xmm1, xmm3, xmm2", 6, { 0x62, 0xf6, 0x65, 0x08, 0xb9, 0xca } },
		{ "vaddps zmm1, zmm3, zmm2, {rz-sae}", 6, { 0x62, 0xf1, 0x64, 0x78, 0x58, 0xca } },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct gllm_insn in;
		char text[96] = "", small[5];
		CHECK_STATUS(t, gllm_x86_decode(known[i].bytes, known[i].n, 0, &in), GLLM_OK);
		CHECK_EQ(t, in.length, known[i].n);
		CHECK_EQ(t, gllm_x86_text(&in, text, sizeof text) > 0, 1);
		CHECK_TEXT(t, text, known[i].text);
		CHECK(t, gllm_x86_text(&in, small, sizeof small) < sizeof small && small[0] == text[0]);
	}
}

static void check_features(struct check *t)
{
	struct gllm_insn in = { .row = X86_ADDSS };

	CHECK_EQ(t, gllm_x86_features(&in), 0);
	in.row = X86_VPADDD;
	CHECK_EQ(t, gllm_x86_features(&in), GLLM_BIT(GLLM_X86_AVX));
	in.vl = 1;
	CHECK_EQ(t, gllm_x86_features(&in), GLLM_BIT(GLLM_X86_AVX) | GLLM_BIT(GLLM_X86_AVX2));
	in.row = X86_EVPADDD;
	CHECK_EQ(t, gllm_x86_features(&in), GLLM_BIT(GLLM_X86_AVX512F) | GLLM_BIT(GLLM_X86_AVX512VL));
	in.vl = 2;
	CHECK_EQ(t, gllm_x86_features(&in), GLLM_BIT(GLLM_X86_AVX512F));
}

/* Meanings are well formed: known operations, locations that exist, temporaries written before they are read. */
static bool well_formed(const struct gllm_sem *s)
{
	uint32_t written = 0;

	if (s->n == 0 || s->n > GLLM_SEM_MAX)
		return false;
	for (unsigned i = 0; i < s->n; i++) {
		const struct gllm_sem_op_rec *r = &s->op[i];
		const uint8_t from[3] = { r->a, r->b, r->c };
		if (r->op >= GLLM_S_COUNT || (r->d >= GLLM_LOC_COUNT && r->d != GLLM_LOC_NONE))
			return false;
		for (unsigned j = 0; j < 3; j++) {
			if (from[j] >= GLLM_LOC_COUNT && from[j] < GLLM_LOC_ZERO)
				return false;
			if (from[j] >= GLLM_LOC_T0 && from[j] < GLLM_LOC_COUNT && !(written >> (from[j] - GLLM_LOC_T0) & 1))
				return false;
		}
		if (r->d >= GLLM_LOC_T0 && r->d < GLLM_LOC_COUNT)
			written |= UINT32_C(1) << (r->d - GLLM_LOC_T0);
	}
	return true;
}

static void check_meanings(struct check *t)
{
	const struct x86_draw r = { draw, t };
	unsigned said = 0, malformed = 0;

	for (unsigned row = 0; row < X86_ROWS; row++) {
		bool any = false;
		for (unsigned i = 0; i < 8 * PER_ROW; i++) { /* an immediate or a size decides whether some have one */
			struct gllm_insn in;
			struct gllm_sem_op_rec meaning[GLLM_SEM_MAX];
			struct gllm_sem sem = { .op = meaning };
			enum gllm_status s;
			x86_random_insn(&r, row, &in);
			s = gllm_x86_meaning(&in, &sem);
			any |= s == GLLM_OK;
			if (s == GLLM_OK ? !well_formed(&sem) : s != GLLM_NOT_LIFTED || sem.n != 0) {
				char text[128];
				gllm_x86_text(&in, text, sizeof text);
				check_print(t, "meaning of %s\n", text);
				malformed++;
			}
		}
		if (any != (gllm_x86_forms[row].sem != SEM_NONE)) {
			check_print(t, "row %u, %s, never has a meaning\n", row, gllm_x86_forms[row].text);
			malformed++;
		}
		said += any;
	}
	CHECK_EQ(t, malformed, 0);
	CHECK(t, said > 150);
}

void check_x86_insn(struct check *t)
{
	unsigned char buffer[32], *page = NULL;

	if (t->host->guarded != NULL)
		page = t->host->guarded(t->host->user, 64, true);
	else
		check_skip(t, "no guard pages: reads beyond the end of truncated instructions are not seen");
	check_rows(t, page ? page + 64 : buffer + sizeof buffer);
	check_random_bytes(t, page ? page + 64 : buffer + sizeof buffer);
	if (page != NULL)
		t->host->guarded_free(t->host->user, page, 64, true);
	check_runs(t);
	check_refusals(t);
	check_spelling(t);
	check_features(t);
	check_meanings(t);
}
