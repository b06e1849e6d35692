/* SPDX-License-Identifier: MIT
 * arch/aarch64/native/probe.c - reads system registers; writes code back to where instruction fetch sees it.
 *
 * SVE's ID registers are named by their encoding, so any assembler takes them. CTR_EL0 is read at each use: cores of one
 * system may have lines of different length, and the value may be emulated per core. */
#include "gllm/native.h"
#include "arch/aarch64/maintain.h"

#define READ(name)                                                       \
	__extension__({                                                  \
		uint64_t value_;                                         \
		__asm__ volatile("mrs %0, " name : "=r"(value_));        \
		value_;                                                  \
	})
#define ID_AA64ZFR0_EL1  "s3_0_c0_c4_4"
#define ID_AA64SMFR0_EL1 "s3_0_c0_c4_5"
#define ID_AA64MMFR2_EL1 "s3_0_c0_c7_2"

uint64_t gllm_native_sve_bytes(void)
{
	register uint64_t bytes __asm__("x0");
	__asm__ volatile(".inst 0x04bf5020" : "=r"(bytes)); /* rdvl x0, #1 */
	return bytes;
}

static void read_ids(struct gllm_a64_record *out)
{
	*out = (struct gllm_a64_record){
		.midr = READ("midr_el1"),
		.id_aa64pfr0 = READ("id_aa64pfr0_el1"),
		.id_aa64pfr1 = READ("id_aa64pfr1_el1"),
		.id_aa64isar0 = READ("id_aa64isar0_el1"),
		.id_aa64isar1 = READ("id_aa64isar1_el1"),
		.id_aa64zfr0 = READ(ID_AA64ZFR0_EL1),
		.id_aa64smfr0 = READ(ID_AA64SMFR0_EL1),
		.ctr = READ("ctr_el0"),
	};
}

void gllm_native_a64_el0(struct gllm_a64_record *out)
{
	read_ids(out);
	out->cpacr = gllm_required_cpacr(GLLM_BIT(GLLM_A64_SVE)); /* what a process can see is enabled */
	out->mmu_on = true;
	if (out->id_aa64pfr0 >> 32 & 15) /* a system that shows SVE to its processes lets them use it */
		out->sve_bytes = gllm_native_sve_bytes();
}

/* CCSIDR is selected by CSSELR: an interrupt handler that does the same would disturb it, so callers mask interrupts or
 * probe before enabling them. */
static void read_caches(struct gllm_a64_record *out)
{
	uint64_t saved = READ("csselr_el1");
	out->clidr = READ("clidr_el1");
	out->ccidx = (READ(ID_AA64MMFR2_EL1) >> 20 & 15) == 1;
	for (uint64_t i = 0; i < sizeof out->ccsidr / sizeof out->ccsidr[0]; i++) {
		uint64_t type = out->clidr >> 3 * (i / 2) & 7;
		if (type == 0)
			break;
		if (i % 2 ? type != 1 && type != 3 : type < 2)
			continue; /* the level has no such cache: the register would hold anything */
		__asm__ volatile("msr csselr_el1, %0\n\tisb" : : "r"(i) : "memory");
		out->ccsidr[i] = READ("ccsidr_el1");
	}
	__asm__ volatile("msr csselr_el1, %0\n\tisb" : : "r"(saved) : "memory");
}

void gllm_native_a64_el1(struct gllm_a64_record *out)
{
	read_ids(out);
	out->cpacr = READ("cpacr_el1");
	uint64_t sctlr = READ("sctlr_el1");
	out->mmu_on = sctlr & 1;
	out->checks_align = sctlr & 2;
	read_caches(out);
	uint64_t sve = gllm_required_cpacr(GLLM_BIT(GLLM_A64_SVE));
	if ((out->id_aa64pfr0 >> 32 & 15) && (out->cpacr & sve) == sve)
		out->sve_bytes = gllm_native_sve_bytes();
}

enum gllm_status gllm_native_probe(struct gllm_profile *out)
{
	struct gllm_a64_record r;
	gllm_native_a64_el0(&r);
	return gllm_probe_a64(&r, out);
}

enum gllm_status gllm_native_probe_privileged(struct gllm_profile *out)
{
	struct gllm_a64_record r;
	gllm_native_a64_el1(&r);
	return gllm_probe_a64(&r, out);
}

void gllm_native_publish(const void *begin, size_t bytes)
{
	uint64_t ctr = READ("ctr_el0");
	struct gllm_a64_lines l = gllm_a64_clean_lines(ctr, (uintptr_t)begin, bytes);
	if (bytes == 0)
		return;
	for (uint64_t p = l.first; p < l.end; p += l.step)
		__asm__ volatile("dc cvau, %0" : : "r"(p) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
	l = gllm_a64_invalidate_lines(ctr, (uintptr_t)begin, bytes);
	for (uint64_t p = l.first; p < l.end; p += l.step)
		__asm__ volatile("ic ivau, %0" : : "r"(p) : "memory");
	__asm__ volatile("dsb ish\n\tisb" : : : "memory");
}
