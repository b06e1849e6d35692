/* SPDX-License-Identifier: MIT
 * tests/hosted.c - the harness as a Linux program, native or under qemu-user.
 * check [-f FILTER] [-s SEED] [-e PERCENT] [-i ISA_CAP] [-m MODEL] [-x]; -e: of the random cases of suites that draw many
 * (100; 2 where code runs under an emulator); -x: the library is not shown what can be executed, so that traces can only
 * be those recorded when this program was built. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/check.h"
#include "tools/host.h"

extern const struct gllm_trace_record gllm_recorded_traces[];
extern const unsigned gllm_recorded_count;

static void put(void *user, const char *text, size_t n)
{
	(void)user;
	fwrite(text, 1, n, stdout);
}

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t pages(size_t bytes)
{
	size_t page = page_size();
	return (bytes + page - 1) / page * page + (bytes == 0 ? page : 0);
}

/* Bytes that buffers stay away from the trailing page, for emulators that read lanes a mask turns off. */
static size_t slack;

#ifdef __x86_64__
__attribute__((target("avx"))) static void masked_load_at_edge(void)
{
	typedef int mask __attribute__((vector_size(32)));
	typedef float vec __attribute__((vector_size(32)));
	const mask first = { -1 };
	size_t page = page_size();
	unsigned char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(p + page, page, PROT_NONE);
	volatile vec x = __builtin_ia32_maskloadps256((const vec *)(void *)(p + page - 4), first);
	(void)x;
}

/* The architecture reads no byte of a lane that is masked out; QEMU 7 reads them all. Tried in a child. */
static bool reads_masked_lanes(const struct gllm_profile *p)
{
	int status = 0;
	if (!(p->have & GLLM_BIT(GLLM_X86_AVX)))
		return false;
	pid_t child = fork();
	if (child == 0) {
		masked_load_at_edge();
		_exit(0);
	}
	return child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status);
}
#else
static bool reads_masked_lanes(const struct gllm_profile *p)
{
	(void)p;
	return false;
}
#endif

static void *guarded(void *user, size_t bytes, bool at_end)
{
	size_t page = page_size(), inner = pages(bytes + slack);
	(void)user;
	unsigned char *p = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p + page, inner, PROT_READ | PROT_WRITE) != 0)
		return NULL;
	return p + page + (at_end ? inner - bytes - slack : 0);
}

static void guarded_free(void *user, void *p, size_t bytes, bool at_end)
{
	size_t page = page_size(), inner = pages(bytes + slack);
	(void)user;
	if (p)
		munmap((unsigned char *)p - (at_end ? inner - bytes - slack : 0) - page, inner + 2 * page);
}

/* Whether code that is replaced through the write view runs as before: QEMU's user mode watches only the view it runs. */
static bool keeps_old_code(const struct gllm_exec_memory *x)
{
#ifdef __x86_64__
	static const unsigned char one[] = { 0xb8, 1, 0, 0, 0, 0xc3 }, two[] = { 0xb8, 2, 0, 0, 0, 0xc3 };
#else
	static const unsigned char one[] = { 0x20, 0, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6 }, two[] = { 0x40, 0, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6 };
#endif
	size_t at = x->size - page_size(); /* no suite gets so far: what is tried here must not run there instead of its code */
	union { const unsigned char *data; int (*call)(void); } entry = { x->exec + at };
	memcpy(x->write + at, one, sizeof one);
	x->publish(x->user, at, sizeof one);
	int first = entry.call();
	memcpy(x->write + at, two, sizeof two);
	x->publish(x->user, at, sizeof two);
	return first != 1 || entry.call() != 2;
}

#ifdef __aarch64__
static uint64_t set_sve(uint64_t bytes)
{
	return (uint64_t)prctl(PR_SVE_SET_VL, bytes) & PR_SVE_VL_LEN_MASK;
}
#else
static uint64_t (*const set_sve)(uint64_t bytes) = NULL;
#endif

int main(int argc, char **argv)
{
	enum { MEMORY = 96 << 20, CODE = 1 << 30, PARTS = 256 };
	struct gllm_profile profile;
	struct gllm_exec_memory exec;
	struct check_host h = { .put = put, .image = host_image(), .target = host_target(), .size = MEMORY,
	                        .guarded = guarded, .guarded_free = guarded_free, .clock_ns = host_clock_ns, .seed = 1,
	                        .set_vector_bytes = set_sve,
	                        .recorded = gllm_recorded_traces, .nrecorded = gllm_recorded_count };
	const char *cap = NULL;
	int option;
	while ((option = getopt(argc, argv, "f:s:e:i:m:x")) != -1) {
		switch (option) {
		case 'f': h.filter = optarg; break;
		case 's': h.seed = strtoull(optarg, NULL, 0); break;
		case 'e': h.effort = (unsigned)strtoul(optarg, NULL, 0); break;
		case 'i': cap = optarg; break;
		case 'm': h.model = host_file(optarg, &h.model_size); break;
		case 'x': h.image = host_image_withheld(); break;
		default: fprintf(stderr, "usage: check [-f FILTER] [-s SEED] [-e PERCENT] [-i ISA_CAP] [-m MODEL] [-x]\n"); return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (host_profile(cap, &profile) != GLLM_OK) {
		fprintf(stderr, "the CPU cannot be probed, or -i names no ISA\n");
		return 2;
	}
	h.profile = &profile;
	if (reads_masked_lanes(&profile)) {
		slack = 256; /* the most vectors that one access of every eighth element spans */
		printf("this CPU (an emulator) reads lanes that a mask turns off: 256 bytes of slack before trailing guard pages\n");
	}
	if (host_exec(CODE, &exec) == GLLM_OK)
		h.exec = &exec, h.exec_parts = keeps_old_code(&exec) ? PARTS : 0;
	if (h.effort == 0 && h.exec_parts)
		h.effort = 2;
	h.memory = host_memory(MEMORY);
	if (!h.memory)
		return 2;
	return check_main(&h) ? 1 : 0;
}
