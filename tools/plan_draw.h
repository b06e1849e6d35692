/* SPDX-License-Identifier: MIT
 * tools/plan_draw.h - plans as JSON, as a Graphviz digraph and as SVG, on standard output. */
#ifndef PLAN_DRAW_H
#define PLAN_DRAW_H
#include "gllm/graph.h"

/* One object in a line: steps, nodes, edges with what was decided, places in the workspace. */
void plan_json(const struct gllm_plan *p);

/* One digraph: a cluster for each group, edges with tensor, bytes and reason; fused ones are solid, others dashed. */
void plan_dot(const struct gllm_plan *const *p, unsigned n);

/* Each plan as a row of its groups over the chart of what lies where in the workspace while they run. */
void plan_svg(const struct gllm_plan *const *p, unsigned n);
#endif
