/* SPDX-License-Identifier: MIT
 * tests/story_model.h - what models/story.gguf answers: greedy, F32 arithmetic over its F16 weights.
 * Written by models/reference.py; prompts include the leading <s>. The winner leads by at least 0.06 everywhere. */
#ifndef GLLM_TESTS_STORY_MODEL_H
#define GLLM_TESTS_STORY_MODEL_H
#include <stdint.h>

enum { STORY_PROMPTS = 3, STORY_ANSWER = 48 };

static const int32_t story_prompt_0[14] = {
	1, 482, 481, 259, 457, 955, 380, 281, 259, 911, 778, 321, 630, 957,
};
static const int32_t story_answer_0[48] = {
	431, 349, 323, 259, 468, 931, 957, 431, 518, 279, 382, 323, 266, 753, 446, 313, 767, 957, 353, 313,
	955, 630, 508, 279, 920, 955, 410, 399, 908, 281, 340, 1009, 1012, 516, 957, 431, 650, 406, 274, 414,
	955, 410, 381, 788, 345, 667, 957, 630,
};
static const int32_t story_prompt_1[15] = {
	1, 703, 259, 496, 343, 259, 943, 380, 349, 259, 436, 861, 321, 592, 957,
};
static const int32_t story_answer_1[48] = {
	420, 518, 279, 382, 323, 266, 753, 446, 313, 767, 957, 353, 313, 955, 592, 508, 279, 920, 955, 410,
	479, 908, 281, 340, 1009, 1012, 516, 957, 420, 650, 406, 274, 414, 955, 410, 291, 788, 345, 667, 957,
	273, 682, 425, 372, 622, 592, 957, 310,
};
static const int32_t story_prompt_2[12] = {
	1, 537, 281, 259, 680, 778, 643, 349, 641, 266, 824, 957,
};
static const int32_t story_answer_2[48] = {
	431, 518, 279, 382, 323, 266, 753, 446, 313, 767, 957, 353, 313, 955, 537, 508, 279, 920, 955, 410,
	399, 908, 281, 340, 1009, 1012, 516, 957, 431, 650, 406, 274, 414, 955, 410, 381, 788, 345, 667, 957,
	273, 682, 425, 372, 622, 537, 957, 310,
};

static const struct {
	const char *text;
	const int32_t *prompt;
	uint32_t prompt_count;
	const int32_t *answer;
} story_case[STORY_PROMPTS] = {
	{ "Once upon a time, there was a cheerful girl named Molly.", story_prompt_0, sizeof story_prompt_0 / sizeof story_prompt_0[0], story_answer_0 },
	{ "In a house on a farm there lived a happy sheep named Ben.", story_prompt_1, sizeof story_prompt_1 / sizeof story_prompt_1[0], story_answer_1 },
	{ "Lucy was a quiet girl who lived near the river.", story_prompt_2, sizeof story_prompt_2 / sizeof story_prompt_2[0], story_answer_2 },
};
#endif
