/* SPDX-License-Identifier: MIT
 * models/story.h - the default model, linked into the image, the hosted tool and the tests; not part of the library. */
#ifndef GLLM_STORY_H
#define GLLM_STORY_H
extern const unsigned char gllm_story[], gllm_story_end[]; /* a GGUF file, 64-byte aligned */
#endif
