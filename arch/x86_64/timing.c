/* SPDX-License-Identifier: MIT
 * arch/x86_64/timing.c - what operations cost, for the scheduler (core/vir.h): cycles to the result, and slots of their
 * unit, counting every instruction that select writes.
 *
 * Agner Fog's instruction tables (2023), Zen 4 and Ice Lake, the longer latency of both: two pipes that multiply and add. */
#include "arch/x86_64/gen.h"

enum { G = GLLM_UNIT_G, L = GLLM_UNIT_LOAD, S = GLLM_UNIT_STORE, V = GLLM_UNIT_V };

const struct gllm_timing gllm_x86_timing[GLLM_TIMINGS] = {
	[GLLM_V_GCONST] = { 1, G, 1 },   [GLLM_V_GMOV] = { 1, G, 1 },    [GLLM_V_GADD] = { 1, G, 1 },
	[GLLM_V_GSUB] = { 1, G, 1 },     [GLLM_V_GMUL] = { 3, G, 1 },    [GLLM_V_GADDI] = { 1, G, 1 },
	[GLLM_V_GMULI] = { 3, G, 1 },    [GLLM_V_GSHLI] = { 1, G, 1 },   [GLLM_V_GSHRI] = { 1, G, 1 },
	[GLLM_V_GANDI] = { 1, G, 1 },    [GLLM_V_GMIN] = { 2, G, 2 },    [GLLM_V_GMAX] = { 2, G, 2 },
	[GLLM_V_GLOAD] = { 5, L, 1 },    [GLLM_V_GSTORE] = { 1, S, 1 },  [GLLM_V_GDIVI] = { 18, G, 8 },
	[GLLM_V_PREFETCH] = { 1, L, 1 },
	[GLLM_V_VLOAD] = { 8, L, 1 },    [GLLM_V_VSTORE] = { 1, S, 1 },  [GLLM_V_VBCAST] = { 8, L, 1 },
	[GLLM_V_VPAIR] = { 8, L, 1 },
	[GLLM_V_VZERO] = { 1, V, 0 },    [GLLM_V_VMOV] = { 1, V, 0 },    [GLLM_V_VSPLAT] = { 5, V, 1 },
	[GLLM_V_VINDEX] = { 6, V, 2 },
	[GLLM_V_VADD] = { 4, V, 1 },     [GLLM_V_VSUB] = { 4, V, 1 },    [GLLM_V_VMUL] = { 4, V, 1 },
	[GLLM_V_VADDM] = { 4, V, 1 },
	[GLLM_V_VFMA] = { 4, V, 1 },     [GLLM_V_VFNMA] = { 4, V, 1 },    [GLLM_V_VDOT] = { 6, V, 1 },
	[GLLM_V_VDIV] = { 13, V, 10 },   [GLLM_V_VSQRT] = { 19, V, 12 },
	[GLLM_V_VMIN] = { 4, V, 1 },     [GLLM_V_VMAX] = { 4, V, 1 },
	[GLLM_V_VNEG] = { 1, V, 1 },     [GLLM_V_VABS] = { 1, V, 1 },    [GLLM_V_VRINT] = { 8, V, 2 },
	[GLLM_V_VLDEXP] = { 12, V, 7 },  [GLLM_V_VSCALE] = { 6, V, 1 },
	[GLLM_V_VSCALEM] = { 6, V, 1 },
	[GLLM_V_VAND] = { 1, V, 1 },     [GLLM_V_VOR] = { 1, V, 1 },     [GLLM_V_VXOR] = { 1, V, 1 },
	[GLLM_V_VANDN] = { 1, V, 1 },    [GLLM_V_VSHLI] = { 1, V, 1 },   [GLLM_V_VSHRI] = { 1, V, 1 },
	[GLLM_V_VSARI] = { 1, V, 1 },    [GLLM_V_VCVT] = { 4, V, 1 },    [GLLM_V_VCVTN] = { 4, V, 1 },
	[GLLM_V_VLT] = { 4, V, 1 },      [GLLM_V_VLE] = { 4, V, 1 },     [GLLM_V_VEQ] = { 4, V, 1 },
	[GLLM_V_VUNORD] = { 4, V, 1 },   [GLLM_V_VSEL] = { 2, V, 2 },
	[GLLM_V_MAND] = { 1, V, 1 },     [GLLM_V_MOR] = { 1, V, 1 },     [GLLM_V_MXOR] = { 1, V, 1 },
	[GLLM_V_MNOT] = { 1, V, 1 },     [GLLM_V_MTAIL] = { 7, V, 2 },
	[GLLM_V_VREDUCE] = { 20, V, 8 }, [GLLM_V_VHPAIR] = { 6, V, 3 },
	[GLLM_V_VZIP] = { 1, V, 1 },     [GLLM_TIMING_ZIP_PARTS] = { 3, V, 1 }, [GLLM_TIMING_ZIP_WHOLE] = { 4, V, 3 },
	[GLLM_TIMING_UNZIP] = { 4, V, 2 },
	[GLLM_V_VPICK] = { 3, V, 1 },    [GLLM_V_VLANE0] = { 3, V, 1 },
	[GLLM_V_VCOPYSIGN] = { 1, V, 1 },
};
