/* SPDX-License-Identifier: MIT
 * core/fmt.h - small text formatting into a bounded buffer.
 *
 * Nothing is ever written beyond `size`; with size > 0 the text always ends in NUL and is cut where the buffer ends.
 * Lengths returned are those of the whole text, as if the buffer had been large enough, NUL excluded.
 * The gllm_put_ functions use integer registers only, so an exception handler may call them; gllm_format takes variable
 * arguments, double among them, and may be called once floating point is enabled. */
#ifndef GLLM_FMT_H
#define GLLM_FMT_H
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct gllm_line {
	char *out;
	size_t size;
	size_t length; /* of the whole text so far */
};

struct gllm_line gllm_line(char *out, size_t size); /* out may be NULL if size is 0 */
void gllm_put_char(struct gllm_line *t, char c);
void gllm_put_string(struct gllm_line *t, const char *s); /* NULL prints as (null) */
void gllm_put_bytes(struct gllm_line *t, const char *s, size_t n);
void gllm_put_unsigned(struct gllm_line *t, uint64_t v);
void gllm_put_signed(struct gllm_line *t, int64_t v);
void gllm_put_hex(struct gllm_line *t, uint64_t v, unsigned digits); /* at least `digits`, no prefix */
/* The double of bit pattern `bits`, rounded exactly (ties to even) to `decimals` <= 40 places; inf, nan. */
void gllm_put_fixed(struct gllm_line *t, uint64_t bits, unsigned decimals);

/* %[-][0][width][.precision][l|ll|z](d u x c s f %); width and precision may be *; a width below 0 aligns to the left. Precision:
 * digits after the point (6) of %f, the greatest number of bytes of %s. An unknown conversion is printed as it stands and ends the formatting. */
#define GLLM_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
size_t gllm_format(char *out, size_t size, const char *format, ...) GLLM_PRINTF(3, 4);
size_t gllm_format_args(char *out, size_t size, const char *format, va_list args) GLLM_PRINTF(3, 0);
#endif
