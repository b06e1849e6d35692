/* SPDX-License-Identifier: MIT
 * tests/check_graph_text.c - graphs written as text: every example compiles and gives what its scalar definitions give;
 * mistakes are refused with the line and the name; no prefix and no damaged text is read beyond its end. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/graph_text.h"

#define EXAMPLE(name) extern const char gllm_example_##name[], gllm_example_##name##_end[];
#include "examples/examples.def"
#undef EXAMPLE

static const struct {
	const char *name, *text, *end;
} example[] = {
#define EXAMPLE(name) { #name, gllm_example_##name, gllm_example_##name##_end },
#include "examples/examples.def"
#undef EXAMPLE
};

enum { MAX_TENSORS = 64, ROWS = 5 };

struct desk {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
};

static bool start(struct desk *d, struct check *t)
{
	size_t size;
	*d = (struct desk){ .t = t };
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&d->arena, all, size);
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t) };
	if (check_image(t))
		config.image = *check_image(t);
	config.recorded = t->host->recorded;
	config.nrecorded = t->host->nrecorded;
	if (check_exec(t))
		config.host.code = *check_exec_fresh(t);
	size_t need = gllm_context_quote(&config);
	return CHECK_STATUS(t, gllm_context_create(gllm_alloc(&d->arena, need, 64), need, &config, &d->c, NULL), GLLM_OK);
}

static bool can_compile(const struct check *t)
{
	return check_target(t) && check_image(t) && check_exec(t) && check_profile(t)->vector_bytes;
}

static enum gllm_status read_text(struct desk *d, const char *text, size_t n, uint64_t rows, struct gllm_graph **g,
                                  struct gllm_error *e)
{
	size_t need = gllm_graph_text_workspace(text, n);
	void *workspace = gllm_alloc(&d->arena, need, 8);
	return CHECK(d->t, workspace != NULL) ? gllm_graph_read(d->c, text, n, rows, workspace, need, g, e) : GLLM_OUT_OF_MEMORY;
}

/* --- the examples --------------------------------------------------------------------------------------------------- */

static uint64_t elements(const struct gllm_tensor_info *i)
{
	return (i->rows == GLLM_ROWS ? ROWS : i->rows) * i->cols;
}

/* Memory for every tensor that a run binds; inputs and weights are random. */
static bool bind_all(struct desk *d, const struct gllm_graph *g, void **bind)
{
	for (unsigned i = 0; i < gllm_graph_tensors(g); i++) {
		struct gllm_tensor_info info;
		gllm_graph_tensor_info(g, i, &info);
		uint64_t n = elements(&info);
		float *x = bind[i] = gllm_alloc(&d->arena, n * sizeof *x, 64);
		if (!CHECK(d->t, x && info.type == GLLM_F32))
			return false;
		for (uint64_t k = 0; k < n; k++)
			x[k] = check_float(d->t, -0.25f, 0.25f);
	}
	return true;
}

static bool run(struct desk *d, const struct gllm_graph *g, const struct gllm_plan_options *o, uint64_t rows, void *const *bind)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_plan *p;
	struct gllm_arena mark = d->arena;
	bool ok = CHECK_STATUS(d->t, gllm_compile(d->c, g, o, &p, &e), GLLM_OK);
	if (ok) {
		void *workspace = gllm_alloc(&d->arena, gllm_plan_workspace(p) + 64, 64);
		ok = CHECK(d->t, workspace != NULL) &&
		     CHECK_STATUS(d->t, gllm_plan_run(p, bind, rows, workspace, &e), GLLM_OK);
		gllm_plan_free(d->c, p);
	}
	if (!ok)
		check_print(d->t, "     %s: %s\n", e.what, e.name);
	d->arena = mark;
	return ok;
}

static void compare(struct desk *d, const struct gllm_graph *g, const struct gllm_plan_options *o, uint64_t rows,
                    void *const *bind)
{
	void *other[MAX_TENSORS];
	struct gllm_tensor_info info;
	for (unsigned i = 0; i < gllm_graph_tensors(g); i++) {
		gllm_graph_tensor_info(g, i, &info);
		other[i] = info.kind == GLLM_TENSOR_OUTPUT ? gllm_alloc(&d->arena, elements(&info) * sizeof(float), 64) : bind[i];
	}
	if (!run(d, g, o, rows, other))
		return;
	for (unsigned i = 0; i < gllm_graph_tensors(g); i++) {
		const float *a = bind[i], *b = other[i];
		float worst = 0, scale = 0;
		gllm_graph_tensor_info(g, i, &info);
		for (uint64_t k = 0; info.kind == GLLM_TENSOR_OUTPUT && k < elements(&info); k++) {
			float x = a[k] - b[k], y = a[k] < 0 ? -a[k] : a[k];
			worst = x > worst ? x : -x > worst ? -x : worst;
			scale = y > scale ? y : scale;
		}
		if (!CHECK(d->t, worst <= 1e-5f * scale))
			check_print(d->t, "     %s: off by %f of %f\n", info.name, (double)worst, (double)scale);
	}
}

static void check_example(struct desk *d, const char *text, size_t n, const char *name)
{
	static const struct gllm_plan_options scalar = { .scalar = true }, fused = { .readback = true },
	                                      plain = { .no_fusion = true };
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_arena mark = d->arena;
	void *bind[MAX_TENSORS];
	struct gllm_graph *g;
	if (!CHECK_STATUS(d->t, read_text(d, text, n, 0, &g, &e), GLLM_OK)) {
		check_print(d->t, "     %s.graph:%llu: %s: %s\n", name, (unsigned long long)e.where, e.what, e.name);
		return;
	}
	uint64_t rows = 1;
	for (unsigned i = 0; i < gllm_graph_tensors(g); i++) {
		struct gllm_tensor_info info;
		gllm_graph_tensor_info(g, i, &info);
		if (info.rows == GLLM_ROWS)
			rows = ROWS;
	}
	if (CHECK(d->t, gllm_graph_tensors(g) <= MAX_TENSORS) && bind_all(d, g, bind) && run(d, g, &scalar, rows, bind)) {
		if (can_compile(d->t)) {
			compare(d, g, &fused, rows, bind);
			compare(d, g, &plain, rows, bind);
		} else {
			check_skip(d->t, "compiling an example needs a back end, vector units and executable memory");
		}
	}
	gllm_graph_free(d->c, g);
	d->arena = mark;
}

/* --- mistakes ------------------------------------------------------------------------------------------------------- */

#define HEAD "graph g rows 4\ninput x [rows, 8]\noutput y [rows, 8]\n"
static const struct {
	const char *text;
	enum gllm_status status;
	unsigned line;
	const char *name;
} mistake[] = {
	{ "", GLLM_SYNTAX, 1, "" },
	{ "# nothing\n\n", GLLM_SYNTAX, 3, "" },
	{ "input x [1, 2]\n", GLLM_SYNTAX, 1, "input" },
	{ "graph\n", GLLM_SYNTAX, 1, "" },
	{ "graph let\n", GLLM_SYNTAX, 1, "let" },
	{ "graph g rows 0\n", GLLM_INVALID_ARGUMENT, 1, "g" },
	{ "graph g rows 0\ninput x [2, 2]\n", GLLM_INVALID_ARGUMENT, 1, "g" }, /* nothing is read behind a graph that is none */
	{ "graph g rows 4 5\n", GLLM_SYNTAX, 1, "5" },
	{ "graph g\nlet a = b\n", GLLM_MISSING_KEY, 2, "b" },
	{ "graph g\nlet a = 1\n\nlet a = 2\n", GLLM_DUPLICATE, 4, "a" },
	{ "graph g\nlet a = 1 / 0\n", GLLM_INVALID_ARGUMENT, 2, "" },
	{ "graph g\nlet a = 1234567890123456\n", GLLM_SYNTAX, 2, "1234567890123456" },
	{ "graph g\nlet a = 1e+\n", GLLM_SYNTAX, 2, "1e+" },
	{ "graph g\nlet a = rows\n", GLLM_UNSUPPORTED, 2, "" },
	{ "graph g\ninput x [2, 2.5]\n", GLLM_INVALID_ARGUMENT, 2, "" },
	{ "graph g\ninput x [-1, 2]\n", GLLM_INVALID_ARGUMENT, 2, "" },
	{ "graph g\ninput x [2 * rows, 2]\n", GLLM_UNSUPPORTED, 2, "" },
	{ "graph g\ninput x [2, rows]\n", GLLM_UNSUPPORTED, 2, "" },
	{ "graph g\ninput x f13 [2, 2]\n", GLLM_MISSING_KEY, 2, "f13" },
	{ "graph g\ninput x [2]\n", GLLM_SYNTAX, 2, "]" },
	{ "graph g\ninput x [2, 2\n\n", GLLM_SYNTAX, 4, "" },
	{ "graph g\ninput x [2e12, 2]\n", GLLM_INVALID_ARGUMENT, 2, "" },
	{ "graph g\ninput x [1e12, 1e3]\n", GLLM_INVALID_ARGUMENT, 2, "x" },
	{ "graph g\nweight w [8, 4] packed 5\n", GLLM_INVALID_ARGUMENT, 2, "w" },
	{ "graph g\nweight w i8 [8, 4] packed 4\n", GLLM_INVALID_ARGUMENT, 2, "w" },
	{ "graph g\ninput x [8, 4] packed 4\n", GLLM_INVALID_ARGUMENT, 2, "x" },
	{ "graph g\nweight w [8, 4] packed\n", GLLM_SYNTAX, 2, "" },
	{ HEAD "z = relu(x, 8) per rows\n", GLLM_MISSING_KEY, 4, "z" },
	{ HEAD "y = tanhh(x, 8) per rows\n", GLLM_MISSING_KEY, 4, "tanhh" },
	{ HEAD "y relu(x, 8) per rows\n", GLLM_SYNTAX, 4, "relu" },
	{ HEAD "y, y = relu(x, 8) per rows\n", GLLM_SYNTAX, 4, "y = relu" },
	{ HEAD "y = relu x\n", GLLM_SYNTAX, 4, "y = relu: x" },
	{ HEAD "y = relu(x) per rows\n", GLLM_SYNTAX, 4, "y = relu: n" },
	{ HEAD "y = relu(x, 8, 8) per rows\n", GLLM_SYNTAX, 4, "y = relu: 8" },
	{ HEAD "y = relu(x, n=8, n=8) per rows\n", GLLM_DUPLICATE, 4, "y = relu: n" },
	{ HEAD "y = relu(x, m=8) per rows\n", GLLM_MISSING_KEY, 4, "y = relu: m" },
	{ HEAD "y = relu(x, n=x) per rows\n", GLLM_WRONG_TYPE, 4, "y = relu: x" },
	{ HEAD "let k = 1\ny = relu(k, 8) per rows\n", GLLM_WRONG_TYPE, 5, "y = relu: k" },
	{ HEAD "y = relu(x\n,8) per rows per rows\n", GLLM_SYNTAX, 5, "y = relu: per" },
	{ HEAD "y = relu(y, 8) per rows\n", GLLM_INVALID_ARGUMENT, 4, "y = relu: y" },
	{ HEAD "y = relu(x, 8) per rows\ny = relu(x, 8) per rows\n", GLLM_DUPLICATE, 5, "y = relu: y" },
	{ HEAD "y = scale(x, 8, rows) per rows\n", GLLM_UNSUPPORTED, 4, "y = scale" },
};

static size_t length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

static void check_mistakes(struct desk *d)
{
	for (unsigned i = 0; i < GLLM_COUNT(mistake); i++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_arena mark = d->arena;
		struct gllm_graph *g = NULL;
		bool ok = CHECK_STATUS(d->t, read_text(d, mistake[i].text, length(mistake[i].text), 0, &g, &e), mistake[i].status);
		ok = CHECK_EQ(d->t, e.where, mistake[i].line) && ok;
		ok = CHECK_TEXT(d->t, e.name, mistake[i].name) && ok;
		CHECK(d->t, g == NULL);
		if (!ok)
			check_print(d->t, "     mistake %u: %s\n", i, e.what ? e.what : "accepted");
		d->arena = mark;
	}
	if (check_target(d->t) && check_image(d->t)) { /* shapes are known from traces */
		static const char text[] = HEAD "y = relu(x, 7) per rows\n";
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_graph *g;
		CHECK_STATUS(d->t, read_text(d, text, sizeof text - 1, 0, &g, &e), GLLM_SHAPE_MISMATCH);
		CHECK_EQ(d->t, e.where, 4);
		CHECK_TEXT(d->t, e.name, "y = relu: y");
	}
}

/* Every prefix, and texts with bytes changed, from memory that faults beyond its end where the platform has such. */
static void check_damage(struct desk *d, const char *text, size_t n)
{
	const struct check_host *h = d->t->host;
	struct gllm_arena mark = d->arena;
	struct gllm_stats before, after;
	gllm_context_stats(d->c, &before);
	for (size_t i = 0; i <= 2 * n; i++) {
		size_t bytes = i <= n ? i : n;
		char *copy = h->guarded ? h->guarded(h->user, bytes, true) : gllm_alloc(&d->arena, bytes + 1, 1);
		struct gllm_graph *g = NULL;
		for (size_t k = 0; k < bytes; k++)
			copy[k] = text[k];
		if (i > n)
			copy[check_below(d->t, (uint32_t)n)] = (char)check_random(d->t);
		void *workspace = gllm_alloc(&d->arena, gllm_graph_text_workspace(copy, bytes), 8);
		enum gllm_status s = gllm_graph_read(d->c, copy, bytes, 0, workspace,
		                                     gllm_graph_text_workspace(copy, bytes), &g, NULL);
		if ((s == GLLM_OK) != (g != NULL))
			CHECK(d->t, (s == GLLM_OK) == (g != NULL));
		if (g)
			gllm_graph_free(d->c, g);
		if (h->guarded)
			h->guarded_free(h->user, copy, bytes, true);
		d->arena = mark;
	}
	gllm_context_stats(d->c, &after);
	CHECK(d->t, after.heap_high <= before.heap_high + (64 << 10)); /* what was refused is given back */
}

static void check_packed(struct desk *d)
{
	static const char text[] = "graph g\nlet n = 6\nweight w bf16 [n, 40] packed n\nweight v [n, 40]\n";
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_tensor_info w, v;
	struct gllm_graph *g;
	if (!CHECK_STATUS(d->t, read_text(d, text, sizeof text - 1, 0, &g, &e), GLLM_OK))
		return;
	gllm_graph_tensor_info(g, 0, &w);
	gllm_graph_tensor_info(g, 1, &v);
	CHECK(d->t, w.packing.lanes > 0 && w.packing.type == GLLM_BF16 && w.packing.n == 6 && w.packing.k == 40);
	CHECK_EQ(d->t, v.packing.lanes, 0);
	gllm_graph_free(d->c, g);
}

static void check_workspace(struct desk *d)
{
	static const char text[] = "graph g\n";
	struct gllm_graph *g;
	struct gllm_arena mark = d->arena;
	size_t need = gllm_graph_text_workspace(text, sizeof text - 1);
	unsigned char *p = gllm_alloc(&d->arena, need + 1, 8);
	CHECK_STATUS(d->t, gllm_graph_read(d->c, text, sizeof text - 1, 0, p, need - 1, &g, NULL), GLLM_OUT_OF_MEMORY);
	CHECK_STATUS(d->t, gllm_graph_read(d->c, text, sizeof text - 1, 0, p + 1, need, &g, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(d->t, gllm_graph_read(d->c, text, sizeof text - 1, 0, NULL, need, &g, NULL), GLLM_INVALID_ARGUMENT);
	CHECK(d->t, gllm_graph_text_workspace(text, (size_t)1 << 28) == SIZE_MAX);
	if (CHECK_STATUS(d->t, gllm_graph_read(d->c, text, sizeof text - 1, 0, p, need, &g, NULL), GLLM_OK))
		gllm_graph_free(d->c, g);
	d->arena = mark;
}

void check_graph_text(struct check *t)
{
	struct desk d;
	if (!start(&d, t))
		return;
	for (unsigned i = 0; i < GLLM_COUNT(example); i++)
		check_example(&d, example[i].text, (size_t)(example[i].end - example[i].text), example[i].name);
	check_mistakes(&d);
	check_damage(&d, example[0].text, (size_t)(example[0].end - example[0].text));
	check_packed(&d);
	check_workspace(&d);
}
