/* SPDX-License-Identifier: MIT
 * gllm/native.h - what only the running CPU can do: read its registers, make written code visible.
 *
 * Built for the archive's own ISA. Everything else about a CPU is a pure function of what is recorded here
 * (gllm/profile.h). Each call describes the core it runs on; systems with unlike cores call it on each and meet. */
#ifndef GLLM_NATIVE_H
#define GLLM_NATIVE_H
#include "gllm/profile.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For any privilege, a process included. x86-64: everything. AArch64: ID registers, which Linux lets a process read
 * since 4.11 (HWCAP_CPUID), as far as a process may use what they name, SVE included; floating point is taken as enabled and
 * the MMU as on, which holds in a process; caches stay unknown, because a process cannot read them. */
enum gllm_status gllm_native_probe(struct gllm_profile *out);

/* For a kernel or a bare-metal image (AArch64: EL1; x86-64: the same as above): traps, MMU and caches are read too. */
enum gllm_status gllm_native_probe_privileged(struct gllm_profile *out);

/* Makes code written at [begin, begin + bytes) visible to instruction fetch of all cores of the inner shareable domain
 * and to this core's pipeline; other cores must pass a context synchronisation (an ISB, an exception) before they call
 * it. `begin` may be the address of any mapping of the bytes. Nothing to do on x86-64. */
void gllm_native_publish(const void *begin, size_t bytes);

#if defined __x86_64__
void gllm_native_x86(struct gllm_x86_record *out);
#elif defined __aarch64__
void gllm_native_a64_el0(struct gllm_a64_record *out);
void gllm_native_a64_el1(struct gllm_a64_record *out);
#endif
/* The SVE vector length now. Executes RDVL: only where SVE is known not to trap. Elsewhere than on AArch64 0. */
uint64_t gllm_native_sve_bytes(void);

#ifdef __cplusplus
}
#endif
#endif
