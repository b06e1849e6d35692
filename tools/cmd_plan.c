/* SPDX-License-Identifier: MIT
 * tools/cmd_plan.c - commands that show plans: explain, disasm. Plans are those of a model or of a graph written as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/target.h"
#include "gllm/graph_text.h"
#include "tools/host.h"
#include "tools/plan_draw.h"
#include "tools/tool.h"

enum { MAX_PLANS = 8 };

struct plans {
	const struct gllm_plan *plan[MAX_PLANS];
	bool chunk[MAX_PLANS];
	unsigned n;
	const unsigned char *code; /* executable memory that steps count from */
};

struct request {
	const char *path; /* NULL: the built-in model */
	uint64_t rows;    /* 0: what the file says */
	unsigned stages;  /* of loops of a graph's plan (struct gllm_tuning) */
	bool dot, svg, ir;
};

static int arguments(struct request *r, int argc, char **argv, const char *usage)
{
	uint64_t stages;
	*r = (struct request){ .path = NULL };
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc && tool_number(argv[i + 1], UINT32_MAX, &r->rows) && r->rows)
			i++;
		else if (strcmp(argv[i], "--stages") == 0 && i + 1 < argc && tool_number(argv[i + 1], 2, &stages) && stages)
			r->stages = (unsigned)stages, i++;
		else if (strcmp(argv[i], "--dot") == 0)
			r->dot = true;
		else if (strcmp(argv[i], "--svg") == 0)
			r->svg = true;
		else if (strcmp(argv[i], "--ir") == 0)
			r->ir = true;
		else if (argv[i][0] != '-' && !r->path)
			r->path = argv[i];
		else
			return tool_usage(usage);
	}
	return 0;
}

static int of_model(const struct tool *t, const struct request *r, struct plans *out)
{
	static struct gllm_speaker s;
	struct gllm_speaker_options o = { .top_p = 1.0f, .llama.chunk = (uint32_t)r->rows };
	struct gllm_error e = { .status = GLLM_OK };
	bool compiled;
	if (r->ir) {
		fputs("gllm: disasm --ir lists the kernels of a graph: give it a FILE.graph\n", stderr);
		return 1;
	}
	if (tool_speaker(t, r->path, &o, &s, &compiled, &e) != GLLM_OK)
		return tool_failed(&e);
	out->code = s.host.code.exec;
	for (unsigned chunk = 0; chunk < 2; chunk++) {
		for (unsigned i = 0; gllm_llama_plan(s.llama, i, chunk) && out->n < MAX_PLANS; i++) {
			if (chunk && gllm_llama_plan(s.llama, i, true) == gllm_llama_plan(s.llama, i, false))
				continue;
			out->chunk[out->n] = chunk;
			out->plan[out->n++] = gllm_llama_plan(s.llama, i, chunk);
		}
	}
	return 0;
}

/* "gllm: FILE:LINE: what: name" */
static int misread(const char *path, const struct gllm_error *e)
{
	fprintf(stderr, "gllm: %s:%llu: %s%s%s (%s; expected %llu, actual %llu)\n", path, (unsigned long long)e->where,
	        e->what, e->name[0] ? ": " : "", e->name, gllm_status_text(e->status), (unsigned long long)e->expected,
	        (unsigned long long)e->actual);
	return 1;
}

static int of_text(const struct tool *t, const struct request *r, const char *text, size_t n, struct plans *out)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_config c;
	struct gllm_context *x = NULL;
	struct gllm_graph *g;
	struct gllm_plan *p;
	size_t need = gllm_graph_text_workspace(text, n);
	if (tool_config(t, &c, &e) != GLLM_OK)
		return tool_failed(&e);
	size_t size = gllm_context_quote(&c);
	void *memory = host_memory(size);
	if (!memory)
		gllm_fail(&e, GLLM_OUT_OF_MEMORY, "the system gave no memory", NULL, 0, size, 0);
	if (!memory || gllm_context_create(memory, size, &c, &x, &e) != GLLM_OK)
		return tool_failed(&e);
	void *names = malloc(need); /* plans refer to them */
	if (gllm_graph_read(x, text, n, r->rows, names, need, &g, &e) != GLLM_OK)
		return misread(r->path, &e);
	struct gllm_tuning tuning = { .stages = (uint8_t)r->stages };
	struct gllm_plan_options o = { .scalar = !c.target || !c.profile.vector_bytes, .tuning = &tuning };
	if (r->ir)
		o.listing = tool_put;
	if (gllm_compile(x, g, &o, &p, &e) != GLLM_OK)
		return tool_failed(&e);
	*out = (struct plans){ .plan = { p }, .n = 1, .code = c.host.code.exec };
	return 0;
}

static int open_plans(const struct tool *t, const struct request *r, struct plans *out)
{
	size_t n = 0;
	*out = (struct plans){ .n = 0 };
	const unsigned char *file = r->path ? host_file(r->path, &n) : NULL;
	if (!r->path || (n >= 4 && memcmp(file, "GGUF", 4) == 0))
		return of_model(t, r, out);
	if (!file) {
		fprintf(stderr, "gllm: cannot read %s\n", r->path);
		return 1;
	}
	return of_text(t, r, (const char *)file, n, out);
}

int tool_explain(const struct tool *t, int argc, char **argv)
{
	struct request r;
	struct plans p;
	int bad = arguments(&r, argc, argv, "explain [MODEL|FILE.graph] [--rows N] [--dot|--svg|--json]");
	if (!bad)
		bad = open_plans(t, &r, &p);
	if (!bad && r.dot)
		plan_dot(p.plan, p.n);
	else if (!bad && r.svg)
		plan_svg(p.plan, p.n);
	for (unsigned i = 0; !bad && !r.dot && !r.svg && i < p.n; i++) {
		if (t->json)
			plan_json(p.plan[i]);
		else
			gllm_plan_explain(p.plan[i], tool_put, NULL);
	}
	return bad;
}

static void disassemble(const struct gllm_target *target, const unsigned char *code, uint32_t offset, uint32_t bytes)
{
	for (uint32_t at = 0; at < bytes;) {
		struct gllm_insn insn;
		char text[128];
		if (target->decode(code + offset + at, bytes - at, at, &insn) != GLLM_OK) {
			printf("  %6x  not decoded: %02x\n", at, code[offset + at]);
			at += target->isa == GLLM_ISA_AARCH64 ? 4 : 1;
			continue;
		}
		target->text(&insn, text, sizeof text);
		printf("  %6x  %s\n", at, text);
		at += insn.length;
	}
}

int tool_disasm(const struct tool *t, int argc, char **argv)
{
	struct request r;
	struct plans p;
	int bad = arguments(&r, argc, argv, "disasm [MODEL|FILE.graph] [--rows N] [--stages 1|2] [--ir]");
	if (!bad)
		bad = open_plans(t, &r, &p);
	for (unsigned i = 0; !bad && !r.ir && i < p.n; i++) {
		for (unsigned k = 0; k < gllm_plan_steps(p.plan[i]); k++) {
			struct gllm_step_info info;
			gllm_plan_step(p.plan[i], k, &info);
			printf("%s%s: %u bytes\n", info.name, p.chunk[i] ? " (chunk)" : "", info.code_bytes);
			if (info.code_bytes)
				disassemble(host_target(), p.code, info.code_offset, info.code_bytes);
		}
	}
	return bad;
}
