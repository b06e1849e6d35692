/* SPDX-License-Identifier: MIT
 * arch/aarch64/timing.c - what operations cost, for the scheduler (core/vir.h): cycles to the result, and slots of their
 * unit, counting every instruction that select writes on the usual path.
 *
 * NEON: quadword forms of Arm's Cortex-A57 Software Optimization Guide (UAN 0015), whose latencies are the longest of the
 * cores that have nothing wider, as LLVM's model of that core has them (it serves the Cortex-A72, too). SVE: LLVM's model of
 * the Neoverse N2 after Arm's guide (PJDOC-466751330-18256), with two vector pipes. What hides the latencies of these
 * cores hides those of others. */
#include "arch/aarch64/gen.h"

enum { G = GLLM_UNIT_G, L = GLLM_UNIT_LOAD, S = GLLM_UNIT_STORE, V = GLLM_UNIT_V };

#define INTEGERS                                                                                        \
	[GLLM_V_GCONST] = { 1, G, 1 },   [GLLM_V_GMOV] = { 1, G, 1 },    [GLLM_V_GADD] = { 1, G, 1 },       \
	[GLLM_V_GSUB] = { 1, G, 1 },     [GLLM_V_GMUL] = { 3, G, 1 },    [GLLM_V_GADDI] = { 1, G, 1 },      \
	[GLLM_V_GMULI] = { 4, G, 2 },    [GLLM_V_GSHLI] = { 1, G, 1 },   [GLLM_V_GSHRI] = { 1, G, 1 },      \
	[GLLM_V_GANDI] = { 1, G, 1 },    [GLLM_V_GMIN] = { 2, G, 2 },    [GLLM_V_GMAX] = { 2, G, 2 },       \
	[GLLM_V_GLOAD] = { 4, L, 1 },    [GLLM_V_GSTORE] = { 1, S, 1 },  [GLLM_V_GDIVI] = { 12, G, 4 },     \
	[GLLM_V_PREFETCH] = { 1, L, 1 }

const struct gllm_timing gllm_a64_timing_neon[GLLM_TIMINGS] = {
	INTEGERS,
	[GLLM_V_VLOAD] = { 5, L, 1 },    [GLLM_V_VSTORE] = { 1, S, 2 },   [GLLM_V_VBCAST] = { 8, L, 1 },
	[GLLM_V_VZERO] = { 3, V, 1 },    [GLLM_V_VMOV] = { 3, V, 1 },     [GLLM_V_VSPLAT] = { 8, V, 1 },
	[GLLM_V_VINDEX] = { 11, V, 2 },
	[GLLM_V_VADD] = { 5, V, 2 },     [GLLM_V_VSUB] = { 5, V, 2 },     [GLLM_V_VMUL] = { 5, V, 2 },
	[GLLM_V_VFMA] = { 10, V, 2 },    [GLLM_V_VFNMA] = { 10, V, 2 },    [GLLM_V_VDOT] = { 10, V, 2 },
	[GLLM_V_VTILE] = { 10, V, 2 },   [GLLM_V_VQUAD] = { 5, L, 1 },   [GLLM_V_VPAIR] = { 8, L, 1 },
	[GLLM_V_VDIV] = { 34, V, 34 },   [GLLM_V_VSQRT] = { 34, V, 34 },
	[GLLM_V_VMIN] = { 8, V, 4 },     [GLLM_V_VMAX] = { 8, V, 4 },
	[GLLM_V_VNEG] = { 3, V, 1 },     [GLLM_V_VABS] = { 3, V, 1 },     [GLLM_V_VRINT] = { 5, V, 2 },
	[GLLM_V_VLDEXP] = { 14, V, 10 },
	[GLLM_V_VAND] = { 3, V, 1 },     [GLLM_V_VOR] = { 3, V, 1 },      [GLLM_V_VXOR] = { 3, V, 1 },
	[GLLM_V_VANDN] = { 3, V, 1 },    [GLLM_V_VSHLI] = { 3, V, 1 },    [GLLM_V_VSHRI] = { 3, V, 1 },
	[GLLM_V_VSARI] = { 3, V, 1 },    [GLLM_V_VCVT] = { 5, V, 2 },     [GLLM_V_VCVTN] = { 5, V, 2 },
	[GLLM_V_VWIDEN] = { 4, V, 2 },
	[GLLM_V_VLT] = { 5, V, 2 },      [GLLM_V_VLE] = { 5, V, 2 },      [GLLM_V_VEQ] = { 5, V, 2 },
	[GLLM_V_VUNORD] = { 8, V, 5 },   [GLLM_V_VSEL] = { 3, V, 2 },
	[GLLM_V_MAND] = { 3, V, 1 },     [GLLM_V_MOR] = { 3, V, 1 },      [GLLM_V_MXOR] = { 3, V, 1 },
	[GLLM_V_MNOT] = { 3, V, 1 },     [GLLM_V_MTAIL] = { 14, V, 3 },
	[GLLM_V_VREDUCE] = { 18, V, 6 }, [GLLM_V_VHPAIR] = { 9, V, 3 },
	[GLLM_V_VZIP] = { 6, V, 3 },     [GLLM_TIMING_ZIP_PARTS] = { 3, V, 1 }, [GLLM_TIMING_ZIP_WHOLE] = { 6, V, 3 },
	[GLLM_TIMING_UNZIP] = { 6, V, 3 }, [GLLM_TIMING_UNZIP_64] = { 6, V, 3 },
	[GLLM_V_VLANE0] = { 3, V, 1 },
};

const struct gllm_timing gllm_a64_timing_sve[GLLM_TIMINGS] = {
	INTEGERS,
	[GLLM_V_VLOAD] = { 6, L, 1 },    [GLLM_V_VSTORE] = { 1, S, 1 },  [GLLM_V_VBCAST] = { 6, L, 1 },
	[GLLM_V_VZERO] = { 2, V, 1 },    [GLLM_V_VMOV] = { 2, V, 1 },    [GLLM_V_VSPLAT] = { 3, V, 1 },
	[GLLM_V_VINDEX] = { 7, V, 2 },
	[GLLM_V_VADD] = { 2, V, 1 },     [GLLM_V_VSUB] = { 2, V, 1 },    [GLLM_V_VMUL] = { 3, V, 1 },
	[GLLM_V_VFMA] = { 4, V, 1 },     [GLLM_V_VFNMA] = { 4, V, 1 },    [GLLM_V_VDOT] = { 5, V, 1 },
	[GLLM_V_VTILE] = { 5, V, 1 },    [GLLM_V_VQUAD] = { 6, L, 1 },   [GLLM_V_VPAIR] = { 6, L, 1 },
	[GLLM_V_VDIV] = { 10, V, 10 },   [GLLM_V_VSQRT] = { 10, V, 10 },
	[GLLM_V_VMIN] = { 6, V, 2 },     [GLLM_V_VMAX] = { 6, V, 2 },
	[GLLM_V_VNEG] = { 2, V, 1 },     [GLLM_V_VABS] = { 2, V, 1 },    [GLLM_V_VRINT] = { 3, V, 2 },
	[GLLM_V_VLDEXP] = { 4, V, 2 },
	[GLLM_V_VAND] = { 2, V, 1 },     [GLLM_V_VOR] = { 2, V, 1 },     [GLLM_V_VXOR] = { 2, V, 1 },
	[GLLM_V_VANDN] = { 2, V, 1 },    [GLLM_V_VSHLI] = { 2, V, 1 },   [GLLM_V_VSHRI] = { 2, V, 1 },
	[GLLM_V_VSARI] = { 2, V, 1 },    [GLLM_V_VCVT] = { 4, V, 2 },    [GLLM_V_VCVTN] = { 6, V, 4 },
	[GLLM_V_VLT] = { 4, V, 1 },      [GLLM_V_VLE] = { 4, V, 1 },     [GLLM_V_VEQ] = { 4, V, 1 },
	[GLLM_V_VUNORD] = { 4, V, 1 },   [GLLM_V_VSEL] = { 2, V, 1 },
	[GLLM_V_MAND] = { 1, G, 1 },     [GLLM_V_MOR] = { 1, G, 1 },     [GLLM_V_MXOR] = { 1, G, 1 },
	[GLLM_V_MNOT] = { 1, G, 1 },     [GLLM_V_MTAIL] = { 3, G, 1 },
	[GLLM_V_VREDUCE] = { 13, V, 6 }, [GLLM_V_VHPAIR] = { 6, V, 3 },
	[GLLM_V_VZIP] = { 4, V, 3 },     [GLLM_TIMING_ZIP_PARTS] = { 6, V, 5 }, [GLLM_TIMING_ZIP_WHOLE] = { 2, V, 1 },
	[GLLM_TIMING_UNZIP] = { 2, V, 1 }, [GLLM_TIMING_UNZIP_64] = { 2, V, 1 },
	[GLLM_V_VLANE0] = { 2, V, 1 },
};
