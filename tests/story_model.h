/* SPDX-License-Identifier: MIT
 * tests/story_model.h - what models/story.gguf answers: greedy, F32 arithmetic over its F16 weights.
 * Written by models/reference.py; prompts include the leading <s>. The winner leads by at least 0.08 everywhere. */
#ifndef GLLM_TESTS_STORY_MODEL_H
#define GLLM_TESTS_STORY_MODEL_H
#include <stdint.h>

enum { STORY_PROMPTS = 3, STORY_ANSWER = 48 };

static const int32_t story_prompt_0[19] = {
	1, 482, 481, 259, 457, 955, 259, 680, 904, 321, 623, 349, 465, 266, 942, 371, 266, 774, 957,
};
static const int32_t story_answer_0[48] = {
	431, 518, 279, 382, 294, 504, 285, 614, 1007, 446, 313, 767, 957, 353, 313, 955, 623, 508, 279, 920,
	955, 410, 399, 908, 281, 340, 1009, 1012, 516, 957, 431, 650, 323, 467, 300, 309, 955, 410, 446, 371,
	266, 1009, 646, 340, 1009, 1012, 516, 957,
};
static const int32_t story_prompt_1[17] = {
	1, 353, 313, 955, 259, 826, 778, 321, 619, 421, 406, 259, 781, 641, 266, 840, 957,
};
static const int32_t story_answer_1[48] = {
	305, 873, 1000, 296, 373, 955, 619, 540, 259, 443, 955, 731, 951, 300, 1001, 705, 343, 259, 716, 957,
	431, 1023, 1006, 713, 1012, 264, 285, 1023, 1006, 713, 1012, 264, 955, 410, 381, 281, 490, 468, 957, 619,
	688, 450, 285, 543, 444, 343, 259, 937,
};
static const int32_t story_prompt_2[16] = {
	1, 548, 281, 259, 911, 884, 321, 576, 957, 420, 349, 323, 259, 468, 931, 957,
};
static const int32_t story_answer_2[48] = {
	420, 518, 279, 382, 294, 504, 285, 614, 1007, 446, 313, 767, 957, 353, 313, 955, 576, 508, 279, 920,
	955, 410, 479, 908, 281, 340, 1009, 1012, 516, 957, 420, 650, 406, 274, 414, 955, 410, 291, 788, 345,
	667, 957, 576, 709, 279, 792, 957, 310,
};

static const struct {
	const char *text;
	const int32_t *prompt;
	uint32_t prompt_count;
	const int32_t *answer;
} story_case[STORY_PROMPTS] = {
	{ "Once upon a time, a quiet owl named Lily lived at the edge of the town.", story_prompt_0, sizeof story_prompt_0 / sizeof story_prompt_0[0], story_answer_0 },
	{ "One day, a brave girl named Clara went for a walk near the forest.", story_prompt_1, sizeof story_prompt_1 / sizeof story_prompt_1[0], story_answer_1 },
	{ "There was a cheerful goat named Otto. He lived in a small village.", story_prompt_2, sizeof story_prompt_2 / sizeof story_prompt_2[0], story_answer_2 },
};
#endif
