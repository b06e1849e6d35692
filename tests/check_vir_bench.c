/* SPDX-License-Identifier: MIT
 * tests/check_vir_bench.c - see vir_bench.h. */
#include "vir_bench.h"
#include "jit/pipeline.h"
#include "jit/readback.h"
#include "jit/schedule.h"

#if GLLM_JIT

#define AVX2 (GLLM_BIT(GLLM_X86_AVX) | GLLM_BIT(GLLM_X86_AVX2) | GLLM_BIT(GLLM_X86_FMA) | GLLM_BIT(GLLM_X86_F16C))
#define AVX512 (AVX2 | GLLM_BIT(GLLM_X86_BMI2) | GLLM_BIT(GLLM_X86_AVX512F) | GLLM_BIT(GLLM_X86_AVX512BW) | \
                GLLM_BIT(GLLM_X86_AVX512DQ) | GLLM_BIT(GLLM_X86_AVX512VL))
#define NEON (GLLM_BIT(GLLM_A64_FP) | GLLM_BIT(GLLM_A64_NEON))
#define DOTS (GLLM_BIT(GLLM_A64_BF16) | GLLM_BIT(GLLM_A64_DOTPROD) | GLLM_BIT(GLLM_A64_I8MM))
#define SVE_WIDTH(text, bytes)                                                                       \
	{ &gllm_target_aarch64, text,                                                                 \
	  { .isa = GLLM_ISA_AARCH64, .vector_bytes = bytes, .vector_regs = 32,                         \
	    .have = NEON | GLLM_BIT(GLLM_A64_SVE) | ((bytes) == 32 ? DOTS : (bytes) == 64 ? GLLM_BIT(GLLM_A64_SVE2) : 0) }, (bytes) / 4 }
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
	{ &gllm_target_x86_64, "AVX-512 dots",
	  { .isa = GLLM_ISA_X86_64, .vector_bytes = 64, .vector_regs = 32,
	    .have = AVX512 | GLLM_BIT(GLLM_X86_AVX512BF16) | GLLM_BIT(GLLM_X86_AVX512VNNI) }, 16 },
	{ &gllm_target_x86_64, "AVX-512 halves",
	  { .isa = GLLM_ISA_X86_64, .vector_bytes = 64, .vector_regs = 32, .have = AVX512 | GLLM_BIT(GLLM_X86_AVX512FP16) }, 16 },
	{ &gllm_target_aarch64, "NEON",
	  { .isa = GLLM_ISA_AARCH64, .vector_bytes = 16, .vector_regs = 32, .have = NEON }, 4 },
	{ &gllm_target_aarch64, "NEON aligned",
	  { .isa = GLLM_ISA_AARCH64, .vector_bytes = 16, .vector_regs = 32, .have = NEON, .strict_align = true }, 4 },
	{ &gllm_target_aarch64, "NEON dots",
	  { .isa = GLLM_ISA_AARCH64, .vector_bytes = 16, .vector_regs = 32, .have = NEON | DOTS }, 4 },
	{ &gllm_target_aarch64, "NEON halves",
	  { .isa = GLLM_ISA_AARCH64, .vector_bytes = 16, .vector_regs = 32,
	    .have = NEON | GLLM_BIT(GLLM_A64_FP16) | GLLM_BIT(GLLM_A64_FHM) }, 4 },
	{ &gllm_target_aarch64, "NEON halves aligned",
	  { .isa = GLLM_ISA_AARCH64, .vector_bytes = 16, .vector_regs = 32, .have = NEON | GLLM_BIT(GLLM_A64_FP16),
	    .strict_align = true }, 4 },
	SVE_WIDTH("SVE 128", 16), SVE_WIDTH("SVE 256", 32), SVE_WIDTH("SVE 512", 64), SVE_WIDTH("SVE 1024", 128),
	SVE_WIDTH("SVE 2048", 256),
};

const struct gllm_profile *vir_width(const char *name)
{
	for (unsigned k = 0; k < GLLM_COUNT(widths); k++) {
		const char *a = widths[k].name, *b = name;

		while (*a && *a == *b)
			a++, b++;
		if (*a == *b)
			return &widths[k].profile;
	}
	return NULL;
}

/* --- running and comparing ------------------------------------------------------------------------------------------ */

void vir_fill(struct bench *b, float low, float high)
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
	unsigned words = b->machine.vector_bytes / 4u;
	void *work = gllm_alloc(&arena, gllm_vir_run_bytes(source, words), 8);
	kernel *fn = publish(b, size);

	if (!work || !fn)
		return false;
	*b->want = *b->data;
	slots(b->want, args);
	if (gllm_vir_run(source, words, args, b->want->in, b->want->ints, from, to, work) != GLLM_OK)
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

enum gllm_status vir_compile(struct bench *b, struct gllm_code *code, struct gllm_arena arena, unsigned *bad,
                             struct gllm_error *e)
{
	struct gllm_vir v = b->v;
	struct gllm_allocation a;
	struct gllm_machine in_order = b->machine;
	struct gllm_vi *ins = gllm_alloc_array(&arena, MAX_INS, sizeof *ins, 8);
	uint8_t *classes = gllm_alloc(&arena, MAX_REGS, 1);
	void *work = gllm_alloc(&arena, gllm_vir_check_bytes(&v), 8);
	enum gllm_status s = work && ins && classes ? gllm_vir_check(&v, work, e) : GLLM_OUT_OF_MEMORY;

	for (unsigned k = 0; s == GLLM_OK && k < v.n; k++)
		ins[k] = v.ins[k];
	for (unsigned k = 0; s == GLLM_OK && k < v.nregs; k++)
		classes[k] = v.reg_class[k];
	v.ins = ins;
	v.reg_class = classes;
	v.max = MAX_INS;
	if (s == GLLM_OK)
		s = gllm_vir_tidy(&v, arena);
	if (s == GLLM_OK && b->machine.has_widen && !b->halves)
		s = gllm_vir_pair_loads(&v, b->lanes, arena);
	if (s == GLLM_OK)
		s = gllm_vir_keep_addends(&v, &b->machine, arena);
	in_order.window = 0; /* so that much is reordered and loads ahead */
	if (s == GLLM_OK)
		s = gllm_schedule(&v, &in_order, &arena);
	if (s == GLLM_OK)
		s = gllm_pipeline(&v, &in_order, gllm_pipeline_stages(&in_order), &arena);
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

static void hash_code(struct bench *b)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t k = 0; k < b->size; k++)
		h = (h ^ b->code[k]) * UINT64_C(0x100000001b3);
	if (h != b->last)
		b->all = (b->all ^ h) * UINT64_C(0x9e3779b97f4a7c15);
	b->last = h;
}

bool vir_finish(struct bench *b, const char *name, uint64_t from, uint64_t to)
{
	struct gllm_code code = { .base = b->code, .size = CODE };
	struct gllm_error e = { 0 };
	unsigned bad = 0;
	enum gllm_status s = vir_compile(b, &code, b->arena, &bad, &e);

	b->size = code.used;
	hash_code(b);
	if (s == GLLM_OK && b->runs && !run(b, name, &b->v, code.used, b->arena, from, to))
		s = GLLM_RUNTIME_ERROR;
	if (s != GLLM_OK)
		check_print(b->t, "  %s on %s: %s (instruction %u of %u) %s at %x\n", name, b->width,
		            gllm_status_text(s), bad, b->v.n, e.what ? e.what : "", (unsigned)e.where);
	CHECK_STATUS(b->t, s, GLLM_OK);
	return s == GLLM_OK;
}

bool vir_same_again(struct bench *b)
{
	struct gllm_arena arena = b->arena;
	struct gllm_code code = { .base = gllm_alloc(&arena, CODE, 8), .size = CODE };
	struct gllm_error e = { 0 };
	unsigned bad, k = 0;

	if (!code.base || vir_compile(b, &code, arena, &bad, &e) != GLLM_OK || code.used != b->size)
		return false;
	while (k < b->size && code.base[k] == b->code[k])
		k++;
	return k == b->size;
}

void vir_each_width(struct check *t, void (*suite)(struct bench *b))
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
	for (unsigned k = 0; k < GLLM_COUNT(widths); k++) {
		const struct width *w = &widths[k];

		b.target = w->target;
		b.width = w->name;
		b.lanes = w->lanes;
		b.halves = false;
		b.runs = check_target(t) == b.target && check_exec(t) && own && !(w->profile.have & ~own->have) &&
		         (w->profile.strict_align || !own->strict_align) &&
		         (!(w->profile.have & GLLM_BIT(GLLM_A64_SVE)) || w->profile.vector_bytes == own->vector_bytes);
		if (!b.runs)
			check_skip(t, "this CPU does not run the width's code: compiled and read back only");
		CHECK_STATUS(t, b.target->machine(&w->profile, &b.machine), GLLM_OK);
		CHECK_EQ(t, b.machine.vector_bytes, 4 * w->lanes);
		b.last = b.all = 0;
		suite(&b);
		check_print(t, "code %s, %s: %llx\n", t->suite, w->name, (unsigned long long)b.all);
	}
}

#endif
