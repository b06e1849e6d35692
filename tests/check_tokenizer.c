/* SPDX-License-Identifier: MIT
 * tests/check_tokenizer.c - the tokenizer against a plain quadratic one, on a vocabulary built here, and on the model
 * that was given if its tokens are known. */
#include "tests/check.h"
#include "tests/gguf_build.h"

enum { FILE_BYTES = 32768, INDEX_BYTES = 4096, TABLE_BYTES = 32768, WORK_BYTES = 65536, TEXT = 56, IDS = 512 };
enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER = 4, BYTE = 6, FIRST_BYTE = 3 };

#define BLOCK "\xe2\x96\x81"

static const struct piece {
	const char *text;
	float score;
	uint32_t type;
} piece[] = {
	{ "<unk>", 0, UNKNOWN }, { "<s>", 0, CONTROL }, { "</s>", 0, CONTROL }, /* then 256 bytes, then the rest: */
	{ BLOCK, -20, NORMAL }, { "a", -21, NORMAL }, { "b", -22, NORMAL }, { "c", -23, NORMAL }, { "\xc3\xa9", -24, NORMAL },
	{ "ab", -3, NORMAL }, { "bc", -2, NORMAL }, { "abc", -9, NORMAL }, { BLOCK "a", -4, NORMAL }, { "aa", -5, NORMAL },
	{ "aaaa", -1, NORMAL }, { "b\xc3\xa9", -5, NORMAL }, { BLOCK BLOCK, -6, NORMAL }, { BLOCK "abc", -30, NORMAL },
	{ "ca", -5, NORMAL }, { "c" BLOCK, -5, NORMAL }, { "<s", -1, NORMAL }, { "<", -1, NORMAL }, { "s", -1, NORMAL },
	{ ">", -1, NORMAL }, { "aab", -2.5f, NORMAL }, { "<u>", 0, USER }, { "<u>c", 0, USER }, { "aa", -5.5f, NORMAL },
};
enum { PIECES = GLLM_COUNT(piece), TOKENS = PIECES + 256 };

static uint32_t id_of(const char *text) /* the last of equals */
{
	uint32_t id = 0;
	for (uint32_t i = 0; i < PIECES; i++)
		if (build_same(piece[i].text, text))
			id = i < FIRST_BYTE ? i : i + 256;
	return id;
}

struct options {
	bool space_prefix, user;
	struct lie lie;
};

static void build_vocabulary(struct build *b, unsigned char *memory, struct options o)
{
	static const char digits[] = "0123456789ABCDEF";
	build_start(b, memory, FILE_BYTES, o.lie);
	build_string(b, "tokenizer.ggml.model", "llama");
	build_array(b, "tokenizer.ggml.tokens", GLLM_GGUF_STRING, TOKENS);
	for (uint32_t i = 0; i < PIECES; i++) {
		for (unsigned k = 0; i == FIRST_BYTE && k < 256; k++) {
			char text[6] = { '<', '0', 'x', digits[k >> 4], digits[k & 15], '>' };
			build_bytes(b, text, sizeof text);
		}
		build_bytes(b, piece[i].text, build_length(piece[i].text));
	}
	build_array(b, "tokenizer.ggml.scores", GLLM_GGUF_F32, TOKENS);
	for (uint32_t i = 0; i < TOKENS; i++)
		build_number(b, gllm_f32_bits(i < FIRST_BYTE || i >= FIRST_BYTE + 256 ?
			piece[i < FIRST_BYTE ? i : i - 256].score : 0.0f), 4);
	build_array(b, "tokenizer.ggml.token_type", GLLM_GGUF_U8, TOKENS);
	for (uint32_t i = 0; i < TOKENS; i++) {
		uint32_t type = i < FIRST_BYTE || i >= FIRST_BYTE + 256 ? piece[i < FIRST_BYTE ? i : i - 256].type : BYTE;
		build_number(b, type == USER && !o.user ? NORMAL : type, 1);
	}
	build_bool(b, "tokenizer.ggml.add_space_prefix", o.space_prefix);
	build_finish(b);
}

struct bench {
	struct check *t;
	unsigned char *file, *index, *table, *work;
	int32_t *ids, *want;  /* IDS each */
	char *back;           /* IDS */
	struct build b;
	struct gllm_gguf g;
	struct gllm_tokenizer tok;
};

static void set_up(struct bench *x, struct options o)
{
	struct gllm_error e = { 0 };
	size_t need = 0;
	build_vocabulary(&x->b, x->file, o);
	CHECK(x->t, x->b.n < FILE_BYTES);
	CHECK_STATUS(x->t, gllm_gguf_open(&x->g, x->file, x->b.n, x->index, INDEX_BYTES, &e), GLLM_OK);
	CHECK_STATUS(x->t, gllm_tokenizer_workspace(&x->g, &need, &e), GLLM_OK);
	CHECK(x->t, need < TABLE_BYTES);
	x->table[need] = 0xa5;
	CHECK_STATUS(x->t, gllm_tokenizer_init(&x->tok, &x->g, x->table, need - 1, NULL), GLLM_OUT_OF_MEMORY);
	CHECK_STATUS(x->t, gllm_tokenizer_init(&x->tok, &x->g, x->table + 4, need, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(x->t, gllm_tokenizer_init(&x->tok, &x->g, x->table, need, &e), GLLM_OK);
	CHECK_EQ(x->t, x->table[need], 0xa5);
}

/* The plain way: escape, cut into characters, join the best pair until there is none. No user-defined tokens. */
static size_t plain_encode(const char *text, size_t n, bool prefix, int32_t *out)
{
	char s[3 * TEXT + 4];
	uint16_t at[3 * TEXT + 5];
	size_t length = 0, symbols = 0, count = 0;
	for (size_t i = prefix && n ? 0 : 1; i < n + 1; i++) {
		char c = i ? text[i - 1] : ' ';
		for (const char *p = BLOCK; c == ' ' && *p; p++)
			s[length++] = *p;
		if (c != ' ')
			s[length++] = c;
	}
	for (size_t i = 0; i < length;) {
		unsigned char c = (unsigned char)s[i];
		size_t most = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, k = 1;
		while (k < most && i + k < length && ((unsigned char)s[i + k] & 0xc0) == 0x80)
			k++;
		at[symbols++] = (uint16_t)i;
		i += k;
	}
	at[symbols] = (uint16_t)length;
	for (;;) {
		size_t best = symbols;
		float score = 0;
		for (size_t i = 0; i + 1 < symbols; i++)
			for (uint32_t k = FIRST_BYTE; k < PIECES; k++) {
				size_t w = build_length(piece[k].text), same = 0;
				while (same < w && at[i] + same < length && s[at[i] + same] == piece[k].text[same])
					same++;
				float with = piece[id_of(piece[k].text) - 256].score;
				if (same == w && w + at[i] == at[i + 2] && (best == symbols || with > score)) {
					best = i;
					score = with;
				}
			}
		if (best == symbols)
			break;
		for (size_t i = best + 1; i < symbols; i++)
			at[i] = at[i + 1];
		symbols--;
	}
	out[count++] = 1;
	for (size_t i = 0; i < symbols; i++) {
		char word[3 * TEXT + 4];
		size_t w = at[i + 1] - at[i];
		for (size_t k = 0; k < w; k++)
			word[k] = s[at[i] + k];
		word[w] = 0;
		uint32_t id = id_of(word);
		for (size_t k = 0; id == 0 && k < w; k++)
			out[count++] = FIRST_BYTE + (unsigned char)word[k];
		if (id)
			out[count++] = (int32_t)id;
	}
	return count;
}

static size_t encode(struct bench *x, const char *text, size_t n, int32_t *ids)
{
	struct gllm_error e = { 0 };
	size_t count = 0, need = gllm_tokenizer_encode_workspace(&x->tok, n);
	CHECK(x->t, need < WORK_BYTES);
	x->work[need] = 0xa5;
	CHECK_STATUS(x->t, gllm_tokenizer_encode(&x->tok, text, n, true, ids, IDS, &count, x->work, need, &e), GLLM_OK);
	CHECK_EQ(x->t, x->work[need], 0xa5);
	return count;
}

static size_t decode(struct bench *x, const int32_t *ids, size_t count, char *out, size_t capacity)
{
	bool start = true;
	size_t length = 0;
	for (size_t i = 0; i < count; i++) {
		size_t n = 0;
		if (gllm_tokenizer_decode(&x->tok, ids[i], &start, out + length, capacity - length, &n, NULL) != GLLM_OK)
			return 0;
		length += n;
	}
	return length;
}

static bool equal_text(const char *a, size_t na, const char *b, size_t nb)
{
	size_t i = 0;
	while (i < na && i < nb && a[i] == b[i])
		i++;
	return na == nb && i == na;
}

static void expect(struct bench *x, const char *text, const char *const *want, const uint32_t *bytes)
{
	int32_t *ids = x->ids;
	size_t count = encode(x, text, build_length(text), ids), i = 1;
	CHECK(x->t, count > 0 && ids[0] == 1);
	for (; *want; want++, i++)
		CHECK_EQ(x->t, i < count ? ids[i] : -1, **want ? id_of(*want) : FIRST_BYTE + *bytes++);
	CHECK_EQ(x->t, i, count);
}

/* "" in `want` stands for the next byte token. */
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define BYTES(...) ((const uint32_t[]){ __VA_ARGS__, 0 })

static void known(struct bench *x)
{
	set_up(x, (struct options){ .space_prefix = true, .user = true });
	CHECK_EQ(x->t, encode(x, "", 0, x->ids), 1);
	expect(x, "a", WORDS(BLOCK "a"), BYTES(0));
	expect(x, "abc", WORDS(BLOCK "abc"), BYTES(0));
	expect(x, "abca", WORDS(BLOCK "abc", "a"), BYTES(0));
	expect(x, "aaaa", WORDS(BLOCK "a", "aa", "a"), BYTES(0));
	expect(x, "b\xc3\xa9", WORDS(BLOCK, "b\xc3\xa9"), BYTES(0));
	expect(x, "\xc3", WORDS(BLOCK, ""), BYTES(0xc3));
	expect(x, "\xe6\x97\xa5", WORDS(BLOCK, "", "", ""), BYTES(0xe6, 0x97, 0xa5));
	expect(x, "\xc3 b", WORDS(BLOCK, "", BLOCK, "b"), BYTES(0xc3));
	expect(x, " \x80", WORDS(BLOCK BLOCK, ""), BYTES(0x80)); /* a whole character, then a byte that continues nothing */
	/* texts of control and byte tokens are just characters */
	expect(x, "<s>", WORDS(BLOCK, "<s", ">"), BYTES(0));
	expect(x, "<0x41>", WORDS(BLOCK, "<", "", "", "", "", ">"), BYTES('0', 'x', '4', '1'));
	/* user-defined ones are cut out, the longest first, and a space is put behind them */
	expect(x, "a<u>a", WORDS(BLOCK "a", "<u>", BLOCK "a"), BYTES(0));
	expect(x, "<u><u>c<u>", WORDS("<u>", "<u>c", "<u>"), BYTES(0));
	expect(x, "<u> a", WORDS("<u>", BLOCK, BLOCK "a"), BYTES(0));
	set_up(x, (struct options){ .space_prefix = false, .user = true });
	expect(x, "abc", WORDS("abc"), BYTES(0));
	expect(x, "aaaa", WORDS("aaaa"), BYTES(0));
	expect(x, "a<u>a", WORDS("a", "<u>", "a"), BYTES(0));
}

static void against_plain(struct bench *x)
{
	static const char *const part[] = { " ", "a", "b", "c", "\xc3\xa9", "a", "a", "s", "<", "\xc3", "\xff", "x", ">" };
	unsigned wrong = 0, round_trip = 0;
	for (unsigned prefix = 0; prefix < 2; prefix++) {
		set_up(x, (struct options){ .space_prefix = prefix, .user = false });
		for (unsigned round = 0; round < 200; round++) {
			char text[TEXT + 4], *back = x->back;
			int32_t *want = x->want, *got = x->ids;
			size_t n = 0, parts = check_below(x->t, TEXT / 2), kinds = round % 2 ? GLLM_COUNT(part) : 4, count = 0;
			while (parts--)
				for (const char *p = part[check_below(x->t, (uint32_t)kinds)]; *p; p++)
					text[n++] = *p;
			size_t many = plain_encode(text, n, prefix, want);
			size_t need = gllm_tokenizer_encode_workspace(&x->tok, n);
			enum gllm_status s = gllm_tokenizer_encode(&x->tok, text, n, true, got, IDS, &count, x->work, need, NULL);
			bool same = s == GLLM_OK && count == many;
			for (size_t i = 0; same && i < many; i++)
				same = got[i] == want[i];
			wrong += !same;
			size_t length = decode(x, got, count, back, IDS);
			round_trip += equal_text(back, length, text, n);
		}
	}
	CHECK_EQ(x->t, wrong, 0);
	CHECK_EQ(x->t, round_trip, 400);
}

/* Long runs: the queue and the symbols at their fullest, within the exact workspace. */
static void long_texts(struct bench *x)
{
	set_up(x, (struct options){ .space_prefix = true, .user = true });
	static const char *const unit[] = { "a", " ", "<u>", "<u>b", "\xc3", "\xc3 ", "abc " };
	CHECK_STATUS(x->t, gllm_tokenizer_encode(&x->tok, NULL, 0, false, NULL, 0, &(size_t){ 0 }, x->work, WORK_BYTES, NULL),
	             GLLM_OK);
	for (unsigned u = 0; u < GLLM_COUNT(unit); u++) {
		char *long_text = (char *)x->work + WORK_BYTES / 2;
		size_t n = 0, width = build_length(unit[u]), count = 0;
		while (n + width <= 256)
			for (size_t i = 0; i < width; i++)
				long_text[n++] = unit[u][i];
		size_t need = gllm_tokenizer_encode_workspace(&x->tok, n);
		if (!CHECK(x->t, need < WORK_BYTES / 2))
			continue;
		int32_t *ids = x->ids;
		char *back = x->back;
		x->work[need] = 0xa5;
		CHECK_STATUS(x->t, gllm_tokenizer_encode(&x->tok, long_text, n, true, ids, IDS, &count, x->work, need, NULL), GLLM_OK);
		CHECK_EQ(x->t, x->work[need], 0xa5);
		size_t length = decode(x, ids, count, back, IDS);
		CHECK(x->t, u == 3 || equal_text(back, length, long_text, n)); /* behind a cut-out token decoding shows the space */
		CHECK_STATUS(x->t, gllm_tokenizer_encode(&x->tok, long_text, n, true, ids, IDS, &count, x->work, need - 1, NULL),
		             GLLM_OUT_OF_MEMORY);
	}
}

static void limits(struct bench *x)
{
	struct check *t = x->t;
	struct gllm_error e = { 0 };
	int32_t ids[4] = { -7, -7, -7, -7 };
	size_t count = 0, n = 0;
	bool start = true;
	char out[8];
	set_up(x, (struct options){ .space_prefix = true, .user = true });
	CHECK_STATUS(t, gllm_tokenizer_encode(&x->tok, "bbbbb", 5, true, ids, 3, &count, x->work, WORK_BYTES, &e),
	             GLLM_CONTEXT_FULL);
	CHECK(t, count == 7 && e.expected == 3 && e.actual == 7);
	CHECK(t, ids[0] == 1 && ids[2] == (int32_t)id_of("b") && ids[3] == -7);
	CHECK_STATUS(t, gllm_tokenizer_encode(&x->tok, NULL, 1, true, ids, 3, &count, x->work, WORK_BYTES, NULL),
	             GLLM_INVALID_ARGUMENT);
	CHECK_EQ(t, gllm_tokenizer_encode_workspace(&x->tok, (size_t)1 << 40), SIZE_MAX);
	CHECK_STATUS(t, gllm_tokenizer_encode(&x->tok, out, (size_t)1 << 40, true, ids, 3, &count, x->work, WORK_BYTES, NULL),
	             GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_tokenizer_decode(&x->tok, TOKENS, &start, out, 8, &n, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_tokenizer_decode(&x->tok, -1, &start, out, 8, &n, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_tokenizer_decode(&x->tok, 1, &start, NULL, 0, &n, NULL), GLLM_OK);
	CHECK(t, n == 0 && start);
	CHECK_STATUS(t, gllm_tokenizer_decode(&x->tok, (int32_t)id_of("aaaa"), &start, out, 3, &n, NULL), GLLM_OUT_OF_MEMORY);
	CHECK(t, start);
	CHECK_STATUS(t, gllm_tokenizer_decode(&x->tok, (int32_t)id_of(BLOCK "a"), &start, out, 1, &n, NULL), GLLM_OK);
	CHECK(t, n == 1 && out[0] == 'a' && !start);
	CHECK_STATUS(t, gllm_tokenizer_decode(&x->tok, (int32_t)id_of(BLOCK "a"), &start, out, 8, &n, NULL), GLLM_OK);
	CHECK(t, n == 2 && out[0] == ' ' && out[1] == 'a');
	CHECK_STATUS(t, gllm_tokenizer_decode(&x->tok, FIRST_BYTE + 0xff, &start, out, 8, &n, NULL), GLLM_OK);
	CHECK(t, n == 1 && out[0] == '\xff');
}

static void refused(struct bench *x)
{
	static const struct { struct lie lie; enum gllm_status want; const char *name; } row[] = {
		{ { "tokenizer.ggml.tokens", LIE_COUNT, TOKENS - 1 }, GLLM_BAD_VALUE, "aa" }, /* the last token is taken as a key */
		{ { "tokenizer.ggml.add_space_prefix", LIE_TYPE, GLLM_GGUF_U8 }, GLLM_WRONG_TYPE, "tokenizer.ggml.add_space_prefix" },
		{ { "tokenizer.ggml.model", LIE_SKIP, 0 }, GLLM_MISSING_KEY, "tokenizer.ggml.model" },
	};
	for (unsigned i = 0; i < GLLM_COUNT(row); i++) {
		struct gllm_error e = { 0 };
		size_t need = 0;
		build_vocabulary(&x->b, x->file, (struct options){ .lie = row[i].lie });
		enum gllm_status s = gllm_gguf_open(&x->g, x->file, x->b.n, x->index, INDEX_BYTES, &e);
		if (s == GLLM_OK)
			s = gllm_tokenizer_workspace(&x->g, &need, &e);
		CHECK_STATUS(x->t, s, row[i].want);
		CHECK_TEXT(x->t, e.name, row[i].name);
	}
}

static void stories(struct bench *x)
{
	static const int32_t prompt_ids[] = { 1, 403, 407, 261, 378 };
	static const int32_t story_ids[] = {
		432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338, 401, 396, 267, 337, 410, 408, 419, 292, 411, 322, 265,
		282, 295, 433, 426, 385, 328, 432, 358, 394, 261, 370, 432, 352, 266, 268, 388, 426, 338, 391, 266, 267, 337, 335,
		312, 432, 398, 312, 286, 267, 414, 270, 333, 415, 426, 13, 438, 310, 439, 419, 357, 336,
	};
	static const char prompt[] = "Once upon a time";
	static const char story[] = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
		"One day, she saw a big, red ball. She wanted to play with it, but it was too high.\nLily's mom said";
	const struct check_host *h = x->t->host;
	struct gllm_error e = { 0 };
	struct gllm_text name = { 0 };
	int32_t *ids = x->ids;
	char *text = x->back;
	size_t count = 0;
	if (!h->model || gllm_gguf_open(&x->g, h->model, h->model_size, x->file, FILE_BYTES, NULL) != GLLM_OK ||
	    gllm_gguf_string(&x->g, "general.name", &name, NULL) != GLLM_OK || !equal_text(name.at, name.n, "stories260K", 11)) {
		check_skip(x->t, "the model stories260K was not given");
		return;
	}
	CHECK_STATUS(x->t, gllm_tokenizer_init(&x->tok, &x->g, x->table, TABLE_BYTES, &e), GLLM_OK);
	CHECK_STATUS(x->t, gllm_tokenizer_encode(&x->tok, prompt, sizeof prompt - 1, true, ids, IDS, &count, x->work, WORK_BYTES, &e),
	             GLLM_OK);
	CHECK_EQ(x->t, count, GLLM_COUNT(prompt_ids));
	for (size_t i = 0; i < count && i < GLLM_COUNT(prompt_ids); i++)
		CHECK_EQ(x->t, ids[i], prompt_ids[i]);
	for (size_t i = 0; i < GLLM_COUNT(story_ids); i++)
		ids[GLLM_COUNT(prompt_ids) + i] = story_ids[i];
	size_t n = decode(x, ids, GLLM_COUNT(prompt_ids) + GLLM_COUNT(story_ids), text, IDS - 1);
	text[n] = 0;
	CHECK_TEXT(x->t, text, story);
	CHECK_STATUS(x->t, gllm_tokenizer_encode(&x->tok, story, sizeof story - 1, true, ids, IDS, &count, x->work, WORK_BYTES, &e),
	             GLLM_OK);
	n = decode(x, ids, count, text, IDS - 1);
	text[n] = 0;
	CHECK_TEXT(x->t, text, story);
}

void check_tokenizer(struct check *t);
void check_tokenizer(struct check *t)
{
	size_t size = 0;
	unsigned char *p = check_memory(t, &size);
	if (!CHECK(t, size >= FILE_BYTES + INDEX_BYTES + TABLE_BYTES + WORK_BYTES + 9 * IDS + 64))
		return;
	p += (32 - (uintptr_t)p % 32) % 32;
	struct bench x = { .t = t, .file = p, .index = p + FILE_BYTES, .table = p + FILE_BYTES + INDEX_BYTES,
	                   .work = p + FILE_BYTES + INDEX_BYTES + TABLE_BYTES };
	x.ids = (int32_t *)(void *)(x.work + WORK_BYTES);
	x.want = x.ids + IDS;
	x.back = (char *)(x.want + IDS);
	known(&x);
	against_plain(&x);
	long_texts(&x);
	limits(&x);
	refused(&x);
	stories(&x);
}
