/* SPDX-License-Identifier: MIT
 * models/story.S - the default model as read-only data of the programs that carry it (models/story.h). */
	.section .rodata.gllm_story, "a"
	.balign 64
	.globl gllm_story
gllm_story:
	.incbin "models/story.gguf"
	.globl gllm_story_end
gllm_story_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
