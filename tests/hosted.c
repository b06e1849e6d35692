/* SPDX-License-Identifier: MIT
 * tests/hosted.c - the harness as a Linux program, native or under qemu-user.
 * check [-f FILTER] [-s SEED] [-i ISA_CAP] [-m MODEL] */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/check.h"
#include "tools/host.h"

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

static void *guarded(void *user, size_t bytes, bool at_end)
{
	size_t page = page_size(), inner = pages(bytes);
	(void)user;
	unsigned char *p = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p + page, inner, PROT_READ | PROT_WRITE) != 0)
		return NULL;
	return p + page + (at_end ? inner - bytes : 0);
}

static void guarded_free(void *user, void *p, size_t bytes, bool at_end)
{
	size_t page = page_size(), inner = pages(bytes);
	(void)user;
	munmap((unsigned char *)p - (at_end ? inner - bytes : 0) - page, inner + 2 * page);
}

int main(int argc, char **argv)
{
	enum { MEMORY = 96 << 20, CODE = 4 << 20 };
	struct gllm_profile profile;
	struct gllm_exec_memory exec;
	struct check_host h = { .put = put, .image = host_image(), .target = host_target(), .size = MEMORY,
	                        .guarded = guarded, .guarded_free = guarded_free, .clock_ns = host_clock_ns, .seed = 1 };
	const char *cap = NULL;
	int option;
	while ((option = getopt(argc, argv, "f:s:i:m:")) != -1) {
		switch (option) {
		case 'f': h.filter = optarg; break;
		case 's': h.seed = strtoull(optarg, NULL, 0); break;
		case 'i': cap = optarg; break;
		case 'm': h.model = host_file(optarg, &h.model_size); break;
		default: fprintf(stderr, "usage: check [-f FILTER] [-s SEED] [-i ISA_CAP] [-m MODEL]\n"); return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (host_profile(cap, &profile) != GLLM_OK) {
		fprintf(stderr, "the CPU cannot be probed, or -i names no ISA\n");
		return 2;
	}
	h.profile = &profile;
	if (host_exec(CODE, &exec) == GLLM_OK)
		h.exec = &exec;
	h.memory = host_memory(MEMORY);
	if (!h.memory)
		return 2;
	return check_main(&h) ? 1 : 0;
}
