/* SPDX-License-Identifier: MIT
 * tools/host.h - what Linux gives the library: the running program as an image, two views of executable memory, a spin
 * pool of threads, a clock, the probed CPU. Shared by the tool, the tests and the benchmarks. */
#ifndef HOST_H
#define HOST_H
#include "gllm/host.h"
#include "gllm/image.h"
#include "gllm/profile.h"
#include "gllm/target.h"

/* Ranges of this program (segments that are not writable are immutable) and the addresses of the primitives. */
const struct gllm_image *host_image(void);

/* The same without what can be executed: the program as it looks where text is execute-only. */
const struct gllm_image *host_image_withheld(void);

/* The target of this program's own ISA; NULL when built with JIT=0. */
const struct gllm_target *host_target(void);

/* `size` bytes in two views of one memory file: one readable and writable, one readable and executable. */
enum gllm_status host_exec(size_t size, struct gllm_exec_memory *out);

/* Probes the CPU; `cap` is NULL or a name of gllm_profile_cap. */
enum gllm_status host_profile(const char *cap, struct gllm_profile *out);

uint64_t host_clock_ns(void *user);

/* Zeroed memory, 64-byte aligned or better; huge pages are asked for, and sizes of half a MiB or more begin with one. NULL on failure. */
void *host_memory(size_t size);

/* Reads a whole file into memory of its own; NULL and *size 0 on failure. */
unsigned char *host_file(const char *path, size_t *size);

/* Starts workers - 1 threads that spin for work (no condition variables; they yield after a while of idleness). The
 * returned value is gllm_host.user for host_parallel_for; NULL on failure. One pool per process. */
void *host_pool(unsigned workers);
void host_parallel_for(void *pool, gllm_task_fn *fn, void *task, uint64_t n, uint64_t grain);
#endif
