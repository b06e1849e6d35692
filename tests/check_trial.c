/* SPDX-License-Identifier: MIT
 * tests/check_trial.c - see check_trial.h. */
#include "check_trial.h"
#include "core/bits.h"
#include "gllm/ops.h"

bool trial_init(struct trial *x, struct gllm_arena *a, uint64_t seed)
{
	*x = (struct trial){ .random = seed, .value = gllm_alloc(a, TRIAL_NODES * sizeof *x->value, 64) };
	for (unsigned i = 0; i < GLLM_MAX_PARAMS; i++) {
		x->got[i] = gllm_alloc(a, TRIAL_BYTES, 64);
		x->want[i] = gllm_alloc(a, TRIAL_BYTES, 64);
	}
	return x->value && x->want[GLLM_MAX_PARAMS - 1];
}

static uint64_t next(struct trial *x)
{
	uint64_t z = x->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 (Steele, Lea, Flood 2014) */
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Tame: -4 .. 4. Hostile: a quarter special values, a quarter any bits, else -100 .. 100. */
static float number(struct trial *x, bool hostile)
{
	static const uint32_t special[] = { 0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x80000001, 0x7f7fffff,
	                                    0x00800000, 0x3f800000, 0xbf800000, 0x42b17218, 0xc2d00000, 0x807fffff, 0x3f000000, 0x4b400000 };
	uint64_t r = next(x);
	float v = (float)(r >> 40) * 0x1p-23f - 1.0f;
	if (!hostile)
		return v * 4.0f;
	return (r & 3) == 0 ? gllm_bits_f32(special[r >> 2 & 15]) : (r & 3) == 1 ? gllm_bits_f32((uint32_t)(r >> 8)) : v * 100.0f;
}

/* Positions and row numbers stay small, whatever the round: they reach into another operand. */
static bool is_index(const struct gllm_param *p)
{
	return p->name[0] == 'i' && (p->name[1] == 'd' || p->name[1] == 'n');
}

static void fill(struct trial *x, const struct gllm_param *p, unsigned char *to, bool hostile)
{
	unsigned bytes = gllm_type_bytes(p->type);
	for (size_t i = 0; i < TRIAL_BYTES; i += bytes) {
		if (p->type == GLLM_F32)
			gllm_put_le32(to + i, gllm_f32_bits(number(x, hostile)));
		else if (p->type == GLLM_F16)
			gllm_put_le16(to + i, hostile ? (uint16_t)next(x) : gllm_f32_to_f16(number(x, false)));
		else if (p->type == GLLM_BF16)
			gllm_put_le16(to + i, hostile ? (uint16_t)next(x) : gllm_f32_to_bf16(number(x, false)));
		else if (bytes == 4)
			gllm_put_le32(to + i, is_index(p) ? (uint32_t)next(x) & 3 : (uint32_t)next(x));
		else
			for (unsigned k = 0; k < bytes; k++)
				to[i + k] = (unsigned char)next(x);
	}
}

void trial_prepare(struct trial *x, const struct gllm_param *param, unsigned n, unsigned round)
{
	uint64_t greatest = 0;
	bool hostile = round % 2;
	x->round = round;
	for (unsigned i = 0; i < n; i++) {
		x->got_arg[i].bits = 0;
		if (param[i].kind == GLLM_DIM) {
			uint64_t d = round < 4 ? round / 2 : next(x) % TRIAL_LARGEST;
			greatest = d > greatest ? d : greatest;
			x->got_arg[i].dim = param[i].name[0] == 's' && param[i].name[1] == 't' ? greatest : d;
		} else if (param[i].kind == GLLM_SCALAR) {
			x->got_arg[i].scalar = number(x, hostile);
		} else {
			fill(x, &param[i], x->got[i], hostile);
			for (size_t k = 0; k < TRIAL_BYTES / 8; k++)
				((uint64_t *)(void *)x->want[i])[k] = ((uint64_t *)(void *)x->got[i])[k];
			x->got_arg[i].ptr = x->got[i] + TRIAL_ROOM;
		}
		x->want_arg[i] = x->got_arg[i];
		if (param[i].kind < GLLM_DIM)
			x->want_arg[i].ptr = x->want[i] + TRIAL_ROOM;
	}
}

static bool both_nan(const struct gllm_param *p, uint64_t a, uint64_t b)
{
	uint64_t infinity = p->type == GLLM_F32 ? 0x7f800000 : p->type == GLLM_F16 ? 0x7c00 : 0x7f80;
	uint64_t sign = p->type == GLLM_F32 ? 0x80000000 : 0x8000;
	if (p->type != GLLM_F32 && p->type != GLLM_F16 && p->type != GLLM_BF16)
		return false;
	return (a & ~sign) > infinity && (b & ~sign) > infinity;
}

bool trial_same(const struct gllm_param *p, const unsigned char *a, const unsigned char *b, size_t n)
{
	unsigned bytes = gllm_type_bytes(p->type);
	for (size_t i = 0; i < n; i += 8) {
		uint64_t x = *(const uint64_t *)(const void *)(a + i), y = *(const uint64_t *)(const void *)(b + i);
		if (x == y)
			continue;
		for (unsigned k = 0; k < 8; k += bytes) {
			uint64_t mask = bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << bytes * 8) - 1;
			uint64_t u = x >> 8 * k & mask, v = y >> 8 * k & mask;
			if (u != v && !both_nan(p, u, v))
				return false;
		}
	}
	return true;
}

bool trial_equal(struct trial *x, const struct gllm_param *param, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (param[i].kind < GLLM_DIM && !trial_same(&param[i], x->got[i], x->want[i], TRIAL_BYTES)) {
			x->why = param[i].name;
			return false;
		}
	}
	return true;
}

bool trial_agrees(struct trial *x, const struct gllm_trace *trace, gllm_any_fn *fn, gllm_call_fn *call, unsigned rounds)
{
	x->beyond = false;
	if (trace->nnodes > TRIAL_NODES) {
		x->why = "more nodes than a trial has room for";
		return false;
	}
	for (unsigned round = 0; round < rounds; round++) {
		trial_prepare(x, trace->param, trace->nparams, round);
		for (unsigned i = 0; i < trace->nparams; i++) {
			if (trace->param[i].kind < GLLM_DIM && gllm_trace_extent(trace, i, x->got_arg) > TRIAL_ROOM) {
				x->why = "the trace reaches beyond the operands";
				x->beyond = true;
				return false;
			}
		}
		call(fn, x->want_arg);
		if (gllm_trace_eval(trace, x->got_arg, x->value) != GLLM_OK) {
			x->why = "the trace cannot be evaluated";
			return false;
		}
		if (!trial_equal(x, trace->param, trace->nparams))
			return false;
	}
	return true;
}
