/* SPDX-License-Identifier: MIT
 * gllm/profile.h - what a CPU is and may do, as a pure function over recorded registers.
 *
 * Three separate answers: what the hardware says (`hardware`), what the system has enabled (`enabled`), and what code may
 * use (`have` = both). No feature is inferred from another. Reading the registers is arch/<a>/native/; everything here
 * works on any host, so tests feed recorded CPUs. Records of several cores intersect (gllm_profile_meet). */
#ifndef GLLM_PROFILE_H
#define GLLM_PROFILE_H
#include "gllm/status.h"
#include "gllm/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum gllm_isa { GLLM_ISA_NONE, GLLM_ISA_X86_64, GLLM_ISA_AARCH64 };

/*          id            name             */
#define GLLM_FEATURES_X86(F)          \
	F(X86_SSE3,    "sse3")        \
	F(X86_SSSE3,   "ssse3")       \
	F(X86_SSE41,   "sse4.1")      \
	F(X86_SSE42,   "sse4.2")      \
	F(X86_POPCNT,  "popcnt")      \
	F(X86_AVX,     "avx")         \
	F(X86_F16C,    "f16c")        \
	F(X86_FMA,     "fma")         \
	F(X86_AVX2,    "avx2")        \
	F(X86_BMI1,    "bmi1")        \
	F(X86_BMI2,    "bmi2")        \
	F(X86_AVX512F, "avx512f")     \
	F(X86_AVX512BW,"avx512bw")    \
	F(X86_AVX512DQ,"avx512dq")    \
	F(X86_AVX512VL,"avx512vl")    \
	F(X86_AVX512VNNI, "avx512vnni") \
	F(X86_AVX512BF16, "avx512bf16") \
	F(X86_AVX512FP16, "avx512fp16") \
	F(X86_AVXVNNI, "avxvnni")     \
	F(X86_AMX,     "amx")
#define GLLM_FEATURES_A64(F)          \
	F(A64_FP,      "fp")          \
	F(A64_NEON,    "neon")        \
	F(A64_FP16,    "fp16")        \
	F(A64_DOTPROD, "dotprod")     \
	F(A64_BF16,    "bf16")        \
	F(A64_I8MM,    "i8mm")        \
	F(A64_FHM,     "fhm")         \
	F(A64_SVE,     "sve")         \
	F(A64_SVE2,    "sve2")        \
	F(A64_SME,     "sme")

enum gllm_feature {
#define F(id, name) GLLM_##id,
	GLLM_FEATURES_X86(F)
	GLLM_FEATURES_A64(F)
#undef F
	GLLM_FEATURE_COUNT
};
#define GLLM_BIT(feature) (UINT64_C(1) << (feature))

const char *gllm_feature_name(enum gllm_feature f);

enum { GLLM_CACHE_LEVELS = 3 };
struct gllm_cache { /* data or unified cache of one level; all 0 if unknown */
	uint32_t bytes, ways, line;
	uint32_t shared; /* logical CPUs that share it; 0 unknown */
};

struct gllm_profile {
	enum gllm_isa isa;
	char cpu[64];                          /* model words; "" if the registers have none */
	uint64_t hardware, enabled, have;      /* bits of enum gllm_feature */
	unsigned vector_bytes;                 /* 0 scalar only, 16, 32, 64; SVE: the vector length */
	unsigned vector_regs;                  /* 0, 16 or 32 */
	struct gllm_cache cache[GLLM_CACHE_LEVELS]; /* L1d, L2, L3 */
	unsigned cores, threads;               /* physical, logical; 0 unknown */
	double peak_gflops, bandwidth_gbs;     /* measured or given by the caller; 0 unknown */
	bool slow_fma;                         /* measured (gllm_measure): a product and a sum are faster than one FMA */
	bool slow_bf16;                        /* measured: an instruction for products of two pairs of BF16 takes as long as,
	                                        * or longer than, those of four floats */
	bool in_order;                         /* AArch64: the core starts instructions in the order they stand in */
	bool strict_align;                     /* AArch64: memory is Device or alignment is checked, so code may access
	                                        * elements at their natural alignment only. false: the code takes all
	                                        * memory as Normal and vectors at any address */
	const char *missing;                   /* static: why `have` lacks what `hardware` has, naming the bit; NULL if nothing */
};

/* --- x86-64: CPUID leaves and XCR0 --------------------------------------------------------------------------------- */
struct gllm_cpuid_leaf {
	uint32_t leaf, subleaf, eax, ebx, ecx, edx;
};
enum { GLLM_CPUID_LEAVES = 48 };
struct gllm_x86_record {
	unsigned n;
	struct gllm_cpuid_leaf leaf[GLLM_CPUID_LEAVES]; /* an absent leaf reads as zeros */
	uint64_t xcr0;      /* meaningful only if leaf 1 says OSXSAVE: XGETBV faults without it */
};
enum gllm_status gllm_probe_x86(const struct gllm_x86_record *r, struct gllm_profile *out);
uint64_t gllm_required_xcr0(uint64_t features); /* bits an embedder must set for these features */

/* --- AArch64: ID registers, trap controls, cache geometry ---------------------------------------------------------- */
struct gllm_a64_record {
	uint64_t midr, id_aa64pfr0, id_aa64pfr1, id_aa64isar0, id_aa64isar1, id_aa64zfr0, id_aa64smfr0;
	uint64_t ctr, clidr;
	uint64_t ccsidr[8]; /* index 2 * level + (1 for instruction caches), as CSSELR selects; 0 if not read */
	bool ccidx;         /* CCSIDR has the 64-bit layout (ID_AA64MMFR2.CCIDX) */
	uint64_t cpacr;     /* FPEN bits 21:20, ZEN 17:16; a system that cannot read it passes what it knows is enabled */
	uint64_t sve_bytes; /* vector length; 0 if SVE is not enabled */
	bool mmu_on;        /* SCTLR.M: without it memory is Device and unaligned access faults */
	bool checks_align;  /* SCTLR.A: unaligned access faults whatever the memory is */
};
enum gllm_status gllm_probe_a64(const struct gllm_a64_record *r, struct gllm_profile *out);
uint64_t gllm_required_cpacr(uint64_t features);

/* `a` becomes what both cores can do: features and sizes meet. Fails GLLM_INVALID_ARGUMENT on different ISAs. */
enum gllm_status gllm_profile_meet(struct gllm_profile *a, const struct gllm_profile *b);

/* Removes every feature above `isa_cap`: "scalar", "avx2", "avx512", "neon", "sve". GLLM_INVALID_ARGUMENT otherwise. */
enum gllm_status gllm_profile_cap(struct gllm_profile *p, const char *isa_cap);

/* GEMM blocking for this profile (BLIS names; elements of `bytes` each). Sources: facts of the analytical model of
 * Low et al. 2016: KC fills L1 with an A and a B micro-panel, MC fills L2, NC fills L3. */
struct gllm_blocking {
	unsigned mr, nr, kc, mc, nc;
};
struct gllm_blocking gllm_blocking(const struct gllm_profile *p, uint64_t m, uint64_t n, uint64_t k, unsigned bytes);

#ifdef __cplusplus
}
#endif
#endif
