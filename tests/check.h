/* SPDX-License-Identifier: MIT
 * tests/check.h - the freestanding test harness.
 *
 * The same suites run on the host, under qemu-user and in both bare-metal images. A suite is one function and one row in
 * suites.def; a main program (hosted.c, or the image's) fills a check_host with what its platform has and calls
 * check_main. Every CHECK counts as one test; what a platform lacks is counted with check_skip and a reason.
 * Random data comes from check_random, seeded by the printed seed and the suite's name, so a failure can be repeated. */
#ifndef CHECK_H
#define CHECK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "gllm/context.h"
#include "gllm/host.h"
#include "gllm/image.h"
#include "gllm/profile.h"
#include "gllm/record.h"
#include "gllm/status.h"
#include "gllm/target.h"

struct check_host {
	void (*put)(void *user, const char *text, size_t n);
	void *user;
	const struct gllm_image *image;        /* the running program; NULL: lifting tests skip */
	const struct gllm_trace_record *recorded; unsigned nrecorded; /* traces recorded when the program was built */
	const struct gllm_target *target;      /* of the running program; NULL with JIT=0 */
	const struct gllm_profile *profile;    /* probed (or capped) CPU; vector_bytes 0: compiled code is not run */
	const struct gllm_exec_memory *exec;   /* NULL: compiled code is not run */
	unsigned exec_parts;                   /* how many parts of it serve one after another, because emulators of user
	                                        * programs miss that code is replaced through another view; 0: all of it again */
	void *memory; size_t size;             /* for arenas; at least 48 MiB */
	const unsigned char *model; size_t model_size; /* a model file to run; NULL: those tests skip */
	/* `bytes` bytes whose last byte is followed, and whose first is preceded, by pages that fault (at_end: data ends
	 * flush with the trailing page). NULL where the platform has no guard pages. */
	void *(*guarded)(void *user, size_t bytes, bool at_end);
	void (*guarded_free)(void *user, void *p, size_t bytes, bool at_end);
	uint64_t (*clock_ns)(void *user);
	/* Makes the CPU's SVE vectors `bytes` long, as near as it can; returns what they then are. NULL: that cannot be done. */
	uint64_t (*set_vector_bytes)(uint64_t bytes);
	uint64_t seed;
	unsigned effort;                       /* percent of the random cases of suites that draw many; 0: 100 */
	const char *filter;                    /* run only suites whose name contains one of its words, parted by commas; NULL: all */
};

struct check {
	const struct check_host *host;
	const char *suite;
	uint64_t random;
	unsigned passed, failed, skipped;
	struct gllm_exec_memory exec; /* the part in use; size 0: none */
	size_t exec_offset;
	unsigned exec_part;
};

/* Runs the suites; prints failures, skips and the last line "N passed, N failed, N skipped". Returns failures. */
unsigned check_main(const struct check_host *h);

/* Accessors for what a suite needs; NULL when the platform lacks it (the suite then calls check_skip). */
const struct gllm_image *check_image(const struct check *t);
const struct gllm_target *check_target(const struct check *t);
const struct gllm_profile *check_profile(const struct check *t);
const struct gllm_exec_memory *check_exec(const struct check *t);
/* From now on another part of it, where no code has run before (or all of it again where that does not matter). Every
 * suite begins so; a suite that makes several contexts calls it before each. */
const struct gllm_exec_memory *check_exec_fresh(struct check *t);
void *check_memory(const struct check *t, size_t *size); /* all of it, shared by suites one after another */
/* For suites that compile plans with vectors and run them on up to three workers: fills `c` for this CPU; `*workers` is read
 * whenever a plan runs. False, and the suite is skipped, where the platform cannot. */
bool check_compiler(struct check *t, unsigned *workers, struct gllm_config *c);
/* A parallel_for that hands the shares out in turn, last first, as `*user`, an unsigned, workers would take them. */
void check_in_shares(void *user, gllm_task_fn *fn, void *task, uint64_t n, uint64_t grain);

uint64_t check_random(struct check *t);
uint32_t check_below(struct check *t, uint32_t n);       /* 0 .. n-1 */
float check_float(struct check *t, float low, float high);
float check_hostile(struct check *t);                    /* any bit pattern, special values often */

/* text: a printf-like format of core/fmt.h */
void check_print(const struct check *t, const char *format, ...);
void check_skip(struct check *t, const char *reason);
bool check_true(struct check *t, bool ok, const char *file, int line, const char *expression);
bool check_equal(struct check *t, uint64_t got, uint64_t want, const char *file, int line, const char *expression);
bool check_text(struct check *t, const char *got, const char *want, const char *file, int line);

/* Distance in units in the last place of `want`; 0 if both are NaN; huge if only one is. */
double check_ulp(float got, float want);

#define CHECK(t, e)            check_true(t, (e), __FILE__, __LINE__, #e)
#define CHECK_EQ(t, got, want) check_equal(t, (uint64_t)(got), (uint64_t)(want), __FILE__, __LINE__, #got " == " #want)
#define CHECK_TEXT(t, got, want) check_text(t, got, want, __FILE__, __LINE__)
#define CHECK_STATUS(t, call, want) \
	check_equal(t, (uint64_t)(int64_t)(call), (uint64_t)(int64_t)(want), __FILE__, __LINE__, #call " is " #want)
#endif
