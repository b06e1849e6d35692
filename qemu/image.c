/* SPDX-License-Identifier: MIT
 * qemu/image.c - the main job on bare metal: read a model (the one handed over, else the image's own), compile its layers,
 * tell a story.
 *
 * Options: prompt, n (tokens to generate), temp (such as 0.8; absent or 0: greedy), seed, isa (caps the CPU), context
 * (tokens), scalar=1 (compile nothing). The speaker gets exactly the memory it asked for beforehand, so a wrong quote fails here. */
#include "gllm/measure.h"
#include "gllm/native.h"
#include "gllm/speaker.h"
#include "models/story.h"
#include "qemu/guest.h"

struct job {
	struct gllm_error error;
	struct gllm_config config;
	struct gllm_speaker_options options;
	struct gllm_speaker speaker;
	struct gllm_speech speech;
	const unsigned char *model;
	unsigned char *memory, *given;
	size_t model_size, memory_size;
	size_t quote;
	char *prompt;
	size_t prompt_bytes;
	uint64_t ready_ns;
};

static struct job job;

static const char *where(uint64_t pc)
{
	return job.speaker.context != NULL ? gllm_where(job.speaker.context, pc) : NULL;
}

static enum gllm_status fail(struct job *j, enum gllm_status s, const char *what)
{
	return gllm_fail(&j->error, s, what, NULL, 0, 0, 0);
}

/* A decimal fraction such as 0.8; anything else reads as far as it goes. */
static float fraction(const char *s)
{
	float value = 0, digit = 1;

	for (; *s >= '0' && *s <= '9'; s++)
		value = value * 10 + (float)(*s - '0');
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++)
			value += (float)(*s - '0') * (digit *= 0.1f);
	return value;
}

static enum gllm_status read_options(struct job *j)
{
	char temperature[16];
	void *memory;

	board_memory(&memory, &j->memory_size);
	j->memory = memory;
	if (board_model(&j->given, &j->model_size)) {
		j->model = j->given;
	} else {
		j->model = gllm_story;
		j->model_size = (size_t)(gllm_story_end - gllm_story);
	}
	j->prompt_bytes = board_option("prompt", NULL, 0);
	if (j->prompt_bytes + 64 > j->memory_size)
		return fail(j, GLLM_OUT_OF_MEMORY, "the prompt does not fit into memory");
	j->prompt = memory;
	board_option("prompt", j->prompt, j->prompt_bytes + 1);
	j->memory += (j->prompt_bytes + 64) & ~(size_t)63;
	j->memory_size -= (j->prompt_bytes + 64) & ~(size_t)63;
	j->options.prompt_bytes = j->prompt_bytes;
	j->options.top_p = 1;
	board_option("temp", temperature, sizeof temperature);
	j->options.temperature = fraction(temperature);
	j->options.seed = board_option_number("seed", 0);
	j->options.llama.context = (uint32_t)board_option_number("context", 0);
	j->options.llama.scalar = board_option_number("scalar", 0) != 0;
	return GLLM_OK;
}

/* Without back end or usable vectors the scalar definitions run; that is said, not hidden. */
static enum gllm_status choose_target(struct job *j)
{
	struct gllm_config *c = &j->config;
	enum gllm_status why = GLLM_OK;

	if (guest_profile(&c->profile) != GLLM_OK)
		return fail(j, GLLM_INVALID_ARGUMENT, "the CPU cannot be probed, or option isa names no ISA");
	c->target = guest_target();
	c->image = *guest_image();
	c->host.clock_ns = guest_clock_ns;
	c->host.vector_bytes = gllm_native_sve_bytes;
	board_exec(&c->host.code);
	if (c->target == NULL)
		why = GLLM_NO_BACK_END;
	else if (c->profile.vector_bytes == 0)
		why = GLLM_NO_FEATURE;
	if (why == GLLM_OK) /* without an answer code is compiled for the CPU as its registers describe it */
		gllm_measure(c->target, &c->profile, &c->host.code, guest_clock_ns, NULL, j->memory, j->memory_size, NULL);
	if (why != GLLM_OK) {
		guest_print("the scalar definitions run: %s\n", gllm_status_text(why));
		j->options.llama.scalar = true;
	}
	return GLLM_OK;
}

static enum gllm_status open_speaker(struct job *j)
{
	enum gllm_status s = gllm_speaker_quote(&j->config, j->model, j->model_size, &j->options, j->memory, j->memory_size,
	                                        &j->quote, &j->error);

	if (s == GLLM_OK && j->quote > j->memory_size)
		s = gllm_fail(&j->error, GLLM_OUT_OF_MEMORY, "the machine has too little memory", NULL, 0, j->quote,
		              j->memory_size);
	if (s == GLLM_OK)
		s = gllm_speaker_open(&j->speaker, &j->config, j->model, j->model_size, &j->options, j->memory, j->quote,
		                      &j->error);
	j->ready_ns = board_clock_ns();
	return s;
}

static bool word(void *user, int32_t token, const char *text, size_t bytes)
{
	(void)user;
	(void)token;
	board_write(text, bytes);
	return true;
}

static enum gllm_status speak(struct job *j)
{
	enum gllm_status s;

	board_write(j->prompt, j->prompt_bytes);
	s = gllm_speaker_say(&j->speaker, j->prompt, j->prompt_bytes, board_option_number("n", 64), word, NULL, &j->speech,
	                     &j->error);
	board_text("\n");
	return s;
}

static double ms(uint64_t ns)
{
	return (double)ns * 1e-6;
}

static void report(const struct job *j)
{
	const struct gllm_speech *p = &j->speech;
	double seconds = (double)(p->last_ns - p->first_ns) * 1e-9;
	struct gllm_stats stats;

	gllm_context_stats(j->speaker.context, &stats);
	guest_print("\nreset to image %.1f ms, to compiled layers %.1f ms, to first token %.1f ms\n", ms(board_entry_ns()),
	            ms(j->ready_ns), ms(p->first_ns));
	guest_print("%zu prompt tokens, %zu generated, %.1f tokens/s\n", p->prompt_tokens, p->tokens,
	            p->tokens > 1 && seconds > 0 ? (double)(p->tokens - 1) / seconds : 0.0);
	guest_print("operators: %u lifted, %u injected; lifting %.2f ms\n", stats.lifted, stats.injected, ms(stats.lift_ns));
	guest_print("kernels: %u, %zu bytes of code; compiling %.2f ms\n", stats.kernels, stats.code_bytes,
	            ms(stats.compile_ns));
	guest_print("memory: %zu bytes quoted, %zu used; traces %zu, heap %zu, scratch %zu at most\n", j->quote,
	            j->speaker.used, stats.trace_high, stats.heap_high, stats.scratch_high);
}

int board_main(void)
{
	static enum gllm_status (*const step[])(struct job *j) = { read_options, choose_target, open_speaker, speak };

	board_where = where;
	for (unsigned i = 0; i < sizeof step / sizeof step[0]; i++) {
		if (step[i](&job) != GLLM_OK) {
			guest_print_error(&job.error);
			return 1;
		}
	}
	report(&job);
	return 0;
}
