/* SPDX-License-Identifier: MIT
 * qemu/x86_64/start.S - PVH entry (32-bit, flat segments, no paging, ebx = start info), long mode, exception entries.
 * The tables built here only carry the image into board_start, which builds the real ones (qemu/pages.c). */

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18                  /* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad machine_entry

	.set CR0, 0x80010033            /* PG WP NE ET MP PE */
	.set CR4, 0x620                 /* OSXMMEXCPT OSFXSR PAE */
	.set EFER, 0xc0000080
	.set EFER_LME_NXE, 0x900

	.section .text.start, "ax"
	.code32
	.globl machine_entry
machine_entry:
	cli
	cld
	movl %ebx, %esi
	rdtsc
	movl %eax, %esp                 /* no stack yet: the counter waits in esp and ebp */
	movl %edx, %ebp
	movl $image_bss, %edi
	movl $image_bss_end, %ecx
	subl %edi, %ecx
	shrl $2, %ecx
	xorl %eax, %eax
	rep stosl

	movl $boot_tables + 0x1003, boot_tables
	movl $boot_tables + 0x2003, boot_tables + 0x1000
	movl $0x83, %eax                /* 512 leaves of 2 MiB: present, writable */
	movl $boot_tables + 0x2000, %edi
1:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	cmpl $boot_tables + 0x3000, %edi
	jne 1b

	movl $0x80000001, %eax
	cpuid
	btl $20, %edx
	jnc no_nx
	movl $EFER, %ecx
	rdmsr
	orl $EFER_LME_NXE, %eax
	wrmsr
	movl $CR4, %eax
	movl %eax, %cr4
	movl $boot_tables, %eax
	movl %eax, %cr3
	movl $CR0, %eax
	movl %eax, %cr0
	lgdt boot_gdt_pointer
	ljmp $0x08, $long_mode

no_nx:                                  /* W^X cannot be had: code 122, as board_panic would give */
	movl $no_nx_text, %esi
	movl $no_nx_end - no_nx_text, %ecx
	movl $0x3f8, %edx
	rep outsb
	movl $123, %eax
	outl %eax, $0xf4
	hlt
	jmp no_nx

	.code64
long_mode:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl %esi, %edi                 /* start info */
	movl %esp, %esi                 /* counter at entry */
	movl %ebp, %eax
	shlq $32, %rax
	orq %rax, %rsi
	movq $image_stack_end, %rsp
	xorl %ebp, %ebp
	call board_start
	ud2

	.section .rodata
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff        /* 0x08: 64-bit code */
	.quad 0x00cf93000000ffff        /* 0x10: data */
no_nx_text:
	.ascii "board: the CPU has no NX\n"
no_nx_end:
boot_gdt_pointer:
	.word . - boot_gdt - 1
	.long boot_gdt

	.bss
	.balign 4096
boot_tables:
	.skip 0x3000

/* --- exceptions: machine_vector + 16 * v is the entry of vector v; the frame is struct frame of machine.c -------- */
	.text
	.altmacro
	.macro vector v
	.balign 16
	.if !((0x60227d00 >> \v) & 1)   /* 8, 10-14, 17, 21, 29, 30 push an error code themselves */
	pushq $0
	.endif
	pushq $\v
	jmp exception
	.endm

	.balign 16
	.globl machine_vector
machine_vector:
	.set n, 0
	.rept 48                        /* exceptions, then interrupts of the local APIC */
	vector %n
	.set n, n + 1
	.endr

exception:
	cld
	.irp r, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	pushq %\r
	.endr
	movq %rsp, %rdi                 /* aligned: the CPU aligned it, and 22 words lie on it */
	call machine_exception
	.irp r, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
	popq %\r
	.endr
	addq $16, %rsp
	iretq

/* --- bool board_try_call(fn, arg) ------------------------------------------------------------------------------------- */
	.globl board_try_call
board_try_call:
	.irp r, rbx, rbp, r12, r13, r14, r15
	pushq %\r
	.endr
	subq $8, %rsp
	stmxcsr (%rsp)
	movq %rsp, board_try_sp(%rip)
	movq %rdi, %rax
	movq %rsi, %rdi
	call *%rax
	xorl %eax, %eax
1:	movq $0, board_try_sp(%rip)
	ldmxcsr (%rsp)
	addq $8, %rsp
	.irp r, r15, r14, r13, r12, rbp, rbx
	popq %\r
	.endr
	ret
	.globl board_try_end
board_try_end:
	movl $1, %eax
	jmp 1b

	.bss
	.balign 8
	.globl board_try_sp
board_try_sp:
	.skip 8

	.section .note.GNU-stack, "", @progbits
