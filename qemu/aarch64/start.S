/* SPDX-License-Identifier: MIT
 * qemu/aarch64/start.S - entry at EL2 or EL1 with MMU off, exception entries.
 * The program runs at EL1 on SP_EL0, exceptions on SP_EL1, so a broken stack can still be reported. */

	.section .text.start, "ax"
	.globl machine_entry
machine_entry:
	mrs	x20, cntvct_el0
	msr	daifset, #15
	mrs	x21, currentel
	lsr	x21, x21, #2
	cmp	x21, #2
	b.ne	at_el1

	mov	x0, #0x80000000         /* HCR.RW: EL1 is 64-bit */
	msr	hcr_el2, x0
	mov	x0, #3                  /* the counters are EL1's */
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mrs	x20, cntvct_el0
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0
	mrs	x1, id_aa64pfr0_el1
	mov	x0, #0x33ff             /* CPTR: FP is not trapped; SVE neither if there is any */
	tst	x1, #(15 << 32)
	b.eq	1f
	bic	x0, x0, #(1 << 8)
1:	msr	cptr_el2, x0
	isb
	tst	x1, #(15 << 32)
	b.eq	1f
	mov	x0, #15
	msr	s3_4_c1_c2_0, x0        /* ZCR_EL2.LEN: the longest vectors */
1:	ldr	x0, =0x30d00800
	msr	sctlr_el1, x0
	mov	x0, #0x3c4              /* EL1t, all masked */
	msr	spsr_el2, x0
	adr	x0, at_el1
	msr	elr_el2, x0
	eret

at_el1:
	msr	spsel, #1
	adrp	x0, image_fault_stack_end
	add	x0, x0, :lo12:image_fault_stack_end
	mov	sp, x0
	msr	spsel, #0
	adrp	x0, image_stack_end
	add	x0, x0, :lo12:image_stack_end
	mov	sp, x0
	adrp	x0, image_bss
	add	x0, x0, :lo12:image_bss
	adrp	x1, image_bss_end
	add	x1, x1, :lo12:image_bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b
2:	mov	x0, x21                 /* level it began at */
	mov	x1, x20                 /* counter at entry */
	mov	x29, xzr
	mov	x30, xzr
	bl	board_start
	brk	#0

/* --- exceptions; the frame is struct frame of machine.c ----------------------------------------------------------- */
	.set FRAME, 304
	.macro entry index
	.balign 128
	sub	sp, sp, #FRAME
	stp	x0, x1, [sp]
	mov	x0, #\index
	b	exception
	.endm

	.text
	.balign 2048
	.globl machine_vector
machine_vector:
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	entry \i
	.endr

exception:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x1, sp_el0
	stp	x30, x1, [sp, #240]
	mrs	x1, elr_el1
	mrs	x2, spsr_el1
	stp	x1, x2, [sp, #256]
	mrs	x1, esr_el1
	mrs	x2, far_el1
	stp	x1, x2, [sp, #272]
	str	x0, [sp, #288]
	mov	x0, sp
	bl	machine_exception
	ldp	x30, x1, [sp, #240]
	msr	sp_el0, x1
	ldp	x1, x2, [sp, #256]
	msr	elr_el1, x1
	msr	spsr_el1, x2
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME
	eret

/* --- bool board_try_call(fn, arg) ------------------------------------------------------------------------------------- */
	.globl board_try_call
board_try_call:
	stp	x29, x30, [sp, #-176]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mrs	x2, fpcr
	str	x2, [sp, #160]
	adrp	x2, board_try_sp
	mov	x3, sp
	str	x3, [x2, :lo12:board_try_sp]
	mov	x2, x0
	mov	x0, x1
	blr	x2
	mov	w0, #0
1:	adrp	x2, board_try_sp
	str	xzr, [x2, :lo12:board_try_sp]
	ldr	x2, [sp, #160]
	msr	fpcr, x2
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	ldp	x29, x30, [sp], #176
	ret
	.globl board_try_end
board_try_end:
	mov	w0, #1
	b	1b

	.bss
	.balign 8
	.globl board_try_sp
board_try_sp:
	.skip 8

	.section .note.GNU-stack, "", @progbits
