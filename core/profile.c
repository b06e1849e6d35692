/* SPDX-License-Identifier: MIT
 * core/profile.c - profiles after the probe: names, caps, the meet of several cores. Integer registers only. */
#include "core/profile.h"
#include "core/bits.h"

#define BIT(f) GLLM_BIT(GLLM_##f)

static const char *const name[] = {
#define F(id, text) [GLLM_##id] = text,
	GLLM_FEATURES_X86(F)
	GLLM_FEATURES_A64(F)
#undef F
};

const char *gllm_feature_name(enum gllm_feature f)
{
	return (unsigned)f < GLLM_COUNT(name) ? name[f] : "unknown feature";
}

#define AVX512 (BIT(X86_AVX512F) | BIT(X86_AVX512BW) | BIT(X86_AVX512DQ) | BIT(X86_AVX512VL))
#define AVX512_MORE (BIT(X86_AVX512VNNI) | BIT(X86_AVX512BF16) | BIT(X86_AVX512FP16))
#define SSE_ONLY (BIT(X86_SSE3) | BIT(X86_SSSE3) | BIT(X86_SSE41) | BIT(X86_SSE42) | BIT(X86_POPCNT))
#define ALL_SVE (BIT(A64_SVE) | BIT(A64_SVE2) | BIT(A64_SME))

/* Widest first; the first row whose needs are met decides. SVE states its own length. */
static const struct width {
	uint64_t needs;
	enum gllm_isa isa;
	uint8_t bytes, regs;
} width[] = {
	{ AVX512 | BIT(X86_AVX2), GLLM_ISA_X86_64, 64, 32 },
	{ BIT(X86_AVX) | BIT(X86_AVX2), GLLM_ISA_X86_64, 32, 16 },
	{ BIT(A64_SVE) | BIT(A64_NEON), GLLM_ISA_AARCH64, 0, 32 },
	{ BIT(A64_NEON), GLLM_ISA_AARCH64, 16, 32 },
};

static const struct width *width_of(const struct gllm_profile *p)
{
	for (size_t i = 0; i < GLLM_COUNT(width); i++)
		if (p->isa == width[i].isa && !(width[i].needs & ~p->have))
			return &width[i];
	return NULL;
}

void gllm_profile_settle(struct gllm_profile *p, unsigned sve_bytes)
{
	const struct width *w = width_of(p);
	p->vector_bytes = !w ? 0 : w->bytes ? w->bytes : sve_bytes;
	p->vector_regs = w ? w->regs : 0;
}

bool gllm_profile_any_length(const struct gllm_profile *p)
{
	const struct width *w = width_of(p);
	return w && !w->bytes;
}

static const struct cap {
	char text[8];
	enum gllm_isa isa; /* NONE: any */
	uint64_t remove;
} cap[] = {
	{ "scalar", GLLM_ISA_NONE, ~(SSE_ONLY | BIT(A64_FP)) },
	{ "avx2", GLLM_ISA_X86_64, AVX512 | AVX512_MORE | BIT(X86_AMX) },
	{ "avx512", GLLM_ISA_X86_64, BIT(X86_AMX) },
	{ "neon", GLLM_ISA_AARCH64, ALL_SVE },
	{ "sve", GLLM_ISA_AARCH64, BIT(A64_SME) },
};

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

enum gllm_status gllm_profile_cap(struct gllm_profile *p, const char *isa_cap)
{
	if (!p || !isa_cap)
		return GLLM_INVALID_ARGUMENT;
	for (size_t i = 0; i < GLLM_COUNT(cap); i++) {
		if (!same(cap[i].text, isa_cap))
			continue;
		if (cap[i].isa != GLLM_ISA_NONE && cap[i].isa != p->isa)
			return GLLM_INVALID_ARGUMENT;
		p->have &= ~cap[i].remove;
		gllm_profile_settle(p, p->vector_bytes);
		return GLLM_OK;
	}
	return GLLM_INVALID_ARGUMENT;
}

static struct gllm_cache smaller(struct gllm_cache a, struct gllm_cache b)
{
	return a.bytes <= b.bytes ? a : b;
}

bool gllm_profile_narrow(struct gllm_profile *p)
{
	for (size_t i = 0; i < GLLM_COUNT(cap); i++) {
		struct gllm_profile less = *p;
		if (cap[i].isa != p->isa || p->isa == GLLM_ISA_NONE)
			continue;
		less.have &= ~cap[i].remove;
		if (!width_of(&less) || width_of(&less) == width_of(p))
			continue;
		gllm_profile_settle(&less, p->vector_bytes);
		*p = less;
		return true;
	}
	return false;
}

enum gllm_status gllm_profile_meet(struct gllm_profile *a, const struct gllm_profile *b)
{
	if (!a || !b || a->isa != b->isa)
		return GLLM_INVALID_ARGUMENT;
	bool lost = (a->hardware ^ b->hardware) != 0;
	a->hardware &= b->hardware;
	a->enabled &= b->enabled;
	a->have &= b->have;
	if (!a->missing)
		a->missing = b->missing ? b->missing : lost ? "the cores differ: another core lacks the feature" : NULL;
	a->strict_align |= b->strict_align;
	a->in_order |= b->in_order;
	unsigned bytes = a->vector_bytes < b->vector_bytes ? a->vector_bytes : b->vector_bytes;
	if ((a->have & BIT(A64_SVE)) && a->vector_bytes != b->vector_bytes) {
		a->have &= ~ALL_SVE;
		a->missing = "the cores differ in the length of SVE vectors";
	}
	for (unsigned i = 0; i < GLLM_CACHE_LEVELS; i++)
		a->cache[i] = smaller(a->cache[i], b->cache[i]);
	a->cores = a->cores > b->cores ? a->cores : b->cores;
	a->threads = a->threads > b->threads ? a->threads : b->threads;
	gllm_profile_settle(a, bytes);
	return GLLM_OK;
}
