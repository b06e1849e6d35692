/* SPDX-License-Identifier: MIT
 * arch/aarch64/native/gemv_q8_k.S - the yardstick for weights in Q8_K blocks (256 elements in 292 bytes: a float scale, then
 * signed bytes, then sums that are not needed). Nothing but tests and benchmarks calls it.
 *
 *   void gllm_yard_gemv_q8_k(float *y, const uint8_t *w, const float *x, size_t rows, size_t blocks);
 *
 * y[r] = sum over blocks of row r of d * sum of q[i] * x[i]; blocks is positive. */
	.arch armv8-a
	.text
	.globl	gllm_yard_gemv_q8_k
	.type	gllm_yard_gemv_q8_k, %function
gllm_yard_gemv_q8_k:
	hint	#34
	cbz	x3, 4f
1:	movi	v0.4s, #0               /* the row's sum */
	mov	x5, x2
	mov	x6, x4
2:	movi	v16.4s, #0
	movi	v17.4s, #0
	movi	v18.4s, #0
	movi	v19.4s, #0
	add	x7, x1, #4
	mov	x8, #16
3:	ldr	q1, [x7], #16
	ldp	q20, q21, [x5]
	ldp	q22, q23, [x5, #32]
	add	x5, x5, #64
	sshll	v2.8h, v1.8b, #0
	sshll2	v3.8h, v1.16b, #0
	sshll	v4.4s, v2.4h, #0
	sshll2	v5.4s, v2.8h, #0
	sshll	v6.4s, v3.4h, #0
	sshll2	v7.4s, v3.8h, #0
	scvtf	v4.4s, v4.4s
	scvtf	v5.4s, v5.4s
	scvtf	v6.4s, v6.4s
	scvtf	v7.4s, v7.4s
	fmla	v16.4s, v4.4s, v20.4s
	fmla	v17.4s, v5.4s, v21.4s
	fmla	v18.4s, v6.4s, v22.4s
	fmla	v19.4s, v7.4s, v23.4s
	subs	x8, x8, #1
	b.ne	3b
	fadd	v16.4s, v16.4s, v17.4s
	fadd	v18.4s, v18.4s, v19.4s
	ldr	s1, [x1]
	fadd	v16.4s, v16.4s, v18.4s
	fmla	v0.4s, v16.4s, v1.s[0]
	add	x1, x1, #292
	subs	x6, x6, #1
	b.ne	2b
	faddp	v0.4s, v0.4s, v0.4s
	faddp	s0, v0.2s
	str	s0, [x0], #4
	subs	x3, x3, #1
	b.ne	1b
4:	ret
	.size	gllm_yard_gemv_q8_k, . - gllm_yard_gemv_q8_k
	.section .note.GNU-stack, "", %progbits
