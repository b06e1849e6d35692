/* SPDX-License-Identifier: MIT
 * core/fmt.c - text and numbers into a bounded buffer, with integer registers only. */
#include "core/fmt.h"
#include "core/bits.h"

struct gllm_line gllm_line(char *out, size_t size)
{
	if (size)
		out[0] = 0;
	return (struct gllm_line){ .out = out, .size = size };
}

void gllm_put_char(struct gllm_line *t, char c)
{
	if (t->size && t->length < t->size - 1) {
		t->out[t->length] = c;
		t->out[t->length + 1] = 0;
	}
	t->length++;
}

void gllm_put_bytes(struct gllm_line *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gllm_put_char(t, s[i]);
}

void gllm_put_string(struct gllm_line *t, const char *s)
{
	for (s = s ? s : "(null)"; *s; s++)
		gllm_put_char(t, *s);
}

static void put_number(struct gllm_line *t, uint64_t v, unsigned base, unsigned digits)
{
	char text[64];
	unsigned n = 0;
	for (; v || n < digits; v /= base)
		text[n++] = "0123456789abcdef"[v % base];
	while (n)
		gllm_put_char(t, text[--n]);
}

void gllm_put_unsigned(struct gllm_line *t, uint64_t v)
{
	put_number(t, v, 10, 1);
}

void gllm_put_signed(struct gllm_line *t, int64_t v)
{
	if (v < 0)
		gllm_put_char(t, '-');
	gllm_put_unsigned(t, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void gllm_put_hex(struct gllm_line *t, uint64_t v, unsigned digits)
{
	put_number(t, v, 16, digits == 0 ? 1 : digits > 16 ? 16 : digits);
}

/* A double is a whole number of 2^-1074: WHOLE words hold what stands before the binary point, PART words what stands
 * after it, least significant word first, so decimal digits come out exactly. */
enum { PART = 34, WHOLE = 32, MOST_DECIMALS = 40 };

struct fixed {
	uint32_t word[PART + WHOLE];
};

static struct fixed to_fixed(uint64_t bits)
{
	struct fixed x = { { 0 } };
	unsigned exp = bits >> 52 & 0x7ff;
	uint64_t mant = (bits & 0xfffffffffffff) | (exp ? UINT64_C(1) << 52 : 0);
	unsigned at = (exp ? exp : 1) - 1 + (PART * 32 - 1074); /* of the lowest bit of mant */
	unsigned w = at / 32, s = at % 32;
	x.word[w] = (uint32_t)(mant << s);
	uint64_t rest = mant >> (32 - s);
	x.word[w + 1] = (uint32_t)rest;
	if (rest >> 32)
		x.word[w + 2] = (uint32_t)(rest >> 32);
	return x;
}

static uint32_t next_decimal(struct fixed *x) /* the part times ten; its carry leaves */
{
	uint64_t carry = 0;
	for (unsigned i = 0; i < PART; i++) {
		carry += (uint64_t)x->word[i] * 10;
		x->word[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return (uint32_t)carry;
}

static uint32_t divide_whole(struct fixed *x, uint32_t by)
{
	uint64_t rest = 0;
	for (unsigned i = PART + WHOLE; i-- > PART;) {
		rest = rest << 32 | x->word[i];
		x->word[i] = (uint32_t)(rest / by);
		rest %= by;
	}
	return (uint32_t)rest;
}

static int compare_with_half(const struct fixed *x) /* of the part that is left: -1, 0, 1 */
{
	uint32_t top = x->word[PART - 1];
	if (top != 0x80000000u)
		return top < 0x80000000u ? -1 : 1;
	for (unsigned i = 0; i < PART - 1; i++)
		if (x->word[i])
			return 1;
	return 0;
}

static bool round_up(char *digit, unsigned n) /* true if the carry left the first digit */
{
	for (; n; n--) {
		if (digit[n - 1] != '9') {
			digit[n - 1]++;
			return false;
		}
		digit[n - 1] = '0';
	}
	return true;
}

static bool whole_is_zero(const struct fixed *x)
{
	uint32_t any = 0;
	for (unsigned i = PART; i < PART + WHOLE; i++)
		any |= x->word[i];
	return any == 0;
}

void gllm_put_fixed(struct gllm_line *t, uint64_t bits, unsigned decimals)
{
	char digit[1 + 309 + 8 + MOST_DECIMALS]; /* a place for the carry, the whole part (in nines), decimals */
	enum { POINT = 1 + 309 + 8 };
	unsigned first = POINT, end = POINT;
	if (bits >> 52 & 0x800)
		gllm_put_char(t, '-');
	if ((bits >> 52 & 0x7ff) == 0x7ff) {
		gllm_put_string(t, bits & 0xfffffffffffff ? "nan" : "inf");
		return;
	}
	struct fixed x = to_fixed(bits);
	do {
		uint32_t nine = divide_whole(&x, 1000000000);
		for (unsigned i = 0; i < 9; i++, nine /= 10)
			digit[--first] = (char)('0' + nine % 10);
	} while (!whole_is_zero(&x));
	while (first < POINT - 1 && digit[first] == '0')
		first++;
	if (decimals > MOST_DECIMALS)
		decimals = MOST_DECIMALS;
	for (; end < POINT + decimals; end++)
		digit[end] = (char)('0' + next_decimal(&x));
	int half = compare_with_half(&x);
	if ((half > 0 || (half == 0 && (digit[end - 1] & 1))) && round_up(digit + first, end - first))
		digit[--first] = '1';
	gllm_put_bytes(t, digit + first, POINT - first);
	if (decimals) {
		gllm_put_char(t, '.');
		gllm_put_bytes(t, digit + POINT, decimals);
	}
}
