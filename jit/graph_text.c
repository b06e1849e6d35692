/* SPDX-License-Identifier: MIT
 * jit/graph_text.c - see gllm/graph_text.h. One token is looked ahead; the first failure sticks and turns every further
 * token into the end of the text. */
#include "gllm/graph_text.h"
#include "core/bits.h"
#include "core/fmt.h"
#include "jit/context.h"
#include "jit/graph.h"

enum token { END, LINE, NAME, NUMBER, OTHER }; /* OTHER: one character that stands for itself */

struct symbol {
	const char *name;
	double value;       /* of a constant */
	gllm_tensor tensor; /* GLLM_NO_TENSOR: a constant */
};

struct number {
	double value;
	bool rows; /* the symbolic row count instead */
};

struct reader {
	struct gllm_context *c;
	const char *at, *end;
	unsigned line, depth;     /* depth of brackets, in which lines do not end */
	enum token token;
	const char *text; size_t length; /* of the token */
	unsigned token_line, last_line; /* of the token, of the one before */
	double value;             /* of a NUMBER */
	struct gllm_graph *g;
	struct symbol *symbol;
	unsigned nsymbols, nlines;
	char *names;              /* where the next one goes */
	char node[64];            /* what is being read, for errors; "" outside nodes */
	struct gllm_error *e;
	enum gllm_status status;
};

static const char *const kind_name[] = {
	[GLLM_TENSOR_INPUT] = "input", [GLLM_TENSOR_WEIGHT] = "weight", [GLLM_TENSOR_OUTPUT] = "output",
	[GLLM_TENSOR_VALUE] = "value",
};

/* --- errors --------------------------------------------------------------------------------------------------------- */

static void fail_at(struct reader *r, enum gllm_status s, const char *what, const char *name, size_t length,
                    uint64_t expected, uint64_t actual)
{
	char words[64];
	if (r->status != GLLM_OK)
		return;
	gllm_format(words, sizeof words, r->node[0] && length ? "%s: %.*s" : "%s%.*s", r->node, (int)(length < 64 ? length : 64), name);
	r->status = gllm_fail(r->e, s, what, words, r->token_line, expected, actual);
	r->token = END;
}

static void fail(struct reader *r, enum gllm_status s, const char *what)
{
	fail_at(r, s, what, r->text, r->token == LINE ? 0 : r->length, 0, 0);
}

/* Of what stands before the token. */
static void fail_behind(struct reader *r, enum gllm_status s, const char *what)
{
	r->token_line = r->last_line;
	fail_at(r, s, what, "", 0, 0, 0);
}

/* --- tokens --------------------------------------------------------------------------------------------------------- */

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool more(const struct reader *r)
{
	return r->at < r->end;
}

static void skip_space(struct reader *r)
{
	for (; more(r); r->at++) {
		if (*r->at == '#')
			while (r->at + 1 < r->end && r->at[1] != '\n')
				r->at++;
		else if (*r->at == '\n' && r->depth)
			r->line++;
		else if (*r->at != ' ' && *r->at != '\t' && *r->at != '\r')
			return;
	}
}

/* Digits become an integer below 10^15 and a power of ten within 22, both exact in a double: one rounding in all. */
static void read_number(struct reader *r)
{
	enum { MOST_DIGITS = 15, MOST_POWER = 22 };
	double value = 0.0, scale = 1.0;
	int power = 0, given = 0, digits = 0;
	bool point = false, negative = false;
	for (; more(r) && (digit(*r->at) || (*r->at == '.' && !point)); r->at++) {
		if (*r->at == '.') {
			point = true;
			continue;
		}
		value = value * 10.0 + (*r->at - '0');
		digits += digits > 0 || *r->at != '0';
		power -= point;
	}
	if (more(r) && (*r->at == 'e' || *r->at == 'E')) {
		r->at++;
		if (more(r) && (*r->at == '-' || *r->at == '+'))
			negative = *r->at++ == '-';
		if (!more(r) || !digit(*r->at))
			digits = MOST_DIGITS + 1;
		for (; more(r) && digit(*r->at) && given < 1000; r->at++)
			given = given * 10 + (*r->at - '0');
	}
	power += negative ? -given : given;
	r->length = (size_t)(r->at - r->text);
	if (digits > MOST_DIGITS || power > MOST_POWER || power < -MOST_POWER) {
		fail(r, GLLM_SYNTAX, "a number has at most 15 digits and an exponent of at most 22");
		return;
	}
	for (int i = 0; i < (power < 0 ? -power : power); i++)
		scale *= 10.0;
	r->value = power < 0 ? value / scale : value * scale;
}

static void next(struct reader *r)
{
	if (r->status != GLLM_OK)
		return;
	skip_space(r);
	r->text = r->at;
	r->length = 1;
	r->last_line = r->token_line;
	r->token_line = r->line;
	if (!more(r)) {
		r->token = END;
		r->length = 0;
	} else if (*r->at == '\n') {
		r->token = LINE;
		r->line++;
		r->at++;
	} else if (letter(*r->at)) {
		r->token = NAME;
		while (more(r) && (letter(*r->at) || digit(*r->at) || *r->at == '.'))
			r->at++;
		r->length = (size_t)(r->at - r->text);
	} else if (digit(*r->at)) {
		r->token = NUMBER;
		read_number(r);
	} else {
		r->token = OTHER;
		r->at++;
	}
}

static bool is(const struct reader *r, const char *word)
{
	size_t i = 0;
	while (i < r->length && word[i] && word[i] == r->text[i])
		i++;
	return (r->token == NAME || r->token == OTHER) && i == r->length && !word[i];
}

static bool take(struct reader *r, const char *word)
{
	bool here = is(r, word);
	if (here)
		next(r);
	return here;
}

static void expect(struct reader *r, const char *word, const char *what)
{
	if (!take(r, word))
		fail(r, GLLM_SYNTAX, what);
}

static void open(struct reader *r, const char *bracket, const char *what)
{
	r->depth++;
	expect(r, bracket, what);
}

static void close(struct reader *r, const char *bracket, const char *what)
{
	r->depth--;
	expect(r, bracket, what);
}

static void end_of_line(struct reader *r)
{
	if (r->token == LINE)
		next(r);
	else if (r->token != END)
		fail(r, GLLM_SYNTAX, "something stands behind the end of a statement");
}

/* --- names ---------------------------------------------------------------------------------------------------------- */

static bool reserved(const struct reader *r)
{
	static const char *const word[] = { "graph", "let", "rows", "per", "packed" };
	for (unsigned i = 0; i < GLLM_COUNT(word); i++)
		if (is(r, word[i]))
			return true;
	for (unsigned i = 0; i < GLLM_COUNT(kind_name); i++)
		if (is(r, kind_name[i]))
			return true;
	return false;
}

static struct symbol *find(struct reader *r)
{
	for (unsigned i = 0; i < r->nsymbols; i++)
		if (is(r, r->symbol[i].name))
			return &r->symbol[i];
	return NULL;
}

/* A copy of the token, which every name fits: it is shorter in the text by the character that ends it. */
static const char *keep(struct reader *r)
{
	char *name = r->names;
	for (size_t i = 0; i < r->length; i++)
		*r->names++ = r->text[i];
	*r->names++ = 0;
	return name;
}

static const char *new_name(struct reader *r)
{
	const char *name = NULL;
	if (r->token != NAME || reserved(r))
		fail(r, GLLM_SYNTAX, "a name is expected");
	else if (find(r))
		fail(r, GLLM_DUPLICATE, "this name is taken");
	else
		name = keep(r);
	next(r);
	return name;
}

/* There is at most one symbol a line. */
static void declare(struct reader *r, const char *name, double value, gllm_tensor tensor)
{
	if (r->status == GLLM_OK && r->nsymbols < r->nlines)
		r->symbol[r->nsymbols++] = (struct symbol){ name, value, tensor };
}

/* --- numbers -------------------------------------------------------------------------------------------------------- */

static struct number factor(struct reader *r)
{
	bool negative = take(r, "-");
	struct number n = { .rows = is(r, "rows") };
	const struct symbol *s = r->token == NAME ? find(r) : NULL;
	if (r->token == NUMBER)
		n.value = r->value;
	else if (s && s->tensor == GLLM_NO_TENSOR)
		n.value = s->value;
	else if (s)
		fail(r, GLLM_WRONG_TYPE, "a number is expected, not a tensor");
	else if (!n.rows)
		fail(r, r->token == NAME ? GLLM_MISSING_KEY : GLLM_SYNTAX, "a number is expected");
	if (negative)
		n.value = -n.value;
	next(r);
	return n;
}

static struct number number(struct reader *r)
{
	struct number n = factor(r);
	while (is(r, "*") || is(r, "/")) {
		bool over = is(r, "/");
		next(r);
		struct number m = factor(r);
		if (n.rows || m.rows)
			fail_behind(r, GLLM_UNSUPPORTED, "the symbolic row count stands alone");
		else if (over && m.value == 0.0)
			fail_behind(r, GLLM_INVALID_ARGUMENT, "division by zero");
		else
			n.value = over ? n.value / m.value : n.value * m.value;
	}
	return n;
}

static uint64_t dim(struct reader *r)
{
	struct number n = number(r);
	if (n.rows)
		return GLLM_ROWS;
	if (!(n.value >= 0.0 && n.value <= 0x1p40) || n.value != (double)(uint64_t)n.value) {
		fail_behind(r, GLLM_INVALID_ARGUMENT, "a dimension is an integer of 0 .. 2^40");
		return 0;
	}
	return (uint64_t)n.value;
}

/* --- statements ----------------------------------------------------------------------------------------------------- */

static void graph_statement(struct reader *r, uint64_t max_rows)
{
	uint64_t rows = 1;
	while (r->token == LINE)
		next(r);
	unsigned line = r->token_line;
	expect(r, "graph", "a text begins with: graph NAME");
	const char *name = new_name(r);
	if (take(r, "rows"))
		rows = dim(r);
	end_of_line(r);
	if (r->status != GLLM_OK)
		return;
	unsigned most = r->nlines < 4096 ? r->nlines : 4096;
	r->status = gllm_graph_create(r->c, name, max_rows ? max_rows : rows, most, most, &r->g, r->e);
	if (r->status != GLLM_OK && r->e)
		r->e->where = line;
}

/* What the graph refused becomes an error of this line. */
static void check_graph(struct reader *r, unsigned line)
{
	struct gllm_error e = { .status = GLLM_OK };
	if (r->status == GLLM_OK && gllm_graph_status(r->g, &e) != GLLM_OK) {
		size_t n = 0;
		while (e.name[n])
			n++;
		r->token_line = line;
		fail_at(r, e.status, e.what, e.name, n, e.expected, e.actual);
	}
}

/* In panels as wide as the context's CPU likes them; what cannot be packed so is refused by the graph. */
static void pack(struct reader *r, gllm_tensor t, enum gllm_type type, uint64_t n, uint64_t k)
{
	struct gllm_packing p = { .type = type };
	gllm_packing_of(&r->c->profile, type, n, k, 0, &p, NULL);
	gllm_graph_packed(r->g, t, &p);
}

static void tensor_statement(struct reader *r, enum gllm_tensor_kind kind)
{
	unsigned line = r->token_line;
	enum gllm_type type = GLLM_F32;
	next(r);
	const char *name = new_name(r);
	if (r->token == NAME) {
		unsigned t = 0;
		while (t < GLLM_MASK && !is(r, gllm_type_name((enum gllm_type)t)))
			t++;
		if (t == GLLM_MASK)
			fail(r, GLLM_MISSING_KEY, "no such element type");
		type = (enum gllm_type)t;
		next(r);
	}
	open(r, "[", "a shape is expected: [rows, columns]");
	uint64_t rows = dim(r);
	expect(r, ",", "a shape has two numbers: [rows, columns]");
	uint64_t cols = dim(r);
	close(r, "]", "a shape has two numbers: [rows, columns]");
	if (cols == GLLM_ROWS)
		fail_behind(r, GLLM_UNSUPPORTED, "only the first number of a shape may be the symbolic row count");
	uint64_t columns = take(r, "packed") ? dim(r) : 0;
	end_of_line(r);
	if (r->status != GLLM_OK)
		return;
	gllm_tensor t = gllm_graph_tensor(r->g, kind, type, rows, cols, name);
	declare(r, name, 0.0, t);
	if (columns && t != GLLM_NO_TENSOR)
		pack(r, t, type, columns, rows * cols / columns);
	check_graph(r, line);
}

static gllm_tensor operand(struct reader *r)
{
	const struct symbol *s = r->token == NAME ? find(r) : NULL;
	gllm_tensor t = s ? s->tensor : GLLM_NO_TENSOR;
	if (!s)
		fail(r, r->token == NAME ? GLLM_MISSING_KEY : GLLM_SYNTAX, "a tensor is expected, declared before");
	else if (t == GLLM_NO_TENSOR)
		fail(r, GLLM_WRONG_TYPE, "a tensor is expected, not a constant");
	next(r);
	return t;
}

static void argument(struct reader *r, const struct gllm_param *p, struct gllm_actual *a)
{
	if (p->kind == GLLM_DIM) {
		a->dim = dim(r);
	} else if (p->kind == GLLM_SCALAR) {
		struct number n = number(r);
		if (n.rows)
			fail_behind(r, GLLM_UNSUPPORTED, "a scalar cannot be the row count");
		a->scalar = (float)n.value;
	} else {
		a->tensor = operand(r);
	}
}

/* Whether the token names a parameter: a name with = behind it. */
static bool named(const struct reader *r)
{
	struct reader ahead = *r;
	ahead.e = NULL;
	next(&ahead);
	return r->token == NAME && is(&ahead, "=");
}

/* The parameter that the token names, or the first one that is not given yet. */
static unsigned which(struct reader *r, const struct gllm_op_entry *o, uint32_t given)
{
	unsigned i = 0;
	if (named(r)) {
		while (i < o->nparams && !is(r, o->param[i].name))
			i++;
		if (i == o->nparams)
			fail(r, GLLM_MISSING_KEY, "the operator has no such parameter");
		else if (given >> i & 1)
			fail(r, GLLM_DUPLICATE, "this parameter is given already");
		next(r);
		next(r);
		return i;
	}
	while (i < o->nparams && (given >> i & 1))
		i++;
	if (i == o->nparams)
		fail(r, GLLM_SYNTAX, "more arguments than the operator has parameters");
	return i;
}

static void arguments(struct reader *r, const struct gllm_op_entry *o, struct gllm_actual *actual, uint32_t given)
{
	open(r, "(", "arguments are expected: operator(..)");
	while (r->status == GLLM_OK && !is(r, ")")) {
		unsigned i = which(r, o, given);
		if (r->status != GLLM_OK)
			return;
		argument(r, &o->param[i], &actual[i]);
		given |= UINT32_C(1) << i;
		if (!is(r, ")"))
			expect(r, ",", "arguments are separated by commas");
	}
	for (unsigned i = 0; i < o->nparams; i++)
		if (!(given >> i & 1)) {
			size_t n = 0;
			while (o->param[i].name[n])
				n++;
			fail_at(r, GLLM_SYNTAX, "a parameter is not given", o->param[i].name, n, 0, 0);
		}
	close(r, ")", "arguments end in )");
}

static unsigned operator(struct reader *r)
{
	unsigned op = 0;
	while (op < r->c->nops && !(r->token == NAME && is(r, r->c->op[op].name)))
		op++;
	if (op == r->c->nops)
		fail(r, r->token == NAME ? GLLM_MISSING_KEY : GLLM_SYNTAX, "no such operator");
	return op;
}

static void node_statement(struct reader *r)
{
	struct gllm_actual actual[GLLM_MAX_PARAMS] = { { .tensor = GLLM_NO_TENSOR } };
	gllm_tensor left[GLLM_MAX_PARAMS];
	unsigned n = 0, line = r->token_line;
	uint32_t given = 0;
	uint64_t batch = 1;
	const char *first = r->text;
	size_t length = r->length;
	do {
		if (n == GLLM_MAX_PARAMS)
			fail(r, GLLM_SYNTAX, "more outputs than an operator can have");
		else
			left[n++] = operand(r);
	} while (take(r, ","));
	expect(r, "=", "a statement is expected, or outputs and =");
	unsigned op = operator(r);
	if (r->status != GLLM_OK)
		return;
	const struct gllm_op_entry *o = &r->c->op[op];
	gllm_format(r->node, sizeof r->node, "%.*s = %s", (int)(length < 24 ? length : 24), first, o->name);
	unsigned outputs = 0;
	for (unsigned i = 0; i < o->nparams; i++) {
		if (o->param[i].kind != GLLM_OUT)
			continue;
		if (outputs < n)
			actual[i].tensor = left[outputs];
		outputs++;
		given |= UINT32_C(1) << i;
	}
	if (outputs != n)
		fail_at(r, GLLM_SYNTAX, "another number of outputs than the operator has", "", 0, outputs, n);
	next(r);
	arguments(r, o, actual, given);
	if (take(r, "per"))
		batch = dim(r);
	end_of_line(r);
	if (r->status == GLLM_OK)
		gllm_graph_node(r->g, op, batch, actual, o->nparams);
	r->node[0] = 0; /* what the graph refuses names the node itself */
	check_graph(r, line);
}

static void let_statement(struct reader *r)
{
	next(r);
	const char *name = new_name(r);
	expect(r, "=", "a constant is expected: let NAME = NUMBER");
	struct number n = number(r);
	if (n.rows)
		fail_behind(r, GLLM_UNSUPPORTED, "a constant cannot be the row count");
	end_of_line(r);
	declare(r, name, n.value, GLLM_NO_TENSOR);
}

static void statement(struct reader *r)
{
	for (unsigned k = 0; k < GLLM_COUNT(kind_name); k++) {
		if (is(r, kind_name[k])) {
			tensor_statement(r, (enum gllm_tensor_kind)k);
			return;
		}
	}
	if (r->token == LINE)
		next(r);
	else if (is(r, "let"))
		let_statement(r);
	else
		node_statement(r);
}

static unsigned lines(const char *text, size_t n)
{
	unsigned count = 1;
	for (size_t i = 0; i < n; i++)
		count += text[i] == '\n';
	return count;
}

size_t gllm_graph_text_workspace(const char *text, size_t n)
{
	if (n >= (size_t)1 << 28)
		return SIZE_MAX;
	return lines(text, n) * sizeof(struct symbol) + n + 1;
}

enum gllm_status gllm_graph_read(struct gllm_context *c, const char *text, size_t n, uint64_t max_rows, void *workspace,
                                 size_t size, struct gllm_graph **out, struct gllm_error *e)
{
	struct reader r = { .c = c, .at = text, .end = text + n, .line = 1, .e = e };
	if (!workspace || ((uintptr_t)workspace & 7))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "workspace is NULL or not aligned to 8 bytes", NULL, 0, 8, 0);
	if (size < gllm_graph_text_workspace(text, n))
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "workspace is smaller than gllm_graph_text_workspace", NULL, 0,
		                 gllm_graph_text_workspace(text, n), size);
	r.nlines = lines(text, n);
	r.symbol = workspace;
	r.names = (char *)(r.symbol + r.nlines);
	next(&r);
	graph_statement(&r, max_rows);
	while (r.status == GLLM_OK && r.token != END)
		statement(&r);
	if (r.status == GLLM_OK)
		*out = r.g;
	else if (r.g)
		gllm_graph_free(c, r.g);
	return r.status;
}
