/* SPDX-License-Identifier: MIT
 * arch/x86_64/probe.c - a profile from recorded CPUID leaves and XCR0: a pure function, built on every host.
 *
 * What the hardware says is the feature table. What the system enabled follows from CR4.OSXSAVE, as CPUID shows it, and
 * XCR0, in that order, by the register state a feature needs. On Linux a process must besides ask for AMX tile data
 * (arch_prctl), which no register shows. */
#include "core/bits.h"
#include "core/profile.h"

enum reg { EAX, EBX, ECX, EDX };
enum state { STATE_NONE, STATE_AVX, STATE_AVX512, STATE_AMX, STATE_COUNT };

/* Register state beyond SSE, by the XCR0 bits that must all be set. */
static const struct state_row {
	uint64_t xcr0;
	const char *missing;
} state[STATE_COUNT] = {
	[STATE_NONE] = { 0, NULL },
	[STATE_AVX] = { 0x7, "XCR0 lacks SSE/AVX state (bits 1 and 2)" },
	[STATE_AVX512] = { 0xe7, "XCR0 lacks opmask/ZMM state (bits 5..7)" },
	[STATE_AMX] = { 0x60007, "XCR0 lacks AMX tile state (bits 17 and 18)" },
};

/* A feature with several rows needs all of them. */
static const struct feature_row {
	enum gllm_feature id;
	uint8_t leaf, subleaf, reg, bit, state;
} feature[] = {
	{ GLLM_X86_SSE3, 1, 0, ECX, 0, STATE_NONE },
	{ GLLM_X86_SSSE3, 1, 0, ECX, 9, STATE_NONE },
	{ GLLM_X86_SSE41, 1, 0, ECX, 19, STATE_NONE },
	{ GLLM_X86_SSE42, 1, 0, ECX, 20, STATE_NONE },
	{ GLLM_X86_POPCNT, 1, 0, ECX, 23, STATE_NONE },
	{ GLLM_X86_AVX, 1, 0, ECX, 28, STATE_AVX },
	{ GLLM_X86_F16C, 1, 0, ECX, 29, STATE_AVX },
	{ GLLM_X86_FMA, 1, 0, ECX, 12, STATE_AVX },
	{ GLLM_X86_AVX2, 7, 0, EBX, 5, STATE_AVX },
	{ GLLM_X86_BMI1, 7, 0, EBX, 3, STATE_NONE },
	{ GLLM_X86_BMI2, 7, 0, EBX, 8, STATE_NONE },
	{ GLLM_X86_AVX512F, 7, 0, EBX, 16, STATE_AVX512 },
	{ GLLM_X86_AVX512BW, 7, 0, EBX, 30, STATE_AVX512 },
	{ GLLM_X86_AVX512DQ, 7, 0, EBX, 17, STATE_AVX512 },
	{ GLLM_X86_AVX512VL, 7, 0, EBX, 31, STATE_AVX512 },
	{ GLLM_X86_AVX512VNNI, 7, 0, ECX, 11, STATE_AVX512 },
	{ GLLM_X86_AVX512BF16, 7, 1, EAX, 5, STATE_AVX512 },
	{ GLLM_X86_AVX512FP16, 7, 0, EDX, 23, STATE_AVX512 },
	{ GLLM_X86_AVXVNNI, 7, 1, EAX, 4, STATE_AVX },
	{ GLLM_X86_AMX, 7, 0, EDX, 24, STATE_AMX }, /* tiles */
	{ GLLM_X86_AMX, 7, 0, EDX, 22, STATE_AMX }, /* products of bf16 */
	{ GLLM_X86_AMX, 7, 0, EDX, 25, STATE_AMX }, /* products of int8 */
};

uint64_t gllm_required_xcr0(uint64_t features)
{
	uint64_t need = 0;
	for (size_t i = 0; i < GLLM_COUNT(feature); i++)
		if (features & GLLM_BIT(feature[i].id))
			need |= state[feature[i].state].xcr0;
	return need;
}

/* A leaf above the greatest one reads as zeros, also if somebody recorded what the CPU then repeats. */
static struct gllm_cpuid_leaf leaf(const struct gllm_x86_record *r, uint32_t number, uint32_t subleaf)
{
	struct gllm_cpuid_leaf none = { .leaf = number, .subleaf = subleaf };
	uint32_t range = number & 0x80000000u, most = range;
	const struct gllm_cpuid_leaf *found = NULL;
	unsigned n = r->n < GLLM_CPUID_LEAVES ? r->n : GLLM_CPUID_LEAVES;
	for (unsigned i = 0; i < n; i++) {
		const struct gllm_cpuid_leaf *l = &r->leaf[i];
		if (l->leaf == range && l->subleaf == 0)
			most = l->eax;
		if (l->leaf == number && l->subleaf == subleaf)
			found = l;
	}
	return found && number <= most ? *found : none;
}

static uint32_t reg_of(const struct gllm_cpuid_leaf *l, unsigned reg)
{
	const uint32_t value[] = { l->eax, l->ebx, l->ecx, l->edx };
	return value[reg];
}

static uint32_t field(uint32_t value, unsigned high, unsigned low)
{
	return (uint32_t)((uint64_t)value >> low & ((UINT64_C(1) << (high - low + 1)) - 1));
}

static bool is_enabled(const struct gllm_x86_record *r, bool osxsave, unsigned s)
{
	return state[s].xcr0 == 0 || (osxsave && (state[s].xcr0 & ~r->xcr0) == 0);
}

static void probe_features(const struct gllm_x86_record *r, struct gllm_profile *p)
{
	bool osxsave = field(leaf(r, 1, 0).ecx, 27, 27);
	uint64_t absent = 0;
	unsigned first_missing = STATE_COUNT;
	for (size_t i = 0; i < GLLM_COUNT(feature); i++) {
		const struct feature_row *f = &feature[i];
		struct gllm_cpuid_leaf l = leaf(r, f->leaf, f->subleaf);
		if (reg_of(&l, f->reg) >> f->bit & 1)
			p->hardware |= GLLM_BIT(f->id);
		else
			absent |= GLLM_BIT(f->id);
		if (is_enabled(r, osxsave, f->state))
			p->enabled |= GLLM_BIT(f->id);
	}
	p->hardware &= ~absent;
	p->have = p->hardware & p->enabled;
	for (size_t i = 0; i < GLLM_COUNT(feature); i++)
		if ((p->hardware & ~p->have & GLLM_BIT(feature[i].id)) && feature[i].state < first_missing)
			first_missing = feature[i].state;
	if (first_missing < STATE_COUNT)
		p->missing = osxsave ? state[first_missing].missing : "CR4.OSXSAVE is not set";
}

/* Leaf 4 (Intel) and 0x8000001d (AMD) have one layout. */
static bool probe_caches(const struct gllm_x86_record *r, uint32_t number, struct gllm_profile *p)
{
	bool any = false;
	for (uint32_t i = 0; i < 8; i++) {
		struct gllm_cpuid_leaf l = leaf(r, number, i);
		uint32_t type = field(l.eax, 4, 0), level = field(l.eax, 7, 5);
		if (type == 0)
			break;
		if (type == 2 || level < 1 || level > GLLM_CACHE_LEVELS)
			continue; /* instructions only */
		uint32_t ways = field(l.ebx, 31, 22) + 1, line = field(l.ebx, 11, 0) + 1;
		uint64_t bytes = (uint64_t)ways * (field(l.ebx, 21, 12) + 1) * line * ((uint64_t)l.ecx + 1);
		p->cache[level - 1] = (struct gllm_cache){
			.bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX,
			.ways = ways,
			.line = line,
			.shared = field(l.eax, 25, 14) + 1,
		};
		any = true;
	}
	return any;
}

/* AMD before 0x8000001d: sizes in 0x80000005 and 0x80000006. */
static void probe_old_caches(const struct gllm_x86_record *r, struct gllm_profile *p)
{
	static const uint8_t ways[16] = { [1] = 1, [2] = 2, [4] = 4, [6] = 8, [8] = 16, [10] = 32, [11] = 48, [12] = 64,
	                                  [13] = 96, [14] = 128 };
	uint32_t l1 = leaf(r, 0x80000005u, 0).ecx, l2 = leaf(r, 0x80000006u, 0).ecx, l3 = leaf(r, 0x80000006u, 0).edx;
	if (l1)
		p->cache[0] = (struct gllm_cache){ field(l1, 31, 24) << 10, field(l1, 23, 16), field(l1, 7, 0), 0 };
	if (l2)
		p->cache[1] = (struct gllm_cache){ field(l2, 31, 16) << 10, ways[field(l2, 15, 12)], field(l2, 7, 0), 0 };
	if (field(l3, 31, 18)) {
		uint64_t bytes = (uint64_t)field(l3, 31, 18) << 19;
		p->cache[2] = (struct gllm_cache){ bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX, ways[field(l3, 15, 12)],
			                           field(l3, 7, 0), 0 };
	}
}

/* Topology leaves 0x1f and 0xb: one row per level, counting logical CPUs up to that level. */
static bool probe_topology(const struct gllm_x86_record *r, uint32_t number, struct gllm_profile *p)
{
	unsigned per_core = 1, threads = 0;
	for (uint32_t i = 0; i < 6; i++) {
		struct gllm_cpuid_leaf l = leaf(r, number, i);
		uint32_t type = field(l.ecx, 15, 8), count = field(l.ebx, 15, 0);
		if (type == 0 || count == 0)
			break;
		if (type == 1)
			per_core = count;
		threads = count;
	}
	p->threads = threads;
	p->cores = threads / per_core;
	return threads != 0;
}

static void probe_counts(const struct gllm_x86_record *r, struct gllm_profile *p)
{
	if (probe_topology(r, 0x1f, p) || probe_topology(r, 0xb, p))
		return;
	struct gllm_cpuid_leaf amd = leaf(r, 0x80000008u, 0), first_cache = leaf(r, 4, 0), one = leaf(r, 1, 0);
	unsigned htt = field(one.edx, 28, 28) ? field(one.ebx, 23, 16) : 1;
	if (field(amd.ecx, 7, 0)) {
		p->threads = field(amd.ecx, 7, 0) + 1;
		p->cores = p->threads / (field(leaf(r, 0x8000001eu, 0).ebx, 15, 8) + 1);
	} else if (field(first_cache.eax, 4, 0)) {
		p->cores = field(first_cache.eax, 31, 26) + 1;
		p->threads = htt > p->cores ? htt : p->cores;
	}
}

static void put_words(char *out, const uint32_t *word, unsigned n)
{
	for (unsigned i = 0; i < 4 * n; i++)
		out[i] = (char)(word[i / 4] >> 8 * (i % 4) & 0xff);
	out[4 * n] = 0;
}

static void probe_name(const struct gllm_x86_record *r, struct gllm_profile *p)
{
	char brand[49];
	uint32_t word[12];
	for (uint32_t i = 0; i < 3; i++) {
		struct gllm_cpuid_leaf l = leaf(r, 0x80000002u + i, 0);
		for (unsigned k = 0; k < 4; k++)
			word[4 * i + k] = reg_of(&l, k);
	}
	put_words(brand, word, 12);
	if (!brand[0]) { /* no brand string: the vendor's twelve letters */
		struct gllm_cpuid_leaf l = leaf(r, 0, 0);
		const uint32_t vendor[] = { l.ebx, l.edx, l.ecx };
		put_words(brand, vendor, 3);
	}
	const char *s = brand;
	size_t n = 0;
	while (*s == ' ')
		s++;
	for (; *s; s++)
		p->cpu[n++] = *s;
	while (n && p->cpu[n - 1] == ' ')
		n--;
	p->cpu[n] = 0;
}

enum gllm_status gllm_probe_x86(const struct gllm_x86_record *r, struct gllm_profile *out)
{
	if (!r || !out || r->n == 0 || r->n > GLLM_CPUID_LEAVES)
		return GLLM_INVALID_ARGUMENT;
	*out = (struct gllm_profile){ .isa = GLLM_ISA_X86_64 };
	probe_features(r, out);
	if (!probe_caches(r, 4, out) && !probe_caches(r, 0x8000001du, out))
		probe_old_caches(r, out);
	probe_counts(r, out);
	probe_name(r, out);
	gllm_profile_settle(out, 0);
	return GLLM_OK;
}
