/* SPDX-License-Identifier: MIT
 * tests/check_story.c - the built-in model: prompts to tokens, and its greedy answers as an independent F32 forward pass
 * gave them (models/reference.py), by compiled plans and by the scalar definitions. */
#include "check.h"
#include "core/arena.h"
#include "gllm/speaker.h"
#include "models/story.h"
#include "tests/story_model.h"

struct listener {
	int32_t token[STORY_ANSWER];
	unsigned n;
};

static bool listen(void *user, int32_t token, const char *text, size_t bytes)
{
	struct listener *l = user;
	(void)text;
	(void)bytes;
	if (l->n < STORY_ANSWER)
		l->token[l->n++] = token;
	return true;
}

static bool same(struct check *t, const int32_t *got, const int32_t *want, unsigned n, const char *what)
{
	unsigned i = 0;
	while (i < n && got[i] == want[i])
		i++;
	bool ok = CHECK_EQ(t, i, n);
	if (!ok)
		check_print(t, "     %s differs at %u: got %d, want %d\n", what, i, got[i], want[i]);
	return ok;
}

static void tell(struct check *t, struct gllm_speaker *s)
{
	for (unsigned i = 0; i < STORY_PROMPTS; i++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_speech speech;
		struct listener l = { .n = 0 };
		size_t n = 0;
		while (story_case[i].text[n])
			n++;
		CHECK_STATUS(t, gllm_speaker_say(s, story_case[i].text, n, STORY_ANSWER, listen, &l, &speech, &e), GLLM_OK);
		if (CHECK_EQ(t, speech.prompt_tokens, story_case[i].prompt_count))
			same(t, s->tokens, story_case[i].prompt, story_case[i].prompt_count, story_case[i].text);
		if (CHECK_EQ(t, l.n, STORY_ANSWER))
			same(t, l.token, story_case[i].answer, STORY_ANSWER, story_case[i].text);
	}
}

static void with(struct check *t, bool scalar)
{
	struct gllm_speaker_options o = { .top_p = 1.0f, .llama = { .scalar = scalar, .readback = true } };
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t) };
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_speaker s;
	size_t size, bytes, model = (size_t)(gllm_story_end - gllm_story);
	unsigned char *memory = check_memory(t, &size);
	if (check_image(t))
		config.image = *check_image(t);
	config.recorded = t->host->recorded;
	config.nrecorded = t->host->nrecorded;
	if (check_exec(t))
		config.host.code = *check_exec_fresh(t);
	if (!CHECK_STATUS(t, gllm_speaker_quote(&config, gllm_story, model, &o, memory, size, &bytes, &e), GLLM_OK) ||
	    !CHECK_STATUS(t, gllm_speaker_open(&s, &config, gllm_story, model, &o, memory, bytes, &e), GLLM_OK)) {
		check_print(t, "     %s %s\n", e.what, e.name);
		return;
	}
	tell(t, &s);
}

void check_story(struct check *t)
{
	with(t, true);
	if (check_target(t) && check_image(t) && check_exec(t) && check_profile(t)->vector_bytes)
		with(t, false);
	else
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
}
