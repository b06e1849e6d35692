/* SPDX-License-Identifier: MIT
 * jit/trace_print.c - a trace as readable text. */
#include "core/bits.h"
#include "core/fmt.h"
#include "jit/trace.h"

enum { LINE = 240 };

struct print {
	const struct gllm_trace *t;
	void (*out)(void *user, const char *text, size_t n);
	void *user;
	char text[LINE];
	struct gllm_line line;
};

static void start(struct print *p, unsigned depth)
{
	p->line = gllm_line(p->text, LINE);
	while (depth--)
		gllm_put_string(&p->line, "  ");
}

static void finish(struct print *p)
{
	size_t n = p->line.length < LINE - 1 ? p->line.length : LINE - 2;
	p->text[n] = '\n';
	p->out(p->user, p->text, n + 1);
}

static void put_symbol(struct print *p, unsigned sym)
{
	if (sym >= GLLM_SYM_LOOP) {
		gllm_put_char(&p->line, 'i');
		gllm_put_unsigned(&p->line, sym - GLLM_SYM_LOOP);
	} else {
		gllm_put_string(&p->line, p->t->param[sym - GLLM_SYM_PARAM].name);
	}
}

static void put_poly(struct print *p, struct gllm_poly x)
{
	if (!x.count)
		gllm_put_char(&p->line, '0');
	for (unsigned i = 0; i < x.count; i++) {
		const struct gllm_term *t = &p->t->term[x.first + i];
		bool minus = t->coef < 0;
		uint64_t size = minus ? 0 - (uint64_t)t->coef : (uint64_t)t->coef;
		gllm_put_string(&p->line, minus ? (i ? " - " : "-") : i ? " + " : "");
		if (size != 1 || !t->sym[0])
			gllm_put_unsigned(&p->line, size);
		for (unsigned k = 0; k < GLLM_TERM_SYMS && t->sym[k]; k++) {
			if (k || size != 1)
				gllm_put_char(&p->line, '*');
			put_symbol(p, t->sym[k]);
		}
	}
}

static void put_value(struct print *p, gllm_ref r)
{
	gllm_put_char(&p->line, 'v');
	gllm_put_unsigned(&p->line, r);
}

static void put_access(struct print *p, uint64_t access)
{
	const struct gllm_access *a = &p->t->access[access];
	if (a->param < GLLM_TRACE_PARAMS) {
		gllm_put_string(&p->line, p->t->param[a->param].name);
	} else {
		gllm_put_string(&p->line, "table");
		gllm_put_unsigned(&p->line, a->param - GLLM_TRACE_PARAMS);
	}
	gllm_put_char(&p->line, '[');
	put_poly(p, a->offset);
	if (a->index != GLLM_NO_NODE) {
		gllm_put_string(&p->line, " + ");
		gllm_put_unsigned(&p->line, a->index_bytes);
		gllm_put_char(&p->line, '*');
		put_value(p, a->index);
	}
	gllm_put_char(&p->line, ']');
}

static void put_constant(struct print *p, const struct gllm_node *n)
{
	gllm_put_string(&p->line, " 0x");
	gllm_put_hex(&p->line, n->imm, 2 * gllm_type_bytes((enum gllm_type)n->type));
	uint32_t u = (uint32_t)n->imm;
	if (n->type != GLLM_F32 || (u >> 23 & 0xff) == 0xff)
		return;
	/* the float widened to a double by its bits: printing must not need a floating-point unit */
	uint64_t d = u & 0x7fffffff;
	if (d >> 23)
		d = (d << 29) + (UINT64_C(896) << 52);
	else if (d)
		return; /* a denormal: its bits say it best */
	gllm_put_string(&p->line, " = ");
	gllm_put_fixed(&p->line, d | (uint64_t)(u >> 31) << 63, 9);
}

static void put_node(struct print *p, gllm_ref i, unsigned depth)
{
	const struct gllm_node *n = &p->t->node[i];
	const gllm_ref operand[3] = { n->a, n->b, n->c };
	start(p, depth);
	if (n->op == GLLM_N_STORE) {
		gllm_put_string(&p->line, "store ");
		put_access(p, n->imm);
		gllm_put_string(&p->line, " = ");
		put_value(p, n->a);
		finish(p);
		return;
	}
	put_value(p, i);
	gllm_put_string(&p->line, ": ");
	gllm_put_string(&p->line, gllm_type_name((enum gllm_type)n->type));
	gllm_put_string(&p->line, " = ");
	for (const char *c = gllm_node_name((enum gllm_node_op)n->op); *c; c++)
		gllm_put_char(&p->line, (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c));
	for (unsigned k = 0; k < gllm_node_operands((enum gllm_node_op)n->op); k++) {
		gllm_put_string(&p->line, k ? ", " : " ");
		put_value(p, operand[k]);
	}
	if (n->op == GLLM_N_LOAD) {
		gllm_put_char(&p->line, ' ');
		put_access(p, n->imm);
	} else if (n->op == GLLM_N_CONST) {
		put_constant(p, n);
	} else if (n->op == GLLM_N_SCALAR) {
		gllm_put_char(&p->line, ' ');
		gllm_put_string(&p->line, p->t->param[n->imm].name);
	} else if (n->op == GLLM_N_INDEX) {
		gllm_put_char(&p->line, ' ');
		put_poly(p, p->t->poly[n->imm]);
	}
	finish(p);
}

static const char *const reduce_name[] = {
	[GLLM_REDUCE_SUM] = "sum", [GLLM_REDUCE_PRODUCT] = "product", [GLLM_REDUCE_MAX] = "max", [GLLM_REDUCE_MIN] = "min",
	[GLLM_REDUCE_AND] = "and", [GLLM_REDUCE_OR] = "or", [GLLM_REDUCE_ARGMAX] = "argmax", [GLLM_REDUCE_ARGMIN] = "argmin",
	[GLLM_REDUCE_OTHER] = "recurrence",
};

static void put_header(struct print *p)
{
	start(p, 0);
	gllm_put_string(&p->line, p->t->name ? p->t->name : "?");
	gllm_put_char(&p->line, '(');
	for (unsigned i = 0; i < p->t->nparams; i++) {
		static const char *const kind[] = { [GLLM_IN] = "in", [GLLM_OUT] = "out", [GLLM_INOUT] = "inout",
			[GLLM_WEIGHT] = "weight", [GLLM_DIM] = "dim", [GLLM_SCALAR] = "scalar" };
		const struct gllm_param *x = &p->t->param[i];
		gllm_put_string(&p->line, i ? ", " : "");
		gllm_put_string(&p->line, kind[x->kind]);
		gllm_put_char(&p->line, ' ');
		if (x->kind != GLLM_DIM) {
			gllm_put_string(&p->line, gllm_type_name(x->type));
			gllm_put_char(&p->line, ' ');
		}
		gllm_put_string(&p->line, x->name);
	}
	gllm_put_string(&p->line, ")  ");
	gllm_put_string(&p->line, gllm_pattern_name(p->t->pattern));
	gllm_put_string(&p->line, ", hash ");
	gllm_put_hex(&p->line, p->t->hash, 16);
	finish(p);
}

static void put_reductions(struct print *p)
{
	for (unsigned i = 0; i < p->t->nreductions; i++) {
		const struct gllm_reduction *r = &p->t->reduction[i];
		start(p, 0);
		gllm_put_string(&p->line, "i");
		gllm_put_signed(&p->line, r->loop);
		gllm_put_string(&p->line, ": ");
		gllm_put_string(&p->line, reduce_name[r->kind]);
		gllm_put_string(&p->line, " of ");
		put_value(p, r->value);
		gllm_put_string(&p->line, " in ");
		put_value(p, r->carry);
		if (r->pair != GLLM_NO_NODE) {
			gllm_put_string(&p->line, ", ");
			put_value(p, r->pair);
		}
		finish(p);
	}
}

/* A table with its first elements. */
static void put_tables(struct print *p)
{
	enum { SHOWN = 8 };
	for (unsigned i = 0; i < p->t->ntables; i++) {
		const struct gllm_table *x = &p->t->table[i];
		unsigned size = gllm_type_bytes((enum gllm_type)x->type), n = x->bytes / size;
		start(p, 0);
		gllm_put_string(&p->line, "table");
		gllm_put_unsigned(&p->line, i);
		gllm_put_string(&p->line, ": ");
		gllm_put_unsigned(&p->line, n);
		gllm_put_string(&p->line, " ");
		gllm_put_string(&p->line, gllm_type_name((enum gllm_type)x->type));
		for (unsigned k = 0; k < n && k < SHOWN; k++) {
			uint64_t v = 0;
			for (unsigned b = 0; b < size; b++)
				v |= (uint64_t)x->data[k * size + b] << (8 * b);
			gllm_put_string(&p->line, k ? ", 0x" : " = 0x");
			gllm_put_hex(&p->line, v, 2 * size);
		}
		gllm_put_string(&p->line, n > SHOWN ? ", .." : "");
		finish(p);
	}
}

void gllm_trace_print(const struct gllm_trace *t, void (*out)(void *user, const char *text, size_t n), void *user)
{
	struct print p = { .t = t, .out = out, .user = user };
	int8_t open[GLLM_TRACE_LOOPS];
	unsigned depth = 0, next = 0;
	put_header(&p);
	put_tables(&p);
	for (unsigned i = 0; i <= t->nnodes; i++) {
		for (bool again = true; again; ) {
			again = false;
			while (depth && t->loop[open[depth - 1]].end == i &&
			       !(next < t->nloops && t->loop[next].first == i && t->loop[next].parent == open[depth - 1])) {
				start(&p, --depth);
				gllm_put_char(&p.line, '}');
				finish(&p);
			}
			if (next < t->nloops && t->loop[next].first == i) {
				start(&p, depth);
				gllm_put_string(&p.line, "for i");
				gllm_put_unsigned(&p.line, next);
				gllm_put_string(&p.line, " < ");
				put_poly(&p, t->loop[next].trip);
				gllm_put_string(&p.line, " {");
				finish(&p);
				open[depth++] = (int8_t)next++;
				again = true;
			}
		}
		if (i < t->nnodes)
			put_node(&p, (gllm_ref)i, depth);
	}
	put_reductions(&p);
}
