/* SPDX-License-Identifier: MIT
 * arch/aarch64/native/gemm_8x12.S - the yardstick for products of matrices: what compiled code is measured against. Nothing
 * but tests and benchmarks calls it.
 *
 *   void gllm_yard_gemm_8x12(float *c, size_t ldc, const float *a, const float *b, size_t k);
 *
 * c[i * ldc + j] += sum over p of a[8 p + i] * b[12 p + j], i < 8, j < 12; k even and positive; a and b packed.
 * Sums lie in v8..v31, row i in three from v8 + 3 i on. Of two steps of k, each loads the a of the other; a vector of b
 * is loaded again as soon as its eight products are on their way. */
	.arch armv8-a

	/* Eight products of one vector of b: rows 0..3 from lanes of a0, rows 4..7 from lanes of a1. */
	.macro products j0, j1, j2, j3, j4, j5, j6, j7, b, a0, a1
	fmla	v\j0\().4s, \b\().4s, \a0\().s[0]
	fmla	v\j1\().4s, \b\().4s, \a0\().s[1]
	fmla	v\j2\().4s, \b\().4s, \a0\().s[2]
	fmla	v\j3\().4s, \b\().4s, \a0\().s[3]
	fmla	v\j4\().4s, \b\().4s, \a1\().s[0]
	fmla	v\j5\().4s, \b\().4s, \a1\().s[1]
	fmla	v\j6\().4s, \b\().4s, \a1\().s[2]
	fmla	v\j7\().4s, \b\().4s, \a1\().s[3]
	.endm

	.macro step a0, a1, n0, n1, at, bt
	ldr	\n0, [x2, #\at]
	products 8, 11, 14, 17, 20, 23, 26, 29, v2, \a0, \a1
	ldr	q2, [x3, #\bt]
	ldr	\n1, [x2, #\at + 16]
	products 9, 12, 15, 18, 21, 24, 27, 30, v3, \a0, \a1
	ldr	q3, [x3, #\bt + 16]
	products 10, 13, 16, 19, 22, 25, 28, 31, v4, \a0, \a1
	ldr	q4, [x3, #\bt + 32]
	.endm

	.macro row c0, c1, c2
	ldp	q0, q1, [x0]
	ldr	q2, [x0, #32]
	fadd	v0.4s, v0.4s, v\c0\().4s
	fadd	v1.4s, v1.4s, v\c1\().4s
	fadd	v2.4s, v2.4s, v\c2\().4s
	stp	q0, q1, [x0]
	str	q2, [x0, #32]
	add	x0, x0, x1, lsl #2
	.endm

	.text
	.globl	gllm_yard_gemm_8x12
	.type	gllm_yard_gemm_8x12, %function
gllm_yard_gemm_8x12:
	hint	#34
	sub	sp, sp, #64
	stp	d8, d9, [sp]
	stp	d10, d11, [sp, #16]
	stp	d12, d13, [sp, #32]
	stp	d14, d15, [sp, #48]
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().4s, #0
	.endr
	ldp	q0, q1, [x2]
	ldp	q2, q3, [x3]
	ldr	q4, [x3, #32]
	add	x3, x3, #48
	subs	x4, x4, #2
	b.eq	2f
1:	step	v0, v1, q5, q6, 32, 0
	step	v5, v6, q0, q1, 64, 48
	add	x2, x2, #64
	add	x3, x3, #96
	subs	x4, x4, #2
	b.ne	1b
2:	step	v0, v1, q5, q6, 32, 0
	products 8, 11, 14, 17, 20, 23, 26, 29, v2, v5, v6
	products 9, 12, 15, 18, 21, 24, 27, 30, v3, v5, v6
	products 10, 13, 16, 19, 22, 25, 28, 31, v4, v5, v6
	row	8, 9, 10
	row	11, 12, 13
	row	14, 15, 16
	row	17, 18, 19
	row	20, 21, 22
	row	23, 24, 25
	row	26, 27, 28
	row	29, 30, 31
	ldp	d8, d9, [sp]
	ldp	d10, d11, [sp, #16]
	ldp	d12, d13, [sp, #32]
	ldp	d14, d15, [sp, #48]
	add	sp, sp, #64
	ret
	.size	gllm_yard_gemm_8x12, . - gllm_yard_gemm_8x12
	.section .note.GNU-stack, "", %progbits
