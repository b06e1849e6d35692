/* SPDX-License-Identifier: MIT
 * qemu/board.c - the shared part of the boards: order of the start, memory, options, console, clock, exit.
 *
 * RAM, lowest address first: [fault stack, guard page, stack][text][rodata][data, bss] as the linker script says, then
 * code memory, guarded windows, the model, and the rest, which is the program's. */
#include "qemu/machine.h"
#include "gllm/native.h"
#include <stdarg.h>

enum { CODE_BYTES = 16 << 20, GUARDED_BYTES = 512 << 10, GUARDED_STRIDE = 1 << 20 };
/* Above all RAM, so they are nobody's identity addresses. */
static const uint64_t code_view = UINT64_C(1) << 42, guarded_view = (UINT64_C(1) << 42) + (UINT64_C(1) << 30);

static struct {
	uint64_t base, end;             /* free RAM */
	uint64_t code;                  /* write view of code memory */
	unsigned char *model;
	size_t model_size;
	uint64_t entry_ticks, latest_ns, deadline_ns;
} board;

/* --- console: its own formatting, so that a report never depends on the code it reports about ----------------------- */
void board_putc(char c)
{
	machine_send(&c, 1);
}

void board_write(const char *text, size_t n)
{
	machine_send(text, n);
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n] != 0)
		n++;
	return n;
}

void board_text(const char *text)
{
	machine_send(text, length(text));
}

static void number(uint64_t value, unsigned radix)
{
	char digits[20], *p = digits + sizeof digits;

	do {
		*--p = "0123456789abcdef"[value % radix];
		value /= radix;
	} while (value != 0);
	machine_send(p, (size_t)(digits + sizeof digits - p));
}

static void signed_number(int64_t value)
{
	if (value < 0)
		board_putc('-');
	number(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

void board_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (const char *p = format; *p != 0; p++) {
		const char *plain = p;
		bool wide;

		while (*p != 0 && *p != '%')
			p++;
		machine_send(plain, (size_t)(p - plain));
		if (*p == 0)
			break;
		p++;
		wide = *p == 'l' || *p == 'z';
		if (wide)
			p++;
		if (*p == 's')
			board_text(va_arg(args, const char *));
		else if (*p == 'c')
			board_putc((char)va_arg(args, int));
		else if (*p == 'd')
			signed_number(wide ? va_arg(args, int64_t) : va_arg(args, int));
		else if (*p == 'u' || *p == 'x')
			number(wide ? va_arg(args, uint64_t) : va_arg(args, unsigned), *p == 'u' ? 10 : 16);
		else
			board_putc(*p);
	}
	va_end(args);
}

/* --- exit ----------------------------------------------------------------------------------------------------------- */
/* Status 2 * code + 3 on both machines: 0 (the machine went off by itself) and 1 (QEMU failed) are never a guest's
 * answer, so neither can be taken for success; isa-debug-exit can only give odd ones anyway. */
void board_exit(int code)
{
	machine_exit(2 * (unsigned)(code < 0 || code > BOARD_EXIT_MOST ? BOARD_EXIT_MOST : code) + 3);
}

void board_panic(const char *why)
{
	board_text("board: ");
	board_text(why);
	board_putc('\n');
	board_exit(BOARD_EXIT_PANIC);
}

/* --- clock ---------------------------------------------------------------------------------------------------------- */
static uint64_t nanoseconds(uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * machine_tick_scale() >> 32);
}

uint64_t board_clock_ns(void)
{
	uint64_t now = nanoseconds(machine_ticks());

	if (now < board.latest_ns)
		now = board.latest_ns;
	board.latest_ns = now;
	return now;
}

uint64_t board_budget_left_ns(void)
{
	uint64_t now = nanoseconds(machine_ticks());

	return now < board.deadline_ns ? board.deadline_ns - now : 0;
}

uint64_t board_entry_ns(void)
{
	return nanoseconds(board.entry_ticks);
}

/* --- memory --------------------------------------------------------------------------------------------------------- */
static uint64_t at(const unsigned char *symbol)
{
	return (uint64_t)(uintptr_t)symbol;
}

static uint64_t up(uint64_t x, uint64_t align)
{
	return (x + align - 1) & ~(align - 1);
}

/* Keeps the greatest range that lies above the image, in whole blocks. */
void board_ram_region(uint64_t base, uint64_t size)
{
	uint64_t end = (base + size) & ~(uint64_t)(PAGE_BLOCK - 1), most = (uint64_t)PAGES_MOST_GIB << 30;
	uint64_t image = at(image_end);

	base = up(base < image ? image : base, PAGE_BLOCK);
	if (end > base && end - base > most)
		end = base + most;
	if (end > base && end - base > board.end - board.base) {
		board.base = base;
		board.end = end;
	}
}

static void map_same(const unsigned char *from, const unsigned char *to, enum page_kind kind)
{
	pages_map(at(from), at(from), up(at(to) - at(from), PAGE_BYTES), kind);
}

static void map_all(void)
{
	map_same(image_fault_stack, image_fault_stack_end, PAGE_DATA);
	map_same(image_stack, image_stack_end, PAGE_DATA);
	map_same(image_text, image_text_end, PAGE_TEXT);
	map_same(image_rodata, image_rodata_end, PAGE_RODATA);
	map_same(image_data, image_end, PAGE_DATA);
	machine_devices();
	if (board.end - board.base < CODE_BYTES + BOARD_GUARDED * GUARDED_BYTES + PAGE_BLOCK)
		board_panic("too little RAM");
	pages_map(board.base, board.base, board.end - board.base, PAGE_DATA);
	pages_map(code_view, board.base, CODE_BYTES, PAGE_CODE);
	board.code = board.base;
	board.base += CODE_BYTES;
	for (uint64_t i = 0; i < BOARD_GUARDED; i++, board.base += GUARDED_BYTES)
		pages_map(guarded_view + i * GUARDED_STRIDE, board.base, GUARDED_BYTES, PAGE_DATA);
}

void *board_guarded(unsigned i, size_t *size)
{
	*size = i < BOARD_GUARDED ? GUARDED_BYTES : 0;
	return i < BOARD_GUARDED ? (void *)(uintptr_t)(guarded_view + (uint64_t)i * GUARDED_STRIDE) : NULL;
}

void board_memory(void **base, size_t *size)
{
	*base = (void *)(uintptr_t)board.base;
	*size = (size_t)(board.end - board.base);
}

static enum gllm_status publish(void *unused, size_t offset, size_t size)
{
	(void)unused;
	if (offset > CODE_BYTES || size > CODE_BYTES - offset)
		return GLLM_INVALID_ARGUMENT;
	gllm_native_publish((const void *)(uintptr_t)(code_view + offset), size);
	return GLLM_OK;
}

void board_exec(struct gllm_exec_memory *out)
{
	*out = (struct gllm_exec_memory){
		.write = (unsigned char *)(uintptr_t)board.code,
		.exec = (const unsigned char *)(uintptr_t)code_view,
		.size = CODE_BYTES,
		.publish = publish,
	};
}

unsigned board_image(const struct gllm_range **range)
{
	static struct gllm_range part[2];

	part[0] = (struct gllm_range){ image_text, at(image_text), (uint64_t)(image_text_end - image_text), true };
	part[1] = (struct gllm_range){ image_rodata, at(image_rodata), (uint64_t)(image_rodata_end - image_rodata), true };
	*range = part;
	return 2;
}

/* --- options -------------------------------------------------------------------------------------------------------- */
static bool find_option(const char *name, struct fw_item *item)
{
	static const char prefix[] = "opt/gllm/";
	char full[56];
	size_t used = 0;

	for (const char *p = prefix; *p != 0; p++)
		full[used++] = *p;
	do {
		if (used == sizeof full)
			return false;
		full[used++] = *name;
	} while (*name++ != 0);
	return fw_cfg_find(full, item);
}

size_t board_option(const char *name, char *out, size_t size)
{
	struct fw_item item = { 0, 0 };
	uint32_t n = 0;

	if (find_option(name, &item))
		n = item.size;
	if (size > 0) {
		uint32_t kept = n < size ? n : (uint32_t)(size - 1);

		fw_cfg_read(item, out, kept);
		out[kept] = 0;
	}
	return n;
}

uint64_t board_option_number(const char *name, uint64_t absent)
{
	char text[24];
	uint64_t value = 0;
	size_t n = board_option(name, text, sizeof text);

	if (n == 0 || n >= sizeof text)
		return absent;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return absent;
	}
	return value;
}

bool board_model(unsigned char **bytes, size_t *size)
{
	*bytes = board.model;
	*size = board.model_size;
	return board.model != NULL;
}

static void take_model(void)
{
	struct fw_item item;

	if (!find_option("model", &item))
		return;
	if (item.size > board.end - board.base)
		board_panic("the model does not fit into RAM");
	board.model = (unsigned char *)(uintptr_t)board.base;
	board.model_size = item.size;
	fw_cfg_read(item, board.model, item.size);
	board.base = up(board.base + item.size, PAGE_BYTES);
	if (board.base > board.end)
		board.base = board.end;
}

/* --- start ---------------------------------------------------------------------------------------------------------- */
void board_start(uint64_t boot_info, uint64_t entry_ticks)
{
	uint64_t budget_ms;

	board.entry_ticks = entry_ticks;
	machine_console();
	machine_vectors();
	machine_ram(boot_info);
	map_all();
	machine_pages_on(pages_root());
	machine_vector_units();
	machine_clock_start();
	fw_cfg_start();
	take_model();
	if (board_option_number("align", 0) != 0)
		machine_strict_alignment();
	budget_ms = board_option_number("budget_ms", 0);
	if (budget_ms != 0 && budget_ms < UINT64_MAX / 1000000)
		board.deadline_ns = budget_ms * 1000000;
	if (board.deadline_ns != 0)
		machine_alarm(board_budget_left_ns());
	board_exit(board_main());
}
