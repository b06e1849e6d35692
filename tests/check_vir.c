/* SPDX-License-Identifier: MIT
 * tests/check_vir.c - the back ends, one VIR operation at a time, against the interpreter.
 *
 * A program is built for a machine's lanes, interpreted, allocated, emitted and read back for every width of both ISAs on
 * any host; where the host has the width's features it also runs, and every word it wrote must equal what the interpreter wrote (NaNs are equal to
 * each other). Operations run alone and in a loop with every way the result can share an operand's register, and once
 * more among more live accumulators than there are registers, so that spill code runs too. */
#include "check.h"
#include "core/bits.h"
#include "core/target.h"
#include "jit/readback.h"
#include "jit/regalloc.h"
#include "jit/vir.h"

#if GLLM_JIT

enum {
	MAX_INS = 1024, MAX_REGS = 512, CODE = 1 << 16, ARENA = 4 << 20,
	WORDS = 1024,   /* of each input */
	OUT = 8192,     /* words of output */
	STEPS = 4,      /* loop iterations */
	PRESSURE_V = 40, PRESSURE_G = 18, PRESSURE_M = 9,
	PROGRAMS = 60,  /* random ones */
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
	const struct gllm_target *target;
	struct gllm_machine machine;
	const char *width;
	unsigned lanes;
	bool runs;          /* on this very CPU */
	size_t exec_used;
	uint32_t frame;     /* bytes of spill slots of the last program */
	unsigned half;      /* output is compared by 16 bits: element type; bit by bit: MASK; else by words */
};

#define AVX2 (GLLM_BIT(GLLM_X86_AVX) | GLLM_BIT(GLLM_X86_AVX2) | GLLM_BIT(GLLM_X86_FMA) | GLLM_BIT(GLLM_X86_F16C))
#define AVX512 (AVX2 | GLLM_BIT(GLLM_X86_BMI2) | GLLM_BIT(GLLM_X86_AVX512F) | GLLM_BIT(GLLM_X86_AVX512BW) | \
                GLLM_BIT(GLLM_X86_AVX512DQ) | GLLM_BIT(GLLM_X86_AVX512VL))
static const struct width { /* a target's widths, each with the least profile that has it */
	const struct gllm_target *target;
	const char *name;
	struct gllm_profile profile;
	unsigned lanes;
} widths[] = {
	{ &gllm_target_x86_64, "AVX2",
	  { .isa = GLLM_ISA_X86_64, .vector_bytes = 32, .vector_regs = 16, .have = AVX2 }, 8 },
	{ &gllm_target_x86_64, "AVX-512",
	  { .isa = GLLM_ISA_X86_64, .vector_bytes = 64, .vector_regs = 32, .have = AVX512 }, 16 },
	{ &gllm_target_aarch64, "NEON",
	  { .isa = GLLM_ISA_AARCH64, .vector_bytes = 16, .vector_regs = 32,
	    .have = GLLM_BIT(GLLM_A64_FP) | GLLM_BIT(GLLM_A64_NEON) }, 4 },
};

/* --- building programs ---------------------------------------------------------------------------------------------- */

static struct gllm_vi op(enum gllm_vir_op o, unsigned type)
{
	struct gllm_vi i = gllm_vi(o);

	i.type = i.mem = (uint8_t)type;
	return i;
}

static gllm_vreg emit(struct bench *b, struct gllm_vi i)
{
	char d = gllm_vir_info[i.op].d[0];

	if (d != '-' && i.d == GLLM_NO_VREG)
		i.d = gllm_vir_reg(&b->v, d == 'g' ? GLLM_CLASS_G : d == 'v' ? GLLM_CLASS_V : GLLM_CLASS_M);
	return gllm_vir_emit(&b->v, i);
}

static gllm_vreg constant(struct bench *b, int64_t imm)
{
	struct gllm_vi i = op(GLLM_V_GCONST, GLLM_I64);

	i.imm = imm;
	return emit(b, i);
}

static gllm_vreg load_slot(struct bench *b, gllm_vreg base, int64_t byte)
{
	struct gllm_vi i = op(GLLM_V_GLOAD, GLLM_I64);

	i.a = base;
	i.imm = byte;
	return emit(b, i);
}

static void add_to(struct bench *b, gllm_vreg r, int64_t imm)
{
	struct gllm_vi i = op(GLLM_V_GADDI, GLLM_I64);

	i.d = i.a = r;
	i.imm = imm;
	emit(b, i);
}

static gllm_vreg load(struct bench *b, gllm_vreg base, gllm_vreg index, int64_t byte)
{
	struct gllm_vi i = op(GLLM_V_VLOAD, GLLM_F32);

	i.a = base;
	i.b = index;
	i.scale = index == GLLM_NO_VREG ? 0 : 2;
	i.imm = byte;
	return emit(b, i);
}

static void store(struct bench *b, gllm_vreg base, gllm_vreg index, int64_t byte, gllm_vreg value)
{
	struct gllm_vi i = op(GLLM_V_VSTORE, GLLM_F32);

	i.a = base;
	i.b = index;
	i.scale = index == GLLM_NO_VREG ? 0 : 2;
	i.imm = byte;
	i.c = value;
	emit(b, i);
}

static void store_int(struct bench *b, gllm_vreg base, int64_t byte, gllm_vreg value)
{
	struct gllm_vi i = op(GLLM_V_GSTORE, GLLM_I64);

	i.a = base;
	i.imm = byte;
	i.c = value;
	emit(b, i);
}

static void label(struct bench *b, unsigned l)
{
	struct gllm_vi i = op(GLLM_V_LABEL, 0);

	i.imm = l;
	emit(b, i);
}

static void branch(struct bench *b, enum gllm_vcc cc, gllm_vreg x, gllm_vreg y, unsigned to)
{
	struct gllm_vi i = op(GLLM_V_BRANCH, 0);

	i.cc = (uint8_t)cc;
	i.a = x;
	i.b = y;
	i.imm = to;
	emit(b, i);
}

static void begin(struct bench *b)
{
	gllm_vir_init(&b->v, b->ins, MAX_INS, b->reg_class, MAX_REGS);
	b->half = 0;
}

static void end(struct bench *b)
{
	emit(b, op(GLLM_V_RET, 0));
}

static unsigned out_bytes(const struct bench *b)
{
	return b->lanes * 4;
}

/* --- running and comparing ------------------------------------------------------------------------------------------ */

static void fill(struct bench *b, float low, float high)
{
	struct area *d = b->data;

	for (unsigned k = 0; k < 4; k++)
		for (unsigned i = 0; i < WORDS; i++) {
			float x = low < high ? check_float(b->t, low, high) : check_hostile(b->t);

			d->in[k][i] = gllm_f32_bits(x);
		}
	for (unsigned i = 0; i < GLLM_COUNT(d->ints); i++)
		d->ints[i] = (int64_t)check_random(b->t) >> check_below(b->t, 64);
	for (unsigned i = 0; i < OUT; i++)
		d->out[i] = 0xa5a50000u + i;
}

static bool same16(uint32_t a, uint32_t b, unsigned type)
{
	uint32_t inf = type == GLLM_F16 ? 0x7c00 : 0x7f80;

	return a == b || ((a & 0x7fff) > inf && (b & 0x7fff) > inf);
}

static bool same(const struct bench *b, uint32_t x, uint32_t y)
{
	if (x == y)
		return true;
	if (b->half == GLLM_MASK)
		return false;
	if (b->half)
		return same16(x & 0xffff, y & 0xffff, b->half) && same16(x >> 16, y >> 16, b->half);
	return (x & 0x7fffffff) > 0x7f800000 && (y & 0x7fffffff) > 0x7f800000;
}

static void slots(struct area *d, uint64_t args[8])
{
	for (unsigned k = 0; k < 4; k++)
		args[k] = (uint64_t)(uintptr_t)d->in[k];
	args[4] = (uint64_t)(uintptr_t)d->ints;
	args[5] = (uint64_t)(uintptr_t)d->out;
	args[6] = args[7] = 0;
}

typedef void kernel(const void *args, void *shared, void *worker, uint64_t begin, uint64_t end);

/* Calls with known values in every register the ABI preserves, and with a floating-point state that truncates and flushes
 * denormals. Returns a bit per register, and bit 63 for the state, that came back changed. */
uint64_t vir_guarded_call(kernel *fn, const void *args, void *shared, void *worker, uint64_t begin, uint64_t end);
#if defined __x86_64__
__asm__(".pushsection .text.vir_guarded_call,\"ax\",@progbits\n"
        ".globl vir_guarded_call\n"
        ".type vir_guarded_call,@function\n"
        "vir_guarded_call:\n"
        "endbr64\n"
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "sub $24,%rsp\n"
        "stmxcsr (%rsp)\n movl $0xffc0,4(%rsp)\n ldmxcsr 4(%rsp)\n"
        "mov %rdi,%rax\n mov %rsi,%rdi\n mov %rdx,%rsi\n mov %rcx,%rdx\n mov %r8,%rcx\n mov %r9,%r8\n"
        "mov $0x1003,%ebx\n mov $0x1005,%ebp\n mov $0x100c,%r12d\n mov $0x100d,%r13d\n mov $0x100e,%r14d\n"
        "mov $0x100f,%r15d\n mov %rsp,8(%rsp)\n"
        "call *%rax\n"
        "xor %eax,%eax\n"
        "cmp %rsp,8(%rsp)\n je 1f\n bts $4,%rax\n 1:\n"
        "cmp $0x1003,%rbx\n je 1f\n bts $3,%rax\n 1:\n"
        "cmp $0x1005,%rbp\n je 1f\n bts $5,%rax\n 1:\n"
        "cmp $0x100c,%r12\n je 1f\n bts $12,%rax\n 1:\n"
        "cmp $0x100d,%r13\n je 1f\n bts $13,%rax\n 1:\n"
        "cmp $0x100e,%r14\n je 1f\n bts $14,%rax\n 1:\n"
        "cmp $0x100f,%r15\n je 1f\n bts $15,%rax\n 1:\n"
        "stmxcsr 4(%rsp)\n andl $0xffc0,4(%rsp)\n cmpl $0xffc0,4(%rsp)\n je 1f\n bts $63,%rax\n 1:\n"
        "ldmxcsr (%rsp)\n"
        "add $24,%rsp\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
        "ret\n"
        ".size vir_guarded_call,.-vir_guarded_call\n"
        ".popsection\n");
#else
#define SAME(r, n) "mov x9,#0x1000+" #n "\n cmp " #r ",x9\n b.eq 1f\n orr x0,x0,#1<<" #n "\n 1:\n"
#define SAME_D(r, n) "fmov x10," #r "\n" SAME(x10, n)
__asm__(".pushsection .text.vir_guarded_call,\"ax\",%progbits\n"
        ".globl vir_guarded_call\n"
        ".type vir_guarded_call,%function\n"
        "vir_guarded_call:\n"
        "hint #34\n"
        "stp x29,x30,[sp,#-176]!\n"
        "stp x19,x20,[sp,#16]\n stp x21,x22,[sp,#32]\n stp x23,x24,[sp,#48]\n stp x25,x26,[sp,#64]\n"
        "stp x27,x28,[sp,#80]\n stp d8,d9,[sp,#96]\n stp d10,d11,[sp,#112]\n stp d12,d13,[sp,#128]\n"
        "stp d14,d15,[sp,#144]\n"
        "mrs x9,fpcr\n str x9,[sp,#160]\n mov x9,#0x1c00000\n msr fpcr,x9\n"
        "mov x9,x0\n mov x0,x1\n mov x1,x2\n mov x2,x3\n mov x3,x4\n mov x4,x5\n"
        "mov x19,#0x1013\n mov x20,#0x1014\n mov x21,#0x1015\n mov x22,#0x1016\n mov x23,#0x1017\n"
        "mov x24,#0x1018\n mov x25,#0x1019\n mov x26,#0x101a\n mov x27,#0x101b\n mov x28,#0x101c\n"
        "mov x29,sp\n"
        "mov x10,#0x1008\n fmov d8,x10\n mov x10,#0x1009\n fmov d9,x10\n mov x10,#0x100a\n fmov d10,x10\n"
        "mov x10,#0x100b\n fmov d11,x10\n mov x10,#0x100c\n fmov d12,x10\n mov x10,#0x100d\n fmov d13,x10\n"
        "mov x10,#0x100e\n fmov d14,x10\n mov x10,#0x100f\n fmov d15,x10\n"
        "blr x9\n"
        "mov x0,#0\n mov x9,sp\n cmp x29,x9\n b.eq 1f\n orr x0,x0,#1<<29\n 1:\n"
        SAME(x19, 19) SAME(x20, 20) SAME(x21, 21) SAME(x22, 22) SAME(x23, 23) SAME(x24, 24) SAME(x25, 25)
        SAME(x26, 26) SAME(x27, 27) SAME(x28, 28)
        SAME_D(d8, 8) SAME_D(d9, 9) SAME_D(d10, 10) SAME_D(d11, 11) SAME_D(d12, 12) SAME_D(d13, 13)
        SAME_D(d14, 14) SAME_D(d15, 15)
        "mrs x9,fpcr\n mov x10,#0x1c00000\n cmp x9,x10\n b.eq 1f\n orr x0,x0,#1<<63\n 1:\n"
        "ldr x9,[sp,#160]\n msr fpcr,x9\n"
        "ldp x19,x20,[sp,#16]\n ldp x21,x22,[sp,#32]\n ldp x23,x24,[sp,#48]\n ldp x25,x26,[sp,#64]\n"
        "ldp x27,x28,[sp,#80]\n ldp d8,d9,[sp,#96]\n ldp d10,d11,[sp,#112]\n ldp d12,d13,[sp,#128]\n"
        "ldp d14,d15,[sp,#144]\n ldp x29,x30,[sp],#176\n"
        "ret\n"
        ".size vir_guarded_call,.-vir_guarded_call\n"
        ".popsection\n");
#endif

static kernel *publish(struct bench *b, size_t size)
{
	const struct gllm_exec_memory *x = check_exec(b->t);
	kernel *fn;

	if (b->exec_used + size > x->size) { /* where no code has run before */
		x = check_exec_fresh(b->t);
		b->exec_used = 0;
	}
	if (size > x->size)
		return NULL;
	for (size_t k = 0; k < size; k++)
		x->write[b->exec_used + k] = b->code[k];
	if (x->publish && x->publish(x->user, b->exec_used, size) != GLLM_OK)
		return NULL;
	fn = (kernel *)(uintptr_t)(x->exec + b->exec_used);
	b->exec_used += gllm_round_up(size, 64);
	return fn;
}

static bool run(struct bench *b, const char *name, const struct gllm_vir *source, size_t size, struct gllm_arena arena,
                uint64_t from, uint64_t to)
{
	uint64_t args[8], changed;
	void *work = gllm_alloc(&arena, gllm_vir_run_bytes(source, b->lanes), 8);
	kernel *fn = publish(b, size);

	if (!work || !fn)
		return false;
	*b->want = *b->data;
	slots(b->want, args);
	if (gllm_vir_run(source, b->lanes, args, b->want->in, b->want->ints, from, to, work) != GLLM_OK)
		return false;
	slots(b->data, args);
	changed = vir_guarded_call(fn, args, b->data->in, b->data->ints, from, to);
	if (changed)
		check_print(b->t, "  %s on %s: registers %016llx not kept\n", name, b->width,
		            (unsigned long long)changed);
	for (unsigned i = 0; i < OUT; i++)
		if (!same(b, b->data->out[i], b->want->out[i])) {
			check_print(b->t, "  %s on %s: word %u is %08x, not %08x\n", name, b->width, i, b->data->out[i],
			            b->want->out[i]);
			return false;
		}
	return changed == 0;
}

/* Compiles a copy of what was built, with every check there is, into `code`. */
static enum gllm_status compile(struct bench *b, struct gllm_code *code, struct gllm_arena arena, unsigned *bad,
                                struct gllm_error *e)
{
	struct gllm_vir v = b->v;
	struct gllm_allocation a;
	struct gllm_vi *ins = gllm_alloc_array(&arena, v.n, sizeof *ins, 8);
	void *work = gllm_alloc(&arena, gllm_vir_check_bytes(&v), 8);
	enum gllm_status s = work && ins ? gllm_vir_check(&v, work, e) : GLLM_OUT_OF_MEMORY;

	for (unsigned k = 0; s == GLLM_OK && k < v.n; k++)
		ins[k] = v.ins[k];
	v.ins = ins;
	if (s == GLLM_OK)
		s = gllm_regalloc(&v, &b->machine, &arena, &a);
	if (s == GLLM_OK)
		s = gllm_regalloc_check(&v, &b->machine, &a, arena, bad);
	if (s != GLLM_OK)
		return s;
	b->frame = a.frame_bytes;
	b->target->select(&v, &b->machine, &a, code, NULL);
	if (code->status != GLLM_OK)
		return code->status;
	return gllm_readback(b->target, b->machine.profile->have, code->base, code->used, arena, e);
}

/* Compiles what was built; runs and compares it where possible. One check counts. */
static bool finish(struct bench *b, const char *name, uint64_t from, uint64_t to)
{
	struct gllm_code code = { .base = b->code, .size = CODE };
	struct gllm_error e = { 0 };
	unsigned bad = 0;
	enum gllm_status s = compile(b, &code, b->arena, &bad, &e);

	b->size = code.used;
	if (s == GLLM_OK && b->runs && !run(b, name, &b->v, code.used, b->arena, from, to))
		s = GLLM_RUNTIME_ERROR;
	if (s != GLLM_OK)
		check_print(b->t, "  %s on %s: %s (instruction %u of %u) %s at %x\n", name, b->width,
		            gllm_status_text(s), bad, b->v.n, e.what ? e.what : "", (unsigned)e.where);
	CHECK_STATUS(b->t, s, GLLM_OK);
	return s == GLLM_OK;
}

/* Code is a function of the program: the same bytes from other memory. */
static bool same_again(struct bench *b)
{
	struct gllm_arena arena = b->arena;
	struct gllm_code code = { .base = gllm_alloc(&arena, CODE, 8), .size = CODE };
	struct gllm_error e = { 0 };
	unsigned bad, k = 0;

	if (!code.base || compile(b, &code, arena, &bad, &e) != GLLM_OK || code.used != b->size)
		return false;
	while (k < b->size && code.base[k] == b->code[k])
		k++;
	return k == b->size;
}

/* --- operations ----------------------------------------------------------------------------------------------------- */

enum domain { ANY, NUMBERS, TO_INT, POWERS, TAME };

struct one {
	const char *name;
	uint8_t op, type, mem;
	int32_t aux;
	int64_t imm;
	uint8_t domain;
};

#define FLOAT GLLM_F32, GLLM_F32
#define INT GLLM_I32, GLLM_I32
#define UINT GLLM_U32, GLLM_U32
static const struct one ops[] = {
	{ "vzero", GLLM_V_VZERO, FLOAT, 0, 0, ANY }, { "vmov", GLLM_V_VMOV, FLOAT, 0, 0, ANY },
	{ "vsplat", GLLM_V_VSPLAT, INT, 0, 0, ANY }, { "vindex", GLLM_V_VINDEX, INT, 0, 0, ANY },
	{ "vadd f32", GLLM_V_VADD, FLOAT, 0, 0, ANY }, { "vadd i32", GLLM_V_VADD, INT, 0, 0, ANY },
	{ "vsub f32", GLLM_V_VSUB, FLOAT, 0, 0, ANY }, { "vsub i32", GLLM_V_VSUB, INT, 0, 0, ANY },
	{ "vmul f32", GLLM_V_VMUL, FLOAT, 0, 0, ANY }, { "vmul i32", GLLM_V_VMUL, INT, 0, 0, ANY },
	{ "vdiv f32", GLLM_V_VDIV, FLOAT, 0, 0, ANY },
	{ "vmin f32", GLLM_V_VMIN, FLOAT, 0, 0, ANY }, { "vmin i32", GLLM_V_VMIN, INT, 0, 0, ANY },
	{ "vmin u32", GLLM_V_VMIN, UINT, 0, 0, ANY },
	{ "vmax f32", GLLM_V_VMAX, FLOAT, 0, 0, ANY }, { "vmax i32", GLLM_V_VMAX, INT, 0, 0, ANY },
	{ "vmax u32", GLLM_V_VMAX, UINT, 0, 0, ANY },
	{ "vsqrt", GLLM_V_VSQRT, FLOAT, 0, 0, ANY },
	{ "vneg f32", GLLM_V_VNEG, FLOAT, 0, 0, ANY }, { "vneg i32", GLLM_V_VNEG, INT, 0, 0, ANY },
	{ "vabs f32", GLLM_V_VABS, FLOAT, 0, 0, ANY }, { "vabs i32", GLLM_V_VABS, INT, 0, 0, ANY },
	{ "vrint", GLLM_V_VRINT, FLOAT, 0, 0, ANY },
	{ "vldexp", GLLM_V_VLDEXP, FLOAT, 0, 0, POWERS },
	{ "vfma", GLLM_V_VFMA, FLOAT, 0, 0, ANY }, { "vfnma", GLLM_V_VFNMA, FLOAT, 0, 0, ANY },
	{ "vand f32", GLLM_V_VAND, FLOAT, 0, 0, ANY }, { "vand i32", GLLM_V_VAND, INT, 0, 0, ANY },
	{ "vor", GLLM_V_VOR, INT, 0, 0, ANY }, { "vxor", GLLM_V_VXOR, INT, 0, 0, ANY },
	{ "vxor f32", GLLM_V_VXOR, FLOAT, 0, 0, ANY },
	{ "vandn", GLLM_V_VANDN, INT, 0, 0, ANY },
	{ "vshli 0", GLLM_V_VSHLI, INT, 0, 0, ANY }, { "vshli 23", GLLM_V_VSHLI, INT, 0, 23, ANY },
	{ "vshli 40", GLLM_V_VSHLI, INT, 0, 40, ANY },
	{ "vshri 0", GLLM_V_VSHRI, INT, 0, 0, ANY }, { "vshri 9", GLLM_V_VSHRI, UINT, 0, 9, ANY },
	{ "vshri 32", GLLM_V_VSHRI, INT, 0, 32, ANY },
	{ "vsari 0", GLLM_V_VSARI, INT, 0, 0, ANY }, { "vsari 31", GLLM_V_VSARI, INT, 0, 31, ANY },
	{ "vsari 99", GLLM_V_VSARI, INT, 0, 99, ANY },
	{ "vcvt i32 f32", GLLM_V_VCVT, GLLM_F32, GLLM_I32, 0, 0, ANY },
	{ "vcvt f32 i32", GLLM_V_VCVT, GLLM_I32, GLLM_F32, 0, 0, TO_INT },
	{ "vcvtn", GLLM_V_VCVTN, GLLM_I32, GLLM_F32, 0, 0, TO_INT },
	{ "vlt f32", GLLM_V_VLT, FLOAT, 0, 0, ANY }, { "vlt i32", GLLM_V_VLT, INT, 0, 0, ANY },
	{ "vlt u32", GLLM_V_VLT, UINT, 0, 0, ANY },
	{ "vle f32", GLLM_V_VLE, FLOAT, 0, 0, ANY }, { "vle i32", GLLM_V_VLE, INT, 0, 0, ANY },
	{ "vle u32", GLLM_V_VLE, UINT, 0, 0, ANY },
	{ "veq f32", GLLM_V_VEQ, FLOAT, 0, 0, ANY }, { "veq i32", GLLM_V_VEQ, INT, 0, 0, ANY },
	{ "vunord", GLLM_V_VUNORD, FLOAT, 0, 0, ANY },
	{ "mand", GLLM_V_MAND, FLOAT, 0, 0, ANY }, { "mor", GLLM_V_MOR, FLOAT, 0, 0, ANY },
	{ "mxor", GLLM_V_MXOR, FLOAT, 0, 0, ANY }, { "mnot", GLLM_V_MNOT, FLOAT, 0, 0, ANY },
	{ "mtail", GLLM_V_MTAIL, FLOAT, 0, 0, ANY },
	{ "vsel", GLLM_V_VSEL, FLOAT, 0, 0, ANY },
	{ "vreduce add", GLLM_V_VREDUCE, FLOAT, GLLM_VRED_ADD, 0, ANY },
	{ "vreduce mul", GLLM_V_VREDUCE, FLOAT, GLLM_VRED_MUL, 0, ANY },
	{ "vreduce min", GLLM_V_VREDUCE, FLOAT, GLLM_VRED_MIN, 0, ANY },
	{ "vreduce max", GLLM_V_VREDUCE, FLOAT, GLLM_VRED_MAX, 0, ANY },
	{ "vreduce add i32", GLLM_V_VREDUCE, INT, GLLM_VRED_ADD, 0, ANY },
	{ "vreduce min i32", GLLM_V_VREDUCE, INT, GLLM_VRED_MIN, 0, ANY },
	{ "vreduce max u32", GLLM_V_VREDUCE, UINT, GLLM_VRED_MAX, 0, ANY },
	{ "vlane0", GLLM_V_VLANE0, FLOAT, 0, 0, ANY },
	{ "gmov", GLLM_V_GMOV, 0, 0, 0, 0, ANY },
	{ "gadd", GLLM_V_GADD, 0, 0, 0, 0, ANY }, { "gsub", GLLM_V_GSUB, 0, 0, 0, 0, ANY },
	{ "gmul", GLLM_V_GMUL, 0, 0, 0, 0, ANY },
	{ "gmin", GLLM_V_GMIN, 0, 0, 0, 0, ANY }, { "gmax", GLLM_V_GMAX, 0, 0, 0, 0, ANY },
	{ "gaddi 0", GLLM_V_GADDI, 0, 0, 0, 0, ANY }, { "gaddi 1", GLLM_V_GADDI, 0, 0, 0, 1, ANY },
	{ "gaddi -5000", GLLM_V_GADDI, 0, 0, 0, -5000, ANY },
	{ "gaddi 4096", GLLM_V_GADDI, 0, 0, 0, 4096, ANY },
	{ "gaddi 2^40", GLLM_V_GADDI, 0, 0, 0, (INT64_C(1) << 40) + 3, ANY },
	{ "gmuli 1", GLLM_V_GMULI, 0, 0, 0, 1, ANY }, { "gmuli 64", GLLM_V_GMULI, 0, 0, 0, 64, ANY },
	{ "gmuli -7", GLLM_V_GMULI, 0, 0, 0, -7, ANY }, { "gmuli 0", GLLM_V_GMULI, 0, 0, 0, 0, ANY },
	{ "gmuli 2^33+1", GLLM_V_GMULI, 0, 0, 0, (INT64_C(1) << 33) + 1, ANY },
	{ "gshli", GLLM_V_GSHLI, 0, 0, 0, 5, ANY }, { "gshli 0", GLLM_V_GSHLI, 0, 0, 0, 0, ANY },
	{ "gshri", GLLM_V_GSHRI, 0, 0, 0, 9, ANY }, { "gshri 63", GLLM_V_GSHRI, 0, 0, 0, 63, ANY },
	{ "gandi 7", GLLM_V_GANDI, 0, 0, 0, 7, ANY }, { "gandi -16", GLLM_V_GANDI, 0, 0, 0, -16, ANY },
	{ "gandi 2^32-16", GLLM_V_GANDI, 0, 0, 0, INT64_C(0xfffffff0), ANY },
	{ "gandi odd", GLLM_V_GANDI, 0, 0, 0, INT64_C(0x123456789abcdef), ANY },
	{ "gdivi 1", GLLM_V_GDIVI, 0, 0, 0, 1, ANY }, { "gdivi 16", GLLM_V_GDIVI, 0, 0, 0, 16, ANY },
	{ "gdivi 7", GLLM_V_GDIVI, 0, 0, 0, 7, ANY }, { "gdivi 2^35+9", GLLM_V_GDIVI, 0, 0, 0, (INT64_C(1) << 35) + 9, ANY },
	{ "gconst -1", GLLM_V_GCONST, 0, 0, 0, -1, ANY }, { "gconst 0", GLLM_V_GCONST, 0, 0, 0, 0, ANY },
	{ "gconst 2^31", GLLM_V_GCONST, 0, 0, 0, INT64_C(0x80000000), ANY },
	{ "gconst big", GLLM_V_GCONST, 0, 0, 0, INT64_C(0x7ff0123400005678), ANY },
	{ "gconst low", GLLM_V_GCONST, 0, 0, 0, INT64_C(-0x123456789), ANY },
};

struct operands {
	gllm_vreg v[3], g[2], m[2];
};

/* The operation with operands of the classes its letters name. share: 0 a new result, 1..3 the result is operand a..c. */
static gllm_vreg apply(struct bench *b, const struct one *o, const struct operands *x, unsigned share)
{
	struct gllm_vi i = op((enum gllm_vir_op)o->op, o->type);
	gllm_vreg *place[3] = { &i.a, &i.b, &i.c };
	unsigned k = 0, v = 0, g = 0, m = 0;
	char d = gllm_vir_info[o->op].d[0], letter[3] = { 0, 0, 0 };

	i.mem = o->mem;
	i.aux = o->aux;
	i.imm = o->imm;
	for (const char *s = gllm_vir_info[o->op].abc; *s; s++) {
		if (*s == 'i' || *s == '-')
			continue;
		letter[k] = *s;
		*place[k++] = *s == 'v' ? x->v[v++] : *s == 'g' ? x->g[g++] : x->m[m++];
	}
	if (share && letter[share - 1] == d) { /* through a copy: the operand itself is needed again */
		if (d == 'm') {
			struct gllm_vi copy = op(GLLM_V_MOR, GLLM_F32);

			copy.a = copy.b = *place[share - 1];
			i.d = emit(b, copy);
		} else {
			struct gllm_vi copy = op(d == 'g' ? GLLM_V_GMOV : GLLM_V_VMOV, GLLM_F32);

			copy.a = *place[share - 1];
			i.d = emit(b, copy);
		}
		*place[share - 1] = i.d;
	}
	return emit(b, i);
}

static bool makes(const struct one *o, char d)
{
	return gllm_vir_info[o->op].d[0] == d;
}

/* The result as words: masks choose between the first two operands. */
static void put_result(struct bench *b, const struct one *o, const struct operands *x, gllm_vreg r, gllm_vreg out,
                       gllm_vreg index, unsigned at)
{
	if (makes(o, 'm')) {
		struct gllm_vi s = op(GLLM_V_VSEL, GLLM_F32);

		s.a = r;
		s.b = x->v[0];
		s.c = x->v[1];
		r = emit(b, s);
	}
	if (makes(o, 'g'))
		store_int(b, out, (int64_t)at * out_bytes(b) * STEPS, r);
	else
		store(b, out, index, (int64_t)at * out_bytes(b) * STEPS, r);
}

static struct operands fetch(struct bench *b, const gllm_vreg in[4], gllm_vreg ints, gllm_vreg index)
{
	struct operands x;

	for (unsigned k = 0; k < 3; k++)
		x.v[k] = load(b, in[k], index, 0);
	for (unsigned k = 0; k < 2; k++) {
		struct gllm_vi i = op(GLLM_V_GLOAD, GLLM_I64), c = op(GLLM_V_VLT, GLLM_F32);

		i.a = ints;
		i.b = index;
		i.scale = 1; /* half the bytes per lane: other numbers in each step */
		i.imm = 8 * (int64_t)k;
		x.g[k] = emit(b, i);
		c.a = x.v[2 * k];
		c.b = x.v[1];
		x.m[k] = emit(b, c);
	}
	return x;
}

struct loop {
	gllm_vreg in[4], ints, out, index;
	unsigned top, done;
};

static struct loop open_loop(struct bench *b)
{
	struct loop l;
	struct gllm_vi i = op(GLLM_V_GMOV, GLLM_I64);

	for (unsigned k = 0; k < 4; k++)
		l.in[k] = load_slot(b, GLLM_VIR_ARGS, 8 * (int64_t)k);
	l.ints = load_slot(b, GLLM_VIR_ARGS, 32);
	l.out = load_slot(b, GLLM_VIR_ARGS, 40);
	i.a = GLLM_VIR_BEGIN;
	l.index = emit(b, i);
	l.top = gllm_vir_label(&b->v);
	l.done = gllm_vir_label(&b->v);
	return l;
}

static void enter(struct bench *b, const struct loop *l)
{
	emit(b, op(GLLM_V_LOOP_BEGIN, 0));
	label(b, l->top);
	branch(b, GLLM_VCC_GE, l->index, GLLM_VIR_RANGE_END, l->done);
}

static void leave(struct bench *b, const struct loop *l)
{
	struct gllm_vi i = op(GLLM_V_JUMP, 0);

	add_to(b, l->index, b->lanes);
	i.imm = l->top;
	emit(b, i);
	emit(b, op(GLLM_V_LOOP_END, 0));
	label(b, l->done);
}

static void data_for(struct bench *b, const struct one *o)
{
	switch ((enum domain)o->domain) {
	case ANY:     fill(b, 1.0f, 0.0f); break;
	case TO_INT:  fill(b, -2.0e9f, 2.0e9f); break;
	case NUMBERS: case TAME: fill(b, -4.0f, 4.0f); break;
	case POWERS:
		fill(b, 1.0f, 0.0f);
		for (unsigned i = 0; i < WORDS; i++) {
			uint32_t n = (uint32_t)check_random(b->t);

			b->data->in[1][i] = check_below(b->t, 4) ? (uint32_t)((int32_t)check_below(b->t, 620) - 310) :
			                    check_below(b->t, 2) ? n : (uint32_t)((int32_t)(n & 127) - 63);
		}
		break;
	}
	for (unsigned i = 0; i < 16; i++) /* small counts too, for tails */
		b->data->ints[i] = check_below(b->t, 2) ? (int64_t)check_below(b->t, 2 * b->lanes + 4) : b->data->ints[i] & INT64_MAX;
	if (o->op != GLLM_V_MTAIL)
		for (unsigned i = 0; i < 16; i += 3)
			b->data->ints[i] = ~b->data->ints[i];
}

static void op_in_loop(struct bench *b, const struct one *o)
{
	struct loop l;
	struct operands x;

	begin(b);
	l = open_loop(b);
	enter(b, &l);
	for (unsigned share = 0; share < 4; share++) {
		x = fetch(b, l.in, l.ints, l.index);
		put_result(b, o, &x, apply(b, o, &x, share), l.out, l.index, share);
		if (makes(o, 'g'))
			add_to(b, l.out, 8);
	}
	leave(b, &l);
	end(b);
	for (unsigned k = 0; k < (b->runs ? 6u : 1u); k++) {
		data_for(b, o);
		if (!finish(b, o->name, 0, (uint64_t)b->lanes * STEPS))
			break;
	}
}

/* Operands that die at the operation, so that the result may take their registers. */
static void op_alone(struct bench *b, const struct one *o)
{
	struct loop l;
	struct operands x;

	begin(b);
	l = open_loop(b);
	x = fetch(b, l.in, l.ints, l.index);
	if (makes(o, 'm')) {
		put_result(b, o, &x, apply(b, o, &x, 0), l.out, l.index, 0);
	} else {
		gllm_vreg r = apply(b, o, &x, 0);

		put_result(b, o, &x, r, l.out, l.index, 0);
	}
	end(b);
	for (unsigned k = 0; k < (b->runs ? 2u : 1u); k++) {
		data_for(b, o);
		if (!finish(b, o->name, b->lanes, 0))
			break;
	}
}

static void store_chosen(struct bench *b, gllm_vreg out, int64_t byte, gllm_vreg mask, gllm_vreg x, gllm_vreg y)
{
	struct gllm_vi s = op(GLLM_V_VSEL, GLLM_I32);

	s.a = mask;
	s.b = x;
	s.c = y;
	store(b, out, GLLM_NO_VREG, byte, emit(b, s));
}

/* More live values than registers, all changed in the loop by what the operation made. */
static void op_pressed(struct bench *b, const struct one *o)
{
	struct one tame = *o;
	struct loop l;
	struct operands x;
	gllm_vreg v[PRESSURE_V], g[PRESSURE_G], m[PRESSURE_M], r = 0;

	begin(b);
	l = open_loop(b);
	for (unsigned k = 0; k < PRESSURE_V; k++)
		v[k] = load(b, l.in[3], GLLM_NO_VREG, 4 * (int64_t)k);
	for (unsigned k = 0; k < PRESSURE_G; k++)
		g[k] = load_slot(b, l.ints, 8 * (int64_t)k);
	for (unsigned k = 0; k < PRESSURE_M; k++) {
		struct gllm_vi c = op(GLLM_V_VLT, GLLM_I32);

		c.a = v[k];
		c.b = v[k + 7];
		m[k] = emit(b, c);
	}
	enter(b, &l);
	x = fetch(b, l.in, l.ints, l.index);
	for (unsigned k = 0; k < PRESSURE_V; k++) {
		struct gllm_vi j = op(GLLM_V_VXOR, GLLM_I32);

		if (k % 8 == 0) {
			r = apply(b, o, &x, 0);
			put_result(b, o, &x, r, l.out, l.index, 0);
		}
		if (o->op == GLLM_V_VFMA || o->op == GLLM_V_VFNMA) {
			j = op((enum gllm_vir_op)o->op, GLLM_F32);
			j.c = v[k];
			j.b = x.v[1];
		} else {
			j.b = v[k];
		}
		j.a = makes(o, 'v') ? r : x.v[k % 3];
		j.d = v[k];
		emit(b, j);
	}
	for (unsigned k = 0; k < PRESSURE_G; k++) {
		struct gllm_vi j = op(GLLM_V_GADD, GLLM_I64);

		j.d = j.a = g[k];
		j.b = makes(o, 'g') ? r : x.g[k % 2];
		emit(b, j);
	}
	for (unsigned k = 0; k < PRESSURE_M; k++) {
		struct gllm_vi j = op(GLLM_V_MXOR, GLLM_I32);

		j.d = j.a = m[k];
		j.b = makes(o, 'm') ? r : x.m[k % 2];
		emit(b, j);
	}
	leave(b, &l);
	for (unsigned k = 0; k < PRESSURE_V; k++)
		store(b, l.out, GLLM_NO_VREG, 2048 + (int64_t)k * out_bytes(b), v[k]);
	for (unsigned k = 0; k < PRESSURE_G; k++)
		store_int(b, l.out, 16384 + 8 * (int64_t)k, g[k]);
	for (unsigned k = 0; k < PRESSURE_M; k++)
		store_chosen(b, l.out, 8192 + (int64_t)k * out_bytes(b), m[k], v[0], v[1]);
	end(b);
	tame.domain = o->domain == POWERS || o->domain == TO_INT ? o->domain : TAME;
	data_for(b, &tame);
	if (o->domain == POWERS)
		for (unsigned i = 0; i < WORDS; i++)
			b->data->in[0][i] = gllm_f32_bits(check_float(b->t, -4.0f, 4.0f));
	finish(b, o->name, 0, (uint64_t)b->lanes * STEPS);
	CHECK(b->t, b->frame > 0);
}

/* Tails whose count the program states. */
static void known_tails(struct bench *b)
{
	gllm_vreg in, out;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, 0);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < 2 * b->lanes; k++) {
		struct gllm_vi i = op(GLLM_V_MTAIL, GLLM_F32);
		gllm_vreg x = load(b, in, GLLM_NO_VREG, 0), y = load(b, in, GLLM_NO_VREG, 256);

		i.a = constant(b, k < 2 * b->lanes - 1 ? k : INT64_MAX);
		store_chosen(b, out, (int64_t)k * out_bytes(b), emit(b, i), x, y);
	}
	end(b);
	fill(b, -1.0f, 1.0f);
	finish(b, "mtail of a constant", 0, 0);
}

/* --- trees ---------------------------------------------------------------------------------------------------------- */

static void pairs(struct bench *b, unsigned type, int32_t how, const char *name)
{
	gllm_vreg v[GLLM_VIR_LANES], in, out;
	unsigned n = b->lanes;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, 0);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < n; k++)
		v[k] = load(b, in, GLLM_NO_VREG, (int64_t)k * out_bytes(b));
	for (unsigned level = 0; n > 1; level++, n /= 2)
		for (unsigned k = 0; k < n / 2; k++) {
			struct gllm_vi i = op(GLLM_V_VHPAIR, type);

			i.a = v[2 * k];
			i.b = v[2 * k + 1];
			i.imm = level;
			i.aux = how;
			v[k] = emit(b, i);
		}
	store(b, out, GLLM_NO_VREG, 0, v[0]);
	end(b);
	fill(b, 1.0f, 0.0f);
	finish(b, name, 0, 0);
}

/* --- accesses ------------------------------------------------------------------------------------------------------- */

enum form { FULL, SINGLE, TAIL, HOLES, BCAST, FORMS };
enum place { NEAR, FAR, SCALED, SCALED_FAR, WIDE, PLACES };

static gllm_vreg mask(struct bench *b, enum form f, gllm_vreg count, gllm_vreg x, gllm_vreg y)
{
	struct gllm_vi i = op(f == TAIL ? GLLM_V_MTAIL : GLLM_V_VLT, GLLM_F32);

	if (f != TAIL && f != HOLES)
		return GLLM_NO_VREG;
	i.a = f == TAIL ? count : x;
	i.b = f == TAIL ? GLLM_NO_VREG : y;
	return emit(b, i);
}

/* An address 64 bytes into `base`, said in several ways. */
static struct gllm_vi address(struct bench *b, struct gllm_vi i, enum place p, gllm_vreg base)
{
	static const struct { int64_t imm, index; uint8_t scale; } how[PLACES] = {
		[NEAR] = { 64, 0, 0 }, [FAR] = { INT64_C(0x312345678), 0, 0 }, [SCALED] = { 0, 16, 2 },
		[SCALED_FAR] = { 100000, -12492, 3 }, [WIDE] = { -4096 + 64, 64, 6 },
	};

	i.imm = how[p].imm;
	i.a = base;
	if (how[p].scale) {
		i.b = constant(b, how[p].index);
		i.scale = how[p].scale;
	}
	if (p == FAR) {
		struct gllm_vi down = op(GLLM_V_GADDI, GLLM_I64);

		down.a = base;
		down.imm = 64 - how[p].imm;
		i.a = emit(b, down);
	}
	return i;
}

static void access(struct bench *b, unsigned type, unsigned mem, enum form f, enum place p, bool is_store)
{
	struct gllm_vi i = op(is_store ? GLLM_V_VSTORE : f == BCAST ? GLLM_V_VBCAST : GLLM_V_VLOAD, type);
	gllm_vreg in, out, ints, count, x, y;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, is_store || (type == GLLM_F32 && gllm_type_bytes((enum gllm_type)mem) > 1) ? 0 : 8);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	count = load_slot(b, ints, 0);
	x = load(b, in, GLLM_NO_VREG, 512);
	y = load(b, in, GLLM_NO_VREG, 1024);
	i.mem = (uint8_t)mem;
	i.lanes = f == SINGLE;
	i.m = mask(b, f, count, x, y);
	i = address(b, i, p, is_store ? out : in);
	if (is_store) {
		i.c = y;
		emit(b, i);
	} else {
		store(b, out, GLLM_NO_VREG, 0, emit(b, i));
	}
	end(b);
	b->half = is_store && (mem == GLLM_F16 || mem == GLLM_BF16) ? mem : 0;
	for (unsigned k = 0; k < (b->runs ? 3u : 1u); k++) {
		if (is_store && type == GLLM_F32 && mem != GLLM_F32 && !b->half)
			fill(b, -2.0e9f, 2.0e9f); /* out of range is the machine's own */
		else
			fill(b, 1.0f, 0.0f);
		b->data->ints[0] = check_below(b->t, b->lanes + 2);
		if (!finish(b, is_store ? "vstore" : "vload", 0, 0)) {
			check_print(b->t, "  type %s mem %s form %d place %d\n", gllm_type_name((enum gllm_type)type),
			            gllm_type_name((enum gllm_type)mem), (int)f, (int)p);
			break;
		}
	}
}

static void integer_access(struct bench *b, unsigned mem, enum place p)
{
	struct gllm_vi i = op(GLLM_V_GLOAD, GLLM_I64);
	gllm_vreg in, out, r;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, 0);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	i.mem = (uint8_t)mem;
	i = address(b, i, p, in);
	r = emit(b, i);
	store_int(b, out, 0, r);
	i = op(GLLM_V_GSTORE, GLLM_I64);
	i.mem = (uint8_t)mem;
	i = address(b, i, p, out);
	i.c = r;
	emit(b, i);
	end(b);
	fill(b, 1.0f, 0.0f);
	finish(b, "gload, gstore", 0, 0);
}

static void accesses(struct bench *b)
{
	static const uint8_t mems[] = { GLLM_F32, GLLM_F16, GLLM_BF16, GLLM_I8, GLLM_U8, GLLM_I16, GLLM_U16, GLLM_I32 };
	static const uint8_t integers[] = { GLLM_I8, GLLM_U8, GLLM_I16, GLLM_U16, GLLM_I32, GLLM_U32, GLLM_I64 };

	for (unsigned k = 0; k < sizeof mems; k++)
		for (unsigned f = 0; f < FORMS; f++) {
			unsigned p = (k + f) % PLACES;

			if (mems[k] != GLLM_I32)
				access(b, GLLM_F32, mems[k], (enum form)f, (enum place)p, false);
			if (mems[k] != GLLM_F32)
				access(b, GLLM_I32, mems[k], (enum form)f, (enum place)((p + 2) % PLACES), false);
			if (f == BCAST)
				continue;
			if (mems[k] != GLLM_I32)
				access(b, GLLM_F32, mems[k], (enum form)f, (enum place)((p + 1) % PLACES), true);
			if (mems[k] != GLLM_F32 && mems[k] != GLLM_F16 && mems[k] != GLLM_BF16)
				access(b, GLLM_I32, mems[k], (enum form)f, (enum place)((p + 3) % PLACES), true);
		}
	for (unsigned k = 0; k < sizeof integers; k++)
		for (unsigned p = 0; p < PLACES; p++)
			integer_access(b, integers[k], (enum place)p);
}

/* Lanes whose mask bit is clear are never read or written: the elements end where memory ends. */
static void at_the_edge(struct bench *b, unsigned mem)
{
	const struct check_host *h = b->t->host;
	size_t bytes = gllm_type_bytes((enum gllm_type)mem) * 3;
	unsigned char *p;
	gllm_vreg at, ints, out, count, x;
	struct gllm_vi i = op(GLLM_V_VLOAD, GLLM_F32);

	if (!b->runs || !h->guarded || !(p = h->guarded(h->user, bytes, true))) {
		check_skip(b->t, "no guard pages, or not this CPU's code");
		return;
	}
	begin(b);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	at = load_slot(b, ints, 8);
	count = load_slot(b, ints, 0);
	i.mem = (uint8_t)mem;
	i.a = at;
	i.m = mask(b, TAIL, count, 0, 0);
	x = emit(b, i);
	store(b, out, GLLM_NO_VREG, 0, x);
	i.op = GLLM_V_VSTORE;
	i.d = GLLM_NO_VREG;
	i.c = x;
	emit(b, i);
	end(b);
	for (unsigned n = 0; n < 4; n++) {
		for (size_t k = 0; k < bytes; k++)
			p[k] = (unsigned char)(0x31 + k);
		fill(b, -1.0f, 1.0f);
		b->data->ints[0] = n;
		b->data->ints[1] = (int64_t)(uintptr_t)(p + bytes - bytes / 3 * n);
		finish(b, "masked access at the edge", 0, 0);
	}
	h->guarded_free(h->user, p, bytes, true);
}

/* --- control -------------------------------------------------------------------------------------------------------- */

static void branches(struct bench *b, bool immediate)
{
	static const int32_t values[] = { 0, 1, -1, 100, -4000, 5000, INT32_MAX, INT32_MIN };
	gllm_vreg ints, out;
	unsigned at = 0;

	begin(b);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned cc = GLLM_VCC_EQ; cc <= GLLM_VCC_GE; cc++)
		for (unsigned k = 0; k < GLLM_COUNT(values); k++) {
			struct gllm_vi i = op(immediate ? GLLM_V_BRANCHI : GLLM_V_BRANCH, 0), set = op(GLLM_V_GCONST, GLLM_I64);
			unsigned l = gllm_vir_label(&b->v);
			gllm_vreg r = constant(b, 7);

			i.a = load_slot(b, ints, 8 * (int64_t)(k % 3));
			if (!immediate)
				i.b = constant(b, values[k]);
			i.aux = immediate ? values[k] : 0;
			i.cc = (uint8_t)cc;
			i.imm = l;
			emit(b, i);
			set.d = r;
			set.imm = 3;
			emit(b, set);
			label(b, l);
			store_int(b, out, 8 * (int64_t)at++, r);
		}
	end(b);
	for (unsigned k = 0; k < 4; k++) {
		fill(b, -1.0f, 1.0f);
		for (unsigned n = 0; n < 3; n++)
			b->data->ints[n] = values[check_below(b->t, GLLM_COUNT(values))] + (k == 3 ? INT64_C(1) << 32 : 0);
		if (!finish(b, immediate ? "branchi" : "branch", 0, 0))
			break;
	}
}

/* Loops in loops, short and long ways back, and the arguments still there at the end. */
static void nested(struct bench *b, unsigned padding)
{
	gllm_vreg out = GLLM_NO_VREG, sum, i[3];
	unsigned top[3];

	begin(b);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	sum = constant(b, 0);
	for (unsigned d = 0; d < 3; d++) {
		i[d] = constant(b, 0);
		top[d] = gllm_vir_label(&b->v);
		emit(b, op(GLLM_V_LOOP_BEGIN, 0));
		label(b, top[d]);
	}
	for (unsigned k = 0; k < padding; k++) {
		struct gllm_vi m = op(GLLM_V_GMULI, GLLM_I64);

		m.d = m.a = sum;
		m.imm = 3 + 2 * (int64_t)k;
		emit(b, m);
		add_to(b, sum, k);
	}
	for (unsigned d = 3; d-- > 0;) {
		struct gllm_vi a = op(GLLM_V_GADD, GLLM_I64), again = op(GLLM_V_BRANCHI, 0);

		a.d = a.a = sum;
		a.b = i[d];
		emit(b, a);
		add_to(b, i[d], 1);
		again.a = i[d];
		again.aux = 3;
		again.cc = GLLM_VCC_LT;
		again.imm = top[d];
		emit(b, again);
		emit(b, op(GLLM_V_LOOP_END, 0));
		if (d) {
			struct gllm_vi zero = op(GLLM_V_GCONST, GLLM_I64);

			zero.d = i[d];
			emit(b, zero);
		}
	}
	store_int(b, out, 0, sum);
	store_int(b, out, 8, GLLM_VIR_BEGIN);
	store_int(b, out, 16, GLLM_VIR_RANGE_END);
	end(b);
	fill(b, -1.0f, 1.0f);
	finish(b, "nested loops", 12345, UINT64_C(0x8000000000000001));
}

/* Random programs over a pool of registers that are written again and again, in loops and behind branches: what interval,
 * spill, move and fold decisions have in common is that they must not change a bit. */
enum { POOL_V = 40, POOL_G = 28, POOL_M = 8, OPEN = 3 };

struct pool {
	gllm_vreg v[POOL_V], g[POOL_G], m[POOL_M], in, out;
	struct { bool loop; unsigned label; gllm_vreg counter; } open[OPEN];
	unsigned depth;
};

static gllm_vreg any(struct bench *b, const gllm_vreg *of, unsigned n)
{
	return of[check_below(b->t, n)];
}

static struct gllm_vi random_vector(struct bench *b, const struct pool *p)
{
	static const uint8_t choice[] = { GLLM_V_VADD, GLLM_V_VSUB, GLLM_V_VMUL, GLLM_V_VXOR, GLLM_V_VAND, GLLM_V_VMIN,
	                                  GLLM_V_VMAX, GLLM_V_VANDN, GLLM_V_VMOV, GLLM_V_VNEG, GLLM_V_VABS, GLLM_V_VREDUCE,
	                                  GLLM_V_VSEL, GLLM_V_VZERO, GLLM_V_VSPLAT };
	struct gllm_vi i = op((enum gllm_vir_op)choice[check_below(b->t, sizeof choice)], GLLM_I32);
	gllm_vreg *place[3] = { &i.a, &i.b, &i.c };
	unsigned k = 0;

	for (const char *s = gllm_vir_info[i.op].abc; *s; s++)
		if (*s != '-' && *s != 'i')
			*place[k++] = *s == 'v' ? any(b, p->v, POOL_V) : *s == 'g' ? any(b, p->g, POOL_G) : any(b, p->m, POOL_M);
	return i;
}

static void random_step(struct bench *b, struct pool *p)
{
	struct gllm_vi i = random_vector(b, p), j;

	switch (check_below(b->t, 8)) {
	case 0: /* through a move */
		j = op(GLLM_V_VMOV, GLLM_I32);
		j.a = emit(b, i);
		j.d = any(b, p->v, POOL_V);
		if (check_below(b->t, 2))
			store(b, p->out, GLLM_NO_VREG, 4 * (int64_t)check_below(b->t, 64), any(b, p->v, POOL_V));
		emit(b, j);
		return;
	case 1: /* a load just before its use */
		j = op(check_below(b->t, 2) ? GLLM_V_VADD : GLLM_V_VSUB, GLLM_I32);
		j.a = any(b, p->v, POOL_V);
		j.d = any(b, p->v, POOL_V);
		j.b = load(b, p->in, GLLM_NO_VREG, 4 * (int64_t)check_below(b->t, 256));
		if (check_below(b->t, 2))
			j.a = load(b, p->in, GLLM_NO_VREG, 4 * (int64_t)check_below(b->t, 256));
		if (check_below(b->t, 2)) {
			gllm_vreg swap = j.a;
			j.a = j.b;
			j.b = swap;
		}
		emit(b, j);
		if (check_below(b->t, 3) == 0) { /* and once more */
			j.d = any(b, p->v, POOL_V);
			emit(b, j);
		}
		return;
	case 2:
		j = op(check_below(b->t, 2) ? GLLM_V_VLT : GLLM_V_VEQ, GLLM_I32);
		j.a = any(b, p->v, POOL_V);
		j.b = any(b, p->v, POOL_V);
		j.d = any(b, p->m, POOL_M);
		emit(b, j);
		return;
	case 3:
		j = op(check_below(b->t, 2) ? GLLM_V_GADD : GLLM_V_GSUB, GLLM_I64);
		j.a = any(b, p->g, POOL_G);
		j.b = any(b, p->g, POOL_G);
		j.d = any(b, p->g, POOL_G);
		emit(b, j);
		return;
	default:
		i.d = any(b, p->v, POOL_V);
		emit(b, i);
	}
}

static void random_open(struct bench *b, struct pool *p, bool loop)
{
	unsigned l = gllm_vir_label(&b->v);

	p->open[p->depth].loop = loop;
	p->open[p->depth].label = l;
	if (loop) {
		p->open[p->depth].counter = constant(b, 0);
		emit(b, op(GLLM_V_LOOP_BEGIN, 0));
		label(b, l);
	} else {
		branch(b, (enum gllm_vcc)check_below(b->t, 6), any(b, p->g, POOL_G), any(b, p->g, POOL_G), l);
	}
	p->depth++;
}

static void random_close(struct bench *b, struct pool *p)
{
	struct gllm_vi again = op(GLLM_V_BRANCHI, 0);

	p->depth--;
	if (!p->open[p->depth].loop) {
		label(b, p->open[p->depth].label);
		return;
	}
	add_to(b, p->open[p->depth].counter, 1);
	again.a = p->open[p->depth].counter;
	again.aux = 3;
	again.cc = GLLM_VCC_LT;
	again.imm = p->open[p->depth].label;
	emit(b, again);
	emit(b, op(GLLM_V_LOOP_END, 0));
}

static bool random_program(struct bench *b)
{
	struct pool p = { .depth = 0 };
	gllm_vreg ints;

	begin(b);
	p.in = load_slot(b, GLLM_VIR_ARGS, 0);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	p.out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < POOL_V; k++)
		p.v[k] = load(b, p.in, GLLM_NO_VREG, 12 * (int64_t)k);
	for (unsigned k = 0; k < POOL_G; k++)
		p.g[k] = load_slot(b, ints, 8 * (int64_t)k);
	for (unsigned k = 0; k < POOL_M; k++) {
		struct gllm_vi c = op(GLLM_V_VLT, GLLM_I32);

		c.a = p.v[k];
		c.b = p.v[k + 5];
		p.m[k] = emit(b, c);
	}
	for (unsigned k = 0; k < 120; k++) {
		unsigned what = check_below(b->t, 14);

		if (what == 0 && p.depth < OPEN)
			random_open(b, &p, true);
		else if (what == 1 && p.depth < OPEN)
			random_open(b, &p, false);
		else if (what == 2 && p.depth > 0)
			random_close(b, &p);
		else
			random_step(b, &p);
	}
	while (p.depth > 0)
		random_close(b, &p);
	for (unsigned k = 0; k < POOL_V; k++)
		store(b, p.out, GLLM_NO_VREG, 2048 + (int64_t)k * out_bytes(b), p.v[k]);
	for (unsigned k = 0; k < POOL_G; k++)
		store_int(b, p.out, 16384 + 8 * (int64_t)k, p.g[k]);
	for (unsigned k = 0; k < POOL_M; k++)
		store_chosen(b, p.out, 8192 + (int64_t)k * out_bytes(b), p.m[k], p.v[0], p.v[1]);
	end(b);
	fill(b, 1.0f, 0.0f);
	b->half = GLLM_MASK; /* integers: every bit counts */
	if (!finish(b, "random program", 0, 0))
		return false;
	CHECK(b->t, same_again(b));
	return true;
}

static gllm_vreg broadcast(struct bench *b, gllm_vreg base, gllm_vreg to)
{
	struct gllm_vi i = op(GLLM_V_VBCAST, GLLM_F32);

	i.d = to;
	i.a = base;
	i.imm = 4 * (int64_t)check_below(b->t, 64);
	return emit(b, i);
}

/* Broadcasts and loads as factors, as addends and alone: a back end may fold them into the multiplication. */
static bool random_products(struct bench *b)
{
	struct pool p = { .depth = 0 };
	gllm_vreg x[3], ints;

	begin(b);
	p.in = load_slot(b, GLLM_VIR_ARGS, 0);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	p.out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < POOL_V; k++)
		p.v[k] = load(b, p.in, GLLM_NO_VREG, 12 * (int64_t)k);
	for (unsigned k = 0; k < POOL_G; k++)
		p.g[k] = load_slot(b, ints, 8 * (int64_t)k);
	for (unsigned k = 0; k < 40; k++) {
		unsigned what = check_below(b->t, 8), uses = 1 + check_below(b->t, 3);

		if (what < 2 && p.depth < OPEN)
			random_open(b, &p, what == 0);
		else if (what == 2 && p.depth > 0)
			random_close(b, &p);
		x[0] = broadcast(b, p.in, check_below(b->t, 4) ? GLLM_NO_VREG : any(b, p.v, POOL_V));
		x[1] = check_below(b->t, 4) ? load(b, p.in, GLLM_NO_VREG, 4 * (int64_t)check_below(b->t, 64))  :
		                             broadcast(b, p.in, GLLM_NO_VREG);
		x[2] = any(b, p.v, POOL_V);
		while (uses-- > 0) {
			unsigned turn = check_below(b->t, 8) ? check_below(b->t, 2) : 2;
			struct gllm_vi i = op(check_below(b->t, 4) ? GLLM_V_VFMA : GLLM_V_VFNMA, GLLM_F32);

			if (check_below(b->t, 10) == 0)
				i.op = GLLM_V_VMUL;
			i.a = x[turn & 1];
			i.b = x[check_below(b->t, 8) ? ~turn & 1 : turn & 1];
			i.d = any(b, p.v, POOL_V);
			if (i.op != GLLM_V_VMUL)
				i.c = turn == 2 ? x[0] : check_below(b->t, 2) ? i.d : x[2];
			emit(b, i);
		}
	}
	while (p.depth > 0)
		random_close(b, &p);
	for (unsigned k = 0; k < POOL_V; k += 1 + k % 2) /* some die before the end */
		store(b, p.out, GLLM_NO_VREG, (int64_t)k * out_bytes(b), p.v[k]);
	end(b);
	fill(b, -1.0f, 1.0f);
	return finish(b, "random products", 0, 0);
}

/* A factor that is a loaded vector the first time round and a broadcast from then on. */
static void carried_factor(struct bench *b)
{
	struct pool p = { .depth = 0 };
	struct gllm_vi i = op(GLLM_V_VFMA, GLLM_F32);
	gllm_vreg d;

	begin(b);
	p.in = load_slot(b, GLLM_VIR_ARGS, 0);
	p.out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < 3; k++)
		p.v[k] = load(b, p.in, GLLM_NO_VREG, 64 * (int64_t)k);
	d = load(b, p.in, GLLM_NO_VREG, 256);
	random_open(b, &p, true);
	i.a = p.v[0];
	i.b = d;
	i.c = i.d = p.v[1];
	emit(b, i);
	broadcast(b, p.in, d);
	i.c = i.d = p.v[2];
	emit(b, i);
	random_close(b, &p);
	for (unsigned k = 0; k < 3; k++)
		store(b, p.out, GLLM_NO_VREG, (int64_t)k * out_bytes(b), p.v[k]);
	end(b);
	fill(b, -1.0f, 1.0f);
	finish(b, "carried factor", 0, 0);
}

/* The replay must notice a wrong allocation: any two registers exchanged, or one register for two. */
static void wrong_allocations(struct bench *b)
{
	struct gllm_arena arena = b->arena;
	struct gllm_allocation a;
	struct gllm_vir v;
	unsigned bad;
	uint8_t *where;
	gllm_vreg r[4];

	begin(b);
	r[3] = load_slot(b, GLLM_VIR_ARGS, 0);
	for (unsigned k = 0; k < 3; k++)
		r[k] = load(b, r[3], GLLM_NO_VREG, 64 * (int64_t)k);
	for (unsigned k = 0; k < 3; k++)
		store(b, r[3], GLLM_NO_VREG, 0, r[k]);
	end(b);
	v = b->v;
	CHECK_STATUS(b->t, gllm_regalloc(&v, &b->machine, &arena, &a), GLLM_OK);
	CHECK_STATUS(b->t, gllm_regalloc_check(&v, &b->machine, &a, arena, &bad), GLLM_OK);
	where = gllm_alloc(&arena, v.nregs, 1);
	for (unsigned k = 0; k < v.nregs; k++)
		where[k] = a.where[k];
	where[r[1]] = where[r[0]];
	a.where = where;
	CHECK_STATUS(b->t, gllm_regalloc_check(&v, &b->machine, &a, arena, &bad), GLLM_COMPILE_ERROR);
	CHECK_EQ(b->t, bad, 4);
	where[r[1]] = 0xff;
	CHECK_STATUS(b->t, gllm_regalloc_check(&v, &b->machine, &a, arena, &bad), GLLM_COMPILE_ERROR);
}

/* What must be refused: code that does not fit, operations a type does not have. */
static void refusals(struct bench *b)
{
	struct gllm_arena arena = b->arena;
	struct gllm_allocation a;
	struct gllm_code code = { .base = b->code, .size = CODE };
	struct gllm_vi i = op(GLLM_V_VDIV, GLLM_I32);
	struct gllm_error e = { 0 };
	struct gllm_vir v;
	uint32_t at[2];
	size_t size;

	begin(b);
	emit(b, op(GLLM_V_VZERO, GLLM_F32));
	end(b);
	v = b->v;
	CHECK_STATUS(b->t, gllm_regalloc(&v, &b->machine, &arena, &a), GLLM_OK);
	b->target->select(&v, &b->machine, &a, &code, at);
	CHECK_STATUS(b->t, code.status, GLLM_OK);
	CHECK(b->t, at[0] >= 4 && at[1] > at[0] && at[1] < code.used);
	size = code.used;
	CHECK_STATUS(b->t, gllm_readback(b->target, b->machine.profile->have, b->code, size, arena, &e), GLLM_OK);
	CHECK_STATUS(b->t, gllm_readback(b->target, 0, b->code, size, arena, NULL), GLLM_COMPILE_ERROR);
	CHECK_STATUS(b->t, gllm_readback(b->target, ~UINT64_C(0), b->code + 4, size - 4, arena, NULL), GLLM_COMPILE_ERROR);
	CHECK_STATUS(b->t, gllm_readback(b->target, ~UINT64_C(0), b->code, size - 1, arena, NULL), GLLM_COMPILE_ERROR);
	for (size_t n = 0; n < size; n++) {
		struct gllm_code small = { .base = b->code, .size = n };

		b->code[n] = 0x5a;
		b->target->select(&v, &b->machine, &a, &small, NULL);
		if (small.status != GLLM_NO_SPACE || b->code[n] != 0x5a) {
			CHECK_STATUS(b->t, small.status, GLLM_NO_SPACE);
			break;
		}
	}
	begin(b);
	i.a = i.b = emit(b, op(GLLM_V_VZERO, GLLM_I32));
	emit(b, i);
	end(b);
	v = b->v;
	arena = b->arena;
	CHECK_STATUS(b->t, gllm_regalloc(&v, &b->machine, &arena, &a), GLLM_OK);
	code = (struct gllm_code){ .base = b->code, .size = CODE };
	b->target->select(&v, &b->machine, &a, &code, NULL);
	CHECK_STATUS(b->t, code.status, GLLM_UNSUPPORTED);
}

/* --- the suite ------------------------------------------------------------------------------------------------------ */

static void for_target(struct bench *b)
{
	static const struct { uint8_t type; int32_t how; const char *name; } trees[] = {
		{ GLLM_F32, GLLM_VRED_ADD, "vhpair add" }, { GLLM_F32, GLLM_VRED_MUL, "vhpair mul" },
		{ GLLM_F32, GLLM_VRED_MIN, "vhpair min" }, { GLLM_F32, GLLM_VRED_MAX, "vhpair max" },
		{ GLLM_I32, GLLM_VRED_ADD, "vhpair add i32" }, { GLLM_I32, GLLM_VRED_MAX, "vhpair max i32" },
	};
	static const uint8_t edges[] = { GLLM_F32, GLLM_F16, GLLM_BF16, GLLM_U8, GLLM_I16 };

	for (unsigned k = 0; k < GLLM_COUNT(ops); k++) {
		op_alone(b, &ops[k]);
		op_in_loop(b, &ops[k]);
		op_pressed(b, &ops[k]);
	}
	for (unsigned k = 0; k < GLLM_COUNT(trees); k++)
		pairs(b, trees[k].type, trees[k].how, trees[k].name);
	known_tails(b);
	accesses(b);
	for (unsigned k = 0; k < sizeof edges; k++)
		at_the_edge(b, edges[k]);
	branches(b, false);
	branches(b, true);
	nested(b, 0);
	nested(b, 40);
	for (unsigned k = 0; k < PROGRAMS && random_program(b); k++)
		;
	for (unsigned k = 0; k < PROGRAMS && random_products(b); k++)
		;
	carried_factor(b);
	wrong_allocations(b);
	refusals(b);
}

/* A width needs every one of its features, and the profile's leave. */
static void choices(struct check *t)
{
	struct gllm_machine m;
	struct gllm_profile p = widths[1].profile;
	const uint64_t more = AVX512 & ~AVX2;

	for (unsigned f = 0; f < GLLM_FEATURE_COUNT; f++) {
		p.have = AVX512 & ~GLLM_BIT(f);
		if (!(AVX2 >> f & 1)) {
			CHECK_STATUS(t, gllm_target_x86_64.machine(&p, &m), GLLM_OK);
			CHECK_EQ(t, m.vector_bytes, more >> f & 1 ? 32 : 64);
		} else {
			CHECK_STATUS(t, gllm_target_x86_64.machine(&p, &m), GLLM_NO_FEATURE);
		}
	}
	p.have = AVX512;
	p.vector_bytes = 32;
	CHECK_STATUS(t, gllm_target_x86_64.machine(&p, &m), GLLM_OK);
	CHECK_EQ(t, m.vector_bytes, 32);
}

void check_vir(struct check *t)
{
	struct bench b = { .t = t };
	size_t size;
	void *memory = check_memory(t, &size);
	const struct gllm_profile *own = check_profile(t);

	gllm_arena_init(&b.arena, memory, size);
	b.ins = gllm_alloc_array(&b.arena, MAX_INS, sizeof *b.ins, 8);
	b.reg_class = gllm_alloc(&b.arena, MAX_REGS, 1);
	b.data = gllm_alloc(&b.arena, sizeof *b.data, 64);
	b.want = gllm_alloc(&b.arena, sizeof *b.want, 64);
	b.code = gllm_alloc(&b.arena, CODE, 64);
	CHECK(t, b.ins && b.reg_class && b.data && b.want && b.code);
	if (!b.code)
		return;
	choices(t);
	for (unsigned k = 0; k < GLLM_COUNT(widths); k++) {
		const struct width *w = &widths[k];
		const struct gllm_profile *other = &widths[w->target == &gllm_target_x86_64 ? 2 : 0].profile;

		b.target = w->target;
		b.width = w->name;
		b.lanes = w->lanes;
		b.runs = check_target(t) == b.target && check_exec(t) && own && !(w->profile.have & ~own->have);
		if (!b.runs)
			check_skip(t, "this CPU does not run the width's code: compiled and read back only");
		CHECK_STATUS(t, b.target->machine(&w->profile, &b.machine), GLLM_OK);
		CHECK_EQ(t, b.machine.vector_bytes, 4 * w->lanes);
		CHECK_STATUS(t, b.target->machine(other, &(struct gllm_machine){ 0 }), GLLM_NO_FEATURE);
		for_target(&b);
	}
}

#else

void check_vir(struct check *t)
{
	check_skip(t, "built without back ends");
}

#endif
