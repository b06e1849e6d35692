/* SPDX-License-Identifier: MIT
 * tests/diff/insn_long.c - hosted: the instruction tables against LLVM and Capstone in this process, millions of times.
 *
 *   insn_long x86|a64 N SEED    N structured and random strings (words): what the table accepts, LLVM accepts too, with
 *                               the same length, mnemonic and operands; Capstone agrees where it knows the instruction
 *   insn_long x86|a64 gaps      every opcode of the encoding space: "bytes text" of what LLVM accepts and the table refuses,
 *                               for insn_gaps.py
 *
 * LLVM is opened when it runs, so nothing of it is needed to build this. The last line is `N passed, N failed`; the exit
 * code is 1 if anything failed. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/aarch64/form.h"
#include "core/bits.h"
#include "tests/diff/insn_long.h"
#if __has_include(<capstone/capstone.h>)
#include <capstone/capstone.h>
#define HAVE_CAPSTONE 1
#else
#define HAVE_CAPSTONE 0
#endif

/* --- LLVM ----------------------------------------------------------------------------------------------------------- */

static struct {
	void *context;
	size_t (*disassemble)(void *context, uint8_t *bytes, uint64_t size, uint64_t pc, char *out, size_t out_size);
} llvm;

static bool open_llvm(bool x86)
{
	static const char *const name[] = { "libLLVM-16.so.1", "libLLVM-16.so", "libLLVM.so.17" };
	void *lib = NULL;
	for (size_t i = 0; i < GLLM_COUNT(name) && !lib; i++)
		lib = dlopen(name[i], RTLD_NOW);
	if (!lib)
		return false;
	static const char *const parts[] = { "TargetInfo", "TargetMC", "Disassembler" };
	for (size_t i = 0; i < GLLM_COUNT(parts); i++) {
		char symbol[64];
		snprintf(symbol, sizeof symbol, "LLVMInitialize%s%s", x86 ? "X86" : "AArch64", parts[i]);
		void (*start)(void) = (void (*)(void))dlsym(lib, symbol);
		if (!start)
			return false;
		start();
	}
	void *(*create)(const char *triple, const char *cpu, const char *features, void *info, int tag, void *op,
	                void *symbols) = (void *(*)(const char *, const char *, const char *, void *, int, void *, void *))
		dlsym(lib, "LLVMCreateDisasmCPUFeatures");
	int (*options)(void *, uint64_t) = (int (*)(void *, uint64_t))dlsym(lib, "LLVMSetDisasmOptions");
	llvm.disassemble = (size_t (*)(void *, uint8_t *, uint64_t, uint64_t, char *, size_t))dlsym(lib, "LLVMDisasmInstruction");
	if (!create || !options || !llvm.disassemble)
		return false;
	llvm.context = x86 ? create("x86_64", "sapphirerapids", "", NULL, 0, NULL, NULL)
	                   : create("aarch64", "", "+v8.6a,+sve2,+fullfp16,+dotprod,+bf16,+i8mm,+fp16fml,+spe,+tracev8.4", NULL, 0,
	                            NULL, NULL);
	return llvm.context && (!x86 || options(llvm.context, 4)); /* the other assembler syntax: Intel */
}

/* --- spelling ------------------------------------------------------------------------------------------------------- */

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A number may not begin inside a name, and a float is told by its point. */
static const char *number(const char *s, uint64_t *value, double *real)
{
	char *end;
	bool negative = *s == '-';
	const char *p = s + negative;
	if (!is_digit(*p))
		return NULL;
	*value = strtoull(p, &end, 0);
	*real = 0;
	if (*end == '.' && is_digit(end[1]))
		*real = strtod(p, &end);
	if (negative)
		*value = 0 - *value, *real = -*real;
	return end;
}

/* Immediates of 8, 16, 32 bits are printed signed by one and unsigned by the other. */
static bool same_number(uint64_t a, uint64_t b, bool loose)
{
	uint64_t d = a - b;
	return d == 0 || (loose && (d == 1u << 8 || 0 - d == 1u << 8 || d == 1u << 16 || 0 - d == 1u << 16 ||
	                            d == UINT64_C(1) << 32 || 0 - d == UINT64_C(1) << 32));
}

static bool same_text(const char *a, const char *b, bool loose)
{
	char before = ' ';
	bool inside = false;
	for (;;) {
		while (*a == ' ' || *a == '\t' || *a == '#')
			a++, before = ' ';
		while (*b == ' ' || *b == '\t' || *b == '#')
			b++, before = ' ';
		uint64_t x, y;
		double u, v;
		const char *p = is_word(before) ? NULL : number(a, &x, &u), *q = is_word(before) ? NULL : number(b, &y, &v);
		if (p && q) {
			if (!same_number(x, y, loose && !inside) || u < v || u > v)
				return false;
			a = p, b = q, before = '0';
			continue;
		}
		if (*a != *b)
			return false;
		if (!*a)
			return true;
		inside = *a == '[' ? true : *a == ']' ? false : inside;
		before = *a;
		a++, b++;
	}
}

static void replace(char *text, const char *from, const char *to) /* to is not longer */
{
	for (char *p = text; (p = strstr(p, from)) != NULL; p += strlen(to)) {
		memcpy(p, to, strlen(to));
		memmove(p + strlen(to), p + strlen(from), strlen(p + strlen(from)) + 1);
	}
}

/* Predicates that stand in the mnemonic become the last operand. */
static void x86_predicate(char *text)
{
	static const char *const real[32] = { "eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord", "eq_uq", "nge", "ngt",
		"false", "neq_oq", "ge", "gt", "true", "eq_os", "lt_oq", "le_oq", "unord_s", "neq_us", "nlt_uq", "nle_uq",
		"ord_s", "eq_us", "nge_uq", "ngt_uq", "false_os", "neq_os", "ge_oq", "gt_oq", "true_us" };
	static const char *const kinds[] = { "ps", "pd", "ss", "sd", "ph", "sh" };
	static const char *const whole[] = { "b", "w", "d", "q", "ub", "uw", "ud", "uq" };
	char *space = strchr(text, ' '), *word = strstr(text, "cmp");
	bool integer = word == text + 2 && text[1] == 'p';
	if (!space || !word || word > text + 2 || (word == text + 1 && *text != 'v') || (integer && !strstr(text, " k")))
		return;
	char *tail = word + 3, copy[160];
	size_t n = (size_t)(space - tail);
	for (unsigned i = 0; i < 32; i++) {
		if (integer && (i > 6 || i == 3))
			continue;
		size_t len = strlen(real[i]);
		for (unsigned k = 0; len < n && k < (integer ? 8 : 6); k++) {
			const char *kind = integer ? whole[k] : kinds[k];
			if (strncmp(tail, real[i], len) || n != len + strlen(kind) || strncmp(tail + len, kind, strlen(kind)))
				continue;
			if (integer && strstr(text, "vpcmpeq") && !strchr(text, 'k'))
				return;
			snprintf(copy, sizeof copy, "%.*s%s%s, %u", (int)(tail - text), text, kind, space, i);
			strcpy(text, copy);
			return;
		}
	}
}

static void x86_spelling(char *text)
{
	char *p = text, *q;
	while (*p == ' ' || *p == '\t')
		p++;
	memmove(text, p, strlen(p) + 1);
	for (p = text; *p; p++)
		if (*p == '\t')
			*p = ' ';
	if ((p = strstr(text, " #")) != NULL)
		*p = 0;
	replace(text, "{evex} ", "");
	replace(text, "{vex} ", "");
	x86_predicate(text);
	static const char *const idle[] = { " + 8*riz", " + 4*riz", " + 2*riz", " + riz" };
	for (size_t i = 0; i < GLLM_COUNT(idle); i++)
		replace(text, idle[i], "");
	static const char *const first[] = { "[8*riz", "[4*riz", "[2*riz", "[riz" };
	for (size_t i = 0; i < GLLM_COUNT(first); i++)
		replace(text, first[i], "[");
	replace(text, "[ + ", "[");
	replace(text, "[ - ", "[-");
	replace(text, "[1*", "[");
	if ((p = strstr(text, "[]")) != NULL) { /* an absent index alone, at address 0 */
		memmove(p + 2, p + 1, strlen(p + 1) + 1);
		p[1] = '0';
	}
	replace(text, "xchg ax, ax", "nop");
	size_t n = strlen(text);
	if (n > 3 && (!strncmp(text, "ro", 2) || !strncmp(text, "rc", 2) || !strncmp(text, "sh", 2) || !strncmp(text, "sa", 2)) &&
	    (text[2] == 'l' || text[2] == 'r') && text[3] == ' ' && !strcmp(text + n - 3, ", 1"))
		text[n - 3] = 0;
	if (!strncmp(text, "xchg ", 5) && (p = strstr(text, ", ")) != NULL) { /* in either order */
		q = p + 2;
		*p = 0;
		if (strcmp(text + 5, q) > 0) {
			char copy[160];
			snprintf(copy, sizeof copy, "xchg %s, %s", q, text + 5);
			strcpy(text, copy);
		} else {
			*p = ',';
		}
	}
}

/* --- counting ------------------------------------------------------------------------------------------------------- */

static uint64_t seed, strings, accepted, failed, excused, second, second_other;

static uint64_t draw(void *user)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
	(void)user;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void print_bytes(const unsigned char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", (unsigned)b[i]);
}

static void disagree(const unsigned char *b, size_t n, const char *who, const char *ours, const char *theirs)
{
	if (++failed <= 40) {
		print_bytes(b, n);
		printf(": ours `%s`, %s `%s`\n", ours, who, theirs);
	}
}

/* One that LLVM knows and the table refuses: bytes and text, for insn_gaps.py. */
static void print_gap(const unsigned char *b, size_t n, const char *text)
{
	print_bytes(b, n);
	printf("\t%s\n", text);
}

/* --- the second opinion --------------------------------------------------------------------------------------------- */

#if HAVE_CAPSTONE
/* Other names of one instruction, ours first: Capstone spells aliases and predicates in its own way. */
static bool known_alias(const char *ours, const char *theirs)
{
	static const char *const pair[][2] = {
		{ "mov", "ins" }, { "mov", "movn" }, { "mov", "movz" }, { "mov", "orr" }, { "mov", "dup" }, { "bfc", "bfi" },
		{ "bfc", "bfxil" }, { "ssbb", "dsb" }, { "pssbb", "dsb" }, { "csneg", "cneg" }, { "csinv", "cinv" },
		{ "csinc", "cinc" }, { "csinc", "cset" }, { "csinv", "csetm" }, { "bti", "hint" }, { "psb", "hint" },
		{ "tsb", "hint" }, { "esb", "hint" }, { "dgh", "hint" }, { "csdb", "hint" }, { "xpaclri", "hint" },
		{ "pac", "hint" }, { "aut", "hint" }, { "vpcmp", "vpcmp" }, { "vcmp", "vcmp" }, { "cmp", "cmp" }, { "rep", "rep" },
		{ "sys", "tlbi" }, { "sys", "at" }, { "sys", "dc" }, { "sys", "ic" }, { "nop", "xchg" }, { "movq", "movd" },
		{ "rep", "ret" }, { "notrack", "jmp" }, { "notrack", "call" }, { "notrack", "notrack" },
		{ "vcvttpd2dq", "vcvttpd2dqx" }, { "vcvtpd2dq", "vcvtpd2dqx" }, { "vcvtpd2ps", "vcvtpd2psx" },
	};
	for (size_t i = 0; i < GLLM_COUNT(pair); i++)
		if (!strncmp(ours, pair[i][0], strlen(pair[i][0])) && !strncmp(theirs, pair[i][1], strlen(pair[i][1])))
			return true;
	return false;
}

static csh capstone;
static cs_insn *capstone_insn;
static void open_capstone(bool x86)
{
	if (cs_open(x86 ? CS_ARCH_X86 : CS_ARCH_ARM64, x86 ? CS_MODE_64 : CS_MODE_LITTLE_ENDIAN, &capstone) == CS_ERR_OK)
		capstone_insn = cs_malloc(capstone);
}
/* The length and the mnemonic, where it knows the instruction at all. */
static void compare_second(const unsigned char *b, size_t size, size_t length, const char *ours)
{
	const uint8_t *p = b;
	uint64_t addr = 0;
	size_t n = strcspn(ours, " ");
	if (!capstone_insn || !cs_disasm_iter(capstone, &p, &size, &addr, capstone_insn))
		return;
	second++;
	if (capstone_insn->size == length && strlen(capstone_insn->mnemonic) == n && !strncmp(capstone_insn->mnemonic, ours, n))
		return;
	if (capstone_insn->size == length && known_alias(ours, capstone_insn->mnemonic)) {
		second_other++;
		return;
	}
	if (b[0] == 0x62 && capstone_insn->size == length + 1 && strstr(ours, "-sae}")) {
		excused++; /* version 4 reads a byte too many after a stated rounding mode */
		return;
	}
	if (b[0] == 0x62 && b[3] & 0x60 && n > 2 && !strncmp(ours + n - 2, "sd", 2) &&
	    strlen(capstone_insn->mnemonic) == n && !strncmp(capstone_insn->mnemonic, ours, n - 1)) {
		excused++; /* and takes a double for a single where the length, which scalars ignore, is set */
		return;
	}
	if (capstone_insn->size == length && memchr(b, 0x66, 4) &&
	    (!strncmp(ours, "tzcnt", 5) || !strncmp(ours, "lzcnt", 5) || !strncmp(ours, "popcnt", 6) || !strncmp(ours, "crc32", 5))) {
		excused++; /* and loses f2 or f3 where 66 stands behind it */
		return;
	}
	disagree(b, length, "Capstone", ours, capstone_insn->mnemonic);
}
#else
static void open_capstone(bool x86) { (void)x86; }
static void compare_second(const unsigned char *b, size_t size, size_t length, const char *ours)
{
	(void)b, (void)size, (void)length, (void)ours;
}
#endif

/* --- x86-64 --------------------------------------------------------------------------------------------------------- */

static bool gap_mode;

/* The manual ignores the length of these scalars; LLVM 16 wants it 0. */
static bool length_matters(const char *text)
{
	static const char *const name[] = { "vgetexpsh ", "vscalefsh ", "vrndscalesh ", "vfpclasssh " };
	for (size_t i = 0; i < GLLM_COUNT(name); i++)
		if (!strncmp(text, name[i], strlen(name[i])))
			return true;
	return false;
}

static void x86_string(unsigned char *b, size_t size)
{
	char ours[160] = "", theirs[200] = "";
	size_t length = insn_long_x86(b, size, ours, sizeof ours);
	strings++;
	accepted += length != 0;
	if (!length && !gap_mode)
		return;
	if (length && gap_mode)
		return;
	size_t got = llvm.disassemble(llvm.context, b, size, 0, theirs, sizeof theirs);
	if (gap_mode) {
		if (got)
			print_gap(b, got, theirs);
		return;
	}
	x86_spelling(theirs);
	/* LLVM reads some prefixes as instructions of their own. */
	if (got == 1 && length > 1 && (!strcmp(theirs, "rep") || !strcmp(theirs, "notrack"))) {
		char more[160] = "";
		size_t rest = llvm.disassemble(llvm.context, b + 1, size - 1, 1, more, sizeof more);
		x86_spelling(more);
		snprintf(theirs + strlen(theirs), sizeof theirs - strlen(theirs), " %s", more);
		got += rest;
	}
	x86_spelling(ours);
	char *pointer = strstr(ours, "qword ptr [");
	if (!strncmp(ours, "notrack ", 8) && pointer && !strncmp(theirs, ours + 8, 4)) { /* LLVM sees the segment in that prefix */
		memmove(pointer + 13, pointer + 10, strlen(pointer + 10) + 1);
		memcpy(pointer + 10, "ds:", 3);
	}
	replace(ours, "notrack ", ""); /* which it prints in some settings only */
	replace(theirs, "notrack ", "");
	if (!got && b[0] == 0x62 && b[3] & 0x60 && length_matters(ours)) {
		excused++;
		return;
	}
	if (got != length || !same_text(ours, theirs, true))
		disagree(b, length, "LLVM", ours, got ? theirs : "refused");
	compare_second(b, size, length, ours);
}

static void x86_random_string(unsigned char *b)
{
	uint64_t x = draw(NULL), y = draw(NULL);
	static const unsigned char legacy[] = { 0x66, 0xf2, 0xf3, 0x48, 0x41, 0x4f, 0x44, 0 };
	static const unsigned char evex_map[] = { 1, 2, 3, 5, 6 };
	size_t at = 0;
	for (unsigned i = 0; i < 16; i++)
		b[i] = (unsigned char)(draw(NULL) >> 24);
	switch (x & 7) {
	case 0: case 1: case 2:
		b[0] = 0x62;
		b[1] = (unsigned char)((b[1] & 0xf0) | evex_map[(y >> 8) % 5]);
		b[2] |= 4;
		if (x & 8)
			b[3] &= 0x6f;
		if (x & 16)
			b[3] |= 8, b[2] |= 0x78;
		break;
	case 3:
		b[0] = 0xc4;
		b[1] = (unsigned char)((b[1] & 0xe0) | (1 + y % 3));
		if (x & 16)
			b[2] |= 0x78;
		break;
	case 4:
		b[0] = 0xc5;
		break;
	default:
		while (at < 3 && (x >> (8 + at) & 1)) {
			b[at] = legacy[y >> (8 * at) & 7];
			if (b[at++] == 0)
				at--, x &= ~(UINT64_C(1) << (8 + at));
		}
		if (x >> 16 & 1)
			b[at++] = 0x0f;
		if (x >> 16 & 1 && x >> 17 & 1)
			b[at] = x >> 18 & 1 ? 0x38 : 0x3a;
		break;
	}
}

/* One point of the encoding space: with a register or with memory as ModRM says, v: whether vvvv names a register. */
struct point { unsigned map, pp, opcode, modrm, w, ll, bc, mask, v; };

static void gap_tail(unsigned char *b, unsigned char *p, const struct point *g)
{
	*p++ = (unsigned char)g->opcode;
	*p++ = (unsigned char)g->modrm;
	*p++ = 0x51;
	x86_string(b, 15);
}

static void gap_evex(const struct point *g)
{
	static const unsigned char map[] = { 1, 2, 3, 5, 6 };
	unsigned char b[16] = { 0x62, (unsigned char)(0xf0 | map[g->map]), (unsigned char)(g->w << 7 | (g->v ? 0x58 : 0x78) | 4 | g->pp),
	                        (unsigned char)(g->ll << 5 | g->bc << 4 | 8 | g->mask) };
	gap_tail(b, b + 4, g);
}

static void gap_vex(const struct point *g) /* the short form where it says the same */
{
	unsigned char b[16] = { 0 }, *p = b;
	bool three = g->map || g->w;
	if (g->map > 2 || g->bc || g->mask || g->ll > 1)
		return;
	*p++ = three ? 0xc4 : 0xc5;
	if (three)
		*p++ = (unsigned char)(0xe0 | (g->map + 1));
	*p++ = (unsigned char)((three ? g->w : 1) << 7 | (g->v ? 0x58 : 0x78) | g->ll << 2 | g->pp);
	gap_tail(b, p, g);
}

static void gap_legacy(const struct point *g)
{
	static const unsigned char prefix[] = { 0, 0x66, 0xf3, 0xf2 };
	unsigned char b[16] = { 0 }, *p = b;
	if (g->map > 3 || g->bc || g->mask || g->ll || g->v)
		return;
	if (g->pp)
		*p++ = prefix[g->pp];
	if (g->w)
		*p++ = 0x48;
	if (g->map)
		*p++ = 0x0f;
	if (g->map > 1)
		*p++ = g->map == 2 ? 0x38 : 0x3a;
	gap_tail(b, p, g);
}

/* Every opcode of every map, prefix, size and length, every ModRM.reg, with a register and with memory. */
static void x86_gaps(void)
{
	for (uint32_t i = 0; i < 5u << 22; i++) {
		uint32_t x = i & ((1u << 22) - 1);
		unsigned reg = x >> 10 & 7;
		struct point g = { .map = i >> 22, .opcode = x & 255, .pp = x >> 8 & 3, .w = x >> 13 & 1, .ll = x >> 14 & 3,
		                   .bc = x >> 16 & 1, .mask = x >> 17 & 1, .v = x >> 18 & 1 };
		if (x >> 20)
			continue;
		g.modrm = reg << 3 | (x >> 19 & 1 ? 0xc1 : 4);
		gap_evex(&g);
		gap_vex(&g);
		gap_legacy(&g);
	}
}

/* --- AArch64 -------------------------------------------------------------------------------------------------------- */

static void a64_word(uint32_t word)
{
	unsigned char b[4];
	struct gllm_insn in;
	char ours[128] = "", theirs[160] = "";
	gllm_put_le32(b, word);
	bool ok = gllm_a64_decode(b, 4, 0, &in) == GLLM_OK;
	strings++;
	accepted += ok;
	if (ok == gap_mode)
		return;
	size_t got = llvm.disassemble(llvm.context, b, 4, 0, theirs, sizeof theirs);
	char *text = theirs + strspn(theirs, "\t "), *comment = strstr(text, "//");
	if (comment)
		*comment = 0;
	for (char *p = text; *p; p++)
		if (*p == '\t')
			*p = ' ';
	if (gap_mode) {
		if (got)
			print_gap(b, 4, text);
		return;
	}
	gllm_a64_text(&in, ours, sizeof ours);
	unsigned char again[4] = { 0 };
	if (!gllm_a64_encode(&in, again) || memcmp(b, again, 4))
		disagree(b, 4, "our encoder", ours, "other bytes");
	const char *name = strpbrk(ours, "sS");
	bool by_number = (!strncmp(ours, "mrs ", 4) || !strncmp(ours, "msr ", 4) || !strncmp(ours, "sys ", 4)) && name;
	if (by_number) { /* system registers have more names than the table knows: those are compared by LLVM's word only */
		bool msr = !strncmp(text, "m", 1) || strncmp(ours, "sys ", 4) == 0;
		if (!got || !msr)
			disagree(b, 4, "LLVM", ours, text);
	} else if (!(got && same_text(ours, text, false)) && strcmp(ours, "dsb #12")) {
		disagree(b, 4, "LLVM", ours, got ? text : "refused");
	}
	compare_second(b, 4, 4, ours);
}

static void a64_random_word(void)
{
	uint64_t x = draw(NULL);
	uint32_t r = (uint32_t)draw(NULL);
	if (x & 3) { /* an instance of a row: the rest of the space is mostly empty */
		const struct gllm_a64_key *key = &gllm_a64_key[(x >> 8) % A64_ROW_COUNT];
		if ((x >> 2 & 3) == 0)
			r |= 31u << 5;
		if ((x >> 2 & 3) == 1)
			r = (r & ~0x3e0u) | (r >> 16 & 31) << 5;
		r = key->fixed | (r & ~key->mask);
		if ((x >> 4 & 15) == 0)
			r ^= 1u << (x >> 32 & 31);
	}
	a64_word(r);
}

static int report(const char *isa)
{
	unsigned long long passed = accepted - (failed < accepted ? failed : accepted);
	printf("%s: %llu strings, %llu accepted and compared with LLVM, %llu also with Capstone%s (%llu of them by another name)\n",
	       isa, (unsigned long long)strings, (unsigned long long)accepted, (unsigned long long)second,
	       HAVE_CAPSTONE ? "" : " (not installed: libcapstone-dev)", (unsigned long long)second_other);
	if (excused)
		printf("%s: %llu strings that the other implementation is known to read wrongly are left out\n", isa,
		       (unsigned long long)excused);
	printf("%llu passed, %llu failed\n", passed, (unsigned long long)failed);
	return failed != 0;
}

int main(int argc, char **argv)
{
	bool x86 = argc > 2 && !strcmp(argv[1], "x86");
	if (argc < 3 || (!x86 && strcmp(argv[1], "a64")) || (strcmp(argv[2], "gaps") && argc != 4))
		return fputs("usage: insn_long x86|a64 N SEED | x86|a64 gaps\n", stderr), 2;
	if (!open_llvm(x86)) {
		puts("skip: libLLVM-16 is not installed (package libllvm16)\n0 passed, 0 failed, 1 skipped");
		return 0;
	}
	gap_mode = !strcmp(argv[2], "gaps");
	seed = 1;
	if (gap_mode && x86) {
		x86_gaps();
		return 0;
	}
	if (gap_mode) { /* the upper 22 bits tell instructions apart, but for a few that fix lower ones */
		for (uint32_t high = 0; high < 1u << 22; high++) {
			a64_word(high << 10 | 0x22);
			a64_word(high << 10 | (uint32_t)(draw(NULL) & 0x3ff));
		}
		return 0;
	}
	open_capstone(x86);
	uint64_t n = strtoull(argv[2], NULL, 0);
	seed = strtoull(argv[3], NULL, 0);
	for (uint64_t i = 0; i < n; i++) {
		unsigned char b[16];
		if (!x86) {
			a64_random_word();
		} else {
			if (draw(NULL) % 3 == 0)
				x86_random_string(b);
			else if (!insn_long_x86_instance(b, &seed))
				continue;
			x86_string(b, 15);
		}
	}
	return report(argv[1]);
}
