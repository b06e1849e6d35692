/* SPDX-License-Identifier: MIT
 * tools/host.c - see host.h. */
#define _GNU_SOURCE
#include "tools/host.h"
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "gllm/native.h"
#include "gllm/ops.h"

const struct gllm_image *host_image(void)
{
	static struct gllm_range range[8];
	static struct gllm_known known[GLLM_PRIM_COUNT];
	static struct gllm_image image;
	if (image.range)
		return &image;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
	unsigned long n = getauxval(AT_PHNUM);
	for (unsigned long i = 0; i < n && image.nranges < 8; i++) { /* static and not relocated: addresses as linked */
		if (ph[i].p_type != PT_LOAD)
			continue;
		range[image.nranges++] = (struct gllm_range){ (const unsigned char *)ph[i].p_vaddr, ph[i].p_vaddr,
		                                              ph[i].p_memsz, !(ph[i].p_flags & PF_W) };
	}
#define P(id, fn) known[image.nknown++] = (struct gllm_known){ (uint64_t)(uintptr_t)fn, GLLM_PRIM_##id };
	GLLM_PRIMITIVES(P)
#undef P
	image.known = known;
	image.range = range;
	return &image;
}

const struct gllm_image *host_image_withheld(void)
{
	static struct gllm_range range[8];
	static struct gllm_image image;
	const struct gllm_image *all = host_image();
	const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
	unsigned long n = getauxval(AT_PHNUM);
	image = (struct gllm_image){ .range = range, .known = all->known, .nknown = all->nknown };
	for (unsigned i = 0; i < all->nranges; i++) {
		bool executed = false;
		for (unsigned long k = 0; k < n; k++)
			executed = executed || (ph[k].p_type == PT_LOAD && ph[k].p_vaddr == all->range[i].addr && (ph[k].p_flags & PF_X));
		if (!executed)
			range[image.nranges++] = all->range[i];
	}
	return &image;
}

const struct gllm_target *host_target(void)
{
#if !GLLM_JIT
	return NULL;
#elif defined __x86_64__
	return &gllm_target_x86_64;
#else
	return &gllm_target_aarch64;
#endif
}

static enum gllm_status publish(void *user, size_t offset, size_t size)
{
	gllm_native_publish((const unsigned char *)user + offset, size);
	return GLLM_OK;
}

enum gllm_status host_exec(size_t size, struct gllm_exec_memory *out)
{
	int fd = memfd_create("gllm-code", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
		return GLLM_NO_EXEC_MEMORY;
	void *write = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	void *exec = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	close(fd);
	if (write == MAP_FAILED || exec == MAP_FAILED)
		return GLLM_NO_EXEC_MEMORY;
	*out = (struct gllm_exec_memory){ .write = write, .exec = exec, .size = size, .publish = publish, .user = exec };
	return GLLM_OK;
}

enum gllm_status host_profile(const char *cap, struct gllm_profile *out)
{
	enum gllm_status s = gllm_native_probe(out);
	if (s == GLLM_OK && cap)
		s = gllm_profile_cap(out, cap);
	return s;
}

uint64_t host_clock_ns(void *user)
{
	struct timespec t;
	(void)user;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Whole huge pages from a quarter of one on: then panels of packed operands lie in one of them, not in pages here and there
 * (128 x 4096 x 4096, packed anew: 12 % where other processes share the caches, 1 % where they do not). */
void *host_memory(size_t size)
{
	const size_t huge = 2 << 20, page = size < huge / 4 ? 4096 : huge, all = (size + page - 1) / page * page;
	if (size > SIZE_MAX - 2 * huge)
		return NULL;
	unsigned char *p = mmap(NULL, all + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	size_t before = (page - (uintptr_t)p % page) % page;
	if (before)
		munmap(p, before);
	p += before;
	munmap(p + all, page - before);
	madvise(p, all, MADV_HUGEPAGE);
	for (size_t i = 0; i < size; i += 4096) /* page faults belong to start-up, not to what is timed */
		((volatile unsigned char *)p)[i] = 0;
	return p;
}

unsigned char *host_file(const char *path, size_t *size)
{
	struct stat st;
	*size = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return NULL;
	*size = (size_t)st.st_size;
	return p;
}

/* --- pool ----------------------------------------------------------------------------------------------------------- */

enum { MAX_WORKERS = 64, SPINS = 20000, APART = 128 }; /* bytes: prefetchers bring lines in pairs */

/* A piece of work costs two transfers of a line between two cores: what is to be done comes with the news that it is, and each
 * helper says in a line of its own which piece it has finished. */
static struct pool {
	unsigned workers;
	_Alignas(APART) struct work {
		atomic_uint generation; /* pieces so far */
		gllm_task_fn *fn;
		void *task;
		uint64_t n, grain;
	} work;
	struct {
		_Alignas(APART) atomic_uint done;
	} helper[MAX_WORKERS];
} pool;

static void relax(unsigned spin)
{
	if (spin % SPINS == SPINS - 1)
		sched_yield();
#ifdef __x86_64__
	__builtin_ia32_pause();
#endif
}

/* Fixed shares of whole grains, larger ones first: worker 0 begins before the others have heard of it. */
static void share(unsigned w)
{
	const struct work *k = &pool.work;
	uint64_t units = (k->n + k->grain - 1) / k->grain, up = pool.workers - 1;
	uint64_t begin = (units * w + up) / pool.workers * k->grain, end = (units * (w + 1) + up) / pool.workers * k->grain;
	if (end > k->n)
		end = k->n;
	if (begin < end)
		k->fn(k->task, begin, end, w);
}

static void *helper(void *arg)
{
	unsigned w = (unsigned)(uintptr_t)arg, seen = 0;
	for (;;) {
		for (unsigned spin = 0; atomic_load_explicit(&pool.work.generation, memory_order_acquire) == seen; spin++)
			relax(spin);
		share(w);
		atomic_store_explicit(&pool.helper[w].done, ++seen, memory_order_release);
	}
	return NULL;
}

void *host_pool(unsigned workers)
{
	if (workers < 1 || workers > MAX_WORKERS || pool.workers)
		return NULL;
	pool.workers = workers;
	for (unsigned w = 1; w < workers; w++) {
		pthread_t t;
		if (pthread_create(&t, NULL, helper, (void *)(uintptr_t)w) != 0)
			return NULL;
	}
	return &pool;
}

void host_parallel_for(void *user, gllm_task_fn *fn, void *task, uint64_t n, uint64_t grain)
{
	struct pool *p = user;
	struct work *k = &p->work;
	k->fn = fn;
	k->task = task;
	k->n = n;
	k->grain = grain ? grain : 1;
	unsigned piece = atomic_load_explicit(&k->generation, memory_order_relaxed) + 1;
	atomic_store_explicit(&k->generation, piece, memory_order_release);
	share(0);
	for (unsigned w = 1; w < p->workers; w++)
		for (unsigned spin = 0; atomic_load_explicit(&p->helper[w].done, memory_order_acquire) != piece; spin++)
			relax(spin);
}
