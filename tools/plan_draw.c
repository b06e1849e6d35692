/* SPDX-License-Identifier: MIT
 * tools/plan_draw.c - see plan_draw.h. */
#include "tools/plan_draw.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "tools/tool.h"

enum { NONE = 0xffff };

static const char *tensor_name(const struct gllm_plan *p, unsigned tensor)
{
	static struct gllm_tensor_info info;
	return gllm_plan_tensor(p, tensor, &info) == GLLM_OK ? info.name : "scratch";
}

/* "12 B", "3.5 KiB", "1.2 MiB" */
static const char *size_words(uint64_t bytes)
{
	static char words[32];
	if (bytes < 1024)
		snprintf(words, sizeof words, "%" PRIu64 " B", bytes);
	else if (bytes < 1024 * 1024)
		snprintf(words, sizeof words, "%.3g KiB", (double)bytes / 1024);
	else
		snprintf(words, sizeof words, "%.3g MiB", (double)bytes / (1024 * 1024));
	return words;
}

static void json_text(const char *name, const char *text)
{
	printf("\"%s\": ", name);
	if (text)
		tool_json_string(text, strlen(text));
	else
		printf("null");
}

void plan_json(const struct gllm_plan *p)
{
	printf("{");
	json_text("plan", gllm_plan_name(p));
	printf(", \"workspace\": %zu, \"steps\": [", gllm_plan_workspace(p));
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info s;
		gllm_plan_step(p, i, &s);
		printf("%s{", i ? ", " : "");
		json_text("name", s.name);
		printf(", \"group\": %u, ", s.group);
		json_text("mode", gllm_mode_name(s.mode));
		printf(", ");
		json_text("pattern", gllm_pattern_name(s.pattern));
		printf(", ");
		json_text("strategy", s.strategy);
		printf(", \"times\": %" PRIu64 ", \"code_bytes\": %u, \"bytes_saved\": %" PRIu64 ", \"bytes_moved\": %" PRIu64 ", \"cycles\": %"
		       PRIu64 "}", s.times, s.code_bytes, s.bytes_saved, s.bytes_moved, s.cycles);
	}
	printf("], \"nodes\": [");
	for (unsigned i = 0; i < gllm_plan_nodes(p); i++) {
		struct gllm_node_info n;
		gllm_plan_node(p, i, &n);
		printf("%s{", i ? ", " : "");
		json_text("op", n.name);
		printf(", \"group\": %u}", n.group);
	}
	printf("], \"edges\": [");
	for (unsigned i = 0; i < gllm_plan_edges(p); i++) {
		struct gllm_edge_info x;
		gllm_plan_edge(p, i, &x);
		printf("%s{\"from\": %d, \"to\": %u, ", i ? ", " : "", x.producer == NONE ? -1 : x.producer, x.consumer);
		json_text("tensor", tensor_name(p, x.tensor));
		printf(", \"bytes\": %" PRIu64 ", \"fused\": %s, ", x.bytes, x.fused ? "true" : "false");
		json_text("why", x.why);
		printf("}");
	}
	printf("], \"buffers\": [");
	for (unsigned i = 0; i < gllm_plan_buffers(p); i++) {
		struct gllm_buffer_info b;
		gllm_plan_buffer(p, i, &b);
		printf("%s{", i ? ", " : "");
		json_text("tensor", b.tensor == GLLM_NO_TENSOR ? NULL : tensor_name(p, b.tensor));
		printf(", \"first_group\": %u, \"last_group\": %u, \"offset\": %" PRIu64 ", \"bytes\": %" PRIu64 "}", b.first_group,
		       b.last_group, b.offset, b.bytes);
	}
	printf("]}\n");
}

/* The group's first step; its own name if it has several. */
static void group_info(const struct gllm_plan *p, unsigned group, struct gllm_step_info *out, unsigned *steps, uint64_t *saved)
{
	struct gllm_step_info s;
	*steps = 0;
	*saved = 0;
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		gllm_plan_step(p, i, &s);
		if (s.group != group)
			continue;
		if ((*steps)++ == 0)
			*out = s;
		*saved += s.bytes_saved;
	}
}

/* --- dot ------------------------------------------------------------------------------------------------------------ */

static void dot_edges(const struct gllm_plan *p, unsigned plan)
{
	for (unsigned i = 0; i < gllm_plan_edges(p); i++) {
		struct gllm_edge_info x;
		struct gllm_tensor_info t;
		gllm_plan_edge(p, i, &x);
		gllm_plan_tensor(p, x.tensor, &t);
		if (t.kind == GLLM_TENSOR_WEIGHT)
			continue;
		if (x.producer == NONE)
			printf("\tp%ut%u [label=\"%s\", shape=plaintext];\n\tp%ut%u -> p%un%u [label=\"%s\"];\n", plan, x.tensor, t.name,
			       plan, x.tensor, plan, x.consumer, size_words(x.bytes));
		else
			printf("\tp%un%u -> p%un%u [label=\"%s, %s%s%s\", style=%s];\n", plan, x.producer, plan, x.consumer, t.name,
			       size_words(x.bytes), x.why ? "\\n" : "", x.why ? x.why : "", x.fused ? "solid" : "dashed");
	}
}

void plan_dot(const struct gllm_plan *const *plan, unsigned n)
{
	printf("digraph plans {\n\tfontname=\"sans-serif\"; node [shape=box, fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\", fontsize=9];\n");
	for (unsigned k = 0; k < n; k++) {
		const struct gllm_plan *p = plan[k];
		printf("\tsubgraph cluster_p%u {\n\tlabel=\"%s\";\n", k, gllm_plan_name(p));
		for (unsigned g = 0; g < gllm_plan_groups(p); g++) {
			struct gllm_step_info s;
			unsigned steps;
			uint64_t saved;
			group_info(p, g, &s, &steps, &saved);
			printf("\tsubgraph cluster_p%ug%u {\n\tlabel=\"group %u: %s, %u step%s, saves %s\"; style=filled; color=\"#dbe7f3\";\n", k, g,
			       g, gllm_mode_name(s.mode), steps, steps == 1 ? "" : "s", size_words(saved));
			for (unsigned i = 0; i < gllm_plan_nodes(p); i++) {
				struct gllm_node_info node;
				gllm_plan_node(p, i, &node);
				if (node.group == g)
					printf("\tp%un%u [label=\"%s\", style=filled, fillcolor=white];\n", k, i, node.name);
			}
			printf("\t}\n");
		}
		printf("\t}\n");
		dot_edges(p, k);
	}
	printf("}\n");
}

/* --- svg ------------------------------------------------------------------------------------------------------------ */

enum { LEFT = 90, COLUMN = 170, HEAD = 34, LINE = 15, CHART = 260, GAP = 40 };

static unsigned most_nodes(const struct gllm_plan *p)
{
	unsigned most = 1;
	for (unsigned g = 0; g < gllm_plan_groups(p); g++) {
		unsigned count = 0;
		for (unsigned i = 0; i < gllm_plan_nodes(p); i++) {
			struct gllm_node_info n;
			gllm_plan_node(p, i, &n);
			count += n.group == g;
		}
		most = count > most ? count : most;
	}
	return most;
}

static unsigned groups_height(const struct gllm_plan *p)
{
	return (most_nodes(p) + 3) * LINE + 10;
}

static unsigned plan_height(const struct gllm_plan *p)
{
	return HEAD + groups_height(p) + GAP + CHART + GAP;
}

static void svg_group(const struct gllm_plan *p, unsigned g, unsigned x, unsigned y)
{
	struct gllm_step_info s;
	unsigned steps, line = 1;
	uint64_t saved;
	group_info(p, g, &s, &steps, &saved);
	printf("<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"4\" fill=\"#dbe7f3\" stroke=\"#5b7fa3\"/>\n", x + 4, y, COLUMN - 8,
	       groups_height(p));
	printf("<text x=\"%u\" y=\"%u\" font-weight=\"bold\">%u %s</text>\n", x + 12, y + line++ * LINE + 2, g, gllm_mode_name(s.mode));
	printf("<text x=\"%u\" y=\"%u\" fill=\"#555\">%u step%s, saves %s</text>\n", x + 12, y + line++ * LINE + 2, steps,
	       steps == 1 ? "" : "s", size_words(saved));
	for (unsigned i = 0; i < gllm_plan_nodes(p); i++) {
		struct gllm_node_info n;
		gllm_plan_node(p, i, &n);
		if (n.group == g)
			printf("<text x=\"%u\" y=\"%u\">%s</text>\n", x + 20, y + line++ * LINE + 4, n.name);
	}
}

static void svg_chart(const struct gllm_plan *p, unsigned y)
{
	static const char *const colour[] = { "#7aa6c2", "#c9a66b", "#8fbf8f", "#c28fa6", "#a39bd0", "#d0b7a0" };
	double total = gllm_plan_workspace(p) ? (double)gllm_plan_workspace(p) : 1.0;
	unsigned width = gllm_plan_groups(p) * COLUMN;
	printf("<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"#f7f7f7\" stroke=\"#999\"/>\n", LEFT, y, width, CHART);
	printf("<text x=\"%u\" y=\"%u\" text-anchor=\"end\">0</text>\n<text x=\"%u\" y=\"%u\" text-anchor=\"end\">%s</text>\n", LEFT - 6,
	       y + 10, LEFT - 6, y + CHART, size_words(gllm_plan_workspace(p)));
	printf("<text x=\"%u\" y=\"%u\" fill=\"#555\">workspace over groups</text>\n", LEFT, y - 6);
	for (unsigned i = 0; i < gllm_plan_buffers(p); i++) {
		struct gllm_buffer_info b;
		gllm_plan_buffer(p, i, &b);
		double top = y + CHART * ((double)b.offset / total), height = CHART * ((double)b.bytes / total);
		printf("<rect x=\"%u\" y=\"%.2f\" width=\"%u\" height=\"%.2f\" fill=\"%s\" stroke=\"#333\" stroke-width=\"0.5\">"
		       "<title>%s: %s at %" PRIu64 ", groups %u to %u</title></rect>\n", LEFT + b.first_group * COLUMN + 3, top,
		       (unsigned)(b.last_group - b.first_group + 1) * COLUMN - 6, height, colour[i % 6],
		       b.tensor == GLLM_NO_TENSOR ? "scratch" : tensor_name(p, b.tensor), size_words(b.bytes), b.offset,
		       b.first_group, b.last_group);
		if (height >= 12)
			printf("<text x=\"%u\" y=\"%.2f\">%s, %s</text>\n", LEFT + b.first_group * COLUMN + 10, top + height / 2 + 4,
			       b.tensor == GLLM_NO_TENSOR ? "scratch" : tensor_name(p, b.tensor), size_words(b.bytes));
	}
}

void plan_svg(const struct gllm_plan *const *plan, unsigned n)
{
	unsigned width = 400, height = 10, y = 10;
	for (unsigned k = 0; k < n; k++) {
		unsigned w = LEFT + gllm_plan_groups(plan[k]) * COLUMN + 20;
		width = w > width ? w : width;
		height += plan_height(plan[k]);
	}
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" font-family=\"sans-serif\" font-size=\"11\">\n"
	       "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", width, height);
	for (unsigned k = 0; k < n; k++) {
		printf("<text x=\"12\" y=\"%u\" font-size=\"15\" font-weight=\"bold\">%s</text>\n", y + 16, gllm_plan_name(plan[k]));
		for (unsigned g = 0; g < gllm_plan_groups(plan[k]); g++)
			svg_group(plan[k], g, LEFT + g * COLUMN, y + HEAD);
		svg_chart(plan[k], y + HEAD + groups_height(plan[k]) + GAP);
		y += plan_height(plan[k]);
	}
	printf("</svg>\n");
}
