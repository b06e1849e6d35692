/* SPDX-License-Identifier: MIT
 * arch/aarch64/probe.c - a profile from recorded ID registers, traps and cache geometry: a pure function, built on every
 * host. A feature is enabled if neither EL0 nor EL1 traps it. With the MMU off memory is Device: vectors are usable there
 * if every element is accessed at its own alignment, which strict_align asks for. */
#include "core/bits.h"
#include "core/fmt.h"
#include "core/profile.h"

static uint64_t field(uint64_t value, unsigned high, unsigned low)
{
	return value >> low & ((UINT64_C(1) << (high - low + 1)) - 1);
}

enum id_reg { PFR0, PFR1, ISAR0, ISAR1, ZFR0, ID_REGS };

/* FP and AdvSIMD say 15 for absence, the others 0; every greater value includes the smaller ones' meaning. */
static const struct feature_row {
	enum gllm_feature id;
	uint8_t reg, low, least, absent;
} feature[] = {
	{ GLLM_A64_FP, PFR0, 16, 0, 15 },       { GLLM_A64_NEON, PFR0, 20, 0, 15 },  { GLLM_A64_FP16, PFR0, 16, 1, 15 },
	{ GLLM_A64_FP16, PFR0, 20, 1, 15 },     { GLLM_A64_DOTPROD, ISAR0, 44, 1, 0 }, { GLLM_A64_BF16, ISAR1, 44, 1, 0 },
	{ GLLM_A64_I8MM, ISAR1, 52, 1, 0 },     { GLLM_A64_SVE, PFR0, 32, 1, 0 },    { GLLM_A64_SVE2, ZFR0, 0, 1, 0 },
	{ GLLM_A64_SVE2, PFR0, 32, 1, 0 },      { GLLM_A64_SME, PFR1, 24, 1, 0 },
	{ GLLM_A64_FHM, ISAR0, 48, 1, 0 },
};

#define BIT(f) GLLM_BIT(GLLM_A64_##f)
#define FP_ONLY BIT(FP)
#define NEON_ALL (BIT(NEON) | BIT(FP16) | BIT(DOTPROD) | BIT(BF16) | BIT(I8MM) | BIT(FHM))
#define SVE_ALL (BIT(SVE) | BIT(SVE2))

enum { FPEN = 20, ZEN = 16, SMEN = 24 }; /* two-bit fields of CPACR_EL1; 3 traps nothing */

static const struct trap_row {
	uint64_t features;
	uint8_t low;
	const char *missing;
} trap[] = {
	{ FP_ONLY | NEON_ALL | SVE_ALL | BIT(SME), FPEN, "CPACR_EL1.FPEN traps FP and SIMD (bits 21:20 are not 3)" },
	{ SVE_ALL, ZEN, "CPACR_EL1.ZEN traps SVE (bits 17:16 are not 3)" },
	{ BIT(SME), SMEN, "CPACR_EL1.SMEN traps SME (bits 25:24 are not 3)" },
};

uint64_t gllm_required_cpacr(uint64_t features)
{
	uint64_t need = 0;
	for (size_t i = 0; i < GLLM_COUNT(trap); i++)
		if (features & trap[i].features)
			need |= UINT64_C(3) << trap[i].low;
	return need;
}

static void disable(struct gllm_profile *p, uint64_t features, const char *why)
{
	p->enabled &= ~features;
	if (!p->missing && (p->hardware & features))
		p->missing = why;
}

static void probe_features(const struct gllm_a64_record *r, struct gllm_profile *p)
{
	const uint64_t id[ID_REGS] = {
		[PFR0] = r->id_aa64pfr0,   [PFR1] = r->id_aa64pfr1, [ISAR0] = r->id_aa64isar0,
		[ISAR1] = r->id_aa64isar1, [ZFR0] = r->id_aa64zfr0,
	};
	uint64_t absent = 0;
	for (size_t i = 0; i < GLLM_COUNT(feature); i++) {
		const struct feature_row *f = &feature[i];
		uint64_t v = field(id[f->reg], f->low + 3u, f->low);
		*(v >= f->least && v != f->absent ? &p->hardware : &absent) |= GLLM_BIT(f->id);
	}
	p->hardware &= ~absent;
	p->enabled = FP_ONLY | NEON_ALL | SVE_ALL | BIT(SME);
	for (size_t i = 0; i < GLLM_COUNT(trap); i++)
		if (field(r->cpacr, trap[i].low + 1u, trap[i].low) != 3)
			disable(p, trap[i].features, trap[i].missing);
	p->strict_align = !r->mmu_on || r->checks_align;
	if (r->sve_bytes < 16 || r->sve_bytes > 256 || r->sve_bytes % 16)
		disable(p, SVE_ALL, "the length of SVE vectors was not read (ZCR_EL1)");
	p->have = p->hardware & p->enabled;
}

static struct gllm_cache geometry(uint64_t ccsidr, bool ccidx)
{
	uint64_t line = UINT64_C(16) << field(ccsidr, 2, 0);
	uint64_t ways = field(ccsidr, ccidx ? 23 : 12, 3) + 1;
	uint64_t sets = (ccidx ? field(ccsidr, 55, 32) : field(ccsidr, 27, 13)) + 1;
	uint64_t bytes = line * ways * sets;
	return (struct gllm_cache){
		.bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX,
		.ways = (uint32_t)ways,
		.line = (uint32_t)line,
	};
}

static void probe_caches(const struct gllm_a64_record *r, struct gllm_profile *p)
{
	enum { NO_CACHE, INSTRUCTION_ONLY, DATA_ONLY, SEPARATE, UNIFIED };
	for (unsigned level = 0; level < GLLM_CACHE_LEVELS; level++) {
		uint64_t type = field(r->clidr, 3 * level + 2, 3 * level);
		if (type == NO_CACHE)
			break; /* no cache is behind a level that has none */
		if (type >= DATA_ONLY && type <= UNIFIED && r->ccsidr[2 * level])
			p->cache[level] = geometry(r->ccsidr[2 * level], r->ccidx);
	}
}

static const struct cpu_row {
	uint8_t implementer;
	uint16_t part;
	const char *name;
} cpu[] = {
	{ 0x41, 0xd03, "Cortex-A53" },   { 0x41, 0xd04, "Cortex-A35" },   { 0x41, 0xd05, "Cortex-A55" },
	{ 0x41, 0xd07, "Cortex-A57" },   { 0x41, 0xd08, "Cortex-A72" },   { 0x41, 0xd09, "Cortex-A73" },
	{ 0x41, 0xd0a, "Cortex-A75" },   { 0x41, 0xd0b, "Cortex-A76" },   { 0x41, 0xd0c, "Neoverse-N1" },
	{ 0x41, 0xd0d, "Cortex-A77" },   { 0x41, 0xd40, "Neoverse-V1" },  { 0x41, 0xd41, "Cortex-A78" },
	{ 0x41, 0xd44, "Cortex-X1" },    { 0x41, 0xd46, "Cortex-A510" },  { 0x41, 0xd47, "Cortex-A710" },
	{ 0x41, 0xd48, "Cortex-X2" },    { 0x41, 0xd49, "Neoverse-N2" },  { 0x41, 0xd4a, "Neoverse-E1" },
	{ 0x41, 0xd4d, "Cortex-A715" },  { 0x41, 0xd4e, "Cortex-X3" },    { 0x41, 0xd4f, "Neoverse-V2" },
	{ 0x41, 0xd80, "Cortex-A520" },  { 0x41, 0xd81, "Cortex-A720" },  { 0x41, 0xd82, "Cortex-X4" },
	{ 0x43, 0x0af, "ThunderX2" },    { 0x46, 0x001, "A64FX" },        { 0x48, 0xd01, "Kunpeng-920" },
	{ 0x4e, 0x004, "Carmel" },       { 0x51, 0x001, "Oryon" },        { 0x61, 0x022, "Apple M1 (efficiency)" },
	{ 0x61, 0x023, "Apple M1 (performance)" },                        { 0xc0, 0xac3, "Ampere-1" },
};

static const uint16_t in_order[] = { 0xd03, 0xd04, 0xd05, 0xd46, 0xd80 }; /* Arm's parts */

static void probe_name(const struct gllm_a64_record *r, struct gllm_profile *p)
{
	struct gllm_line t = gllm_line(p->cpu, sizeof p->cpu);
	for (size_t i = 0; i < GLLM_COUNT(cpu); i++)
		if (field(r->midr, 31, 24) == cpu[i].implementer && field(r->midr, 15, 4) == cpu[i].part)
			gllm_put_string(&t, cpu[i].name);
	for (size_t i = 0; i < GLLM_COUNT(in_order); i++)
		p->in_order |= field(r->midr, 31, 24) == 0x41 && field(r->midr, 15, 4) == in_order[i];
	if (t.length == 0 && r->midr) {
		gllm_put_string(&t, "MIDR ");
		gllm_put_hex(&t, r->midr, 8);
	}
}

enum gllm_status gllm_probe_a64(const struct gllm_a64_record *r, struct gllm_profile *out)
{
	if (!r || !out)
		return GLLM_INVALID_ARGUMENT;
	*out = (struct gllm_profile){ .isa = GLLM_ISA_AARCH64 };
	probe_features(r, out);
	probe_caches(r, out);
	probe_name(r, out);
	gllm_profile_settle(out, (unsigned)r->sve_bytes);
	return GLLM_OK;
}
