/* SPDX-License-Identifier: MIT
 * gllm/host.h - what the embedder gives: memory, executable memory, threads, a clock, a log. Every hook may be absent. */
#ifndef GLLM_HOST_H
#define GLLM_HOST_H
#include "gllm/status.h"
#include "gllm/store.h"
#include "gllm/types.h"

/* Executable memory in two views of the same bytes (they may be one address where the system allows it, but pages are
 * never writable and executable at once). After the library wrote [offset, offset+size) through `write` it calls publish
 * exactly once per range, before the first call through `exec`; publish must make the range executable and do the cache
 * maintenance of the ISA (AArch64: DC CVAU, DSB ISH, IC IVAU, DSB ISH, ISB). publish may be NULL where neither is needed. */
struct gllm_exec_memory {
	unsigned char *write;      /* NULL: no executable memory; compiling returns GLLM_NO_EXEC_MEMORY */
	const unsigned char *exec;
	size_t size;
	enum gllm_status (*publish)(void *user, size_t offset, size_t size);
	void *user;
	bool once;                 /* a place never serves twice: memory that is written once, or an emulator that runs on
	                            * with what stood there first. Freed plans then do not give their code back */
};

typedef void gllm_task_fn(void *task, uint64_t begin, uint64_t end, unsigned worker);

struct gllm_host {
	struct gllm_exec_memory code;
	/* Calls fn over disjoint ranges that cover [0, n), each a multiple of `grain` but the last; returns when all are
	 * done. Workers are 0 .. workers-1. NULL: everything runs on the calling thread. */
	void (*parallel_for)(void *user, gllm_task_fn *fn, void *task, uint64_t n, uint64_t grain);
	unsigned workers;          /* 0 and 1 mean one */
	uint64_t (*clock_ns)(void *user);
	/* Bytes of a vector as the CPU now has them, where a system may change that (SVE: gllm_native_sve_bytes). Asked when a
	 * plan that counts on such a length is loaded and whenever it runs, on the calling thread and on each that takes part.
	 * NULL: it stays what the profile says. */
	uint64_t (*vector_bytes)(void);
	void (*log)(void *user, const char *text, size_t n); /* whole lines: what was compiled */
	void *user;                /* handed to parallel_for, clock_ns and log */
	struct gllm_store store;   /* of compiled plans: asked before anything is compiled, given what was (gllm/store.h) */
};
#endif
