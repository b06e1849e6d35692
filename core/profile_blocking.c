/* SPDX-License-Identifier: MIT
 * core/profile_blocking.c - GEMM blocking after the analytical model of Low et al. (BLIS), in integers.
 *
 * KC: an A and a B micro-panel fill 0.8 of L1. MC: a block of A fills 0.8 of L2, never more than 0.85. NC: a panel of B
 * fills 0.6 of an L3 of at least 1 MiB, else 0.4 of L2. Unknown caches count as the small ones of UNKNOWN_L1, _L2. */
#include "core/bits.h"
#include "gllm/profile.h"

enum { UNKNOWN_L1 = 32 << 10, UNKNOWN_L2 = 256 << 10, L3_COUNTS = 1 << 20, SMALL = 4096 };

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t down_to_multiple(uint64_t x, uint64_t of)
{
	return x / of * of;
}

/* A multiple of `unit` near `want`, at least two units, at most what covers `all`. */
static unsigned block(uint64_t want, uint64_t unit, uint64_t all)
{
	uint64_t b = down_to_multiple(want, unit);
	if (b < 2 * unit)
		b = 2 * unit;
	b = least(b, all);
	return (unsigned)(b ? b : 1);
}

static void register_tile(const struct gllm_profile *p, struct gllm_blocking *b)
{
	if (p->vector_bytes == 0 || p->isa == GLLM_ISA_NONE) {
		b->mr = b->nr = 4;
	} else if (p->isa == GLLM_ISA_AARCH64) {
		b->mr = 8;
		b->nr = 3 * p->vector_bytes / 4; /* three vectors of a row */
	} else {
		b->mr = p->vector_regs == 32 ? 14 : 6;
		b->nr = 2 * p->vector_bytes / 4; /* two vectors of a row */
	}
}

struct gllm_blocking gllm_blocking(const struct gllm_profile *p, uint64_t m, uint64_t n, uint64_t k, unsigned bytes)
{
	struct gllm_blocking b = { 0 };
	uint64_t l1 = p->cache[0].bytes ? p->cache[0].bytes : UNKNOWN_L1;
	uint64_t l2 = p->cache[1].bytes ? p->cache[1].bytes : UNKNOWN_L2;
	uint64_t l3 = p->cache[2].bytes;
	register_tile(p, &b);
	uint64_t e = bytes ? bytes : 1, micro = e * (b.mr + b.nr), mn, mnk;
	if (!m || !n || !k || (gllm_mul_ok(m, n, &mn) && gllm_mul_ok(mn, k, &mnk) && mnk < SMALL)) {
		b.kc = (unsigned)least(k ? k : 1, l1 / micro ? l1 / micro : 1);
		b.mc = (unsigned)least(m ? m : 1, UINT32_MAX);
		b.nc = (unsigned)least(n ? n : 1, UINT32_MAX);
		return b;
	}
	uint64_t kc = down_to_multiple(l1 * 4 / 5 / micro, 4);
	b.kc = (unsigned)least(kc < 4 ? 4 : kc, k);
	uint64_t row = e * b.kc, most = down_to_multiple(l2 * 17 / 20 / row, b.mr);
	b.mc = block(l2 * 4 / 5 / row, b.mr, m);
	if (b.mc > most)
		b.mc = (unsigned)least(most ? most : b.mr, m);
	b.nc = block((l3 >= L3_COUNTS ? l3 * 3 / 5 : l2 * 2 / 5) / row, b.nr, n);
	return b;
}
