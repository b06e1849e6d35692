/* SPDX-License-Identifier: MIT
 * tests/check_half.c - every operator on F16 and on BF16 tensors, and every operator as a C function (gllm/calls.h) for
 * these and F32, against its F32 definition on the widened elements.
 *
 * Maps may differ by one step of the half type (the F32 values may lie on two sides of a tie); sums and what rereads its
 * own rounded results by the bound stated in OF_SCALE, relative to the greatest output. */
#include "check.h"
#include "check_reach.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/calls.h"
#include "gllm/graph.h"
#include "jit/context.h"

enum { ROOM = 4 << 20 };
#define OF_SCALE(type) ((type) == GLLM_F32 ? 1e-5f : (type) == GLLM_F16 ? 2e-3f : 1e-2f)

struct driver {
	struct check *t;
	struct gllm_context *c;
	const struct gllm_op_info *info;
	const struct gllm_trace *trace;
	unsigned op;
	enum gllm_type type;                  /* of the elements, where the definition has F32 */
	union gllm_arg arg[GLLM_MAX_PARAMS];  /* of the scalar run */
	unsigned char *got[GLLM_MAX_PARAMS];
	size_t bytes[GLLM_MAX_PARAMS];        /* of `got` */
	unsigned char *room;
	size_t used;
};

static uint32_t narrow(const struct driver *d, float x)
{
	return d->type == GLLM_F32 ? gllm_f32_bits(x) : d->type == GLLM_F16 ? gllm_f32_to_f16(x) : gllm_f32_to_bf16(x);
}

static float widen(const struct driver *d, uint32_t h)
{
	return d->type == GLLM_F32 ? gllm_bits_f32(h) : d->type == GLLM_F16 ? gllm_f16_to_f32((uint16_t)h) :
	       gllm_bf16_to_f32((uint16_t)h);
}

static size_t unit(const struct driver *d)
{
	return gllm_type_bytes(d->type);
}

static uint32_t element(const struct driver *d, const unsigned char *p, size_t k)
{
	return d->type == GLLM_F32 ? gllm_le32(p + 4 * k) : gllm_le16(p + 2 * k);
}

static bool halved(const struct gllm_param *p)
{
	return p->kind < GLLM_DIM && p->type == GLLM_F32;
}

static unsigned char *take(struct driver *d, size_t bytes)
{
	unsigned char *p = d->room + d->used;
	d->used += (size_t)gllm_round_up(bytes, 64) + 64;
	return p;
}

static void prepare(struct driver *d)
{
	d->used = 0;
	for (unsigned i = 0; i < d->info->nparams; i++) {
		const struct gllm_param *p = &d->info->param[i];
		if (p->kind >= GLLM_DIM)
			continue;
		size_t bytes = (size_t)check_reach(d->trace, i, d->arg);
		unsigned char *wide = take(d, bytes);
		d->arg[i].ptr = wide;
		d->bytes[i] = halved(p) ? bytes / 4 * unit(d) : bytes;
		d->got[i] = halved(p) ? take(d, d->bytes[i]) : wide;
		if (p->kind == GLLM_OUT)
			d->got[i] = take(d, d->bytes[i]);
		for (size_t k = 0; k < d->bytes[i] + 64; k++)
			d->got[i][k] = 0xa5;
		for (size_t k = 0; p->kind != GLLM_OUT && halved(p) && k < bytes / 4; k++) {
			uint32_t h = narrow(d, check_float(d->t, -2.0f, 2.0f));
			if (d->type == GLLM_F32)
				gllm_put_le32(d->got[i] + 4 * k, h);
			else
				gllm_put_le16(d->got[i] + 2 * k, (uint16_t)h);
			gllm_put_le32(wide + 4 * k, gllm_f32_bits(widen(d, h)));
		}
		for (size_t k = 0; p->kind != GLLM_OUT && !halved(p) && k + gllm_type_bytes(p->type) <= bytes;
		     k += gllm_type_bytes(p->type)) {
			if (p->type == GLLM_U32)
				gllm_put_le32(wide + k, check_below(d->t, CHECK_ROWS));
			else if (p->type == GLLM_F16)
				gllm_put_le16(wide + k, gllm_f32_to_f16(check_float(d->t, -2.0f, 2.0f)));
			else
				wide[k] = (unsigned char)(check_random(d->t) & 0x3f);
		}
	}
}

/* Steps of the half type between two values of it. */
static unsigned steps(uint32_t a, uint32_t b)
{
	int x = a & 0x8000 ? -(int)(a & 0x7fff) : (int)a, y = b & 0x8000 ? -(int)(b & 0x7fff) : (int)b;
	return (unsigned)(x < y ? y - x : x - y);
}

static bool agrees(const struct driver *d, uint32_t got, float want, float greatest)
{
	uint32_t h = narrow(d, want);
	float g = widen(d, got), difference = g - want;
	if (want != want || g != g)
		return want != want && g != g;
	if (d->type == GLLM_F32 ? check_ulp(g, want) <= (double)d->info->tol.ulp : steps(got, h) <= 1)
		return true;
	if (d->info->tol.sum == 0.0f)
		return false;
	return (difference < 0 ? -difference : difference) <= OF_SCALE(d->type) * greatest;
}

static void compare(struct driver *d, const char *how)
{
	for (unsigned i = 0; i < d->info->nparams; i++) {
		const struct gllm_param *p = &d->info->param[i];
		size_t n = d->bytes[i] / unit(d), bad = SIZE_MAX;
		float greatest = 0;
		if (p->kind != GLLM_OUT)
			continue;
		const unsigned char *want = d->arg[i].ptr;
		if (!halved(p)) {
			for (size_t k = 0; k < d->bytes[i]; k++)
				bad = d->got[i][k] != want[k] && bad == SIZE_MAX ? k : bad;
			CHECK(d->t, bad == SIZE_MAX);
			continue;
		}
		for (size_t k = 0; k < n; k++) {
			float x = gllm_bits_f32(gllm_le32(want + 4 * k));
			x = x < 0 ? -x : x;
			greatest = x > greatest ? x : greatest;
		}
		for (size_t k = 0; k < n; k++)
			if (bad == SIZE_MAX && !agrees(d, element(d, d->got[i], k), gllm_bits_f32(gllm_le32(want + 4 * k)), greatest))
				bad = k;
		if (!CHECK(d->t, bad == SIZE_MAX))
			check_print(d->t, "     %s %s %s, %s[%zu] of %zu: got %x, want %08x\n", d->info->name, gllm_type_name(d->type),
			            how, p->name, bad, n, element(d, d->got[i], bad), gllm_le32(want + 4 * bad));
		bool kept = true;
		for (size_t k = 0; k < 64; k++)
			kept = kept && d->got[i][d->bytes[i] + k] == 0xa5;
		CHECK(d->t, kept);
	}
}

static enum gllm_status compile(struct driver *d, struct gllm_plan **plan, struct gllm_error *e)
{
	static const struct gllm_plan_options options = { .readback = true };
	struct gllm_graph *g;
	struct gllm_actual actual[GLLM_MAX_PARAMS];
	enum gllm_status s = gllm_graph_create(d->c, d->info->name, 1, GLLM_MAX_PARAMS, 1, &g, e);
	if (s != GLLM_OK)
		return s;
	for (unsigned i = 0; i < d->info->nparams; i++) {
		const struct gllm_param *p = &d->info->param[i];
		if (p->kind == GLLM_DIM)
			actual[i] = GLLM_D(d->arg[i].dim);
		else if (p->kind == GLLM_SCALAR)
			actual[i] = GLLM_S(d->arg[i].scalar);
		else
			actual[i] = GLLM_T(gllm_graph_tensor(g, p->kind == GLLM_OUT ? GLLM_TENSOR_OUTPUT :
			                                     p->kind == GLLM_WEIGHT ? GLLM_TENSOR_WEIGHT : GLLM_TENSOR_INPUT,
			                                     halved(p) ? d->type : p->type, 1,
			                                     check_reach(d->trace, i, d->arg) / gllm_type_bytes(p->type), p->name));
	}
	gllm_graph_node(g, d->op, 1, actual, d->info->nparams);
	s = gllm_graph_status(g, e);
	if (s == GLLM_OK)
		s = gllm_compile(d->c, g, &options, plan, e);
	gllm_graph_free(d->c, g);
	return s;
}

static void set_dims(struct driver *d, unsigned k)
{
	static const unsigned char first[] = { 1, 7, 16, 33, 64 }, other[] = { 5, 3, 17, 2, 8 };
	unsigned dims = 0;
	for (unsigned i = 0; i < d->info->nparams; i++) {
		if (d->info->param[i].kind == GLLM_SCALAR)
			d->arg[i].scalar = 0.125f;
		if (d->info->param[i].kind != GLLM_DIM)
			continue;
		d->arg[i].dim = dims == 0 ? first[k] : dims < 3 ? other[(k + dims) % sizeof other] : 4;
		if (d->info->sig == GLLM_SIG_attend && d->info->param[i].name[0] == 's')
			d->arg[i].dim = d->arg[i - 1].dim + 3;
		dims++;
	}
}

static void one_operator(struct driver *d)
{
	for (unsigned k = 0; k < 5; k++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_plan *plan;
		void *bind[GLLM_MAX_PARAMS];
		unsigned n = 0;
		set_dims(d, k);
		prepare(d);
		enum gllm_status s = compile(d, &plan, &e);
		if (!CHECK_STATUS(d->t, s, GLLM_OK)) {
			check_print(d->t, "     %s %s: %s %s\n", d->info->name, gllm_type_name(d->type), e.what, e.name);
			return;
		}
		for (unsigned i = 0; i < d->info->nparams; i++)
			if (d->info->param[i].kind < GLLM_DIM)
				bind[n++] = d->got[i];
		gllm_builtin_call(d->op)(d->info->ref, d->arg);
		if (CHECK_STATUS(d->t, gllm_plan_run(plan, bind, 1, d->room + ROOM - 64, &e), GLLM_OK))
			compare(d, "in a plan");
		gllm_plan_free(d->c, plan);
	}
}

/* The function of C convention, one for all sizes. */
static void one_function(struct driver *d, gllm_any_fn *fn)
{
	for (unsigned k = 0; k < 5; k++) {
		union gllm_arg arg[GLLM_MAX_PARAMS];
		set_dims(d, k);
		prepare(d);
		for (unsigned i = 0; i < d->info->nparams; i++) {
			arg[i] = d->arg[i];
			if (d->info->param[i].kind < GLLM_DIM)
				arg[i].ptr = d->got[i];
		}
		gllm_builtin_call(d->op)(d->info->ref, d->arg);
		gllm_builtin_call(d->op)(fn, arg);
		compare(d, "as a function");
	}
}

/* Without a back end the F32 functions are the definitions themselves, and half types are refused. */
static void without_back_end(struct check *t, struct gllm_context *c)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_calls calls;
	bool same = true;
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++)
		calls.f16.any[i] = gllm_op_info[i].ref;
	CHECK_STATUS(t, gllm_calls_fill(c, GLLM_CALLS_F32, &calls, &e), GLLM_OK);
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++)
		same = same && calls.f32.any[i] == gllm_op_info[i].ref && calls.f16.any[i] == NULL;
	CHECK(t, same);
	CHECK(t, gllm_calls_fill(c, GLLM_CALLS_BF16, &calls, &e) != GLLM_OK);
	CHECK(t, e.what[0] != 0);
	CHECK_STATUS(t, gllm_calls_fill(c, 8, &calls, NULL), GLLM_INVALID_ARGUMENT);
}

/* Scales of blocks, put together from bytes at any address: all there are, as the definition has them. */
static void scales_of_blocks(struct driver *d, const struct gllm_calls *k)
{
	enum { BLOCKS = 256, BYTES = 34, ELEMENTS = 32 };
	static const unsigned char q[3] = { 1, 0x80, 0x7f };
	unsigned char *x = d->room + 1;
	float *y = (float *)(void *)(d->room + 16384), *want = y + BLOCKS * ELEMENTS;
	bool right = true;
	for (unsigned first = 0; first < 1u << 16; first += BLOCKS) {
		for (unsigned i = 0; i < BLOCKS * BYTES; i++)
			x[i] = i % BYTES == 0 ? (unsigned char)(first + i / BYTES) : i % BYTES == 1 ? (unsigned char)((first + i / BYTES) >> 8) : q[i % 3];
		k->f32.dequant_q8_0(y, x, BLOCKS);
		gllm_ref_dequant_q8_0(want, x, BLOCKS);
		for (unsigned i = 0; i < BLOCKS * ELEMENTS; i++)
			right = right && (gllm_f32_bits(y[i]) == gllm_f32_bits(want[i]) || (y[i] != y[i] && want[i] != want[i]));
	}
	CHECK(d->t, right);
}

static void functions(struct driver *d)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_calls calls;
	enum gllm_status all = gllm_calls_fill(d->c, GLLM_CALLS_F32 | GLLM_CALLS_F16 | GLLM_CALLS_BF16, &calls, &e);
	for (d->op = 0; d->op < GLLM_OP_COUNT; d->op++) {
		d->info = &gllm_op_info[d->op];
		gllm_op_trace(d->c, d->op, &d->trace, NULL);
		if (!calls.f32.any[d->op] || !calls.f16.any[d->op] || !calls.bf16.any[d->op]) {
			if (CHECK_STATUS(d->t, all, GLLM_OK))
				check_print(d->t, "     %s: %s\n", e.name, e.what);
			continue;
		}
		d->type = GLLM_F32;
		one_function(d, calls.f32.any[d->op]);
		d->type = GLLM_F16;
		one_function(d, calls.f16.any[d->op]);
		d->type = GLLM_BF16;
		one_function(d, calls.bf16.any[d->op]);
	}
	if (CHECK(d->t, calls.f32.dequant_q8_0 != NULL))
		scales_of_blocks(d, &calls);
}

void check_half(struct check *t)
{
	size_t size;
	struct gllm_arena a;
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&a, all, size);
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t) };
	if (check_image(t))
		config.image = *check_image(t);
	config.recorded = t->host->recorded;
	config.nrecorded = t->host->nrecorded;
	if (check_exec(t))
		config.host.code = *check_exec(t);
	struct gllm_error e = { .status = GLLM_OK };
	size_t need = gllm_context_quote(&config);
	struct driver d = { .t = t };
	void *memory = gllm_alloc(&a, need, 64);
	d.room = gllm_alloc(&a, ROOM, 4096);
	if (!CHECK(t, memory && d.room) || !CHECK_STATUS(t, gllm_context_create(memory, need, &config, &d.c, &e), GLLM_OK))
		return;
	if (!config.target || !check_image(t) || !check_exec(t) || !config.profile.vector_bytes) {
		without_back_end(t, d.c);
		return;
	}
	for (d.op = 0; d.op < GLLM_OP_COUNT; d.op++) {
		d.info = &gllm_op_info[d.op];
		enum gllm_status s = gllm_op_trace(d.c, d.op, &d.trace, NULL);
		if (!CHECK_STATUS(t, s, GLLM_OK))
			continue;
		for (unsigned k = 0; k < 2; k++) {
			d.type = k ? GLLM_BF16 : GLLM_F16;
			one_operator(&d);
		}
	}
	functions(&d);
}
