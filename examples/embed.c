/* SPDX-License-Identifier: MIT
 * examples/embed.c - a whole embedding under Linux: memory, executable pages, an operator of one's own, a graph, its plan.
 *
 *     make examples && build/x86_64/examples/embed
 *
 * prints how y = leaky(x * transpose(w)) was compiled and whether the plan agrees with the scalar definitions. */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "gllm/graph.h"
#include "gllm/native.h"

#if defined __x86_64__
#define TARGET &gllm_target_x86_64
#else
#define TARGET &gllm_target_aarch64
#endif

enum { ROWS = 8, N = 256, K = 128, CODE_BYTES = 1 << 20, RANGES = 16 };

void my_leaky(float *restrict y, const float *restrict x, size_t n); /* examples/leaky.c */

/* What the lifter may read: every segment of this program; those that nobody can write hold constants. */
static struct gllm_range range[RANGES];
static struct gllm_image image = { .range = range };

static int add_segments(struct dl_phdr_info *info, size_t size, void *user)
{
	(void)size, (void)user;
	for (unsigned i = 0; i < info->dlpi_phnum && image.nranges < RANGES; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uint64_t at = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD)
			range[image.nranges++] = (struct gllm_range){ (const unsigned char *)at, at, p->p_memsz, !(p->p_flags & PF_W) };
	}
	return 1; /* the first object is the program itself */
}

/* One memory seen twice, so that no page is writable and executable at once. */
static enum gllm_status publish(void *exec, size_t offset, size_t size)
{
	gllm_native_publish((const unsigned char *)exec + offset, size);
	return GLLM_OK;
}

static struct gllm_exec_memory code_memory(void)
{
	int fd = memfd_create("code", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, CODE_BYTES))
		return (struct gllm_exec_memory){ 0 };
	void *write = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	void *exec = mmap(NULL, CODE_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	close(fd);
	if (write == MAP_FAILED || exec == MAP_FAILED)
		return (struct gllm_exec_memory){ 0 };
	return (struct gllm_exec_memory){ .write = write, .exec = exec, .size = CODE_BYTES, .publish = publish, .user = exec };
}

static struct gllm_context *create(struct gllm_error *e)
{
	static const struct gllm_known known[] = {
#define P(id, fn) { (uint64_t)(uintptr_t)fn, GLLM_PRIM_##id },
		GLLM_PRIMITIVES(P)
#undef P
	};
	image.known = known;
	image.nknown = sizeof known / sizeof known[0];
	dl_iterate_phdr(add_segments, NULL);
	struct gllm_config c = { .target = TARGET, .image = image, .host = { .code = code_memory() } };
	struct gllm_context *context = NULL;
	if (gllm_native_probe(&c.profile) != GLLM_OK)
		return NULL;
	size_t bytes = gllm_context_quote(&c);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory != MAP_FAILED && gllm_context_create(memory, bytes, &c, &context, e) == GLLM_OK ? context : NULL;
}

/* y[rows][N] = leaky(x[rows][K] * transpose(w[N][K])): one row left open, the operator applied to each. */
static struct gllm_graph *build(struct gllm_context *c, unsigned leaky, struct gllm_error *e)
{
	struct gllm_graph *g = NULL;
	if (gllm_graph_create(c, "example", ROWS, 4, 2, &g, e) != GLLM_OK)
		return NULL;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, K, "x");
	gllm_tensor w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, N, K, "w");
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, N, "y");
	gllm_tensor h = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, N, "h");
	const struct gllm_actual product[] = { GLLM_T(h), GLLM_T(x), GLLM_T(w), GLLM_D(GLLM_ROWS), GLLM_D(N), GLLM_D(K) };
	const struct gllm_actual map[] = { GLLM_T(y), GLLM_T(h), GLLM_D(N) };
	gllm_graph_node(g, GLLM_OP_gemm_bt, 1, product, 6);
	gllm_graph_node(g, leaky, GLLM_ROWS, map, 3);
	return gllm_graph_status(g, e) == GLLM_OK ? g : NULL;
}

/* Binds by tensor number, in the order of declaration. The greatest difference from the scalar definitions. */
static float run(const struct gllm_plan *p, struct gllm_error *e)
{
	static float x[ROWS * K], w[N * K], y[ROWS * N], h[ROWS * N], want[ROWS * N];
	static _Alignas(64) unsigned char workspace[1 << 16];
	void *bind[] = { x, w, y, NULL };
	for (size_t i = 0; i < ROWS * K; i++)
		x[i] = (float)(i % 13) - 6.0f;
	for (size_t i = 0; i < N * K; i++)
		w[i] = (float)(i % 7) - 3.0f;
	if (gllm_plan_workspace(p) > sizeof workspace || gllm_plan_run(p, bind, ROWS, workspace, e) != GLLM_OK)
		return -1;
	gllm_ref_gemm_bt(h, x, w, ROWS, N, K);
	my_leaky(want, h, ROWS * N);
	float worst = 0;
	for (size_t i = 0; i < ROWS * N; i++)
		worst = y[i] - want[i] > worst ? y[i] - want[i] : want[i] - y[i] > worst ? want[i] - y[i] : worst;
	return worst;
}

static void print(void *user, const char *text, size_t n)
{
	(void)user;
	fwrite(text, 1, n, stdout);
}

int main(void)
{
	static const struct gllm_param leaky[] = {
		{ "y", GLLM_OUT, GLLM_F32 }, { "x", GLLM_IN, GLLM_F32 }, { "n", GLLM_DIM, GLLM_I64 },
	};
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_plan_options options = { .readback = true };
	struct gllm_context *c = create(&e);
	struct gllm_graph *g = NULL;
	struct gllm_plan *p = NULL;
	unsigned op;
	if (c && gllm_register(c, "leaky", (gllm_any_fn *)my_leaky, leaky, 3, NULL, &op, &e) == GLLM_OK)
		g = build(c, op, &e);
	if (!g || gllm_compile(c, g, &options, &p, &e) != GLLM_OK) {
		fprintf(stderr, "%s: %s %s\n", gllm_status_text(e.status), e.what ? e.what : "", e.name);
		return 1;
	}
	gllm_plan_explain(p, print, NULL);
	float worst = run(p, &e);
	printf("greatest difference from the scalar definitions: %g\n", (double)worst);
	return worst != 0.0f; /* integers of this size are exact in every order */
}
