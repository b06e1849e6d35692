/* SPDX-License-Identifier: MIT
 * tests/story_model.h - what models/story.gguf answers: greedy, F32 arithmetic over its F16 weights.
 * Written by models/reference.py; prompts include the leading <s>. The winner leads by at least 0.00 everywhere. */
#ifndef GLLM_TESTS_STORY_MODEL_H
#define GLLM_TESTS_STORY_MODEL_H
#include <stdint.h>

enum { STORY_PROMPTS = 3, STORY_ANSWER = 48 };

static const int32_t story_prompt_0[5] = {
	1, 482, 481, 259, 457,
};
static const int32_t story_answer_0[48] = {
	955, 323, 259, 496, 323, 259, 680, 949, 955, 380, 349, 259, 680, 778, 321, 569, 957, 431, 518, 279,
	382, 294, 504, 285, 614, 1007, 446, 313, 767, 957, 353, 313, 955, 569, 508, 279, 920, 259, 300, 472,
	848, 266, 261, 390, 716, 957, 431, 1023,
};
static const int32_t story_prompt_1[9] = {
	1, 353, 313, 955, 259, 649, 906, 321, 569,
};
static const int32_t story_answer_1[48] = {
	421, 406, 259, 781, 416, 266, 724, 957, 305, 873, 1000, 296, 373, 955, 569, 745, 259, 758, 263, 501,
	323, 266, 267, 293, 1010, 957, 273, 520, 377, 378, 404, 816, 569, 957, 617, 381, 490, 1007, 259, 282,
	1001, 702, 267, 286, 780, 285, 421, 279,
};
static const int32_t story_prompt_2[9] = {
	1, 548, 281, 259, 491, 868, 321, 606, 957,
};
static const int32_t story_answer_2[48] = {
	420, 349, 323, 259, 680, 949, 957, 420, 518, 279, 382, 294, 504, 285, 614, 1007, 446, 313, 767, 957,
	353, 313, 955, 606, 508, 279, 804, 259, 674, 269, 957, 617, 470, 285, 470, 955, 266, 674, 269, 734,
	444, 957, 273, 682, 425, 372, 622, 606,
};

static const struct {
	const char *text;
	const int32_t *prompt;
	uint32_t prompt_count;
	const int32_t *answer;
} story_case[STORY_PROMPTS] = {
	{ "Once upon a time", story_prompt_0, sizeof story_prompt_0 / sizeof story_prompt_0[0], story_answer_0 },
	{ "One day, a little fox named Ruby", story_prompt_1, sizeof story_prompt_1 / sizeof story_prompt_1[0], story_answer_1 },
	{ "There was a kind bear named Max.", story_prompt_2, sizeof story_prompt_2 / sizeof story_prompt_2[0], story_answer_2 },
};
#endif
