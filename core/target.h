/* SPDX-License-Identifier: MIT
 * core/target.h - what a pass may ask of a machine. jit/ knows ISAs only through this struct; arch/<a>/target.c fills
 * one. All functions are portable C and pure: code is a function of their arguments, whatever machine computes it. */
#ifndef GLLM_CORE_TARGET_H
#define GLLM_CORE_TARGET_H
#include "core/insn.h"
#include "core/sem.h"
#include "core/vir.h"
#include "gllm/profile.h"
#include "gllm/status.h"
#include "gllm/target.h"

struct gllm_abi { /* how the ISA's C functions are called, as locations of core/sem.h */
	const uint8_t *int_arg;  unsigned nint_args;   /* R locations of pointer and integer arguments, in order */
	const uint8_t *float_arg; unsigned nfloat_args;
	uint8_t int_result, float_result;
	uint8_t stack_pointer;
	uint8_t link;             /* register that holds the return address; GLLM_LOC_NONE: it is pushed on the stack */
	int32_t stack_args;       /* offset from SP at entry of the first stack argument; each takes 8 bytes */
	uint64_t preserved_int;   /* bit per R location */
	uint32_t preserved_vec;   /* bit per V register of which the low 64 bits (a64) are preserved */
};

struct gllm_code { /* a code buffer that keeps its first failure and then goes quiet */
	unsigned char *base;
	size_t used, size;
	enum gllm_status status;
};

struct gllm_entry { /* a C function of `param` that runs a kernel on all of its work */
	const struct gllm_param *param; unsigned nparams;
	uint64_t pool;             /* address of the kernel's constants */
	uint64_t units;            /* the kernel's `end`; `begin` is 0 */
	int64_t kernel;            /* where the kernel begins, from the first byte of this function */
};

struct gllm_target {
	enum gllm_isa isa;
	const char *name;          /* "x86_64" */
	struct gllm_abi abi;
	uint32_t landing;          /* the first instruction of every entry, 4 bytes read as little endian (endbr64, bti c) */
	uint64_t untouchable;      /* bit per R location that generated code must not name (x18) */

	/* Decodes one instruction. Never reads beyond `size` bytes. GLLM_BAD_INSN, or GLLM_TRUNCATED if more bytes
	 * could make it valid. */
	enum gllm_status (*decode)(const unsigned char *bytes, size_t size, uint64_t addr, struct gllm_insn *out);
	/* Encodes; the first row form that fits in->row. Returns bytes written, 0 if the operands do not fit the row. */
	size_t (*encode)(const struct gllm_insn *in, unsigned char *out);
	/* Text in the assembler's usual spelling (x86: Intel syntax). Returns characters written, NUL excluded. */
	size_t (*text)(const struct gllm_insn *in, char *out, size_t size);
	uint64_t (*features)(const struct gllm_insn *in); /* bits of enum gllm_feature that it needs; 0 baseline */
	/* Meaning in micro-operations; GLLM_NOT_LIFTED if it cannot be said. */
	enum gllm_status (*meaning)(const struct gllm_insn *in, struct gllm_sem *out);

	/* --- code generation (core/vir.h) ------------------------------------------------------------------------ */
	/* Fills what lowering and register allocation must know for this profile; GLLM_NO_FEATURE if it has no vectors. */
	enum gllm_status (*machine)(const struct gllm_profile *p, struct gllm_machine *out);
	/* Emits one function for allocated VIR, prologue and epilogue included. `at` receives for every VIR instruction
	 * its byte offset in the code buffer (may be NULL). Errors are left in code->status. */
	void (*select)(const struct gllm_vir *v, const struct gllm_machine *m, const struct gllm_allocation *a,
	               struct gllm_code *code, uint32_t *at);
	/* Emits an entry at the code buffer's place. */
	void (*entry)(const struct gllm_entry *in, struct gllm_code *code);
};
#endif
