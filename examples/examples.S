/* SPDX-License-Identifier: MIT
 * examples/examples.S - the example graphs as read-only data of the tests. */
	.section .rodata.gllm_examples, "a"
#define QUOTED(path) #path
#define EXAMPLE(name) \
	.globl gllm_example_##name, gllm_example_##name##_end ; \
	gllm_example_##name: .incbin QUOTED(examples/name.graph) ; \
	gllm_example_##name##_end: .byte 0 ;
#include "examples/examples.def"
	.section .note.GNU-stack, "", %progbits
