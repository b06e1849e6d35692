/* SPDX-License-Identifier: MIT
 * arch/x86_64/native/probe.c - reads CPUID and XCR0. XGETBV is executed only after CPUID said OSXSAVE. */
#include "core/bits.h"
#include "gllm/native.h"

static struct gllm_cpuid_leaf cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct gllm_cpuid_leaf l = { .leaf = leaf, .subleaf = subleaf };
	__asm__ volatile("cpuid" : "=a"(l.eax), "=b"(l.ebx), "=c"(l.ecx), "=d"(l.edx) : "a"(leaf), "c"(subleaf));
	return l;
}

static uint64_t xcr0(void)
{
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

void gllm_native_x86(struct gllm_x86_record *out)
{
	static const struct { uint32_t leaf, subleaves; } wanted[] = {
		{ 0x0, 1 }, { 0x1, 1 }, { 0x4, 6 }, { 0x7, 2 }, { 0xb, 3 }, { 0x1f, 6 },
		{ 0x80000000u, 1 }, { 0x80000002u, 1 }, { 0x80000003u, 1 }, { 0x80000004u, 1 }, { 0x80000005u, 1 },
		{ 0x80000006u, 1 }, { 0x80000008u, 1 }, { 0x8000001du, 5 }, { 0x8000001eu, 1 },
	};
	out->n = 0;
	out->xcr0 = 0;
	for (size_t i = 0; i < GLLM_COUNT(wanted); i++) {
		uint32_t range = wanted[i].leaf & 0x80000000u;
		if (wanted[i].leaf > cpuid(range, 0).eax)
			continue; /* would repeat the greatest leaf */
		for (uint32_t s = 0; s < wanted[i].subleaves && out->n < GLLM_CPUID_LEAVES; s++)
			out->leaf[out->n++] = cpuid(wanted[i].leaf, s);
	}
	if (cpuid(1, 0).ecx >> 27 & 1)
		out->xcr0 = xcr0();
}

enum gllm_status gllm_native_probe(struct gllm_profile *out)
{
	struct gllm_x86_record r;
	gllm_native_x86(&r);
	return gllm_probe_x86(&r, out);
}

enum gllm_status gllm_native_probe_privileged(struct gllm_profile *out)
{
	return gllm_native_probe(out);
}

uint64_t gllm_native_sve_bytes(void)
{
	return 0;
}

void gllm_native_publish(const void *begin, size_t bytes)
{
	/* Instruction fetch is coherent; only the compiler must not hold stores back. */
	__asm__ volatile("" : : "r"(begin), "r"(bytes) : "memory");
}
