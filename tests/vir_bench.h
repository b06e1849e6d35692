/* SPDX-License-Identifier: MIT
 * tests/vir_bench.h - building vector IR programs and running them on every width of both back ends.
 *
 * A program is built for a machine's lanes, interpreted, allocated, emitted and read back for every width of both ISAs on
 * any host; where the host has the width's features it also runs, and every word it wrote must equal what the interpreter
 * wrote (NaNs are equal to each other). */
#ifndef VIR_BENCH_H
#define VIR_BENCH_H
#include "check.h"
#include "core/bits.h"
#include "core/target.h"
#include "jit/regalloc.h"
#include "jit/vir.h"

enum {
	MAX_INS = 2048, MAX_REGS = 1024, CODE = 1 << 16,
	WORDS = 1024,   /* of each input */
	OUT = 8192,     /* words of output */
	STEPS = 4,      /* loop iterations */
	PRESSURE_V = 40, PRESSURE_G = 18, PRESSURE_M = 9,
	AT_V = 4096, AT_M = 16384, AT_G = 20480, /* bytes into the output: vectors, masks and integers of programs with many */
};

struct area { /* what the args slots point to */
	uint32_t in[4][WORDS];
	int64_t ints[64];
	uint32_t out[OUT];
};

struct bench {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_vir v;
	struct gllm_vi *ins;
	uint8_t *reg_class;
	struct area *data, *want;
	unsigned char *code;
	size_t size;        /* of the last code */
	uint64_t last, all; /* hashes of it and of all code so far, where it is not the same code again */
	const struct gllm_target *target;
	struct gllm_machine machine;
	const char *width;
	unsigned lanes;
	bool runs;          /* on this very CPU */
	size_t exec_used;
	uint32_t frame;     /* bytes of spill slots of the last program */
	bool halves;        /* programs are of halves: `lanes` counts these */
	unsigned half;      /* output is compared by 16 bits: element type; bit by bit: MASK; else by words */
};

/* Runs `suite` for each width; prints a hash of the code, which is the same whatever machine computes it as long as the
 * programs do not depend on what runs here. */
void vir_each_width(struct check *t, void (*suite)(struct bench *b));
/* The profile of a width by name; NULL if there is none. */
const struct gllm_profile *vir_width(const char *name);

/* Random input: within the bounds, or any bits if low is not below high. */
void vir_fill(struct bench *b, float low, float high);
/* Compiles a copy of what was built, with every check there is, into `code`. */
enum gllm_status vir_compile(struct bench *b, struct gllm_code *code, struct gllm_arena arena, unsigned *bad,
                             struct gllm_error *e);
/* Compiles what was built; runs and compares it where possible. One check counts. */
bool vir_finish(struct bench *b, const char *name, uint64_t from, uint64_t to);
/* Code is a function of the program: the same bytes from other memory. */
bool vir_same_again(struct bench *b);

static inline struct gllm_vi op(enum gllm_vir_op o, unsigned type)
{
	struct gllm_vi i = gllm_vi(o);

	i.type = i.mem = (uint8_t)type;
	return i;
}

static inline gllm_vreg emit(struct bench *b, struct gllm_vi i)
{
	char d = gllm_vir_info[i.op].d[0];

	if (d != '-' && i.d == GLLM_NO_VREG)
		i.d = gllm_vir_reg(&b->v, d == 'g' ? GLLM_CLASS_G : d == 'v' ? GLLM_CLASS_V : GLLM_CLASS_M);
	return gllm_vir_emit(&b->v, i);
}

static inline gllm_vreg constant(struct bench *b, int64_t imm)
{
	struct gllm_vi i = op(GLLM_V_GCONST, GLLM_I64);

	i.imm = imm;
	return emit(b, i);
}

static inline gllm_vreg load_slot(struct bench *b, gllm_vreg base, int64_t byte)
{
	struct gllm_vi i = op(GLLM_V_GLOAD, GLLM_I64);

	i.a = base;
	i.imm = byte;
	return emit(b, i);
}

static inline void add_to(struct bench *b, gllm_vreg r, int64_t imm)
{
	struct gllm_vi i = op(GLLM_V_GADDI, GLLM_I64);

	i.d = i.a = r;
	i.imm = imm;
	emit(b, i);
}

/* What whole lanes are loaded, stored and compared as. */
static inline unsigned lane_type(const struct bench *b)
{
	return b->halves ? GLLM_F16 : GLLM_F32;
}

static inline gllm_vreg load(struct bench *b, gllm_vreg base, gllm_vreg index, int64_t byte)
{
	struct gllm_vi i = op(GLLM_V_VLOAD, lane_type(b));

	i.a = base;
	i.b = index;
	i.scale = index == GLLM_NO_VREG ? 0 : b->halves ? 1 : 2;
	i.imm = byte;
	return emit(b, i);
}

static inline void store(struct bench *b, gllm_vreg base, gllm_vreg index, int64_t byte, gllm_vreg value)
{
	struct gllm_vi i = op(GLLM_V_VSTORE, lane_type(b));

	i.a = base;
	i.b = index;
	i.scale = index == GLLM_NO_VREG ? 0 : b->halves ? 1 : 2;
	i.imm = byte;
	i.c = value;
	emit(b, i);
}

static inline void store_int(struct bench *b, gllm_vreg base, int64_t byte, gllm_vreg value)
{
	struct gllm_vi i = op(GLLM_V_GSTORE, GLLM_I64);

	i.a = base;
	i.imm = byte;
	i.c = value;
	emit(b, i);
}

static inline void label(struct bench *b, unsigned l)
{
	struct gllm_vi i = op(GLLM_V_LABEL, 0);

	i.imm = l;
	emit(b, i);
}

static inline void branch(struct bench *b, enum gllm_vcc cc, gllm_vreg x, gllm_vreg y, unsigned to)
{
	struct gllm_vi i = op(GLLM_V_BRANCH, 0);

	i.cc = (uint8_t)cc;
	i.a = x;
	i.b = y;
	i.imm = to;
	emit(b, i);
}

static inline void begin(struct bench *b)
{
	gllm_vir_init(&b->v, b->ins, MAX_INS, b->reg_class, MAX_REGS);
	b->v.halves = b->halves;
	b->half = b->halves ? GLLM_F16 : 0;
}

static inline void end(struct bench *b)
{
	emit(b, op(GLLM_V_RET, 0));
}

static inline unsigned out_bytes(const struct bench *b)
{
	return b->lanes * (b->halves ? 2 : 4);
}

static inline void store_chosen(struct bench *b, gllm_vreg out, int64_t byte, gllm_vreg mask, gllm_vreg x, gllm_vreg y)
{
	struct gllm_vi s = op(GLLM_V_VSEL, b->halves ? GLLM_F16 : GLLM_I32);

	s.a = mask;
	s.b = x;
	s.c = y;
	store(b, out, GLLM_NO_VREG, byte, emit(b, s));
}
#endif
