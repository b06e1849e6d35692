/* SPDX-License-Identifier: MIT
 * jit/lower_tile.c - sums of products of words of 64 bits, of two rows and two columns at once (VTILE).
 *
 * A loop k of nothing but such sums inside a loop v, whose iterations lie in lanes, inside a loop r of rows. Words of one
 * factor lie side by side along r, those of the other along v; so two rows are 16 bytes, and each half of the lanes'
 * columns is a vector. Where plain sums have one accumulator for a row and a vector of columns, so have these: with
 * two rows, the first one's has the tiles of the lower half of the columns, the second one's those of the upper half. A
 * row that is alone has both. Behind the loop rows are dealt out of the tiles.
 * What is read beside the rows and columns that are meant is memory of the same pack, and never stored. */
#include "jit/lower_state.h"

/* The factor of a DOT that varies along rows, or along columns. */
static gllm_ref factor(const struct lower *l, const struct gllm_node *dot, bool rows)
{
	int v = l->t->loop[dot->loop].parent;
	bool a_is_column = l->dep[dot->a] >> v & 1;

	return a_is_column == rows ? dot->b : dot->a;
}

static bool moves_by_words(const struct lower *l, gllm_ref load, int loop)
{
	struct lin s = l->ind[l->access[node(l, load)->imm].ind].stride[loop];

	return s.sym == NO_SYM && s.c == 8;
}

static bool is_tile(const struct lower *l, const struct gllm_node *x)
{
	return x->op == GLLM_N_DOT && node(l, x->a)->type == GLLM_I64;
}

void gllm_lower_mark_tiles(struct lower *l)
{
	for (unsigned i = 0; i < l->t->nnodes; i++) {
		const struct gllm_node *x = node(l, (gllm_ref)i);
		if (!is_tile(l, x))
			continue;
		int v = x->loop < 0 ? -1 : l->t->loop[x->loop].parent, r = v < 0 ? -1 : l->t->loop[v].parent;
		bool loads = node(l, x->a)->op == GLLM_N_LOAD && node(l, x->b)->op == GLLM_N_LOAD && l->fused[i] == i;
		if (r < 0 || !loads || !(l->m->tiles & gllm_dot_of(x->imm & 255, x->imm >> 8 & 255)) ||
		    !moves_by_words(l, factor(l, x, true), r) || !moves_by_words(l, factor(l, x, false), v)) {
			gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a product of words of 64 bits that the machine lacks", i);
			return;
		}
		l->fused[x->a] = x->a; /* read as the tiles want it, not by themselves */
		l->fused[x->b] = x->b;
		l->loop[x->loop].tiled = true;
	}
}

/* The frame whose copies are rows, or 0: there is one row. */
static unsigned row_frame(const struct lower *l, int k)
{
	int r = l->t->loop[l->t->loop[k].parent].parent;
	unsigned f = l->frame_of[r];

	return f < l->depth && l->frame[f].loop == r ? f : 0;
}

static unsigned rows_of(struct lower *l, unsigned fr)
{
	return fr ? gllm_lower_phase(&l->frame[fr])->copies : 1;
}

static gllm_vreg load(struct lower *l, gllm_ref n, enum gllm_vir_op op, int64_t by, unsigned bytes)
{
	struct gllm_vi i = gllm_vi(op);

	gllm_lower_address(l, l->access[node(l, n)->imm], by, bytes, &i);
	i.type = i.mem = GLLM_F32;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	return gllm_vir_emit(l->v, i);
}

/* Words of two rows, or of half of the columns; each read once for the copies that use it. Places lie in pairs. */
static gllm_vreg words(struct lower *l, gllm_ref n, bool rows, unsigned half)
{
	gllm_vreg *at = &l->slot[l->val[n] + 2 * gllm_lower_index(l, l->dep[n], node(l, n)->loop, false) + half];
	unsigned bytes = l->m->vector_bytes;

	if (*at == GLLM_NO_VREG)
		*at = rows ? load(l, n, GLLM_V_VQUAD, 0, 16) : load(l, n, GLLM_V_VLOAD, half * bytes, bytes);
	return *at;
}

static void add_tile(struct lower *l, const struct gllm_node *dot, gllm_vreg rows, gllm_vreg columns, gllm_vreg sum)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VTILE);
	bool rows_first = factor(l, dot, true) == dot->a;

	i.type = dot->type;
	i.mem = dot->imm & 255;
	i.aux = dot->imm >> 8 & 255;
	i.a = rows_first ? rows : columns;
	i.b = rows_first ? columns : rows;
	i.c = i.d = sum;
	gllm_vir_emit(l->v, i);
}

static gllm_vreg accumulator(const struct lower *l, gllm_ref carry, unsigned half)
{
	return l->slot[gllm_lower_carry_index(l, carry, half)];
}

gllm_vreg gllm_lower_tile(struct lower *l, gllm_ref sum, const struct gllm_node *dot)
{
	gllm_ref carry = l->direct[sum], r = factor(l, dot, true), c = factor(l, dot, false);
	unsigned fr = row_frame(l, dot->loop), row = l->tuple[fr];
	bool alone = !(row & 1) && row + 1 == rows_of(l, fr);

	if (carry == GLLM_NO_NODE) {
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a sum of tiles that is used before its end", sum);
		return 0;
	}
	l->tuple[fr] = row & ~1u;
	gllm_vreg pair = words(l, r, true, 0);
	l->tuple[fr] = row;
	add_tile(l, dot, pair, words(l, c, false, row & 1), accumulator(l, carry, 0));
	if (alone)
		add_tile(l, dot, pair, words(l, c, false, 1), accumulator(l, carry, 1));
	return accumulator(l, carry, 0);
}

/* The current row of the tiles; the loop's frame is gone. */
gllm_vreg gllm_lower_tile_row(struct lower *l, gllm_ref carry)
{
	const struct gllm_node *dot = node(l, l->t->reduction[l->reduction[carry]].value);
	unsigned fr = row_frame(l, dot->loop), row = l->tuple[fr];
	bool alone = !(row & 1) && row + 1 == rows_of(l, fr), rows_first = factor(l, dot, true) == dot->a;
	struct gllm_vi i = gllm_vi(GLLM_V_VZIP);

	l->tuple[fr] = row & ~1u;
	i.a = accumulator(l, carry, 0);
	i.b = accumulator(l, carry, 1);
	if (!alone) {
		l->tuple[fr]++;
		i.b = accumulator(l, carry, 0);
	}
	l->tuple[fr] = row;
	i.type = i.mem = GLLM_F32;
	i.imm = (rows_first ? 8 : 6) + (row & 1);
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	return gllm_vir_emit(l->v, i);
}
