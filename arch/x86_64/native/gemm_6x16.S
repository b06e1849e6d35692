/* SPDX-License-Identifier: MIT
 * arch/x86_64/native/gemm_6x16.S - the yardstick for products of matrices on AVX2: what compiled code is measured against.
 * Nothing but tests and benchmarks calls it.
 *
 *   void gllm_yard_gemm_6x16(float *c, size_t ldc, const float *a, const float *b, size_t k);
 *
 * c[i * ldc + j] += sum over p of a[6 p + i] * b[16 p + j], i < 6, j < 16; k positive; a and b packed.
 * Sums of row i lie in ymm 2i and 2i + 1; every broadcast of a serves both. */
	.intel_syntax noprefix

	.macro clear n
	vxorps	xmm\n, xmm\n, xmm\n
	.endm

	.macro products at, x, y
	vbroadcastss	ymm14, dword ptr [rdx + 4 * \at]
	vfmadd231ps	ymm\x, ymm14, ymm12
	vfmadd231ps	ymm\y, ymm14, ymm13
	.endm

	.macro row x, y
	vaddps	ymm\x, ymm\x, [rdi]
	vaddps	ymm\y, ymm\y, [rdi + 32]
	vmovups	[rdi], ymm\x
	vmovups	[rdi + 32], ymm\y
	add	rdi, rsi
	.endm

	.text
	.globl	gllm_yard_gemm_6x16
	.type	gllm_yard_gemm_6x16, @function
	.p2align 6
gllm_yard_gemm_6x16:
	endbr64
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	clear	\n
	.endr
	shl	rsi, 2
	.p2align 5
1:	vmovups	ymm12, [rcx]
	vmovups	ymm13, [rcx + 32]
	products	0, 0, 1
	products	1, 2, 3
	products	2, 4, 5
	products	3, 6, 7
	products	4, 8, 9
	products	5, 10, 11
	add	rcx, 64
	add	rdx, 24
	dec	r8
	jnz	1b
	row	0, 1
	row	2, 3
	row	4, 5
	row	6, 7
	row	8, 9
	row	10, 11
	vzeroupper
	ret
	.size	gllm_yard_gemm_6x16, . - gllm_yard_gemm_6x16
	.section .note.GNU-stack, "", @progbits
