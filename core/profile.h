/* SPDX-License-Identifier: MIT
 * core/profile.h - what both probes end with. */
#ifndef GLLM_CORE_PROFILE_H
#define GLLM_CORE_PROFILE_H
#include "gllm/profile.h"

/* Sets vector_bytes and vector_regs to what `have` allows; sve_bytes counts only if `have` holds SVE. */
void gllm_profile_settle(struct gllm_profile *p, unsigned sve_bytes);

/* Takes the widest vectors away where there are narrower ones (AVX-512 above AVX2, SVE above NEON); else false. */
bool gllm_profile_narrow(struct gllm_profile *p);

/* The vectors' length is the system's choice, which it may change while code runs (SVE). */
bool gllm_profile_any_length(const struct gllm_profile *p);
#endif
