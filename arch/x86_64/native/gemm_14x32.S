/* SPDX-License-Identifier: MIT
 * arch/x86_64/native/gemm_14x32.S - the yardstick for products of matrices on AVX-512: what compiled code is measured against.
 * Nothing but tests and benchmarks calls it.
 *
 *   void gllm_yard_gemm_14x32(float *c, size_t ldc, const float *a, const float *b, size_t k);
 *
 * c[i * ldc + j] += sum over p of a[14 p + i] * b[32 p + j], i < 14, j < 32; k positive; a and b packed.
 * Sums of row i lie in zmm 2i and 2i + 1; every broadcast of a serves both. */
	.intel_syntax noprefix

	.macro clear n
	vpxord	zmm\n, zmm\n, zmm\n
	.endm

	.macro products at, x, y
	vbroadcastss	zmm30, dword ptr [rdx + 4 * \at]
	vfmadd231ps	zmm\x, zmm30, zmm28
	vfmadd231ps	zmm\y, zmm30, zmm29
	.endm

	.macro row x, y
	vaddps	zmm\x, zmm\x, [rdi]
	vaddps	zmm\y, zmm\y, [rdi + 64]
	vmovups	[rdi], zmm\x
	vmovups	[rdi + 64], zmm\y
	add	rdi, rsi
	.endm

	.text
	.globl	gllm_yard_gemm_14x32
	.type	gllm_yard_gemm_14x32, @function
	.p2align 6
gllm_yard_gemm_14x32:
	endbr64
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	clear	\n
	.endr
	shl	rsi, 2
	.p2align 5
1:	vmovups	zmm28, [rcx]
	vmovups	zmm29, [rcx + 64]
	products	0, 0, 1
	products	1, 2, 3
	products	2, 4, 5
	products	3, 6, 7
	products	4, 8, 9
	products	5, 10, 11
	products	6, 12, 13
	products	7, 14, 15
	products	8, 16, 17
	products	9, 18, 19
	products	10, 20, 21
	products	11, 22, 23
	products	12, 24, 25
	products	13, 26, 27
	add	rcx, 128
	add	rdx, 56
	dec	r8
	jnz	1b
	row	0, 1
	row	2, 3
	row	4, 5
	row	6, 7
	row	8, 9
	row	10, 11
	row	12, 13
	row	14, 15
	row	16, 17
	row	18, 19
	row	20, 21
	row	22, 23
	row	24, 25
	row	26, 27
	vzeroupper
	ret
	.size	gllm_yard_gemm_14x32, . - gllm_yard_gemm_14x32
	.section .note.GNU-stack, "", @progbits
