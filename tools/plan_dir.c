/* SPDX-License-Identifier: MIT
 * tools/plan_dir.c - see plan_dir.h. */
#define _GNU_SOURCE
#include "tools/plan_dir.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static struct folder {
	const char *path;
	void *blob; /* handed out last */
} folder;

static int name_of(const struct folder *f, const struct gllm_plan_key *k, char *path)
{
	return snprintf(path, PATH_BYTES - 32, "%s/%016" PRIx64 "-%016" PRIx64 "-%016" PRIx64 ".plan", f->path, k->graph,
	                k->machine, k->emitter) < PATH_BYTES - 32;
}

static const void *find(void *user, const struct gllm_plan_key *key, size_t *n)
{
	struct folder *f = user;
	char path[PATH_BYTES];
	struct stat st;
	free(f->blob);
	f->blob = NULL;
	int fd = name_of(f, key, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size < INT32_MAX)
		f->blob = malloc((size_t)st.st_size);
	if (f->blob && read(fd, f->blob, (size_t)st.st_size) != st.st_size) {
		free(f->blob);
		f->blob = NULL;
	}
	close(fd);
	*n = f->blob ? (size_t)st.st_size : 0;
	return f->blob;
}

static void keep(void *user, const struct gllm_plan_key *key, const void *blob, size_t n)
{
	const struct folder *f = user;
	char path[PATH_BYTES], own[PATH_BYTES + 8];
	if (!name_of(f, key, path))
		return;
	snprintf(own, sizeof own, "%s.XXXXXX", path);
	int fd = mkostemp(own, O_CLOEXEC);
	if (fd < 0)
		return;
	bool whole = write(fd, blob, n) == (ssize_t)n && fsync(fd) == 0;
	whole = close(fd) == 0 && whole;
	if (!whole || rename(own, path) != 0)
		unlink(own);
}

struct gllm_store plan_dir(const char *path)
{
	folder.path = path;
	return (struct gllm_store){ find, keep, &folder };
}
