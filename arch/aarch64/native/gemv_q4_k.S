/* SPDX-License-Identifier: MIT
 * arch/aarch64/native/gemv_q4_k.S - the yardstick for weights in Q4_K blocks (256 elements in 144 bytes: halves d and dmin,
 * twelve bytes of six-bit scales and minima of eight groups, nibbles). Nothing but tests and benchmarks calls it.
 *
 *   void gllm_yard_gemv_q4_k(float *y, const uint8_t *w, const float *x, size_t rows, size_t blocks);
 *
 * y[r] = sum over blocks of row r, over groups g of 32, of d * scale[g] * sum of q * x - dmin * min[g] * sum of x; blocks is
 * positive. The low nibbles of 32 bytes are one group, the high ones the next. */
	.arch armv8-a

	/* Sixteen nibbles in v1 as bytes times x: sums of products to v16..v19, of x to v24..v27. */
	.macro sixteen
	ldp	q20, q21, [x5]
	ldp	q22, q23, [x5, #32]
	add	x5, x5, #64
	ushll	v2.8h, v1.8b, #0
	ushll2	v3.8h, v1.16b, #0
	ushll	v4.4s, v2.4h, #0
	ushll2	v5.4s, v2.8h, #0
	ushll	v6.4s, v3.4h, #0
	ushll2	v7.4s, v3.8h, #0
	ucvtf	v4.4s, v4.4s
	ucvtf	v5.4s, v5.4s
	ucvtf	v6.4s, v6.4s
	ucvtf	v7.4s, v7.4s
	fmla	v16.4s, v4.4s, v20.4s
	fmla	v17.4s, v5.4s, v21.4s
	fmla	v18.4s, v6.4s, v22.4s
	fmla	v19.4s, v7.4s, v23.4s
	fadd	v24.4s, v24.4s, v20.4s
	fadd	v25.4s, v25.4s, v21.4s
	fadd	v26.4s, v26.4s, v22.4s
	fadd	v27.4s, v27.4s, v23.4s
	.endm

	/* The sums of a group times its scale (x9 points to it) and its minimum (x10). */
	.macro group
	fadd	v16.4s, v16.4s, v17.4s
	fadd	v18.4s, v18.4s, v19.4s
	fadd	v24.4s, v24.4s, v25.4s
	fadd	v26.4s, v26.4s, v27.4s
	fadd	v16.4s, v16.4s, v18.4s
	fadd	v24.4s, v24.4s, v26.4s
	ldr	s1, [x9], #4
	ldr	s2, [x10], #4
	fmla	v0.4s, v16.4s, v1.s[0]
	fmls	v0.4s, v24.4s, v2.s[0]
	.endm

	.macro clear
	movi	v16.4s, #0
	movi	v17.4s, #0
	movi	v18.4s, #0
	movi	v19.4s, #0
	movi	v24.4s, #0
	movi	v25.4s, #0
	movi	v26.4s, #0
	movi	v27.4s, #0
	.endm

	/* The eight bytes of v\from become floats times s\by at sp + \to. */
	.macro spread by, from, to
	ushll	v2.8h, v\from\().8b, #0
	ushll2	v3.4s, v2.8h, #0
	ushll	v2.4s, v2.4h, #0
	ucvtf	v2.4s, v2.4s
	ucvtf	v3.4s, v3.4s
	fmul	v2.4s, v2.4s, v\by\().s[0]
	fmul	v3.4s, v3.4s, v\by\().s[0]
	stp	q2, q3, [sp, #\to]
	.endm

	.text
	.globl	gllm_yard_gemv_q4_k
	.type	gllm_yard_gemv_q4_k, %function
gllm_yard_gemv_q4_k:
	hint	#34
	cbz	x3, 5f
	sub	sp, sp, #64             /* d * scale, dmin * min of eight groups */
1:	movi	v0.4s, #0
	mov	x5, x2
	mov	x6, x4
2:	ldr	w12, [x1, #4]           /* groups 0..3: six bits of scales, above them the top two of groups 4..7 */
	ldr	w13, [x1, #8]           /* the same of minima */
	ldr	w14, [x1, #12]          /* low nibbles of groups 4..7: scales below, minima above */
	and	w15, w12, #0x3f3f3f3f
	and	w16, w13, #0x3f3f3f3f
	and	w17, w14, #0x0f0f0f0f
	lsr	w14, w14, #4
	and	w14, w14, #0x0f0f0f0f
	lsr	w12, w12, #2
	and	w12, w12, #0x30303030
	orr	w17, w17, w12
	lsr	w13, w13, #2
	and	w13, w13, #0x30303030
	orr	w14, w14, w13
	fmov	s6, w15
	fmov	s7, w16
	ins	v6.s[1], w17
	ins	v7.s[1], w14
	ldr	h4, [x1]
	ldr	h5, [x1, #2]
	fcvt	s4, h4
	fcvt	s5, h5
	spread	4, 6, 0
	spread	5, 7, 32
	mov	x9, sp
	add	x10, sp, #32
	add	x7, x1, #16
	mov	x8, #4
	movi	v30.16b, #15
3:	ldp	q28, q29, [x7], #32
	clear
	and	v1.16b, v28.16b, v30.16b
	sixteen
	and	v1.16b, v29.16b, v30.16b
	sixteen
	group
	clear
	ushr	v1.16b, v28.16b, #4
	sixteen
	ushr	v1.16b, v29.16b, #4
	sixteen
	group
	subs	x8, x8, #1
	b.ne	3b
	add	x1, x1, #144
	subs	x6, x6, #1
	b.ne	2b
	faddp	v0.4s, v0.4s, v0.4s
	faddp	s0, v0.2s
	str	s0, [x0], #4
	subs	x3, x3, #1
	b.ne	1b
	add	sp, sp, #64
5:	ret
	.size	gllm_yard_gemv_q4_k, . - gllm_yard_gemv_q4_k
	.section .note.GNU-stack, "", %progbits
