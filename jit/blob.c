/* SPDX-License-Identifier: MIT
 * jit/blob.c - see gllm/blob.h.
 *
 * A blob is a row of 64-bit little-endian words: a header, the plan's own fields, texts, every array of GLLM_PLAN_ARRAYS in turn
 * with a word for each field of an element, constants, code; bytes are filled up to whole words with zeros. A number must come
 * back equal from its member's type; a text is its offset among the texts. All is written from and read by the field lists of
 * plan.h; an element is judged as soon as it is read, by what was read before it. */
#include "gllm/blob.h"
#include "core/bits.h"
#include "core/fmt.h"
#include "core/hash.h"
#include "jit/context.h"
#include "jit/pieces.h"

/* A member that is new here needs a row in the lists of plan.h. */
_Static_assert(sizeof(struct gllm_plan_tensor) == 88, "struct gllm_plan_tensor has changed: see GLLM_TENSOR_FIELDS");
_Static_assert(sizeof(struct gllm_step) == 176, "struct gllm_step has changed: see GLLM_STEP_FIELDS");
_Static_assert(sizeof(struct gllm_slot) == 64, "struct gllm_slot has changed: see GLLM_SLOT_FIELDS");
_Static_assert(sizeof(struct gllm_repeat) == 40, "struct gllm_repeat has changed: see GLLM_REPEAT_FIELDS");
_Static_assert(sizeof(struct gllm_note) == 24, "struct gllm_note has changed: see GLLM_NOTE_FIELDS");
_Static_assert(sizeof(struct gllm_node_info) == 16, "struct gllm_node_info has changed: see GLLM_NODE_FIELDS");
_Static_assert(sizeof(struct gllm_edge_info) == 24, "struct gllm_edge_info has changed: see GLLM_EDGE_FIELDS");
_Static_assert(sizeof(struct gllm_buffer_info) == 24, "struct gllm_buffer_info has changed: see GLLM_BUFFER_FIELDS");

/* The words of the header. */
enum { MAGIC, FORMAT, SIZE, CHECKSUM, EMITTER, MACHINE, TEXT_BYTES, CODE_BYTES, VECTOR_BYTES, HEADER_WORDS };
enum { THIS_FORMAT = 6, SUMMED_FROM = (CHECKSUM + 1) * 8 };
enum { MOST_TRIPS = 1 << 22 };                              /* of a repeat: with `most`, every address can be computed */
static const uint64_t magic = UINT64_C(0x6e616c706d6c6c67); /* "gllmplan" */
static const uint64_t most = UINT64_C(1) << 40;             /* bytes of anything */

#define ONE(m) + 1
enum {
	PLAN_WORDS = 0 GLLM_PLAN_FIELDS(ONE, ONE),
#define A(member, count, type, fields) words_of_##member = 0 fields(ONE, ONE),
	GLLM_PLAN_ARRAYS(A)
#undef A
	FIRST_BYTES = (HEADER_WORDS + PLAN_WORDS) * 8,
};

/* Offsets of what lies behind the header and the plan's fields. */
struct layout {
	uint64_t text, arrays, pool, code, end;
};

static struct layout lay_out(const struct gllm_plan *p, uint64_t text_bytes, uint64_t code_bytes)
{
	struct layout l = { .text = FIRST_BYTES };
	uint64_t words = 0;
#define A(member, count, type, fields) words += (uint64_t)p->count * words_of_##member;
	GLLM_PLAN_ARRAYS(A)
#undef A
	l.arrays = l.text + gllm_round_up(text_bytes, 8);
	l.pool = l.arrays + words * 8;
	l.code = l.pool + gllm_round_up(p->pool_bytes, 8);
	l.end = l.code + gllm_round_up(code_bytes, 8);
	return l;
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

struct writer {
	unsigned char *word; /* NULL: texts are counted, nothing is written */
	unsigned char *text;
	size_t used;         /* by texts */
};

static void put(struct writer *w, uint64_t x)
{
	if (w->word) {
		gllm_put_le64(w->word, x);
		w->word += 8;
	}
}

static void put_text(struct writer *w, const char *s)
{
	put(w, w->used);
	do {
		if (w->word)
			w->text[w->used] = (unsigned char)*s;
		w->used++;
	} while (*s++);
}

#define PUT_NUMBER(m) put(w, (uint64_t)x->m);
#define PUT_TEXT(m) put_text(w, x->m);
static void put_plan(struct writer *w, const struct gllm_plan *x)
{
	GLLM_PLAN_FIELDS(PUT_NUMBER, PUT_TEXT)
}

static void put_arrays(struct writer *w, const struct gllm_plan *p)
{
#define A(member, count, type, fields)                    \
	for (unsigned i = 0; i < p->count; i++) {         \
		const type *x = &p->member[i];            \
		fields(PUT_NUMBER, PUT_TEXT)              \
	}
	GLLM_PLAN_ARRAYS(A)
#undef A
}

static size_t text_bytes(const struct gllm_plan *p)
{
	struct writer w = { .word = NULL };
	put_plan(&w, p);
	put_arrays(&w, p);
	return w.used;
}

size_t gllm_plan_blob(const struct gllm_plan *p)
{
	return p->scalar ? 0 : (size_t)lay_out(p, text_bytes(p), p->code_bytes).end;
}

/* Kernel by kernel, wherever each lies in the executable memory. */
static void put_code(const struct gllm_plan *p, unsigned char *to)
{
	const struct gllm_exec_memory *x = &p->context->host.code;
	for (unsigned i = 0; i < p->nsteps; i++) {
		union { gllm_kernel_fn *code; const unsigned char *data; } entry = { p->step[i].kernel };
		__builtin_memcpy(to + p->step[i].info.code_offset, x->write + (entry.data - x->exec), p->step[i].info.code_bytes);
	}
}

enum gllm_status gllm_plan_save(const struct gllm_plan *p, void *out, size_t size, struct gllm_error *e)
{
	if (p->scalar)
		return gllm_fail(e, GLLM_UNSUPPORTED, "a scalar plan holds no code", p->name, 0, 0, 0);
	size_t texts = text_bytes(p), code = p->code_bytes;
	struct layout l = lay_out(p, texts, code);
	unsigned char *to = out;
	if (size < l.end)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "room for a blob is smaller than gllm_plan_blob", p->name, 0, l.end, size);
	const uint64_t header[HEADER_WORDS] = { [MAGIC] = magic, [FORMAT] = THIS_FORMAT, [SIZE] = l.end,
		[EMITTER] = gllm_emitter_key(), [MACHINE] = gllm_machine_key(p->context), [TEXT_BYTES] = texts, [CODE_BYTES] = code,
		[VECTOR_BYTES] = p->vector_bytes };
	for (uint64_t i = 0; i < l.end; i += 8)
		gllm_put_le64(to + i, 0);
	struct writer w = { to, to + l.text, 0 };
	for (unsigned i = 0; i < HEADER_WORDS; i++)
		put(&w, header[i]);
	put_plan(&w, p);
	w.word = to + l.arrays;
	put_arrays(&w, p);
	__builtin_memcpy(to + l.pool, p->pool, p->pool_bytes);
	put_code(p, to + l.code);
	gllm_put_le64(to + CHECKSUM * 8, gllm_hash_block(to + SUMMED_FROM, (size_t)l.end - SUMMED_FROM));
	return GLLM_OK;
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

struct reader {
	const unsigned char *word;
	const char *text;
	uint64_t text_bytes;
	bool bad;            /* a number that its member cannot hold, a text that is not there */
};

/* Bytes of an element may be bytes of the reader as far as a compiler knows, so that it is kept in locals. */
#define GET_NUMBER(m)                                                           \
	{                                                                       \
		uint64_t number = gllm_le64(word);                              \
		__typeof__(x->m) value = (__typeof__(x->m))number;              \
		bad |= (uint64_t)value != number;                               \
		x->m = value;                                                   \
		word += 8;                                                      \
	}
#define GET_TEXT(m)                                                             \
	{                                                                       \
		uint64_t at = gllm_le64(word);                                  \
		bad |= at >= r->text_bytes;                                     \
		x->m = bad ? "" : r->text + at;                                 \
		word += 8;                                                      \
	}
#define GET(fields)                                                             \
	const unsigned char *word = r->word;                                    \
	bool bad = r->bad;                                                      \
	fields(GET_NUMBER, GET_TEXT)                                            \
	r->word = word;                                                         \
	r->bad = bad;
static void get_plan(struct reader *r, struct gllm_plan *x)
{
	GET(GLLM_PLAN_FIELDS)
}

#define A(member, count, type, fields)                      \
	static void get_##member(struct reader *r, type *x) \
	{                                                   \
		GET(fields)                                 \
	}
GLLM_PLAN_ARRAYS(A)
#undef A

/* --- judging: NULL, or what is wrong with an element ---------------------------------------------------------------- */

struct judge {
	const struct gllm_plan *p;     /* its numbers, and the arrays as far as they are read */
	int64_t per_row;               /* at most, so that numbers of max_rows can be computed */
	struct gllm_repeat before[GLLM_REPEAT_LEVELS]; /* the last of each level */
	uint32_t first;                /* of the last */
};

/* That every value of it can be computed. */
static bool sound(const struct judge *j, const struct gllm_linear *l)
{
	return l->fixed <= INT64_C(1) << 60 && l->fixed >= -(INT64_C(1) << 60) && l->per_row <= j->per_row && l->per_row >= -j->per_row;
}

static bool beside(const struct judge *j, uint64_t step)
{
	return step < j->p->nsteps && j->p->step[step].beside;
}

static const char *judge_plan(const struct gllm_context *c, const struct gllm_plan *p)
{
	uint64_t workers;
	if (p->max_rows == 0 || p->max_rows > INT32_MAX || p->workspace > most || p->pool_bytes > most)
		return "a size of the plan is out of range";
	if (p->workers != gllm_workers(c) || !gllm_mul_ok(p->workers, p->worker_bytes, &workers) ||
	    p->worker_begin > p->workspace || workers != p->workspace - p->worker_begin)
		return "the workers' memory is not in the workspace";
	return NULL;
}

static const char *judge_tensor(const struct judge *j, const struct gllm_plan_tensor *t)
{
	if ((unsigned)t->info.kind > GLLM_TENSOR_VALUE || (unsigned)t->info.type >= GLLM_MASK ||
	    t->align != gllm_type_bytes(t->info.type) || !sound(j, &t->bytes))
		return "a tensor is of no kind or type";
	if (t->info.packing.lanes && (gllm_packed_bytes(&t->info.packing) != (uint64_t)t->bytes.fixed || t->info.kind != GLLM_TENSOR_WEIGHT ||
	                              t->info.packing.type != t->info.type))
		return "a tensor is packed in no way";
	return NULL;
}

static const char *judge_step(const struct judge *j, const struct gllm_step *s)
{
	if ((unsigned)s->info.mode >= GLLM_MODE_COUNT || (unsigned)s->info.pattern > GLLM_PATTERN_OPAQUE ||
	    s->info.group >= j->p->nnodes || !sound(j, &s->trip))
		return "a step is of no mode, pattern or group";
	if (s->nslots > GLLM_MAX_SLOTS || s->first_slot > j->p->nslots || s->nslots > j->p->nslots - s->first_slot)
		return "a step has slots that are not there";
	if (s->info.code_offset % GLLM_CODE_ALIGN || s->info.code_bytes == 0 || s->info.code_offset > j->p->code_bytes ||
	    s->info.code_bytes > j->p->code_bytes - s->info.code_offset)
		return "a step has code that is not there";
	return NULL;
}

static const char *judge_slot(const struct judge *j, const struct gllm_slot *s)
{
	bool ok = sound(j, &s->at);
	for (unsigned l = 0; l < GLLM_REPEAT_LEVELS; l++)
		ok = ok && s->move[l] <= (int64_t)most && s->move[l] >= -(int64_t)most;
	if (s->kind > GLLM_SLOT_WORKER)
		return "a slot is of no kind";
	switch ((enum gllm_slot_kind)s->kind) {
	case GLLM_SLOT_BIND: ok = ok && s->value < j->p->ntensors && j->p->tensor[s->value].info.kind != GLLM_TENSOR_VALUE; break;
	case GLLM_SLOT_WORK: ok = ok && s->value <= j->p->workspace; break;
	case GLLM_SLOT_POOL: ok = ok && s->value <= j->p->pool_bytes; break;
	case GLLM_SLOT_CONST: case GLLM_SLOT_ROWS: case GLLM_SLOT_WORKER: break;
	}
	return ok ? NULL : "a slot names what is not there";
}

/* They come in order: each behind the last of its level, and inside the last of the level below. */
static const char *judge_repeat(struct judge *j, const struct gllm_repeat *r)
{
	bool ok = r->level < GLLM_REPEAT_LEVELS && r->first >= j->first && r->first < r->end && r->end <= j->p->nsteps &&
	          sound(j, &r->trips) && r->trips.per_row >= 0 && !r->trips.rest && gllm_at_rows(&r->trips, j->p->max_rows) <= MOST_TRIPS;
	if (ok)
		ok = r->first >= j->before[r->level].end && !beside(j, r->first) && !beside(j, r->end);
	if (ok && r->level > 0)
		ok = r->first >= j->before[r->level - 1].first && r->end <= j->before[r->level - 1].end;
	if (ok) {
		j->before[r->level] = *r;
		j->first = r->first;
	}
	return ok ? NULL : "steps repeat in no order that can run";
}

static const char *judge_note(const struct judge *j, const struct gllm_note *n)
{
	bool ok = n->producer < j->p->nnodes && n->consumer < j->p->nnodes && n->tensor < j->p->ntensors;
	return ok ? NULL : "a note names what is not there";
}

static const char *judge_node(const struct judge *j, const struct gllm_node_info *n)
{
	return n->group < j->p->nnodes ? NULL : "a node is in no group";
}

static const char *judge_edge(const struct judge *j, const struct gllm_edge_info *x)
{
	bool ok = (x->producer < j->p->nnodes || x->producer == 0xffff) && x->consumer < j->p->nnodes && x->tensor < j->p->ntensors;
	return ok ? NULL : "an edge names what is not there";
}

static const char *judge_buffer(const struct judge *j, const struct gllm_buffer_info *b)
{
	bool ok = (b->tensor < j->p->ntensors || b->tensor == GLLM_NO_TENSOR) && b->first_group <= b->last_group &&
	          b->last_group < j->p->nnodes && b->offset <= j->p->workspace && b->bytes <= j->p->workspace - b->offset;
	return ok ? NULL : "a buffer is not in the workspace";
}

/* Reads every element of every array of `p`; *where is the offset of the first that is wrong. */
static const char *get_arrays(struct gllm_plan *p, struct reader r, const unsigned char *blob, uint64_t *where)
{
	struct judge j = { .p = p, .per_row = (INT64_C(1) << 60) / (int64_t)p->max_rows };
	const char *why = NULL;
#define A(member, count, type, fields)                                                                      \
	for (unsigned i = 0; i < p->count && !why; i++) {                                                   \
		*where = (uint64_t)(r.word - blob);                                                         \
		get_##member(&r, &p->member[i]);                                                            \
		why = r.bad ? "a number or a text is out of its range" : judge_##member(&j, &p->member[i]); \
	}
	GLLM_PLAN_ARRAYS(A)
#undef A
	return why;
}

/* --- loading -------------------------------------------------------------------------------------------------------- */

static uint64_t header(const void *blob, unsigned word)
{
	return gllm_le64((const unsigned char *)blob + word * 8);
}

/* What can be said without reading on: that this is a whole, undamaged blob for this machine and compiler. */
static enum gllm_status check_header(const struct gllm_context *c, const void *blob, size_t n, struct gllm_error *e)
{
	if (!blob || n < FIRST_BYTES)
		return gllm_fail(e, GLLM_TRUNCATED, "a blob ends within its header", NULL, n, FIRST_BYTES, n);
	if (header(blob, MAGIC) != magic)
		return gllm_fail(e, GLLM_BAD_MAGIC, "this is no blob of a plan", NULL, 0, magic, header(blob, MAGIC));
	if (header(blob, FORMAT) != THIS_FORMAT)
		return gllm_fail(e, GLLM_BAD_VERSION, "a blob of another format", NULL, FORMAT * 8, THIS_FORMAT, header(blob, FORMAT));
	if (header(blob, SIZE) != n || n % 8)
		return gllm_fail(e, GLLM_TRUNCATED, "a blob is not as long as it says", NULL, SIZE * 8, header(blob, SIZE), n);
	uint64_t sum = gllm_hash_block((const unsigned char *)blob + SUMMED_FROM, n - SUMMED_FROM);
	if (sum != header(blob, CHECKSUM))
		return gllm_fail(e, GLLM_BAD_VALUE, "a blob is damaged: its checksum differs", NULL, CHECKSUM * 8,
		                 header(blob, CHECKSUM), sum);
	if (header(blob, EMITTER) != gllm_emitter_key())
		return gllm_fail(e, GLLM_FOREIGN, "compiled by another version of the compiler", NULL, EMITTER * 8,
		                 gllm_emitter_key(), header(blob, EMITTER));
	uint64_t mine = gllm_vector_bytes(c), other = header(blob, VECTOR_BYTES);
	if (mine && other && mine != other)
		return gllm_fail(e, GLLM_VECTOR_LENGTH, "compiled for vectors of another length", NULL, VECTOR_BYTES * 8, other, mine);
	if (header(blob, MACHINE) != gllm_machine_key(c))
		return gllm_fail(e, GLLM_FOREIGN, "compiled for another machine", NULL, MACHINE * 8, gllm_machine_key(c),
		                 header(blob, MACHINE));
	if (other != mine)
		return gllm_fail(e, GLLM_BAD_VALUE, "a blob's vectors are not its machine's", NULL, VECTOR_BYTES * 8, mine, other);
	return gllm_check_vectors(c, (unsigned)mine, NULL, e);
}

/* Reads the plan's own fields into `p` and finds where everything lies; the reader is left at the arrays. */
static enum gllm_status check_plan(const struct gllm_context *c, const unsigned char *blob, size_t n, struct gllm_plan *p,
                                   struct layout *l, struct reader *r, struct gllm_error *e)
{
	uint64_t texts = header(blob, TEXT_BYTES), code = header(blob, CODE_BYTES);
	*r = (struct reader){ blob + HEADER_WORDS * 8, (const char *)blob + FIRST_BYTES, texts, false };
	if (texts == 0 || texts > n - FIRST_BYTES || r->text[texts - 1] || code > UINT32_MAX)
		return gllm_fail(e, GLLM_BAD_VALUE, "a blob's texts or code are out of range", NULL, TEXT_BYTES * 8, n, texts);
	get_plan(r, p);
	p->text_bytes = (size_t)texts;
	p->code_bytes = (size_t)code;
	const char *why = r->bad ? "a number or a text is out of its range" : judge_plan(c, p);
	if (!why) {
		*l = lay_out(p, texts, code);
		r->word = blob + l->arrays;
		why = l->end != n ? "a blob's parts do not make up its size" : NULL;
	}
	return why ? gllm_fail(e, GLLM_BAD_VALUE, why, NULL, HEADER_WORDS * 8, 0, 0) : GLLM_OK;
}

/* Where there is room for code, if the host has any: `at` in the executable memory. */
static enum gllm_status check_room(const struct gllm_context *c, const struct gllm_plan *p, size_t *at, struct gllm_error *e)
{
	const struct gllm_exec_memory *x = &c->host.code;
	if (!c->target)
		return gllm_fail(e, GLLM_NO_BACK_END, "running compiled code needs a target", p->name, 0, 0, 0);
	if (!x->write || !x->exec)
		return gllm_fail(e, GLLM_NO_EXEC_MEMORY, "the host granted no executable memory", p->name, 0, 0, 0);
	*at = (size_t)gllm_round_up(c->code_used, GLLM_CODE_ALIGN);
	if (*at > x->size || p->code_bytes > x->size - *at)
		return gllm_fail(e, GLLM_NO_SPACE, "the blob's code does not fit into executable memory", p->name, *at, p->code_bytes,
		                 x->size);
	return GLLM_OK;
}

static void add_kernels(struct gllm_plan *p, struct gllm_piece *piece)
{
	union { const unsigned char *data; gllm_kernel_fn *code; } entry;
	for (unsigned i = 0; i < p->nsteps; i++) {
		entry.data = p->context->host.code.exec + piece->kernel.offset + p->step[i].info.code_offset;
		p->step[i].kernel = entry.code;
		p->step[i].piece = piece;
		piece->users++;
	}
}

static void keep_ranges(struct gllm_context *c, const struct gllm_plan *p, size_t at)
{
	for (unsigned i = 0; i < p->nsteps; i++) {
		const struct gllm_step_info *s = &p->step[i].info;
		unsigned k = 0;
		while (p->step[k].info.code_offset != s->code_offset)
			k++;
		if (k == i)
			gllm_keep_range(c, (uint32_t)at + s->code_offset, s->code_bytes, s->name);
	}
}

/* A plan like `like` with all that is not code. */
static enum gllm_status load_data(struct gllm_context *c, const unsigned char *blob, const struct layout *l,
                                  const struct gllm_plan *like, struct reader r, struct gllm_plan **out, struct gllm_error *e)
{
	struct gllm_plan *p = gllm_plan_new(c, like);
	uint64_t where = 0;
	if (!p)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the context's heap cannot hold the plan", like->name, 0, 0, 0);
	__builtin_memcpy(p->text, blob + l->text, p->text_bytes);
	__builtin_memcpy(p->pool, blob + l->pool, p->pool_bytes);
	p->name = p->text + (like->name - r.text);
	r.text = p->text;
	const char *why = get_arrays(p, r, blob, &where);
	if (why) {
		gllm_heap_free(&c->heap, p);
		return gllm_fail(e, GLLM_BAD_VALUE, why, NULL, where, 0, 0);
	}
	*out = p;
	return GLLM_OK;
}

/* Puts the plan's code at `at` of the executable memory. */
static enum gllm_status load_code(struct gllm_context *c, const unsigned char *blob, const struct layout *l, size_t at,
                                  struct gllm_plan *p, struct gllm_error *e)
{
	const struct gllm_exec_memory *x = &c->host.code;
	struct gllm_kernel code = { .offset = (uint32_t)at, .bytes = (uint32_t)p->code_bytes };
	struct gllm_piece *piece = gllm_piece_add(c, NULL, 0, &code);
	if (!piece)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the context's heap cannot hold the plan", p->name, 0, 0, 0);
	__builtin_memcpy(x->write + at, blob + l->code, code.bytes);
	enum gllm_status s = code.bytes && x->publish ? x->publish(x->user, at, code.bytes) : GLLM_OK;
	if (s != GLLM_OK) {
		gllm_pieces_drop(c);
		return gllm_fail(e, s, "the host did not publish the code", p->name, at, code.bytes, 0);
	}
	add_kernels(p, piece);
	c->code_used = at + code.bytes;
	keep_ranges(c, p, at);
	return GLLM_OK;
}

enum gllm_status gllm_plan_load(struct gllm_context *c, const struct gllm_plan_key *want, const void *blob, size_t n,
                                struct gllm_plan **out, struct gllm_error *e)
{
	struct gllm_plan like = { .context = c, .vector_bytes = gllm_vector_bytes(c) };
	struct layout l;
	struct reader r;
	size_t at = 0;
	enum gllm_status s = check_header(c, blob, n, e);
	if (s == GLLM_OK)
		s = check_plan(c, blob, n, &like, &l, &r, e);
	if (s == GLLM_OK && want && (want->graph != like.graph_key || want->machine != header(blob, MACHINE) ||
	                             want->emitter != header(blob, EMITTER)))
		s = gllm_fail(e, GLLM_FOREIGN, "a plan of another graph", like.name, 0, want->graph, like.graph_key);
	if (s == GLLM_OK)
		s = check_room(c, &like, &at, e);
	struct gllm_plan *p = NULL;
	if (s == GLLM_OK)
		s = load_data(c, blob, &l, &like, r, &p, e);
	if (s == GLLM_OK)
		s = load_code(c, blob, &l, at, p, e);
	if (s != GLLM_OK) {
		gllm_heap_free(&c->heap, p);
		return s;
	}
	c->stats.loaded++;
	*out = p;
	return GLLM_OK;
}

/* --- stores --------------------------------------------------------------------------------------------------------- */

static void log_refused(const struct gllm_context *c, const struct gllm_error *e)
{
	char line[160];
	if (!c->host.log)
		return;
	size_t n = gllm_format(line, sizeof line, "gllm: stored plan not used: %s: %s\n", gllm_status_text(e->status), e->what);
	c->host.log(c->host.user, line, n < sizeof line ? n : sizeof line - 1);
}

struct gllm_plan *gllm_plan_recall(struct gllm_context *c, const struct gllm_plan_key *key)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_plan *p = NULL;
	size_t n = 0;
	const void *blob = c->host.store.find ? c->host.store.find(c->host.store.user, key, &n) : NULL;
	if (blob && gllm_plan_load(c, key, blob, n, &p, &e) != GLLM_OK)
		log_refused(c, &e);
	return p;
}

void gllm_plan_remember(struct gllm_context *c, const struct gllm_plan_key *key, const struct gllm_plan *p,
                        struct gllm_arena arena)
{
	if (!c->host.store.keep)
		return;
	size_t n = gllm_plan_blob(p);
	void *blob = gllm_alloc(&arena, n, 8);
	if (arena.high > c->scratch.high)
		c->scratch.high = arena.high;
	if (blob && gllm_plan_save(p, blob, n, NULL) == GLLM_OK)
		c->host.store.keep(c->host.store.user, key, blob, n);
}
