/* SPDX-License-Identifier: MIT
 * tests/check_readback.c - each promise of jit/readback.h, kept and broken by code written by hand, for both ISAs on either.
 *
 * Every row is one function behind its landing pad; what is wrong with it, if anything, and at which byte. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/target.h"
#include "jit/readback.h"

enum { CODE = 128 };

#define ALL ~UINT64_C(0)
#define SIMD (GLLM_BIT(GLLM_A64_FP) | GLLM_BIT(GLLM_A64_NEON))
#define DOWN 0xd10043ff /* sub sp, sp, 16 */
#define UP 0x910043ff   /* add sp, sp, 16 */
#define NOP 0xd503201f
#define RET 0xd65f03c0
#define UNSAVED "a preserved register changes unsaved"
#define LOST "a preserved register is not restored"
#define LEAVES "a call, trap or indirect jump"
#define BRANCH "a branch does not end at an instruction inside"
#define END "control leaves the code at its end"
#define BELOW "memory below the stack pointer is accessed"
#define DATA "code is read as data"
#define FEATURE "an instruction needs a feature the profile lacks"
#define UNKNOWN "bytes are not an instruction of the table"
#define UNTOUCHABLE "a register is named that code must not touch"

struct x86_row {
	const char *wrong;  /* NULL: nothing */
	unsigned where, bytes;
	uint64_t have;
	const char *code;
};
#define X(wrong, where, have, code) { wrong, where, sizeof code - 1, have, code }

static const struct x86_row x86[] = {
	X(NULL, 0, 0, "\xc3"),
	X(NULL, 0, 0, "\x53\x31\xdb\x5b\xc3"),                                  /* push rbx; xor ebx, ebx; pop rbx; ret */
	X(UNSAVED, 6, 0, "\x31\xdb\xc3"),
	X(UNSAVED, 8, 0, "\x31\xdb\x53\x5b\xc3"),                               /* saved when it has changed already */
	X(UNSAVED, 8, 0, "\x53\x31\xed\x5b\xc3"),                               /* rbx is saved, rbp changes */
	X(LOST, 11, 0, "\x53\x31\xdb\x48\x83\xc4\x08\xc3"),                     /* push rbx; xor ebx, ebx; add rsp, 8; ret */
	X(LOST, 13, 0, "\x53\x31\xdb\x5b\xc3\x48\x83\xc4\x08\xc3"),             /* the first of two returns restores it */
	X(NULL, 0, 0, "\x53\x31\xdb\x74\x02\x5b\xc3\x5b\xc3"),                  /* both do */
	X(UNSAVED, 12, 0, "\x48\x89\x18\x31\xdb\x48\x8b\x18\xc3"),            /* elsewhere: mov [rax], rbx; xor ebx, ebx; mov rbx, [rax] */
	X(LOST, 14, 0, "\x53\x31\xdb\x48\x8b\x18\x48\x83\xc4\x08\xc3"),       /* from elsewhere */
	X(LEAVES, 4, 0, "\xe8\x00\x00\x00\x00\xc3"),
	X(LEAVES, 4, 0, "\xff\xd0\xc3"),                                        /* call rax */
	X(LEAVES, 4, 0, "\xff\xe0"),                                            /* jmp rax */
	X(LEAVES, 4, 0, "\x0f\x0b"),                                            /* ud2 */
	X(NULL, 0, 0, "\x74\x00\xc3"),
	X(NULL, 0, 0, "\xeb\xfa"),                                              /* back to the landing pad, for ever */
	X(BRANCH, 4, 0, "\xeb\x7f"),
	X(BRANCH, 4, 0, "\x74\x01\xc3"),                                        /* to the end */
	X(BRANCH, 4, 0, "\x74\xf9\xc3"),                                        /* to before the beginning */
	X(BRANCH, 4, 0, "\x74\x01\xb8\x01\x00\x00\x00\xc3"),                    /* into mov eax, 1 */
	X(BRANCH, 9, 0, "\xb8\x01\x00\x00\x00\x75\xfa\xc3"),                    /* the same from behind */
	X(END, 5, 0, "\x90"),
	X(END, 4, 0, ""),
	X(END, 9, GLLM_BIT(GLLM_X86_AVX), "\xc3\xc5\xfc\x58\xc1"),              /* what has no meaning of its own, behind a return */
	X(END, 6, 0, "\x74\xfe"),                                               /* a jump that need not be taken */
	X(BELOW, 4, 0, "\x48\x89\x44\x24\xf8\xc3"),                             /* mov [rsp - 8], rax */
	X(BELOW, 4, 0, "\x48\x8b\x44\x24\xf8\xc3"),
	X(NULL, 0, 0, "\x48\x8b\x44\x24\x08\xc3"),
	X(DATA, 4, 0, "\x48\x8b\x05\x00\x00\x00\x00\xc3"),                      /* mov rax, [rip] */
	X(FEATURE, 4, 0, "\xc5\xfc\x58\xc1\xc3"),                               /* vaddps ymm0, ymm0, ymm1 */
	X(FEATURE, 4, ALL & ~GLLM_BIT(GLLM_X86_AVX), "\xc5\xfc\x58\xc1\xc3"),
	X(NULL, 0, GLLM_BIT(GLLM_X86_AVX), "\xc5\xfc\x58\xc1\xc3"),
	X(UNKNOWN, 4, ALL, "\x06\xc3"),                                         /* push es, of 32-bit machines */
	X(UNKNOWN, 5, ALL, "\x90\x48\x8b"),                                     /* cut off */
};

struct a64_row {
	const char *wrong;
	unsigned where;
	uint64_t have;
	uint32_t code[6]; /* until 0 */
};

static const struct a64_row a64[] = {
	{ NULL, 0, 0, { RET } },
	{ NULL, 0, 0, { DOWN, 0xa90053f3, 0xaa0003f3, 0xa94053f3, UP, RET } },      /* stp x19, x20, [sp]; mov x19, x0; ldp */
	{ UNSAVED, 8, 0, { 0xaa0003f3, RET } },
	{ UNSAVED, 24, 0, { DOWN, 0xa90053f3, 0xaa0003f5, 0xa94053f3, UP, RET } },  /* x21 changes */
	{ UNSAVED, 24, 0, { DOWN, 0xaa0003f3, 0xa90053f3, 0xa94053f3, UP, RET } },  /* too late */
	{ LOST, 20, 0, { DOWN, 0xa90053f3, 0xaa0003f3, UP, RET } },
	{ UNSAVED, 16, 0, { 0xf9000013, 0xaa0003f3, 0xf9400013, RET } },            /* str x19, [x0]; mov x19, x0; ldr x19, [x0] */
	{ LOST, 24, 0, { DOWN, 0xa90053f3, 0xaa0003f3, 0xf9400013, UP, RET } },
	{ NULL, 0, SIMD, { DOWN, 0x6d0027e8, 0x1e604008, 0x6d4027e8, UP, RET } },   /* stp d8, d9, [sp]; fmov d8, d0; ldp */
	{ UNSAVED, 8, SIMD, { 0x1e604008, RET } },
	{ LOST, 20, SIMD, { DOWN, 0x6d0027e8, 0x1e604008, UP, RET } },
	{ NULL, 0, SIMD, { 0x1e604007, RET } },                                     /* d7 is not preserved */
	{ LEAVES, 4, 0, { 0x94000001, RET } },                                      /* bl */
	{ LEAVES, 4, 0, { 0xd63f0000, RET } },                                      /* blr x0 */
	{ LEAVES, 4, 0, { 0xd61f0000 } },                                           /* br x0 */
	{ LEAVES, 4, 0, { 0xd4200000, RET } },                                      /* brk */
	{ NULL, 0, 0, { 0x17ffffff } },                                             /* b to the landing pad */
	{ BRANCH, 4, 0, { 0x17fffffe } },                                           /* before it */
	{ BRANCH, 4, 0, { 0x14000002, RET } },                                      /* to the end */
	{ BRANCH, 4, 0, { 0xb4000100, RET } },                                      /* cbz x0, far outside */
	{ NULL, 0, 0, { 0xb4000020, RET } },
	{ END, 8, 0, { NOP } },                                              /* nop */
	{ END, 4, 0, { 0 } },
	{ END, 12, ALL, { RET, 0x4e829420 } },
	{ END, 8, 0, { 0xb4000000 } },                                              /* cbz x0 to itself */
	{ BELOW, 4, 0, { 0xf81f83e0, RET } },                                       /* stur x0, [sp, -8] */
	{ BELOW, 4, 0, { 0xf85f83e0, RET } },
	{ NULL, 0, 0, { 0xf94007e0, RET } },                                        /* ldr x0, [sp, 8] */
	{ DATA, 4, 0, { 0x58000020, RET } },                                        /* ldr x0, literal */
	{ UNTOUCHABLE, 4, 0, { 0xaa0003f2, RET } },                                 /* mov x18, x0 */
	{ UNTOUCHABLE, 4, 0, { 0xaa1203e0, RET } },                                 /* mov x0, x18 */
	{ FEATURE, 4, 0, { 0x4e829420, RET } },                                     /* sdot v0.4s, v1.16b, v2.16b */
	{ FEATURE, 4, ALL & ~GLLM_BIT(GLLM_A64_DOTPROD), { 0x4e829420, RET } },
	{ NULL, 0, SIMD | GLLM_BIT(GLLM_A64_DOTPROD), { 0x4e829420, RET } },
	{ UNKNOWN, 8, ALL, { NOP, 0xffffffff, RET } },
};

static void judge(struct check *t, const struct gllm_target *target, uint64_t have, const unsigned char *code, size_t n,
                  const char *wrong, unsigned where, unsigned row)
{
	unsigned char memory[CODE];
	struct gllm_arena arena;
	struct gllm_error e = { .status = GLLM_OK };
	unsigned failed = t->failed;

	gllm_arena_init(&arena, memory, sizeof memory);
	CHECK_STATUS(t, gllm_readback(target, have, code, n, arena, &e), wrong ? GLLM_COMPILE_ERROR : GLLM_OK);
	if (wrong)
		CHECK_TEXT(t, e.what, wrong);
	CHECK(t, e.where == where);
	if (t->failed > failed)
		check_print(t, "     %s row %u: %s at %llu\n", target->name, row, e.what ? e.what : "nothing is wrong", (unsigned long long)e.where);
}

/* One bit for each byte of code, and one for its end. */
static void scratch(struct check *t)
{
	unsigned char code[16], memory[16 / 8 + 1];
	struct gllm_arena arena;

	gllm_put_le32(code, gllm_target_aarch64.landing);
	gllm_put_le32(code + 4, NOP);
	gllm_put_le32(code + 8, NOP);
	gllm_put_le32(code + 12, RET);
	for (size_t room = 0; room <= sizeof memory; room++) {
		struct gllm_error e = { .status = GLLM_OK };
		enum gllm_status want = room < sizeof memory ? GLLM_OUT_OF_MEMORY : GLLM_OK;
		gllm_arena_init(&arena, memory, room);
		CHECK_STATUS(t, gllm_readback(&gllm_target_aarch64, ALL, code, sizeof code, arena, &e), want);
		CHECK(t, want == GLLM_OK || e.expected == sizeof memory);
	}
}

void check_readback(struct check *t)
{
	unsigned char code[CODE];

	for (unsigned i = 0; i < GLLM_COUNT(x86); i++) {
		gllm_put_le32(code, gllm_target_x86_64.landing);
		for (unsigned k = 0; k < x86[i].bytes; k++)
			code[4 + k] = (unsigned char)x86[i].code[k];
		judge(t, &gllm_target_x86_64, x86[i].have, code, 4 + x86[i].bytes, x86[i].wrong, x86[i].where, i);
		if (!x86[i].wrong)
			judge(t, &gllm_target_x86_64, x86[i].have, code + 4, x86[i].bytes, "the entry is no landing pad", 0, i);
	}
	for (unsigned i = 0; i < GLLM_COUNT(a64); i++) {
		size_t n = 4;
		gllm_put_le32(code, gllm_target_aarch64.landing);
		for (unsigned k = 0; k < GLLM_COUNT(a64[i].code) && a64[i].code[k]; k++, n += 4)
			gllm_put_le32(code + n, a64[i].code[k]);
		judge(t, &gllm_target_aarch64, a64[i].have, code, n, a64[i].wrong, a64[i].where, i);
		if (!a64[i].wrong)
			judge(t, &gllm_target_aarch64, a64[i].have, code + 4, n - 4, "the entry is no landing pad", 0, i);
	}
	judge(t, &gllm_target_x86_64, ALL, code, 0, "the entry is no landing pad", 0, GLLM_COUNT(x86));
	scratch(t);
}
