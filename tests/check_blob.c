/* SPDX-License-Identifier: MIT
 * tests/check_blob.c - plans as bytes: what is loaded does what was saved and saves to the same bytes; what is cut, damaged
 * or made for something else is refused with nothing changed; both ISAs' plans are the same bytes on any host. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/hash.h"
#include "gllm/blob.h"
#include "gllm/graph_text.h"
#include "gllm/ops.h"
#include "jit/plan.h"

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

enum { MAX_TENSORS = 64, ROWS = 3, MAGIC = 0, FORMAT = 1, SIZE = 2, CHECKSUM = 3, EMITTER = 4, MACHINE = 5, TEXTS = 6,
       CODE = 7, VECTORS = 8, FIRST = 9 }; /* words of a blob */

struct lab {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_config config;
	struct gllm_context *c;
	struct gllm_error e;
	unsigned char *names; /* of the graph read last */
	size_t names_size;
};

static struct gllm_context *context(struct lab *l, const struct gllm_config *config)
{
	struct gllm_context *c = NULL;
	size_t need = gllm_context_quote(config);
	CHECK_STATUS(l->t, gllm_context_create(gllm_alloc(&l->arena, need, 64), need, config, &c, &l->e), GLLM_OK);
	return c;
}

static bool start(struct lab *l, struct check *t)
{
	size_t size;
	*l = (struct lab){ .t = t };
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&l->arena, all, size);
	l->config = (struct gllm_config){ .target = check_target(t), .profile = *check_profile(t), .image = *check_image(t),
		.recorded = t->host->recorded, .nrecorded = t->host->nrecorded, .scratch_bytes = 8 << 20 };
	l->config.host.code = *check_exec(t);
	l->c = context(l, &l->config);
	return l->c != NULL;
}

/* NULL with the failure checked. */
static struct gllm_graph *graph(struct lab *l, struct gllm_context *c, const char *text, size_t n, uint64_t rows)
{
	struct gllm_graph *g = NULL;
	l->names_size = gllm_graph_text_workspace(text, n);
	l->names = gllm_alloc(&l->arena, l->names_size, 8);
	CHECK_STATUS(l->t, gllm_graph_read(c, text, n, rows, l->names, l->names_size, &g, &l->e), GLLM_OK);
	return g;
}

struct blob {
	unsigned char *at;
	size_t n;
};

static struct blob save(struct lab *l, const struct gllm_plan *p)
{
	struct blob b = { .n = gllm_plan_blob(p) };
	b.at = gllm_alloc(&l->arena, b.n, 64);
	CHECK(l->t, b.at && b.n);
	CHECK_STATUS(l->t, gllm_plan_save(p, b.at, b.n - 1, NULL), GLLM_OUT_OF_MEMORY);
	CHECK_STATUS(l->t, gllm_plan_save(p, b.at, b.n, &l->e), GLLM_OK);
	return b;
}

static bool same_bytes(const unsigned char *a, const unsigned char *b, size_t n)
{
	size_t i = 0;
	while (i < n && a[i] == b[i])
		i++;
	return i == n;
}

/* --- what is loaded is what was saved ------------------------------------------------------------------------------- */

struct words { /* everything a plan says, as one number */
	uint64_t hash;
	size_t n;
};

static void listen(void *user, const char *text, size_t n)
{
	struct words *w = user;
	for (size_t i = 0; i < n; i++)
		w->hash = gllm_hash_word(w->hash, (unsigned char)text[i]);
	w->n += n;
}

static void same_words(struct lab *l, const struct gllm_plan *a, const struct gllm_plan *b)
{
	struct words x = { 0, 0 }, y = { 0, 0 };
	gllm_plan_explain(a, listen, &x);
	gllm_plan_explain(b, listen, &y);
	CHECK(l->t, x.n > 0 && x.n == y.n && x.hash == y.hash);
	CHECK_EQ(l->t, gllm_plan_workspace(a), gllm_plan_workspace(b));
	CHECK_EQ(l->t, gllm_plan_steps(a), gllm_plan_steps(b));
	CHECK_EQ(l->t, gllm_plan_nodes(a), gllm_plan_nodes(b));
	CHECK_EQ(l->t, gllm_plan_edges(a), gllm_plan_edges(b));
	CHECK_EQ(l->t, gllm_plan_buffers(a), gllm_plan_buffers(b));
	CHECK_EQ(l->t, gllm_plan_tensors(a), gllm_plan_tensors(b));
}

static uint64_t elements(const struct gllm_tensor_info *i)
{
	return (i->rows == GLLM_ROWS ? ROWS : i->rows) * i->cols;
}

/* The same bits from both. */
static void same_results(struct lab *l, const struct gllm_plan *a, const struct gllm_plan *b, uint64_t rows)
{
	void *x[MAX_TENSORS], *y[MAX_TENSORS];
	struct gllm_arena mark = l->arena;
	for (unsigned i = 0; i < gllm_plan_tensors(a); i++) {
		struct gllm_tensor_info info;
		gllm_plan_tensor(a, i, &info);
		float *f = x[i] = y[i] = gllm_alloc(&l->arena, elements(&info) * sizeof *f, 64);
		for (uint64_t k = 0; f && k < elements(&info); k++)
			f[k] = check_float(l->t, -0.25f, 0.25f);
		if (info.kind == GLLM_TENSOR_OUTPUT)
			y[i] = gllm_alloc(&l->arena, elements(&info) * sizeof *f, 64);
		if (!CHECK(l->t, f && y[i]))
			return;
	}
	void *workspace = gllm_alloc(&l->arena, gllm_plan_workspace(a) + 64, 64);
	CHECK_STATUS(l->t, gllm_plan_run(a, x, rows, workspace, &l->e), GLLM_OK);
	CHECK_STATUS(l->t, gllm_plan_run(b, y, rows, workspace, &l->e), GLLM_OK);
	for (unsigned i = 0; i < gllm_plan_tensors(a); i++) {
		struct gllm_tensor_info info;
		gllm_plan_tensor(a, i, &info);
		if (info.kind == GLLM_TENSOR_OUTPUT)
			CHECK(l->t, same_bytes(x[i], y[i], elements(&info) * sizeof(float)));
	}
	l->arena = mark;
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return *a == *b;
}

/* The addresses of a kernel's code tell its name, others do not. A kernel that several steps share has the first one's; one
 * that another plan made first has that plan's, which `own` excludes. */
static void find_names(struct lab *l, const struct gllm_plan *p, bool own)
{
	uint64_t base = (uint64_t)(uintptr_t)l->config.host.code.exec;
	struct gllm_stats now;

	gllm_context_stats(l->c, &now);
	CHECK(l->t, gllm_where(l->c, base - 1) == NULL && gllm_where(l->c, base + now.code_bytes) == NULL);
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info step, first;
		unsigned k = 0;
		gllm_plan_step(p, i, &step);
		do
			gllm_plan_step(p, k++, &first);
		while (first.code_offset != step.code_offset);
		const char *at = gllm_where(l->c, base + step.code_offset), *end = gllm_where(l->c, base + step.code_offset + step.code_bytes - 1);
		CHECK(l->t, at && at == end && (!own || same_name(at, first.name)));
		CHECK(l->t, gllm_where(l->c, base + step.code_offset + step.code_bytes) != at);
	}
}

static void check_example(struct lab *l, const char *text, size_t n)
{
	struct gllm_arena mark = l->arena;
	struct gllm_plan_key key;
	struct gllm_plan *p = NULL, *q = NULL;
	struct gllm_stats before, after;
	struct gllm_graph *g = graph(l, l->c, text, n, 0);
	if (!g || !CHECK_STATUS(l->t, gllm_compile(l->c, g, NULL, &p, &l->e), GLLM_OK))
		return;
	uint64_t rows = 1;
	for (unsigned i = 0; i < gllm_plan_tensors(p); i++) {
		struct gllm_tensor_info info;
		gllm_plan_tensor(p, i, &info);
		rows = info.rows == GLLM_ROWS ? ROWS : rows;
	}
	find_names(l, p, false);
	CHECK_STATUS(l->t, gllm_plan_key(l->c, g, NULL, &key, &l->e), GLLM_OK);
	struct blob b = save(l, p), again;
	gllm_context_stats(l->c, &before);
	gllm_graph_free(l->c, g);
	for (size_t i = 0; i < l->names_size; i++) /* a plan does not need the graph's */
		l->names[i] = '!';
	unsigned char *bytes = gllm_alloc(&l->arena, b.n, 8);
	if (!CHECK(l->t, bytes))
		return;
	__builtin_memcpy(bytes, b.at, b.n);
	if (CHECK_STATUS(l->t, gllm_plan_load(l->c, &key, bytes, b.n, &q, &l->e), GLLM_OK)) {
		__builtin_memset(bytes, '!', b.n); /* nor those that it was loaded from */
		gllm_context_stats(l->c, &after);
		CHECK_EQ(l->t, after.kernels, before.kernels);
		CHECK_EQ(l->t, after.loaded, before.loaded + 1);
		find_names(l, q, true);
		again = save(l, q);
		CHECK(l->t, again.n == b.n && same_bytes(again.at, b.at, b.n));
		same_words(l, p, q);
		same_results(l, p, q, rows);
		CHECK_STATUS(l->t, gllm_plan_free(l->c, q), GLLM_OK);
	}
	key.graph ^= 1;
	struct gllm_error e = { .status = GLLM_OK };
	CHECK_STATUS(l->t, gllm_plan_load(l->c, &key, b.at, b.n, &q, &e), GLLM_FOREIGN);
	CHECK_STATUS(l->t, gllm_plan_free(l->c, p), GLLM_OK);
	l->arena = mark;
}

/* --- keys ----------------------------------------------------------------------------------------------------------- */

#define TINY "graph tiny rows 8\ninput x [rows, 24]\noutput y [rows, 24]\ny = relu(x, 24) per rows\n"

static void check_keys(struct lab *l)
{
	static const struct { const char *text; bool plain; } other[] = {
		{ TINY, true },
		{ "graph tiny rows 9\ninput x [rows, 24]\noutput y [rows, 24]\ny = relu(x, 24) per rows\n", false },
		{ "graph tiny rows 8\ninput x [rows, 25]\noutput y [rows, 24]\ny = relu(x, 24) per rows\n", false },
		{ "graph tiny rows 8\ninput x [rows, 24]\noutput z [rows, 24]\nz = relu(x, 24) per rows\n", false },
		{ "graph tiny rows 8\ninput x [rows, 24]\noutput y [rows, 24]\ny = neg(x, 24) per rows\n", false },
		{ "graph tiny rows 8\nweight x [rows, 24]\noutput y [rows, 24]\ny = relu(x, 24) per rows\n", false },
		{ "graph tiny rows 8\ninput x [rows, 24]\noutput y [rows, 24]\ny = scale(x, 24, 2) per rows\n", false },
		{ "graph tiny rows 8\ninput x [rows, 24]\noutput y [rows, 24]\ny = scale(x, 24, 3) per rows\n", false },
	};
	struct gllm_plan_key first, again, key[GLLM_COUNT(other)];
	struct gllm_plan_options scalar = { .scalar = true }, readback = { .readback = true };
	struct gllm_graph *g = graph(l, l->c, TINY, sizeof TINY - 1, 0);
	CHECK_STATUS(l->t, gllm_plan_key(l->c, g, &scalar, &first, NULL), GLLM_UNSUPPORTED);
	CHECK_STATUS(l->t, gllm_plan_key(l->c, g, NULL, &first, NULL), GLLM_OK);
	CHECK_STATUS(l->t, gllm_plan_key(l->c, g, &readback, &again, NULL), GLLM_OK);
	CHECK_EQ(l->t, again.graph, first.graph);
	gllm_graph_free(l->c, g);
	for (unsigned i = 0; i < GLLM_COUNT(other); i++) {
		struct gllm_plan_options o = { .no_fusion = other[i].plain };
		size_t n = 0;
		while (other[i].text[n])
			n++;
		g = graph(l, l->c, other[i].text, n, 0);
		CHECK_STATUS(l->t, gllm_plan_key(l->c, g, &o, &key[i], NULL), GLLM_OK);
		gllm_graph_free(l->c, g);
		CHECK(l->t, key[i].graph != first.graph);
		for (unsigned k = 0; k < i; k++)
			CHECK(l->t, key[k].graph != key[i].graph);
		CHECK(l->t, key[i].machine == first.machine && key[i].emitter == first.emitter);
	}
}

/* --- refusals ------------------------------------------------------------------------------------------------------- */

static void sum(const struct blob *b)
{
	gllm_put_le64(b->at + CHECKSUM * 8, gllm_hash_block(b->at + (CHECKSUM + 1) * 8, b->n - (CHECKSUM + 1) * 8));
}

static void check_header(struct lab *l, const struct blob *b)
{
	static const struct { unsigned word; bool summed; enum gllm_status status; } row[] = {
		{ MAGIC, false, GLLM_BAD_MAGIC }, { FORMAT, false, GLLM_BAD_VERSION }, { SIZE, false, GLLM_TRUNCATED },
		{ CHECKSUM, false, GLLM_BAD_VALUE }, { EMITTER, true, GLLM_FOREIGN }, { MACHINE, true, GLLM_FOREIGN },
		{ TEXTS, true, GLLM_BAD_VALUE }, { CODE, true, GLLM_BAD_VALUE }, { VECTORS, true, GLLM_BAD_VALUE },
		{ FIRST, true, GLLM_BAD_VALUE },
	};
	for (unsigned i = 0; i < GLLM_COUNT(row); i++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_plan *p = NULL;
		uint64_t was = gllm_le64(b->at + row[i].word * 8);
		gllm_put_le64(b->at + row[i].word * 8, was ^ UINT64_C(0x8000000000000000));
		if (row[i].summed)
			sum(b);
		bool length = row[i].word == VECTORS && was; /* another one, not one where there should be none */
		CHECK_STATUS(l->t, gllm_plan_load(l->c, NULL, b->at, b->n, &p, &e), length ? GLLM_VECTOR_LENGTH : row[i].status);
		CHECK(l->t, p == NULL && e.what != NULL);
		gllm_put_le64(b->at + row[i].word * 8, was);
		sum(b);
	}
}

/* A refused blob changes nothing; one that is taken can be asked everything and given back. Returns whether it was. */
static bool try_load(struct lab *l, const unsigned char *bytes, size_t n)
{
	struct gllm_stats before, after;
	struct gllm_plan *p = NULL;
	struct words w = { 0, 0 };
	gllm_context_stats(l->c, &before);
	bool ok = gllm_plan_load(l->c, NULL, bytes, n, &p, NULL) == GLLM_OK;
	if (ok) {
		struct gllm_edge_info edge;
		gllm_plan_explain(p, listen, &w);
		for (unsigned i = 0; i < gllm_plan_edges(p); i++)
			gllm_plan_edge(p, i, &edge);
		gllm_context_stats(l->c, &after);
		for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
			struct gllm_step_info info;
			gllm_plan_step(p, i, &info);
			if ((uint64_t)info.code_offset + info.code_bytes > after.code_bytes || info.code_offset < before.code_bytes)
				CHECK(l->t, false && "a step's code is the plan's");
		}
		ok = gllm_plan_free(l->c, p) == GLLM_OK;
	}
	gllm_context_stats(l->c, &after);
	if (!l->config.host.code.once && after.code_bytes != before.code_bytes)
		CHECK_EQ(l->t, after.code_bytes, before.code_bytes);
	return ok;
}

/* Bytes whose end is the end of what can be read, where the platform has such memory. */
static unsigned char *at_edge(struct lab *l, const unsigned char *from, size_t n)
{
	const struct check_host *h = l->t->host;
	unsigned char *p = h->guarded ? h->guarded(h->user, n, true) : gllm_alloc(&l->arena, n + 1, 8);
	for (size_t i = 0; i < n; i++)
		p[i] = from[i];
	return p;
}

static void drop(struct lab *l, unsigned char *p, size_t n)
{
	if (l->t->host->guarded)
		l->t->host->guarded_free(l->t->host->user, p, n, true);
}

static void check_damage(struct lab *l, const struct blob *b)
{
	unsigned taken = 0, loaded = 0;
	for (size_t n = 0; n < b->n; n++) { /* as it is, and with a size and a checksum that fit */
		struct gllm_arena mark = l->arena;
		struct blob part = { at_edge(l, b->at, n), n };
		taken += try_load(l, part.at, n);
		if (n >= FIRST * 8 && n % 8 == 0) {
			gllm_put_le64(part.at + SIZE * 8, n);
			sum(&part);
			taken += try_load(l, part.at, n);
		}
		drop(l, part.at, n);
		l->arena = mark;
	}
	CHECK_EQ(l->t, taken, 0);
	unsigned char *whole = at_edge(l, b->at, b->n);
	for (size_t bit = 0; bit < b->n * 8; bit++) {
		whole[bit / 8] ^= (unsigned char)(1u << bit % 8);
		taken += try_load(l, whole, b->n);
		whole[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	CHECK_EQ(l->t, taken, 0);
	for (size_t at = FIRST * 8; at < b->n; at += 8) { /* every word a little and much greater */
		uint64_t was = gllm_le64(whole + at);
		const uint64_t other[] = { was + 1, was + 64, was + (UINT64_C(1) << 20), UINT64_MAX };
		struct blob forged = { whole, b->n };
		for (unsigned k = 0; k < GLLM_COUNT(other); k++) {
			gllm_put_le64(whole + at, other[k]);
			sum(&forged);
			try_load(l, whole, b->n);
		}
		gllm_put_le64(whole + at, was);
	}
	/* Words that a forger made up: what cannot be told from a plan may load, and no more than that is promised. */
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t was[4];
		size_t at[4];
		unsigned n = 1 + check_below(l->t, 4);
		for (unsigned k = 0; k < n; k++) {
			at[k] = (FIRST + check_below(l->t, (uint32_t)(b->n / 8 - FIRST))) * 8;
			was[k] = gllm_le64(whole + at[k]);
			uint64_t x = check_random(l->t) >> check_below(l->t, 64);
			gllm_put_le64(whole + at[k], check_below(l->t, 3) ? was[k] + x % 9 - 4 : x);
		}
		struct blob forged = { whole, b->n };
		sum(&forged);
		loaded += try_load(l, whole, b->n);
		while (n-- > 0)
			gllm_put_le64(whole + at[n], was[n]);
	}
	CHECK(l->t, loaded < 3000);
	sum(&(struct blob){ whole, b->n });
	CHECK(l->t, try_load(l, whole, b->n)); /* it is sound again */
	drop(l, whole, b->n);
}

/* --- made-up fields -------------------------------------------------------------------------------------------------- */

#define FIELD(m) #m,
static const char *const plan_fields[] = { GLLM_PLAN_FIELDS(FIELD, FIELD) };
#define A(member, count, type, fields) static const char *const member##_fields[] = { fields(FIELD, FIELD) };
GLLM_PLAN_ARRAYS(A)
#undef A
static const struct { const char *name, *count, *const *field; unsigned fields; } array[] = {
#define A(member, count, type, fields) { #member, #count, member##_fields, GLLM_COUNT(member##_fields) },
	GLLM_PLAN_ARRAYS(A)
#undef A
};

/* A value that no element of the array may have: `value`, more than the plan's number called `above`. */
static const struct forged {
	const char *array, *field, *above;
	uint64_t value;
} forged[] = {
	{ "tensor", "info.kind", NULL, GLLM_TENSOR_VALUE + 1 }, { "tensor", "info.type", NULL, GLLM_MASK },
	{ "tensor", "align", NULL, 3 }, { "tensor", "bytes.fixed", NULL, (UINT64_C(1) << 60) + 1 },
	{ "tensor", "bytes.per_row", NULL, (UINT64_C(1) << 60) + 1 }, { "tensor", "info.name", NULL, UINT32_MAX },
	{ "step", "info.mode", NULL, GLLM_MODE_COUNT }, { "step", "info.pattern", NULL, GLLM_PATTERN_OPAQUE + 1 },
	{ "step", "info.group", "nnodes", 0 }, { "step", "first_slot", "nslots", 0 }, { "step", "nslots", NULL, GLLM_MAX_SLOTS + 1 },
	{ "step", "info.code_offset", NULL, 1 }, { "step", "info.code_bytes", NULL, 0 }, { "step", "info.code_bytes", NULL, 1 << 30 },
	{ "step", "trip.fixed", NULL, (UINT64_C(1) << 60) + 1 },
	{ "slot", "kind", NULL, GLLM_SLOT_WORKER + 1 }, { "slot", "value", "ntensors", 0 },
	{ "slot", "move[0]", NULL, (UINT64_C(1) << 40) + 1 }, { "slot", "move[2]", NULL, 0 - (UINT64_C(1) << 40) - 1 },
	{ "slot", "at.fixed", NULL, (UINT64_C(1) << 60) + 1 },
	{ "repeat", "first", "nsteps", 0 }, { "repeat", "end", "nsteps", 1 }, { "repeat", "level", NULL, GLLM_REPEAT_LEVELS },
	{ "repeat", "trips.fixed", NULL, 1 << 30 }, { "repeat", "trips.rest", NULL, 1 },
	{ "repeat", "trips.per_row", NULL, UINT64_MAX },
	{ "note", "producer", "nnodes", 0 }, { "note", "consumer", "nnodes", 0 }, { "note", "tensor", "ntensors", 0 },
	{ "note", "why", NULL, UINT32_MAX }, { "node", "group", "nnodes", 0 }, { "node", "name", NULL, UINT32_MAX },
	{ "edge", "producer", "nnodes", 0 }, { "edge", "consumer", "nnodes", 0 }, { "edge", "tensor", "ntensors", 0 },
	{ "buffer", "tensor", "ntensors", 0 }, { "buffer", "last_group", "nnodes", 0 }, { "buffer", "first_group", "nnodes", 0 },
	{ "buffer", "offset", "workspace", 1 }, { "buffer", "bytes", "workspace", 1 },
};

static unsigned place_of(const char *name, const char *const *field, unsigned n)
{
	unsigned i = 0;
	while (i < n && !same_name(field[i], name))
		i++;
	return i;
}

static uint64_t plan_number(const struct blob *b, const char *name)
{
	return gllm_le64(b->at + (FIRST + place_of(name, plan_fields, GLLM_COUNT(plan_fields))) * 8);
}

/* The word of a field in the first element of an array, or in the first slot of a kind; 0 if the plan has none. */
static uint64_t word_of(const struct blob *b, const struct forged *f, enum gllm_slot_kind slot)
{
	uint64_t at = FIRST + GLLM_COUNT(plan_fields) + (gllm_le64(b->at + TEXTS * 8) + 7) / 8;
	unsigned i = 0;
	for (; !same_name(array[i].name, f->array); i++)
		at += plan_number(b, array[i].count) * array[i].fields;
	uint64_t left = plan_number(b, array[i].count);
	bool slots = same_name(f->array, "slot");
	unsigned kind = slots ? place_of("kind", array[i].field, array[i].fields) : 0;
	for (; slots && left && gllm_le64(b->at + (at + kind) * 8) != slot; left--)
		at += array[i].fields;
	return left == 0 ? 0 : at + place_of(f->field, array[i].field, array[i].fields);
}

static void refuse_word(struct lab *l, const struct blob *b, uint64_t word, uint64_t value)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_plan *p = NULL;
	uint64_t was = gllm_le64(b->at + word * 8);
	gllm_put_le64(b->at + word * 8, value);
	sum(b);
	enum gllm_status s = gllm_plan_load(l->c, NULL, b->at, b->n, &p, &e);
	if (s != GLLM_BAD_VALUE)
		check_print(l->t, "word %u taken for %u\n", (unsigned)word, (unsigned)value);
	CHECK_STATUS(l->t, s, GLLM_BAD_VALUE);
	gllm_put_le64(b->at + word * 8, was);
	sum(b);
}

/* Repeats of one level come one behind the other, those of a higher level inside one of the level below. */
static void check_repeat_order(struct lab *l, const struct blob *b)
{
	static const char *const field[] = { "first", "end", "level" };
	uint64_t word[3], was[3], n = plan_number(b, "nrepeats"), outer = 0, size = 0;
	unsigned beside = 0, inside = 0;
	for (unsigned i = 0; i < GLLM_COUNT(array); i++)
		size = same_name(array[i].name, "repeat") ? array[i].fields : size;
	for (unsigned k = 0; k < 3; k++)
		word[k] = word_of(b, &(struct forged){ "repeat", field[k], NULL, 0 }, GLLM_SLOT_BIND);
	for (uint64_t i = 1; i < n; i++) {
		for (unsigned k = 0; k < 3; k++)
			was[k] = gllm_le64(b->at + (word[k] + i * size) * 8);
		uint64_t end = gllm_le64(b->at + (word[1] + outer * size) * 8);
		if (was[2] == 0) {
			refuse_word(l, b, word[0] + i * size, end - 1);
			outer = i;
			beside++;
		} else if (was[2] == 1) {
			refuse_word(l, b, word[1] + i * size, end + 1);
			inside++;
		}
	}
	CHECK(l->t, beside && (inside || beside + 1 == n)); /* rows are blocked where L2 does not hold them */
}

/* Each field that loading relies on, with a checksum that fits: two products with a value between them and a map behind, large
 * enough to be blocked, so that every array has elements. */
static void check_forged(struct lab *l)
{
	static const char text[] = "graph forged rows 256\ninput x [rows, 768]\nweight w [768, 768]\nweight v [768, 768]\n"
		"value h [rows, 768]\nvalue s [rows, 768]\nvalue a [rows, 768]\noutput y [rows, 768]\nh = gemm_bt(x, w, rows, 768, 768)\n"
		"s = softmax(h, 768) per rows\na = gemm_bt(s, v, rows, 768, 768)\ny = relu(a, 768) per rows\n";
	struct gllm_plan *p;
	struct gllm_graph *g = graph(l, l->c, text, sizeof text - 1, 0);
	if (!g || !CHECK_STATUS(l->t, gllm_compile(l->c, g, NULL, &p, &l->e), GLLM_OK))
		return;
	struct blob b = save(l, p);
	gllm_plan_free(l->c, p);
	gllm_graph_free(l->c, g);
	unsigned absent = 0;
	for (unsigned i = 0; i < GLLM_COUNT(forged); i++) {
		uint64_t word = word_of(&b, &forged[i], GLLM_SLOT_BIND);
		absent += word == 0;
		if (word)
			refuse_word(l, &b, word, forged[i].value + (forged[i].above ? plan_number(&b, forged[i].above) : 0));
	}
	CHECK_EQ(l->t, absent, 0);
	static const struct { enum gllm_slot_kind kind; struct forged f; } place[] = {
		{ GLLM_SLOT_WORK, { "slot", "value", "workspace", 1 } }, { GLLM_SLOT_POOL, { "slot", "value", "pool_bytes", 1 } },
	};
	for (unsigned i = 0; i < GLLM_COUNT(place); i++) {
		uint64_t word = word_of(&b, &place[i].f, place[i].kind);
		if (CHECK(l->t, word != 0))
			refuse_word(l, &b, word, place[i].f.value + plan_number(&b, place[i].f.above));
	}
	enum { VALUE_H = 3 }; /* by the order of declarations: nothing that a caller binds */
	refuse_word(l, &b, word_of(&b, &(struct forged){ "slot", "value", NULL, 0 }, GLLM_SLOT_BIND), VALUE_H);
	check_repeat_order(l, &b);
	uint64_t texts = gllm_le64(b.at + TEXTS * 8), last = FIRST + GLLM_COUNT(plan_fields) + (texts - 1) / 8;
	refuse_word(l, &b, last, UINT64_MAX); /* texts that do not end */
	CHECK(l->t, try_load(l, b.at, b.n));
}

static enum gllm_status refuse(void *user, size_t offset, size_t size)
{
	(void)user;
	(void)offset;
	(void)size;
	return GLLM_IO_ERROR;
}

/* Hosts that lack something. */
static void check_hosts(struct lab *l, const struct blob *b)
{
	struct gllm_arena mark = l->arena;
	struct gllm_plan *p = NULL;
	struct gllm_config c = l->config;
	c.host.code.size = 64;
	CHECK_STATUS(l->t, gllm_plan_load(context(l, &c), NULL, b->at, b->n, &p, NULL), GLLM_NO_SPACE);
	l->arena = mark;
	c = l->config;
	c.host.code.publish = refuse;
	CHECK_STATUS(l->t, gllm_plan_load(context(l, &c), NULL, b->at, b->n, &p, NULL), GLLM_IO_ERROR);
	l->arena = mark;
	c = l->config;
	c.host.code.write = NULL;
	CHECK_STATUS(l->t, gllm_plan_load(context(l, &c), NULL, b->at, b->n, &p, NULL), GLLM_NO_EXEC_MEMORY);
	l->arena = mark;
	c = l->config;
	c.target = NULL;
	CHECK_STATUS(l->t, gllm_plan_load(context(l, &c), NULL, b->at, b->n, &p, NULL), GLLM_NO_BACK_END);
	l->arena = mark;
	c = l->config;
	c.heap_bytes = 256;
	CHECK_STATUS(l->t, gllm_plan_load(context(l, &c), NULL, b->at, b->n, &p, NULL), GLLM_OUT_OF_MEMORY);
	l->arena = mark;
	c = l->config;
	c.profile.cache[0].bytes += 64;
	CHECK_STATUS(l->t, gllm_plan_load(context(l, &c), NULL, b->at, b->n, &p, NULL), GLLM_FOREIGN);
	CHECK(l->t, p == NULL);
	l->arena = mark;
}

/* --- the same bytes on any host ------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const struct gllm_target *target;
	struct gllm_profile profile;
} machine[] = {
	{ "avx2", &gllm_target_x86_64, { .isa = GLLM_ISA_X86_64, .have = GLLM_BIT(GLLM_X86_SSE3) | GLLM_BIT(GLLM_X86_SSSE3) |
	  GLLM_BIT(GLLM_X86_SSE41) | GLLM_BIT(GLLM_X86_SSE42) | GLLM_BIT(GLLM_X86_POPCNT) | GLLM_BIT(GLLM_X86_AVX) |
	  GLLM_BIT(GLLM_X86_F16C) | GLLM_BIT(GLLM_X86_FMA) | GLLM_BIT(GLLM_X86_AVX2) | GLLM_BIT(GLLM_X86_BMI1) |
	  GLLM_BIT(GLLM_X86_BMI2), .vector_bytes = 32, .vector_regs = 16, .cores = 4, .threads = 8,
	  .cache = { { 32 << 10, 8, 64, 2 }, { 256 << 10, 4, 64, 2 }, { 8 << 20, 16, 64, 8 } } } },
	{ "avx512", &gllm_target_x86_64, { .isa = GLLM_ISA_X86_64, .have = GLLM_BIT(GLLM_X86_SSE3) | GLLM_BIT(GLLM_X86_SSSE3) |
	  GLLM_BIT(GLLM_X86_SSE41) | GLLM_BIT(GLLM_X86_SSE42) | GLLM_BIT(GLLM_X86_POPCNT) | GLLM_BIT(GLLM_X86_AVX) |
	  GLLM_BIT(GLLM_X86_F16C) | GLLM_BIT(GLLM_X86_FMA) | GLLM_BIT(GLLM_X86_AVX2) | GLLM_BIT(GLLM_X86_BMI1) |
	  GLLM_BIT(GLLM_X86_BMI2) | GLLM_BIT(GLLM_X86_AVX512F) | GLLM_BIT(GLLM_X86_AVX512BW) | GLLM_BIT(GLLM_X86_AVX512DQ) |
	  GLLM_BIT(GLLM_X86_AVX512VL), .vector_bytes = 64, .vector_regs = 32, .cores = 8, .threads = 16,
	  .cache = { { 48 << 10, 12, 64, 2 }, { 1 << 20, 16, 64, 2 }, { 32 << 20, 16, 64, 16 } } } },
	{ "neon", &gllm_target_aarch64, { .isa = GLLM_ISA_AARCH64, .have = GLLM_BIT(GLLM_A64_FP) | GLLM_BIT(GLLM_A64_NEON),
	  .vector_bytes = 16, .vector_regs = 32, .cores = 4, .threads = 4,
	  .cache = { { 32 << 10, 2, 64, 1 }, { 1 << 20, 16, 64, 4 }, { 0, 0, 0, 0 } } } },
	{ "neon, strictly aligned", &gllm_target_aarch64, { .isa = GLLM_ISA_AARCH64, .have = GLLM_BIT(GLLM_A64_FP) |
	  GLLM_BIT(GLLM_A64_NEON), .vector_bytes = 16, .vector_regs = 32, .cores = 1, .threads = 1, .strict_align = true,
	  .cache = { { 64 << 10, 4, 64, 1 }, { 1 << 20, 8, 64, 1 }, { 4 << 20, 16, 64, 1 } } } },
};

/* Records of this host's traces, so that a context of the other ISA has them. */
static struct gllm_trace_record *records(struct lab *l, unsigned *n)
{
	static const struct gllm_span entry = { .at = 0, .bytes = 1 };
	static const char *const used[] = { "silu", "mul", "add", "gemm_bt_bias", "gelu", "rms_norm", "gemm_bt", "rope_adjacent",
		"swiglu", "scale", "softmax", "gemm", "layer_norm", "gelu_erf" };
	struct gllm_trace_record *r = gllm_alloc_array(&l->arena, GLLM_COUNT(used), sizeof *r, 8);
	*n = 0;
	for (unsigned i = 0; r && i < GLLM_COUNT(used); i++) {
		const struct gllm_trace *trace;
		unsigned op = gllm_op_find(l->c, used[i]);
		if (!CHECK_STATUS(l->t, gllm_op_trace(l->c, op, &trace, &l->e), GLLM_OK))
			return NULL;
		r[(*n)++] = (struct gllm_trace_record){ .name = used[i], .span = &entry, .nspans = 1, .trace = trace,
			.at = (int64_t)((uint64_t)(uintptr_t)gllm_op_info[op].ref - (uint64_t)(uintptr_t)gllm_op_trace) };
	}
	return r;
}

/* The plans of all examples, for decoding and for many rows, as one number. Nothing here runs. */
static uint64_t hash_plans(struct lab *l, const struct gllm_config *config)
{
	struct gllm_arena mark = l->arena;
	uint64_t h = GLLM_HASH_SEED;
	struct gllm_context *c = context(l, config);
	for (unsigned i = 0; c && i < 2 * GLLM_COUNT(example); i++) {
		const char *text = example[i / 2].text;
		struct gllm_plan *p;
		struct gllm_graph *g = graph(l, c, text, (size_t)(example[i / 2].end - text), i % 2);
		if (!g || !CHECK_STATUS(l->t, gllm_compile(c, g, NULL, &p, &l->e), GLLM_OK)) {
			check_print(l->t, "     %s: %s: %s\n", example[i / 2].name, l->e.what, l->e.name);
			return 0;
		}
		struct blob b = save(l, p);
		gllm_put_le64(b.at + EMITTER * 8, 0); /* two builds of one source */
		gllm_put_le64(b.at + CHECKSUM * 8, 0);
		h = gllm_hash_word(h, gllm_hash_block(b.at, b.n));
		gllm_plan_free(c, p);
		gllm_graph_free(c, g);
	}
	l->arena = mark;
	return h;
}

static void check_any_host(struct lab *l)
{
	enum { ROOM = 512 << 10 };
	unsigned n;
	struct gllm_trace_record *r = records(l, &n);
	unsigned char *room = gllm_alloc(&l->arena, ROOM, 64);
	if (!CHECK(l->t, r && room))
		return;
	for (unsigned i = 0; i < GLLM_COUNT(machine); i++) {
		struct gllm_config config = { .target = machine[i].target, .profile = machine[i].profile, .recorded = r,
			.nrecorded = n, .scratch_bytes = 8 << 20, .host.code = { .write = room, .exec = room, .size = ROOM } };
		uint64_t h = hash_plans(l, &config);
		for (size_t k = 0; k < ROOM; k++) /* what lay there before must not matter */
			room[k] = (unsigned char)check_random(l->t);
		CHECK_EQ(l->t, hash_plans(l, &config), h);
		check_print(l->t, "same: plans for %s: %08lx%08lx\n", machine[i].name, (unsigned long)(h >> 32),
		            (unsigned long)(uint32_t)h);
	}
}

void check_blob(struct check *t)
{
	struct lab l;
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
		return;
	}
	if (!start(&l, t))
		return;
	for (unsigned i = 0; i < GLLM_COUNT(example); i++)
		check_example(&l, example[i].text, (size_t)(example[i].end - example[i].text));
	check_keys(&l);
	struct gllm_plan *p, *scalar;
	struct gllm_graph *g = graph(&l, l.c, TINY, sizeof TINY - 1, 0);
	if (!g || !CHECK_STATUS(t, gllm_compile(l.c, g, NULL, &p, &l.e), GLLM_OK))
		return;
	CHECK_STATUS(t, gllm_compile(l.c, g, &(struct gllm_plan_options){ .scalar = true }, &scalar, &l.e), GLLM_OK);
	CHECK_EQ(t, gllm_plan_blob(scalar), 0);
	CHECK_STATUS(t, gllm_plan_save(scalar, l.arena.base, 0, NULL), GLLM_UNSUPPORTED);
	struct blob b = save(&l, p);
	check_header(&l, &b);
	check_damage(&l, &b);
	check_forged(&l);
	check_hosts(&l, &b);
	check_any_host(&l);
}
