/* SPDX-License-Identifier: MIT
 * tests/check_probe.c - the CPU probe fed with recorded CPUs: what the hardware says, what the system enabled, what is
 * usable and why not, caches, counts; meets, caps, requirements, blocking. */
#include "check.h"
#include "core/bits.h"
#include "gllm/profile.h"

#define B(f) GLLM_BIT(GLLM_##f)
#define SSE (B(X86_SSE3) | B(X86_SSSE3) | B(X86_SSE41) | B(X86_SSE42) | B(X86_POPCNT))
#define BMI (B(X86_BMI1) | B(X86_BMI2))
#define AVX_ALL (B(X86_AVX) | B(X86_F16C) | B(X86_FMA) | B(X86_AVX2))
#define AVX512_CORE (B(X86_AVX512F) | B(X86_AVX512BW) | B(X86_AVX512DQ) | B(X86_AVX512VL))
#define HASWELL (SSE | BMI | AVX_ALL)

struct expected {
	const char *cpu;
	uint64_t hardware, have;
	const char *missing;
	unsigned vector_bytes, vector_regs, cores, threads;
	struct gllm_cache cache[GLLM_CACHE_LEVELS];
};

struct x86_case {
	struct gllm_x86_record record;
	struct expected want;
};

#define NAME(a, b, c, d, e, f, g, h, i, j, k, l) \
	{ 0x80000000u, 0, 0x8000001eu, 0, 0, 0 }, { 0x80000002u, 0, a, b, c, d }, { 0x80000003u, 0, e, f, g, h }, \
	{ 0x80000004u, 0, i, j, k, l }
#define INTEL(most) { 0, 0, most, 0x756e6547, 0x6c65746e, 0x49656e69 }
#define AMD(most) { 0, 0, most, 0x68747541, 0x444d4163, 0x69746e65 }
#define SKYLAKE_X                                                                                               \
	INTEL(0x16), { 1, 0, 0x50654, 0x00200800, 0x7ffefbff, 0xbfebfbff },                                     \
	{ 4, 0, 0x7c004121, 0x01c0003f, 0x3f, 0 }, { 4, 1, 0x7c004122, 0x01c0003f, 0x3f, 0 },                   \
	{ 4, 2, 0x7c004143, 0x03c0003f, 0x3ff, 0 }, { 4, 3, 0x7c07c163, 0x0280003f, 0x4fff, 4 },                \
	{ 7, 0, 0, 0xd39ffffb, 0x8, 0x9c000400 }, { 0xb, 0, 1, 2, 0x100, 0 }, { 0xb, 1, 5, 0x14, 0x201, 0 },    \
	{ 0xb, 2, 0, 0, 2, 0 },                                                                                 \
	NAME(0x65746e49, 0x2952286c, 0x726f4320, 0x4d542865, 0x39692029, 0x3039372d, 0x43205830, 0x40205550,    \
	     0x332e3320, 0x7a484730, 0, 0)
#define SKYLAKE_X_CACHES { { 32 << 10, 8, 64, 2 }, { 1 << 20, 16, 64, 2 }, { 11 * 20480 * 64, 11, 64, 32 } }
#define HASWELL_CACHES { { 32 << 10, 8, 64, 2 }, { 256 << 10, 8, 64, 2 }, { 8 << 20, 16, 64, 16 } }

static const struct x86_case x86[] = {
	{ /* Core i7-4770: AVX2 and FMA, enabled */
	  { 12, { INTEL(0xd), { 1, 0, 0x306c3, 0x00100800, 0x7ffafbff, 0xbfebfbff },
	          { 4, 0, 0x1c004121, 0x01c0003f, 0x3f, 0 }, { 4, 1, 0x1c004122, 0x01c0003f, 0x3f, 0 },
	          { 4, 2, 0x1c004143, 0x01c0003f, 0x1ff, 0 }, { 4, 3, 0x1c03c163, 0x03c0003f, 0x1fff, 6 },
	          { 7, 0, 0, 0x27ab, 0, 0x9c000400 }, { 0xb, 0, 1, 2, 0x100, 0 }, { 0xb, 1, 4, 8, 0x201, 0 },
	          { 0x80000000u, 0, 0x80000008u, 0, 0, 0 },
	          { 0x80000002u, 0, 0x20202020, 0x20202020, 0x65746e49, 0x2952286c }, { 0x80000003u, 0, 0x2020, 0, 0, 0 } },
	    0x7 },
	  { "Intel(R)", HASWELL, HASWELL, NULL, 32, 16, 4, 8, HASWELL_CACHES } },
	{ /* QEMU -cpu Haswell,-xsave: AVX and AVX2 bits without OSXSAVE; a stale XCR0 must not count */
	  { 9, { INTEL(0xd), { 1, 0, 0x306c4, 0x800, 0xf2d83203, 0x078bfbfd }, { 4, 0, 0x121, 0x1c0003f, 0x3f, 1 },
	         { 4, 1, 0x122, 0x1c0003f, 0x3f, 1 }, { 4, 2, 0x143, 0x3c0003f, 0xfff, 1 },
	         { 4, 3, 0x163, 0x3c0003f, 0x3fff, 6 }, { 7, 0, 0, 0x3a9, 0, 0 }, { 0xb, 0, 0, 1, 0x100, 0 },
	         { 0xb, 1, 0, 1, 0x201, 0 } },
	    0x7 },
	  { "GenuineIntel", HASWELL, SSE | BMI, "CR4.OSXSAVE is not set", 0, 0, 1, 1,
	    { { 32 << 10, 8, 64, 1 }, { 4 << 20, 16, 64, 1 }, { 16 << 20, 16, 64, 1 } } } },
	{ /* Core i7-920, Nehalem: no AVX at all, nothing missing */
	  { 7, { INTEL(0xb), { 1, 0, 0x106a5, 0x00100800, 0x0098e3bd, 0xbfebfbff },
	         { 4, 0, 0x1c004121, 0x01c0003f, 0x3f, 0 }, { 4, 1, 0x1c004122, 0x00c0003f, 0x7f, 0 },
	         { 4, 2, 0x1c004143, 0x01c0003f, 0x1ff, 0 }, { 4, 3, 0x1c03c163, 0x03c0003f, 0x1fff, 2 },
	         { 7, 0, 0, 0, 0, 0 } },
	    0 },
	  { "GenuineIntel", SSE, SSE, NULL, 0, 0, 8, 16, HASWELL_CACHES } },
	{ /* Core i9-7900X with everything enabled */
	  { 14, { SKYLAKE_X }, 0xe7 },
	  { "Intel(R) Core(TM) i9-7900X CPU @ 3.30GHz", HASWELL | AVX512_CORE, HASWELL | AVX512_CORE, NULL, 64, 32, 10, 20,
	    SKYLAKE_X_CACHES } },
	{ /* the same under a hypervisor that does not save ZMM: AVX2 remains */
	  { 14, { SKYLAKE_X }, 0x7 },
	  { "Intel(R) Core(TM) i9-7900X CPU @ 3.30GHz", HASWELL | AVX512_CORE, HASWELL,
	    "XCR0 lacks opmask/ZMM state (bits 5..7)", 32, 16, 10, 20, SKYLAKE_X_CACHES } },
	{ /* one of the three bits is not enough */
	  { 14, { SKYLAKE_X }, 0xc7 },
	  { "Intel(R) Core(TM) i9-7900X CPU @ 3.30GHz", HASWELL | AVX512_CORE, HASWELL,
	    "XCR0 lacks opmask/ZMM state (bits 5..7)", 32, 16, 10, 20, SKYLAKE_X_CACHES } },
	{ /* OSXSAVE set, YMM state not: VEX code faults */
	  { 14, { SKYLAKE_X }, 0x3 },
	  { "Intel(R) Core(TM) i9-7900X CPU @ 3.30GHz", HASWELL | AVX512_CORE, SSE | BMI,
	    "XCR0 lacks SSE/AVX state (bits 1 and 2)", 0, 0, 10, 20, SKYLAKE_X_CACHES } },
	{ /* Ryzen 9 7950X, Zen 4: caches in 0x8000001d */
	  { 13, { AMD(0x10), { 1, 0, 0x00a60f12, 0x00200800, 0x7ef8320b, 0x178bfbff }, { 7, 0, 1, 0xf1bf97a9, 0x00405fce, 0x10000010 },
	          { 7, 1, 0x20, 0, 0, 0 }, { 0xb, 0, 1, 2, 0x100, 0 }, { 0xb, 1, 5, 0x20, 0x201, 0 },
	          { 0x80000000u, 0, 0x80000028u, 0x68747541, 0x444d4163, 0x69746e65 },
	          { 0x80000002u, 0, 0x20444d41, 0x657a7952, 0x2039206e, 0x30353937 }, { 0x80000003u, 0, 0x58, 0, 0, 0 },
	          { 0x8000001du, 0, 0x4121, 0x1c0003f, 0x3f, 0 }, { 0x8000001du, 1, 0x4122, 0x1c0003f, 0x3f, 0 },
	          { 0x8000001du, 2, 0x4143, 0x1c0003f, 0x7ff, 2 }, { 0x8000001du, 3, 0x3c163, 0x3c0003f, 0x7fff, 9 } },
	    0x2e7 },
	  { "AMD Ryzen 9 7950X", HASWELL | AVX512_CORE | B(X86_AVX512VNNI) | B(X86_AVX512BF16),
	    HASWELL | AVX512_CORE | B(X86_AVX512VNNI) | B(X86_AVX512BF16), NULL, 64, 32, 16, 32,
	    { { 32 << 10, 8, 64, 2 }, { 1 << 20, 8, 64, 2 }, { 32 << 20, 16, 64, 16 } } } },
	{ /* Sapphire Rapids: all of AVX-512, AMX present but its tiles not enabled */
	  { 11, { INTEL(0x20), { 1, 0, 0x806f8, 0x00400800, 0x7ffefbff, 0xbfebfbff },
	          { 4, 0, 0xfc004121, 0x02c0003f, 0x3f, 0 }, { 4, 1, 0xfc004122, 0x01c0003f, 0x3f, 0 },
	          { 4, 2, 0xfc004143, 0x03c0003f, 0x7ff, 0 }, { 4, 3, 0xfc1fc163, 0x0380003f, 0x1bfff, 4 },
	          { 7, 0, 2, 0xf3bfbfeb, 0xfb417ffe, 0xffdd4432 }, { 7, 1, 0x1c30, 0, 0, 0 }, { 0x1f, 0, 1, 2, 0x100, 0 },
	          { 0x1f, 1, 7, 0x60, 0x201, 0 }, { 0x1f, 2, 0, 0, 2, 0 } },
	    0x2e7 },
	  { "GenuineIntel",
	    HASWELL | AVX512_CORE | B(X86_AVX512VNNI) | B(X86_AVX512BF16) | B(X86_AVX512FP16) | B(X86_AVXVNNI) | B(X86_AMX),
	    HASWELL | AVX512_CORE | B(X86_AVX512VNNI) | B(X86_AVX512BF16) | B(X86_AVX512FP16) | B(X86_AVXVNNI),
	    "XCR0 lacks AMX tile state (bits 17 and 18)", 64, 32, 48, 96,
	    { { 48 << 10, 12, 64, 2 }, { 2 << 20, 16, 64, 2 }, { 15 * 0x1c000 * 64, 15, 64, 128 } } } },
	{ /* Phenom II: before 0x8000001d, sizes in 0x80000005 and 6; leaf 7 is above the greatest leaf and repeats another */
	  { 8, { AMD(6), { 1, 0, 0x100f43, 0x00040800, 0x00802009, 0x178bfbff }, { 7, 0, 0, 0xffffffff, 0xffffffff, 0xffffffff },
	         { 0x80000000u, 0, 0x8000001bu, 0, 0, 0 }, { 0x80000005u, 0, 0, 0, 0x40020140, 0 },
	         { 0x80000006u, 0, 0, 0, 0x02008140, 0x0030b140 }, { 0x80000008u, 0, 0x3030, 0, 0x3003, 0 },
	         { 0x8000001du, 0, 0x121, 0x1c0003f, 0x3f, 0 } },
	    0 },
	  { "AuthenticAMD", B(X86_SSE3) | B(X86_POPCNT), B(X86_SSE3) | B(X86_POPCNT), NULL, 0, 0, 4, 4,
	    { { 64 << 10, 2, 64, 0 }, { 512 << 10, 16, 64, 0 }, { 6 << 20, 48, 64, 0 } } } },
};

#define FP_SIMD (B(A64_FP) | B(A64_NEON))
#define N1 (FP_SIMD | B(A64_FP16) | B(A64_DOTPROD))
#define V1 (N1 | B(A64_BF16) | B(A64_I8MM) | B(A64_FHM) | B(A64_SVE))
#define A64_CACHES .ctr = 0x84448004, .clidr = 0x0a200023, .ccsidr = { 0x701fe00a, 0x201fe012, 0x707fe07a }
#define A72 .midr = 0x410fd083, .id_aa64pfr0 = 0x2222, .id_aa64isar0 = 0x11120, A64_CACHES
#define A72_CACHES { { 32 << 10, 2, 64, 0 }, { 1 << 20, 16, 64, 0 }, { 0 } }
#define NEOVERSE_V1                                                                                             \
	.midr = 0x411fd401, .id_aa64pfr0 = 0x1101110120111112, .id_aa64pfr1 = 0x20,                              \
	.id_aa64isar0 = 0x1011111110212120, .id_aa64isar1 = 0x0011100001211032, .id_aa64zfr0 = 0x0000100000100000, \
	.clidr = 0x82000023, .ccidx = true, .ccsidr = { 0xff0000001a, 0xff0000001a, 0x7ff0000003a }
#define V1_CACHES { { 64 << 10, 4, 64, 0 }, { 1 << 20, 8, 64, 0 }, { 0 } }

static const struct a64_case {
	struct gllm_a64_record record;
	struct expected want;
} a64[] = {
	{ { A72, .cpacr = 0x300000, .mmu_on = true },
	  { "Cortex-A72", FP_SIMD, FP_SIMD, NULL, 16, 32, 0, 0, A72_CACHES } },
	{ { A72, .cpacr = 0x300000, .mmu_on = false },
	  { "Cortex-A72", FP_SIMD, FP_SIMD, NULL, 16, 32, 0, 0, A72_CACHES } },
	{ { A72, .cpacr = 0x100000, .mmu_on = true }, /* EL0 traps */
	  { "Cortex-A72", FP_SIMD, 0, "CPACR_EL1.FPEN traps FP and SIMD (bits 21:20 are not 3)", 0, 0, 0, 0, A72_CACHES } },
	{ { .midr = 0x414fd0c1, .id_aa64pfr0 = 0x1100000010111112, .id_aa64pfr1 = 0x20, .id_aa64isar0 = 0x0000100010211120,
	    .id_aa64isar1 = 0x0000000000100001, .clidr = 0x82000023, .ccsidr = { 0x701fe01a, 0x201fe01a, 0x70ffe03a },
	    .cpacr = 0x300000, .mmu_on = true },
	  { "Neoverse-N1", N1, N1, NULL, 16, 32, 0, 0, { { 64 << 10, 4, 64, 0 }, { 1 << 20, 8, 64, 0 }, { 0 } } } },
	{ { NEOVERSE_V1, .cpacr = 0x330000, .sve_bytes = 32, .mmu_on = true },
	  { "Neoverse-V1", V1, V1, NULL, 32, 32, 0, 0, V1_CACHES } },
	{ { NEOVERSE_V1, .cpacr = 0x300000, .sve_bytes = 0, .mmu_on = true },
	  { "Neoverse-V1", V1, V1 & ~B(A64_SVE), "CPACR_EL1.ZEN traps SVE (bits 17:16 are not 3)", 16, 32, 0, 0, V1_CACHES } },
	{ { NEOVERSE_V1, .cpacr = 0x330000, .sve_bytes = 0, .mmu_on = true },
	  { "Neoverse-V1", V1, V1 & ~B(A64_SVE), "the length of SVE vectors was not read (ZCR_EL1)", 16, 32, 0, 0, V1_CACHES } },
	{ { .midr = 0x461f0010, .id_aa64pfr0 = 0x0000000101111111, .id_aa64isar0 = 0x0000000010211120, .id_aa64isar1 = 0x10001,
	    .clidr = 0x80000023, .ccsidr = { 0x7007e01c, 0x2007e01c, 0x70ffe07c }, .cpacr = 0x330000, .sve_bytes = 64,
	    .mmu_on = true },
	  { "A64FX", FP_SIMD | B(A64_FP16) | B(A64_SVE), FP_SIMD | B(A64_FP16) | B(A64_SVE), NULL, 64, 32, 0, 0,
	    { { 64 << 10, 4, 256, 0 }, { 8 << 20, 16, 256, 0 }, { 0 } } } },
	{ { .midr = 0x123f4560, .id_aa64pfr0 = 0xff0011, .cpacr = 0x300000, .mmu_on = true }, /* no FP, unknown maker */
	  { "MIDR 123f4560", 0, 0, NULL, 0, 0, 0, 0, { { 0 } } } },
	{ { A72, .cpacr = 0x300000, .mmu_on = true, .checks_align = true },
	  { "Cortex-A72", FP_SIMD, FP_SIMD, NULL, 16, 32, 0, 0, A72_CACHES } },
};

static void compare(struct check *t, const struct gllm_profile *p, const struct expected *w)
{
	unsigned failed = t->failed;
	CHECK_TEXT(t, p->cpu, w->cpu);
	CHECK_EQ(t, p->hardware, w->hardware);
	CHECK_EQ(t, p->have, w->have);
	CHECK_EQ(t, p->have, p->hardware & p->enabled);
	CHECK_TEXT(t, p->missing ? p->missing : "", w->missing ? w->missing : "");
	CHECK_EQ(t, p->vector_bytes, w->vector_bytes);
	CHECK_EQ(t, p->vector_regs, w->vector_regs);
	CHECK_EQ(t, p->cores, w->cores);
	CHECK_EQ(t, p->threads, w->threads);
	for (unsigned i = 0; i < GLLM_CACHE_LEVELS; i++) {
		CHECK_EQ(t, p->cache[i].bytes, w->cache[i].bytes);
		CHECK_EQ(t, p->cache[i].ways, w->cache[i].ways);
		CHECK_EQ(t, p->cache[i].line, w->cache[i].line);
		CHECK_EQ(t, p->cache[i].shared, w->cache[i].shared);
	}
	if (t->failed != failed)
		check_print(t, "     in %s, missing: %s\n", w->cpu, w->missing ? w->missing : "nothing");
}

static struct gllm_profile x86_profile(unsigned i)
{
	struct gllm_profile p;
	gllm_probe_x86(&x86[i].record, &p);
	return p;
}

static struct gllm_profile a64_profile(unsigned i)
{
	struct gllm_profile p;
	gllm_probe_a64(&a64[i].record, &p);
	return p;
}

enum { CASE_HASWELL = 0, CASE_SKYLAKE_X = 3, CASE_ZEN4 = 7, CASE_A72 = 0, CASE_N1 = 3, CASE_V1 = 4, CASE_A64FX = 7 };

static void check_recorded(struct check *t)
{
	struct gllm_profile p;
	for (size_t i = 0; i < GLLM_COUNT(x86); i++) {
		CHECK_STATUS(t, gllm_probe_x86(&x86[i].record, &p), GLLM_OK);
		CHECK_EQ(t, p.isa, GLLM_ISA_X86_64);
		compare(t, &p, &x86[i].want);
	}
	for (size_t i = 0; i < GLLM_COUNT(a64); i++) {
		CHECK_STATUS(t, gllm_probe_a64(&a64[i].record, &p), GLLM_OK);
		CHECK_EQ(t, p.isa, GLLM_ISA_AARCH64);
		compare(t, &p, &a64[i].want);
		CHECK_EQ(t, p.strict_align, !a64[i].record.mmu_on || a64[i].record.checks_align);
		CHECK(t, !p.in_order);
	}
	struct gllm_a64_record small = a64[CASE_A72].record;
	small.midr = 0x410fd034;
	CHECK_STATUS(t, gllm_probe_a64(&small, &p), GLLM_OK);
	CHECK_TEXT(t, p.cpu, "Cortex-A53");
	CHECK(t, p.in_order);
	struct gllm_profile other = p;
	other.in_order = false;
	CHECK(t, gllm_profile_meet(&other, &p) == GLLM_OK && other.in_order);
	struct gllm_x86_record broken = { .n = GLLM_CPUID_LEAVES + 1 };
	CHECK_STATUS(t, gllm_probe_x86(&broken, &p), GLLM_INVALID_ARGUMENT);
	broken.n = 0;
	CHECK_STATUS(t, gllm_probe_x86(&broken, &p), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_probe_x86(NULL, &p), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_probe_a64(NULL, &p), GLLM_INVALID_ARGUMENT);
	CHECK_TEXT(t, gllm_feature_name(GLLM_X86_AVX512VNNI), "avx512vnni");
	CHECK_TEXT(t, gllm_feature_name(GLLM_A64_SVE), "sve");
	CHECK_TEXT(t, gllm_feature_name(GLLM_FEATURE_COUNT), "unknown feature");
}

static void check_required(struct check *t)
{
	CHECK_EQ(t, gllm_required_xcr0(SSE | BMI), 0);
	CHECK_EQ(t, gllm_required_xcr0(HASWELL), 0x7);
	CHECK_EQ(t, gllm_required_xcr0(AVX512_CORE), 0xe7);
	CHECK_EQ(t, gllm_required_xcr0(AVX512_CORE | B(X86_AMX)), 0x600e7);
	CHECK_EQ(t, gllm_required_cpacr(0), 0);
	CHECK_EQ(t, gllm_required_cpacr(N1), 0x300000);
	CHECK_EQ(t, gllm_required_cpacr(V1), 0x330000);
	CHECK_EQ(t, gllm_required_cpacr(B(A64_SME)), 0x3300000);
}

static void check_meet(struct check *t)
{
	struct gllm_profile p = x86_profile(CASE_SKYLAKE_X), e = x86_profile(CASE_HASWELL), a = a64_profile(CASE_V1);
	CHECK_STATUS(t, gllm_profile_meet(&p, &a), GLLM_INVALID_ARGUMENT);
	CHECK_EQ(t, p.have, HASWELL | AVX512_CORE);
	CHECK_STATUS(t, gllm_profile_meet(&p, &e), GLLM_OK); /* a wide core and a narrow one */
	CHECK_EQ(t, p.have, HASWELL);
	CHECK_EQ(t, p.hardware, HASWELL);
	CHECK_EQ(t, p.vector_bytes, 32);
	CHECK_EQ(t, p.vector_regs, 16);
	CHECK_EQ(t, p.cache[1].bytes, 256 << 10);
	CHECK_EQ(t, p.cache[2].bytes, 8 << 20);
	CHECK(t, p.missing != NULL);
	p = x86_profile(CASE_HASWELL);
	CHECK_STATUS(t, gllm_profile_meet(&p, &e), GLLM_OK);
	CHECK(t, p.have == e.have && p.missing == NULL && p.vector_bytes == 32);

	struct gllm_profile b = a64_profile(CASE_A64FX); /* both have SVE, of different length */
	CHECK_STATUS(t, gllm_profile_meet(&a, &b), GLLM_OK);
	CHECK_EQ(t, a.have, FP_SIMD | B(A64_FP16));
	CHECK_EQ(t, a.vector_bytes, 16);
	CHECK_TEXT(t, a.missing, "the cores differ in the length of SVE vectors");
	a = a64_profile(CASE_V1);
	b = a64_profile(CASE_N1);
	CHECK_STATUS(t, gllm_profile_meet(&b, &a), GLLM_OK);
	CHECK_EQ(t, b.have, N1);
	CHECK_EQ(t, b.vector_bytes, 16);
}

static void check_cap(struct check *t)
{
	static const struct { bool arm; unsigned at; const char *cap; enum gllm_status status; uint64_t have; unsigned bytes; } row[] = {
		{ false, CASE_ZEN4, "avx512", GLLM_OK, HASWELL | AVX512_CORE | B(X86_AVX512VNNI) | B(X86_AVX512BF16), 64 },
		{ false, CASE_ZEN4, "avx2", GLLM_OK, HASWELL, 32 },
		{ false, CASE_ZEN4, "scalar", GLLM_OK, SSE, 0 },
		{ false, CASE_HASWELL, "avx512", GLLM_OK, HASWELL, 32 },
		{ false, CASE_HASWELL, "neon", GLLM_INVALID_ARGUMENT, HASWELL, 32 },
		{ false, CASE_HASWELL, "avx", GLLM_INVALID_ARGUMENT, HASWELL, 32 },
		{ false, CASE_HASWELL, "", GLLM_INVALID_ARGUMENT, HASWELL, 32 },
		{ true, CASE_V1, "sve", GLLM_OK, V1, 32 },
		{ true, CASE_V1, "neon", GLLM_OK, V1 & ~B(A64_SVE), 16 },
		{ true, CASE_V1, "scalar", GLLM_OK, B(A64_FP), 0 },
		{ true, CASE_A72, "avx2", GLLM_INVALID_ARGUMENT, FP_SIMD, 16 },
	};
	for (size_t i = 0; i < GLLM_COUNT(row); i++) {
		struct gllm_profile p = row[i].arm ? a64_profile(row[i].at) : x86_profile(row[i].at);
		CHECK_STATUS(t, gllm_profile_cap(&p, row[i].cap), row[i].status);
		CHECK_EQ(t, p.have, row[i].have);
		CHECK_EQ(t, p.vector_bytes, row[i].bytes);
	}
	CHECK_STATUS(t, gllm_profile_cap(NULL, "avx2"), GLLM_INVALID_ARGUMENT);
}

static void check_blocking(struct check *t)
{
	static const uint64_t size[] = { 0, 1, 2, 5, 16, 64, 97, 288, 768, 4096, 32000, UINT64_C(1) << 40 };
	unsigned bad = 0;
	for (unsigned which = 0; which < 4; which++) {
		struct gllm_profile p = which == 0 ? x86_profile(CASE_HASWELL) : which == 1 ? x86_profile(CASE_SKYLAKE_X)
		                      : which == 2 ? a64_profile(CASE_A72) : (struct gllm_profile){ .isa = GLLM_ISA_NONE };
		uint64_t l1 = p.cache[0].bytes ? p.cache[0].bytes : 32 << 10, l2 = p.cache[1].bytes ? p.cache[1].bytes : 256 << 10;
		for (size_t i = 0; i < GLLM_COUNT(size) * GLLM_COUNT(size) * GLLM_COUNT(size); i++) {
			uint64_t m = size[i % 12], n = size[i / 12 % 12], k = size[i / 144];
			struct gllm_blocking b = gllm_blocking(&p, m, n, k, 4);
			bool small = (double)m * (double)n * (double)k < 4096;
			bad += b.mr == 0 || b.nr == 0 || b.kc == 0 || b.mc == 0 || b.nc == 0;
			bad += b.kc > (k ? k : 1) || b.mc > (m ? m : 1) || b.nc > (n ? n : 1);
			bad += 4 * b.kc * (b.mr + b.nr) > l1;
			bad += !small && (b.mc < m && b.mc % b.mr) + (b.nc < n && b.nc % b.nr) + (b.kc < k && b.kc % 4);
			bad += !small && (uint64_t)b.mc * b.kc * 4 * 100 > l2 * 85;
		}
	}
	CHECK_EQ(t, bad, 0);
	struct gllm_profile p = x86_profile(CASE_HASWELL);
	struct gllm_blocking b = gllm_blocking(&p, 4096, 4096, 4096, 4);
	CHECK(t, b.mr == 6 && b.nr == 16 && b.kc == 296 && b.mc == 174 && b.nc == 4096);
	p = x86_profile(CASE_ZEN4);
	b = gllm_blocking(&p, 4096, 4096, 4096, 4);
	CHECK(t, b.mr == 14 && b.nr == 32);
	p = a64_profile(CASE_A72);
	b = gllm_blocking(&p, 4096, 4096, 4096, 4);
	CHECK(t, b.mr == 8 && b.nr == 12 && b.kc % 4 == 0);
}

void check_probe(struct check *t)
{
	check_recorded(t);
	check_required(t);
	check_meet(t);
	check_cap(t);
	check_blocking(t);
}
