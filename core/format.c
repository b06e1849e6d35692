/* SPDX-License-Identifier: MIT
 * core/format.c - the printf-like front of core/fmt.h; apart from fmt.c because variable arguments may hold doubles. */
#include "core/bits.h"
#include "core/fmt.h"

struct field {
	bool left, zeros, has_precision;
	size_t width;
	int precision;
};

static void put_field(struct gllm_line *t, const char *s, size_t n, struct field f)
{
	size_t pad = f.width > n ? f.width - n : 0;
	if (f.zeros && n && *s == '-') {
		gllm_put_char(t, *s++);
		n--;
	}
	for (; !f.left && pad; pad--)
		gllm_put_char(t, f.zeros ? '0' : ' ');
	gllm_put_bytes(t, s, n);
	for (; pad; pad--)
		gllm_put_char(t, ' ');
}

static void put_limited(struct gllm_line *t, const char *s, struct field f)
{
	size_t n = 0;
	s = s ? s : "(null)";
	while ((!f.has_precision || n < (size_t)f.precision) && s[n])
		n++;
	f.zeros = false;
	put_field(t, s, n, f);
}

static const char *read_number(const char *p, int *value)
{
	for (*value = 0; *p >= '0' && *p <= '9' && *value < 10000; p++)
		*value = *value * 10 + (*p - '0');
	return p;
}

size_t gllm_format_args(char *out, size_t size, const char *p, va_list given)
{
	struct gllm_line t = gllm_line(out, size);
	va_list args;
	va_copy(args, given);
	for (; *p; p++) {
		if (*p != '%') {
			gllm_put_char(&t, *p);
			continue;
		}
		const char *start = p++;
		struct field f = { .precision = 0 };
		for (; *p == '-' || *p == '0'; p++)
			*(*p == '-' ? &f.left : &f.zeros) = true;
		if (*p == '*') {
			int width = va_arg(args, int);
			f.left = f.left || width < 0;
			f.width = width < 0 ? 0 - (size_t)width : (size_t)width;
			p++;
		} else {
			int width;
			p = read_number(p, &width);
			f.width = (size_t)width;
		}
		if (*p == '.') {
			f.has_precision = true;
			if (*++p == '*') {
				f.precision = va_arg(args, int);
				p++;
			} else {
				p = read_number(p, &f.precision);
			}
			if (f.precision < 0) {
				f.has_precision = false;
				f.precision = 0;
			}
		}
		bool is_long = *p == 'l' || *p == 'z'; /* long, long long and size_t have one size on both ISAs */
		while (*p == 'l' || *p == 'z')
			p++;
		char text[400];
		struct gllm_line n = gllm_line(text, sizeof text);
		switch (*p) {
		case 'd':
			gllm_put_signed(&n, is_long ? va_arg(args, long) : va_arg(args, int));
			break;
		case 'u':
			gllm_put_unsigned(&n, is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned));
			break;
		case 'x':
			gllm_put_hex(&n, is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned), 1);
			break;
		case 'f':
			gllm_put_fixed(&n, gllm_f64_bits(va_arg(args, double)), f.has_precision ? (unsigned)f.precision : 6);
			break;
		case 'c':
			gllm_put_char(&n, (char)va_arg(args, int));
			break;
		case 's':
			put_limited(&t, va_arg(args, const char *), f);
			continue;
		case '%':
			gllm_put_char(&t, '%');
			continue;
		default:
			gllm_put_string(&t, start);
			va_end(args);
			return t.length;
		}
		put_field(&t, text, n.length, f);
	}
	va_end(args);
	return t.length;
}

size_t gllm_format(char *out, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	size_t n = gllm_format_args(out, size, format, args);
	va_end(args);
	return n;
}
