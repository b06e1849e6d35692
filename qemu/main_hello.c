/* SPDX-License-Identifier: MIT
 * qemu/main_hello.c - shows and tests what the board promises: features, memory, W^X, both views of code memory, guard
 * pages, options, exceptions. Exits with the number of promises that are broken. Option `crash` = write, exec, null,
 * stack, insn or code ends it by that fault instead, hang = 1 or 2 runs for ever, here or in generated code. */
#include "qemu/board.h"

static int broken;

static void expect(bool ok, const char *what)
{
	board_print("%s  %s\n", ok ? "ok    " : "BROKEN", what);
	broken += !ok;
}

/* --- faults that must come ------------------------------------------------------------------------------------------- */
static const char read_only[] = "constant";
static unsigned char writable[64];

static void store(void *to)
{
	*(volatile unsigned char *)to = 0x90;
}

static void load(void *from)
{
	(void)*(volatile unsigned char *)from;
}

static void call(void *code)
{
	((void (*)(void))(uintptr_t)code)();
}

static void bad_insn(void *unused)
{
	(void)unused;
#ifdef __x86_64__
	__asm__ volatile("ud2");
#else
	__asm__ volatile("udf #0");
#endif
}

/* Consumes the stack until it meets the guard page. The asm keeps the frame from being folded away. */
static void deeper(void *unused)
{
	for (volatile unsigned char *p = (volatile unsigned char *)__builtin_frame_address(0);; p -= 1024)
		*p = 0;
	(void)unused;
}

static void must_fault(void (*fn)(void *), void *arg, uint64_t vector, const char *what)
{
	struct board_fault f = { 0, 0, 0, 0 };

	expect(board_try(fn, arg, &f) && f.vector == vector, what);
}

/* --- code memory ----------------------------------------------------------------------------------------------------- */
#ifdef __x86_64__
#define LANDING 0xf3, 0x0f, 0x1e, 0xfa /* endbr64 */
static const unsigned char add_code[] = { LANDING, 0x8d, 0x04, 0x37, 0xc3 };       /* lea eax, [rdi+rsi]; ret */
static const unsigned char sub_code[] = { LANDING, 0x89, 0xf8, 0x29, 0xf0, 0xc3 }; /* mov eax, edi; sub eax, esi; ret */
static const unsigned char trap_code[] = { LANDING, 0x0f, 0x0b };                  /* ud2 */
static const unsigned char loop_code[] = { LANDING, 0xeb, 0xfe };                  /* jmp to itself */
#else
#define LANDING 0x5f, 0x24, 0x03, 0xd5 /* bti c */
#define RET 0xc0, 0x03, 0x5f, 0xd6
static const unsigned char add_code[] = { LANDING, 0x00, 0x00, 0x01, 0x0b, RET }; /* add w0, w0, w1 */
static const unsigned char sub_code[] = { LANDING, 0x00, 0x00, 0x01, 0x4b, RET }; /* sub w0, w0, w1 */
static const unsigned char trap_code[] = { LANDING, 0x00, 0x00, 0x00, 0x00 };     /* udf #0 */
static const unsigned char loop_code[] = { LANDING, 0x00, 0x00, 0x00, 0x14 };     /* b to itself */
#endif

static void *put_code(const struct gllm_exec_memory *m, size_t offset, const unsigned char *code, size_t n)
{
	for (size_t i = 0; i < n; i++)
		m->write[offset + i] = code[i];
	if (m->publish(m->user, offset, n) != GLLM_OK)
		expect(false, "publish");
	return (void *)(uintptr_t)(m->exec + offset);
}

static int run(void *code, int a, int b)
{
	return ((int (*)(int, int))(uintptr_t)code)(a, b);
}

static void check_code_memory(void)
{
	struct gllm_exec_memory m;
	void *entry;

	board_exec(&m);
	entry = put_code(&m, 64, add_code, sizeof add_code);
	expect(run(entry, 40, 2) == 42, "code written through one view runs through the other");
	entry = put_code(&m, 64, sub_code, sizeof sub_code);
	expect(run(entry, 40, 2) == 38, "and again after it was overwritten");
	must_fault(store, entry, BOARD_FAULT_WRITE, "the exec view cannot be written");
	must_fault(call, m.write + 64, BOARD_FAULT_EXEC, "the write view cannot be executed");
	entry = put_code(&m, m.size - sizeof trap_code, trap_code, sizeof trap_code);
	must_fault(call, entry, BOARD_FAULT_INSN, "the last bytes run; an invalid instruction there faults");
}

static void check_memory(void)
{
	const struct gllm_range *range;
	unsigned char *base;
	size_t size, window;
	void *p;

	board_memory(&p, &size);
	base = p;
	board_print("free RAM %zu KiB at 0x%lx\n", size >> 10, (uint64_t)(uintptr_t)base);
	base[0] = base[size - 1] = 1;
	expect(board_image(&range) == 2, "text and rodata are known");
	for (unsigned i = 0; i < 2; i++)
		board_print("image 0x%lx + 0x%lx\n", range[i].addr, range[i].size);
	must_fault(store, (void *)(uintptr_t)range[0].bytes, BOARD_FAULT_WRITE, "text cannot be written");
	must_fault(store, (void *)(uintptr_t)read_only, BOARD_FAULT_WRITE, "rodata cannot be written");
	must_fault(call, (void *)(uintptr_t)read_only, BOARD_FAULT_EXEC, "rodata cannot be executed");
	must_fault(call, writable, BOARD_FAULT_EXEC, "data cannot be executed");
	must_fault(call, base, BOARD_FAULT_EXEC, "free RAM cannot be executed");
	must_fault(call, &size, BOARD_FAULT_EXEC, "the stack cannot be executed");
	must_fault(load, NULL, BOARD_FAULT_READ, "address 0 cannot be read");
	must_fault(deeper, NULL, BOARD_FAULT_WRITE, "the stack ends in a guard page");
	must_fault(bad_insn, NULL, BOARD_FAULT_INSN, "an invalid instruction faults");
	base = board_guarded(3, &window);
	base[0] = base[window - 1] = 1;
	must_fault(load, base - 1, BOARD_FAULT_READ, "a byte before a guarded window faults");
	must_fault(load, base + window, BOARD_FAULT_READ, "a byte after a guarded window faults");
	expect(board_guarded(BOARD_GUARDED, &window) == NULL, "there are no more windows than promised");
}

/* --- CPU ------------------------------------------------------------------------------------------------------------- */
#ifdef __x86_64__
static void print_cpu(void)
{
	uint32_t a, b, c, d, lo = 3, hi;

	__asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
	if (c >> 27 & 1)
		__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	board_print("cpu: leaf 1 eax 0x%x ecx 0x%x edx 0x%x, xcr0 0x%x%s\n", a, c, d, lo, c >> 27 & 1 ? "" : " (no XSAVE)");
}
#else
static void print_cpu(void)
{
	uint64_t midr, pfr0, isar0, cpacr;

	__asm__ volatile("mrs %0, midr_el1" : "=r"(midr));
	__asm__ volatile("mrs %0, id_aa64pfr0_el1" : "=r"(pfr0));
	__asm__ volatile("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
	__asm__ volatile("mrs %0, cpacr_el1" : "=r"(cpacr));
	board_print("cpu: midr 0x%lx pfr0 0x%lx isar0 0x%lx cpacr 0x%lx\n", midr, pfr0, isar0, cpacr);
}
#endif

/* A float product through vector registers: faults if they are not enabled. */
static void float_work(void *out)
{
	volatile float *x = out;

	*x = *x * 1.5f;
}

static void unaligned(void *at)
{
	uint64_t v;

#ifdef __x86_64__
	__asm__ volatile("movq 1(%1), %0" : "=r"(v) : "r"(at) : "memory");
#else
	__asm__ volatile("ldur %0, [%1, #1]" : "=r"(v) : "r"(at) : "memory");
#endif
}

static void check_cpu(void)
{
	float x = 2.0f;

	print_cpu();
	expect(!board_try(float_work, &x, NULL) && x == 3.0f, "floating point works");
#ifdef __aarch64__
	expect(board_try(unaligned, writable, NULL) == (board_option_number("align", 0) != 0),
	       "an unaligned access faults exactly if option align asks for it");
#else
	expect(!board_try(unaligned, writable, NULL), "an unaligned access works");
#endif
}

/* --- options ----------------------------------------------------------------------------------------------------------- */
static bool same(const char *a, const char *b)
{
	while (*a != 0 && *a == *b)
		a++, b++;
	return *a == *b;
}

static void check_options(void)
{
	unsigned char *model;
	size_t size;
	char text[8];

	expect(board_option("no such option", text, sizeof text) == 0 && text[0] == 0, "an option that was not given is empty");
	if (board_option("text", text, sizeof text) != 0)
		board_print("text = %s\n", text);
	if (board_model(&model, &size)) {
		uint64_t sum = 0;

		for (size_t i = 0; i < size; i++)
			sum += model[i];
		board_print("model: %zu bytes, sum %lu\n", size, sum);
	}
}

static const char *where(uint64_t pc)
{
	struct gllm_exec_memory m;

	board_exec(&m);
	return pc >= (uint64_t)(uintptr_t)m.exec && pc < (uint64_t)(uintptr_t)(m.exec + m.size) ? "the hello kernel" : NULL;
}

static void crash(const char *how)
{
	struct gllm_exec_memory m;

	board_where = where;
	board_exec(&m);
	if (same(how, "write"))
		store((void *)(uintptr_t)read_only);
	if (same(how, "exec"))
		call(writable);
	if (same(how, "null"))
		load(NULL);
	if (same(how, "stack"))
		deeper(NULL);
	if (same(how, "insn"))
		bad_insn(NULL);
	if (same(how, "code"))
		call(put_code(&m, 0, trap_code, sizeof trap_code));
}

static void hang(void)
{
	struct gllm_exec_memory m;

	board_where = where;
	board_exec(&m);
	call(put_code(&m, 0, loop_code, sizeof loop_code));
}

int board_main(void)
{
	uint64_t entry = board_entry_ns(), now = board_clock_ns(), again;
	char how[16];

	board_print("hello: image entered %lu us after reset, main after %lu us\n", entry / 1000, now / 1000);
	if (board_option("crash", how, sizeof how) != 0)
		crash(how);
	while (board_option_number("hang", 0) == 1)
		board_clock_ns();
	if (board_option_number("hang", 0) == 2)
		hang();
	check_cpu();
	check_memory();
	check_code_memory();
	check_options();
	again = board_clock_ns();
	expect(entry < now && now < again, "the clock goes forward");
	board_print("hello: %d broken, %lu us after reset\n", broken, again / 1000);
	return broken;
}
