/* SPDX-License-Identifier: MIT
 * tests/story_model.h - what models/story.gguf answers: greedy, F32 arithmetic over its F16 weights.
 * Written by models/reference.py; prompts include the leading <s>. The winner leads by at least 0.019 everywhere. */
#ifndef GLLM_TESTS_STORY_MODEL_H
#define GLLM_TESTS_STORY_MODEL_H
#include <stdint.h>

enum { STORY_PROMPTS = 3, STORY_ANSWER = 48 };

static const int32_t story_prompt_0[17] = {
	1, 703, 259, 496, 323, 259, 468, 931, 380, 349, 259, 263, 517, 872, 321, 625, 957,
};
static const int32_t story_answer_0[48] = {
	431, 518, 279, 382, 683, 902, 957, 353, 313, 955, 625, 508, 279, 920, 955, 410, 399, 908, 281, 340,
	1009, 1012, 516, 957, 431, 650, 323, 467, 300, 309, 955, 410, 446, 371, 266, 1009, 646, 340, 1009, 1012,
	516, 957, 625, 688, 450, 285, 543, 444,
};
static const int32_t story_prompt_1[32] = {
	1, 548, 281, 715, 259, 649, 779, 321, 592, 643, 349, 641, 266, 840, 957, 353, 728, 313, 955, 592,
	281, 382, 355, 398, 479, 347, 640, 955, 259, 491, 819, 957,
};
static const int32_t story_answer_1[48] = {
	442, 392, 343, 373, 673, 300, 538, 1012, 311, 267, 390, 957, 273, 979, 1016, 377, 297, 822, 372, 290,
	592, 957, 273, 984, 1011, 955, 351, 377, 297, 822, 372, 290, 640, 957, 442, 543, 579, 279, 579, 285,
	510, 345, 815, 465, 340, 705, 917, 957,
};
static const int32_t story_prompt_2[33] = {
	1, 620, 281, 259, 700, 778, 643, 349, 641, 266, 824, 957, 707, 644, 347, 281, 259, 795, 866, 321,
	542, 957, 353, 728, 313, 955, 542, 510, 345, 867, 279, 382, 957,
};
static const int32_t story_answer_2[48] = {
	620, 268, 295, 264, 285, 268, 295, 264, 955, 410, 542, 510, 345, 867, 957, 620, 675, 279, 266, 496,
	371, 542, 279, 614, 493, 281, 521, 957, 542, 281, 323, 670, 285, 688, 403, 263, 1005, 354, 957, 273,
	682, 282, 472, 372, 290, 620, 957, 273,
};

static const struct {
	const char *text;
	const int32_t *prompt;
	uint32_t prompt_count;
	const int32_t *answer;
} story_case[STORY_PROMPTS] = {
	{ "In a house in a small village there lived a shy squirrel named Rosie.", story_prompt_0, sizeof story_prompt_0 / sizeof story_prompt_0[0], story_answer_0 },
	{ "There was once a little boy named Ben who lived near the forest. One summer day, Ben was playing with his friend Paul, a kind cat.", story_prompt_1, sizeof story_prompt_1 / sizeof story_prompt_1[0], story_answer_1 },
	{ "Mia was a gentle girl who lived near the river. Her best friend was a friendly mouse named Robin. One summer day, Robin did not come to play.", story_prompt_2, sizeof story_prompt_2 / sizeof story_prompt_2[0], story_answer_2 },
};
#endif
