/* SPDX-License-Identifier: MIT
 * infer/tokenizer.c - SentencePiece-style tokenizer from the metadata of a GGUF.
 *
 * What must stay true: token texts stay in the file; everything derived from them lies in the caller's workspace, laid
 * out by lay_out alone. While encoding, symbols tile the escaped text in order; a symbol that was merged away has length
 * 0, and a pair in the queue is stale as soon as the lengths it was made for have changed. */
#include "infer/gguf.h"
#include "core/bits.h"

enum token_type { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6 };

enum { MAX_TOKENS = 1 << 24, MAX_TEXT = 1 << 28, NO_TOKEN = 0xffffffff };

static const char tokens_key[] = "tokenizer.ggml.tokens", scores_key[] = "tokenizer.ggml.scores";
static const char types_key[] = "tokenizer.ggml.token_type";

static const char lower_block[3] = { '\xe2', '\x96', '\x81' }; /* U+2581, stands for a space */

static uint32_t hash(const char *p, size_t n)
{
	uint32_t h = 0x811c9dc5;
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 0x01000193;
	h ^= h >> 15;
	h *= 0x2c1b3c6d;
	return h ^ h >> 13;
}

static struct gllm_text token_text(const struct gllm_tokenizer *t, uint32_t id)
{
	const unsigned char *p = t->strings + t->text_at[id];
	return (struct gllm_text){ (const char *)p + 8, (size_t)gllm_le64(p) };
}

/* <0xXX> gives 0 .. 255, everything else -1. */
static int byte_of_text(struct gllm_text s)
{
	if (s.n != 6 || s.at[0] != '<' || s.at[1] != '0' || s.at[2] != 'x' || s.at[5] != '>')
		return -1;
	int value = 0;
	for (int i = 3; i < 5; i++) {
		int c = s.at[i], digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 :
		                         c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static enum token_type token_type(const struct gllm_tokenizer *t, uint32_t id)
{
	if ((int64_t)id == t->unk)
		return UNKNOWN;
	if ((int64_t)id == t->bos || (int64_t)id == t->eos)
		return CONTROL;
	if (!t->types.data)
		return byte_of_text(token_text(t, id)) >= 0 ? BYTE : NORMAL;
	int64_t type = gllm_gguf_integer_at(&t->types, id); /* checked: 0 .. BYTE; 0 says nothing */
	return type ? (enum token_type)type : NORMAL;
}

static bool in_text(enum token_type type)
{
	return type == NORMAL || type == USER_DEFINED || type == UNUSED;
}

static uint32_t lookup(const struct gllm_tokenizer *t, const char *p, size_t n)
{
	for (uint32_t slot = hash(p, n) & t->slot_mask; t->slots[slot]; slot = (slot + 1) & t->slot_mask)
		if (gllm_text_equal(token_text(t, t->slots[slot] - 1), (struct gllm_text){ p, n }))
			return t->slots[slot] - 1;
	return NO_TOKEN;
}

/* ---- building ---- */

struct tables {
	uint32_t *text_at, *slots, *byte_token, *user_token;
};

static struct tables lay_out(struct gllm_carve *c, const struct gllm_tokenizer *t)
{
	struct tables x;
	x.text_at = gllm_carve(c, t->count, 4);
	x.slots = gllm_carve(c, (uint64_t)t->slot_mask + 1, 4);
	x.byte_token = gllm_carve(c, 256, 4);
	x.user_token = gllm_carve(c, t->user_count, 4);
	return x;
}

static enum gllm_status special_id(const struct gllm_gguf *g, const char *key, int32_t absent, uint32_t count,
                                   int32_t *out, struct gllm_error *e)
{
	const struct gllm_gguf_value *v = gllm_gguf_value(g, key);
	if (!v) {
		*out = (uint32_t)absent < count ? absent : -1;
		return GLLM_OK;
	}
	enum gllm_status s = gllm_gguf_i32(g, key, out, e);
	if (s == GLLM_OK && (*out < -1 || (*out >= 0 && (uint32_t)*out >= count)))
		s = gllm_fail(e, GLLM_BAD_VALUE, "no such token", key, v->where, count, (uint64_t)(int64_t)*out);
	return s;
}

static enum gllm_status special_flag(const struct gllm_gguf *g, const char *key, bool absent, bool *out,
                                     struct gllm_error *e)
{
	*out = absent;
	return gllm_gguf_value(g, key) ? gllm_gguf_bool(g, key, out, e) : GLLM_OK;
}

static enum gllm_status read_specials(struct gllm_tokenizer *t, const struct gllm_gguf *g, struct gllm_error *e)
{
	enum gllm_status s = special_id(g, "tokenizer.ggml.bos_token_id", 1, t->count, &t->bos, e);
	if (s == GLLM_OK)
		s = special_id(g, "tokenizer.ggml.eos_token_id", 2, t->count, &t->eos, e);
	if (s == GLLM_OK)
		s = special_id(g, "tokenizer.ggml.unknown_token_id", 0, t->count, &t->unk, e);
	if (s == GLLM_OK)
		s = special_flag(g, "tokenizer.ggml.add_bos_token", true, &t->add_bos, e);
	if (s == GLLM_OK)
		s = special_flag(g, "tokenizer.ggml.add_eos_token", false, &t->add_eos, e);
	if (s == GLLM_OK)
		s = special_flag(g, "tokenizer.ggml.add_space_prefix", true, &t->add_space_prefix, e);
	return s;
}

static enum gllm_status same_count(const struct gllm_gguf_value *v, uint64_t count, const char *key,
                                   struct gllm_error *e)
{
	return v->count == count ? GLLM_OK :
	       gllm_fail(e, GLLM_SHAPE_MISMATCH, "one element per token", key, v->where, count, v->count);
}

static enum gllm_status check_scores(const struct gllm_gguf_value *v, struct gllm_error *e)
{
	for (uint64_t i = 0; i < v->count; i++) {
		float x = gllm_gguf_float_at(v, i);
		if (x != x)
			return gllm_fail(e, GLLM_BAD_VALUE, "a score is no number", scores_key, v->where + 4 * i, 0, i);
	}
	return GLLM_OK;
}

static enum gllm_status check_types(const struct gllm_gguf_value *v, struct gllm_error *e)
{
	for (uint64_t i = 0; i < v->count; i++) {
		int64_t x = gllm_gguf_integer_at(v, i);
		if (x < 0 || x > BYTE)
			return gllm_fail(e, GLLM_BAD_VALUE, "type of a token", types_key, v->where, BYTE, (uint64_t)x);
	}
	return GLLM_OK;
}

/* Everything but the tables: what the metadata says, checked. */
static enum gllm_status read_metadata(struct gllm_tokenizer *t, const struct gllm_gguf *g, struct gllm_error *e)
{
	struct gllm_text model;
	const struct gllm_gguf_value *tokens, *v;
	enum gllm_status s = gllm_gguf_string(g, "tokenizer.ggml.model", &model, e);
	if (s == GLLM_OK && !gllm_text_equal(model, gllm_text("llama")))
		s = gllm_fail(e, GLLM_UNSUPPORTED, "tokenizer.ggml.model is not llama but this", gllm_name(model).text,
		              gllm_gguf_value(g, "tokenizer.ggml.model")->where, 0, 1);
	if (s == GLLM_OK)
		s = gllm_gguf_array(g, tokens_key, GLLM_GGUF_STRING, &tokens, e);
	if (s == GLLM_OK && (tokens->count == 0 || tokens->count > MAX_TOKENS))
		s = gllm_fail(e, GLLM_BAD_VALUE, "number of tokens", tokens_key, tokens->where, MAX_TOKENS, tokens->count);
	if (s != GLLM_OK)
		return s;
	t->strings = tokens->data;
	t->count = (uint32_t)tokens->count;
	for (t->slot_mask = 1; t->slot_mask < 2 * t->count; t->slot_mask = 2 * t->slot_mask + 1)
		;
	s = gllm_gguf_array(g, scores_key, GLLM_GGUF_F32, &v, e);
	if (s == GLLM_OK)
		s = same_count(v, t->count, scores_key, e);
	if (s == GLLM_OK)
		s = check_scores(v, e);
	if (s != GLLM_OK)
		return s;
	t->scores = *v;
	if (gllm_gguf_value(g, types_key)) {
		s = gllm_gguf_array(g, types_key, GLLM_GGUF_I64, &v, e);
		if (s == GLLM_OK)
			s = same_count(v, t->count, types_key, e);
		if (s == GLLM_OK)
			s = check_types(v, e);
		if (s != GLLM_OK)
			return s;
		t->types = *v;
	}
	s = read_specials(t, g, e);
	for (uint32_t i = 0; s == GLLM_OK && t->types.data && i < t->count; i++)
		t->user_count += token_type(t, i) == USER_DEFINED;
	return s;
}

enum gllm_status gllm_tokenizer_workspace(const struct gllm_gguf *g, size_t *need, struct gllm_error *error)
{
	if (!g || !need)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "null argument", NULL, 0, 1, 0);
	struct gllm_tokenizer t = { 0 };
	enum gllm_status s = read_metadata(&t, g, error);
	if (s != GLLM_OK)
		return s;
	struct gllm_carve c = { 0 };
	lay_out(&c, &t);
	*need = (size_t)c.used;
	return GLLM_OK;
}

static enum gllm_status fill_texts(struct gllm_tokenizer *t, uint32_t *text_at, const struct gllm_gguf_value *tokens,
                                   struct gllm_error *e)
{
	uint64_t at = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		if (at > UINT32_MAX)
			return gllm_fail(e, GLLM_UNSUPPORTED, "more than 4 GiB of token texts", tokens_key, tokens->where, UINT32_MAX,
			                 at);
		text_at[i] = (uint32_t)at;
		size_t n = gllm_gguf_next_string(tokens, &at).n;
		if (n > UINT32_MAX)
			return gllm_fail(e, GLLM_UNSUPPORTED, "a token of more than 4 GiB", tokens_key, tokens->where, UINT32_MAX, n);
		if (n > t->longest)
			t->longest = (uint32_t)n;
	}
	return GLLM_OK;
}

static void fill_slots(struct gllm_tokenizer *t, uint32_t *slots)
{
	for (uint32_t i = 0; i <= t->slot_mask; i++)
		slots[i] = 0;
	for (uint32_t id = 0; id < t->count; id++) {
		struct gllm_text s = token_text(t, id);
		if (s.n == 0 || !in_text(token_type(t, id)))
			continue;
		uint32_t slot = hash(s.at, s.n) & t->slot_mask;
		while (slots[slot] && !gllm_text_equal(token_text(t, slots[slot] - 1), s))
			slot = (slot + 1) & t->slot_mask;
		slots[slot] = id + 1; /* of equal texts the last one stays */
	}
}

static enum gllm_status fill_bytes(struct gllm_tokenizer *t, uint32_t *byte_token, const struct gllm_gguf_value *tokens,
                                   struct gllm_error *e)
{
	for (uint32_t b = 0; b < 256; b++) {
		char c = (char)(unsigned char)b;
		uint32_t single = lookup(t, &c, 1);
		byte_token[b] = single != NO_TOKEN ? single : t->unk >= 0 ? (uint32_t)t->unk : NO_TOKEN;
	}
	for (uint32_t id = 0; id < t->count; id++) {
		if (token_type(t, id) != BYTE)
			continue;
		int b = byte_of_text(token_text(t, id));
		if (b < 0)
			return gllm_fail(e, GLLM_BAD_VALUE, "a byte token's text is not of the form <0xXX>",
			                 gllm_name(token_text(t, id)).text, tokens->where + t->text_at[id], 6, id);
		byte_token[b] = id;
	}
	return GLLM_OK;
}

static bool longer(const void *user, uint32_t a, uint32_t b)
{
	const struct gllm_tokenizer *t = user;
	size_t na = token_text(t, a).n, nb = token_text(t, b).n;
	return na != nb ? na > nb : a < b;
}

static void fill_user(struct gllm_tokenizer *t, uint32_t *user_token)
{
	uint32_t n = 0;
	for (uint32_t id = 0; id < t->count && n < t->user_count; id++)
		if (token_type(t, id) == USER_DEFINED)
			user_token[n++] = id;
	gllm_sort(user_token, t->user_count, longer, t);
	while (t->user_count && token_text(t, user_token[t->user_count - 1]).n == 0)
		t->user_count--; /* an empty text matches nothing */
}

enum gllm_status gllm_tokenizer_init(struct gllm_tokenizer *t, const struct gllm_gguf *g, void *workspace,
                                     size_t workspace_size, struct gllm_error *error)
{
	if (!t || !g)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "null argument", NULL, 0, 1, 0);
	struct gllm_tokenizer r = { 0 };
	enum gllm_status s = read_metadata(&r, g, error);
	if (s != GLLM_OK)
		return s;
	struct gllm_carve c = { 0 };
	lay_out(&c, &r);
	s = gllm_workspace_check(workspace, workspace_size, c.used, "workspace for a tokenizer", error);
	if (s != GLLM_OK)
		return s;
	c = (struct gllm_carve){ .base = workspace };
	struct tables x = lay_out(&c, &r);
	r.text_at = x.text_at;
	r.slots = x.slots;
	r.byte_token = x.byte_token;
	r.user_token = x.user_token;
	const struct gllm_gguf_value *tokens = gllm_gguf_value(g, tokens_key);
	s = fill_texts(&r, x.text_at, tokens, error);
	if (s != GLLM_OK)
		return s;
	fill_slots(&r, x.slots);
	s = fill_bytes(&r, x.byte_token, tokens, error);
	if (s != GLLM_OK)
		return s;
	fill_user(&r, x.user_token);
	*t = r;
	return GLLM_OK;
}

/* ---- encoding ---- */

struct symbol {
	uint32_t prev, next; /* NO_TOKEN: none. Neighbours in one stretch of plain text */
	uint32_t at, n;      /* in the escaped text */
	uint32_t token;      /* of a user-defined token that was cut out; else NO_TOKEN */
};

struct pair {
	float score;
	uint32_t left, right, n; /* symbols, and the length of both when the pair was made */
};

struct encoder {
	const struct gllm_tokenizer *t;
	struct symbol *symbols;
	struct pair *queue;  /* a binary heap, best first */
	char *escaped;
	uint32_t *cut;       /* per byte of the text: NO_TOKEN, or the user-defined token that covers it */
	uint32_t nsymbols, nqueue, nescaped;
	int32_t *out;
	size_t capacity, count;
};

/* A symbol is a byte of text or an added space, of which there is one at the start and one after every cut-out token;
 * a text byte that follows it is not covered, so spaces are no more than half of the text besides the first one. */
static uint64_t most_symbols(const struct gllm_tokenizer *t, uint64_t n)
{
	return n + 1 + (t->user_count ? n / 2 : 0);
}

static void lay_out_encoder(struct gllm_carve *c, struct encoder *e, uint64_t n)
{
	uint64_t m = most_symbols(e->t, n);
	e->symbols = gllm_carve(c, m, sizeof *e->symbols);
	e->queue = gllm_carve(c, 2 * m, sizeof *e->queue); /* m - 1 at first; each merge takes one and adds two at most */
	e->escaped = gllm_carve(c, m, sizeof lower_block);
	e->cut = gllm_carve(c, e->t->user_count ? n : 0, sizeof *e->cut);
}

size_t gllm_tokenizer_encode_workspace(const struct gllm_tokenizer *t, size_t n)
{
	struct encoder e = { .t = t };
	struct gllm_carve c = { 0 };
	if (!t || n > MAX_TEXT)
		return SIZE_MAX;
	lay_out_encoder(&c, &e, n);
	return (size_t)c.used;
}

static void put(struct encoder *e, uint32_t token)
{
	if (e->count < e->capacity)
		e->out[e->count] = (int32_t)token;
	e->count++;
}

/* Better pairs come first: the greater score, then the one further left. */
static bool better(const struct pair *a, const struct pair *b)
{
	return a->score != b->score ? a->score > b->score : a->left < b->left;
}

static void push(struct encoder *e, struct pair p)
{
	uint32_t i = e->nqueue++;
	for (; i && better(&p, &e->queue[(i - 1) / 2]); i = (i - 1) / 2)
		e->queue[i] = e->queue[(i - 1) / 2];
	e->queue[i] = p;
}

static struct pair pop(struct encoder *e)
{
	struct pair top = e->queue[0], p = e->queue[--e->nqueue];
	uint32_t i = 0;
	while (2 * i + 1 < e->nqueue) {
		uint32_t child = 2 * i + 1;
		if (child + 1 < e->nqueue && better(&e->queue[child + 1], &e->queue[child]))
			child++;
		if (!better(&e->queue[child], &p))
			break;
		e->queue[i] = e->queue[child];
		i = child;
	}
	e->queue[i] = p;
	return top;
}

static void try_pair(struct encoder *e, uint32_t left, uint32_t right)
{
	if (left == NO_TOKEN || right == NO_TOKEN)
		return;
	const struct symbol *a = &e->symbols[left], *b = &e->symbols[right];
	uint32_t n = a->n + b->n, token = lookup(e->t, e->escaped + a->at, n);
	if (token != NO_TOKEN)
		push(e, (struct pair){ gllm_gguf_float_at(&e->t->scores, token), left, right, n });
}

static void merge(struct encoder *e)
{
	while (e->nqueue) {
		struct pair p = pop(e);
		struct symbol *a = &e->symbols[p.left], *b = &e->symbols[p.right];
		if (!a->n || !b->n || a->n + b->n != p.n)
			continue;
		a->n = p.n;
		b->n = 0;
		a->next = b->next;
		if (b->next != NO_TOKEN)
			e->symbols[b->next].prev = p.left;
		try_pair(e, a->prev, p.left);
		try_pair(e, p.left, a->next);
	}
}

static void escape(struct encoder *e, char c)
{
	if (c != ' ') {
		e->escaped[e->nescaped++] = c;
		return;
	}
	for (unsigned i = 0; i < sizeof lower_block; i++)
		e->escaped[e->nescaped++] = lower_block[i];
}

/* Bytes of the character at p: its first byte says how many, but only as many as do continue it. So bytes that are not
 * UTF-8 stand alone, and no escaped space is torn apart. */
static uint32_t character(const char *p, uint32_t left)
{
	unsigned char c = (unsigned char)p[0];
	uint32_t most = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, n = 1;
	while (n < most && n < left && ((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* One stretch of text between cut-out tokens, as symbols of one character each. */
static void add_plain(struct encoder *e, const char *text, size_t n)
{
	uint32_t at = e->nescaped, first = e->nsymbols;
	if (e->t->add_space_prefix)
		escape(e, ' ');
	for (size_t i = 0; i < n; i++)
		escape(e, text[i]);
	while (at < e->nescaped) {
		uint32_t len = character(e->escaped + at, e->nescaped - at), i = e->nsymbols++;
		e->symbols[i] = (struct symbol){ i == first ? NO_TOKEN : i - 1, i + 1, at, len, NO_TOKEN };
		at += len;
	}
	e->symbols[e->nsymbols - 1].next = NO_TOKEN;
	for (uint32_t i = first; i + 1 < e->nsymbols; i++)
		try_pair(e, i, i + 1);
}

/* Marks the bytes that user-defined tokens cover: the longest token first, each from left to right. */
static void mark_cuts(struct encoder *e, const char *text, size_t n)
{
	for (size_t i = 0; e->t->user_count && i < n; i++)
		e->cut[i] = NO_TOKEN;
	for (uint32_t k = 0; k < e->t->user_count; k++) {
		struct gllm_text s = token_text(e->t, e->t->user_token[k]);
		for (size_t i = 0; s.n <= n && i <= n - s.n;) {
			size_t same = 0;
			while (same < s.n && e->cut[i + same] == NO_TOKEN && text[i + same] == s.at[same])
				same++;
			for (size_t j = 0; same == s.n && j < s.n; j++)
				e->cut[i + j] = e->t->user_token[k];
			i += same == s.n ? s.n : 1;
		}
	}
}

static void split(struct encoder *e, const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t end = i + 1;
		if (e->t->user_count && e->cut[i] != NO_TOKEN) {
			e->symbols[e->nsymbols++] = (struct symbol){ NO_TOKEN, NO_TOKEN, e->nescaped, 0, e->cut[i] };
			end = i + token_text(e->t, e->cut[i]).n;
		} else {
			while (end < n && (!e->t->user_count || e->cut[end] == NO_TOKEN))
				end++;
			add_plain(e, text + i, end - i);
		}
		i = end;
	}
}

static enum gllm_status put_symbols(struct encoder *e, struct gllm_error *error)
{
	for (uint32_t i = 0; i < e->nsymbols; i++) {
		const struct symbol *s = &e->symbols[i];
		uint32_t token = s->token != NO_TOKEN ? s->token : s->n ? lookup(e->t, e->escaped + s->at, s->n) : NO_TOKEN;
		if (token != NO_TOKEN) {
			put(e, token);
			continue;
		}
		for (uint32_t k = 0; k < s->n; k++) {
			unsigned char byte = (unsigned char)e->escaped[s->at + k];
			if (e->t->byte_token[byte] == NO_TOKEN)
				return gllm_fail(error, GLLM_UNSUPPORTED, "a byte of the text has no token, nor is there an unknown token",
				                 NULL, s->at + k, 0, byte);
			put(e, e->t->byte_token[byte]);
		}
	}
	return GLLM_OK;
}

enum gllm_status gllm_tokenizer_encode(const struct gllm_tokenizer *t, const char *text, size_t n, bool special,
                                       int32_t *tokens, size_t capacity, size_t *count, void *workspace,
                                       size_t workspace_size, struct gllm_error *error)
{
	if (!t || (!text && n) || (!tokens && capacity) || !count)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "null argument", NULL, 0, 1, 0);
	size_t need = gllm_tokenizer_encode_workspace(t, n);
	if (need == SIZE_MAX)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "text is too long", NULL, 0, MAX_TEXT, n);
	enum gllm_status s = gllm_workspace_check(workspace, workspace_size, need, "workspace for encoding", error);
	if (s != GLLM_OK)
		return s;
	struct encoder e = { .t = t, .out = tokens, .capacity = capacity };
	struct gllm_carve c = { .base = workspace };
	lay_out_encoder(&c, &e, n);
	if (special && t->add_bos && t->bos >= 0)
		put(&e, (uint32_t)t->bos);
	mark_cuts(&e, text, n);
	split(&e, text, n);
	merge(&e);
	s = put_symbols(&e, error);
	if (s != GLLM_OK)
		return s;
	if (special && t->add_eos && t->eos >= 0)
		put(&e, (uint32_t)t->eos);
	*count = e.count;
	if (e.count > capacity)
		return gllm_fail(error, GLLM_CONTEXT_FULL, "more tokens than there is room for", NULL, 0, capacity, e.count);
	return GLLM_OK;
}

/* ---- decoding ---- */

static size_t unescape(struct gllm_text s, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; n++) {
		bool space = s.n - i >= 3 && s.at[i] == lower_block[0] && s.at[i + 1] == lower_block[1] &&
		             s.at[i + 2] == lower_block[2];
		if (out)
			out[n] = space ? ' ' : s.at[i];
		i += space ? sizeof lower_block : 1;
	}
	return n;
}

enum gllm_status gllm_tokenizer_decode(const struct gllm_tokenizer *t, int32_t token, bool *start, char *out,
                                       size_t capacity, size_t *n, struct gllm_error *error)
{
	if (!t || !start || (!out && capacity) || !n)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "null argument", NULL, 0, 1, 0);
	if (token < 0 || (uint32_t)token >= t->count)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "no such token", NULL, 0, t->count, (uint64_t)(int64_t)token);
	enum token_type type = token_type(t, (uint32_t)token);
	struct gllm_text s = token_text(t, (uint32_t)token);
	char byte = type == BYTE ? (char)byte_of_text(s) : 0;
	if (type == BYTE)
		s = (struct gllm_text){ &byte, 1 };
	if (type == CONTROL || type == UNKNOWN)
		s.n = 0;
	bool plain = type == NORMAL || type == UNUSED;
	if (s.n && *start && t->add_space_prefix) {
		size_t space = s.at[0] == ' ' ? 1 : plain && s.n >= 3 && s.at[0] == lower_block[0] &&
		               s.at[1] == lower_block[1] && s.at[2] == lower_block[2] ? 3 : 0;
		s = (struct gllm_text){ s.at + space, s.n - space };
	}
	size_t need = plain ? unescape(s, NULL) : s.n;
	if (need > capacity)
		return gllm_fail(error, GLLM_OUT_OF_MEMORY, "bytes of a token", NULL, 0, need, capacity);
	if (plain)
		unescape(s, out);
	for (size_t i = 0; !plain && i < s.n; i++)
		out[i] = s.at[i];
	if (type != CONTROL && type != UNKNOWN)
		*start = false;
	*n = need;
	return GLLM_OK;
}
