/* SPDX-License-Identifier: MIT
 * qemu/x86_64/machine.c - a PC as QEMU's pc, q35 and microvm have it: 16550, PIT, TSC, fw_cfg, isa-debug-exit. */
#include "qemu/machine.h"

enum { UART = 0x3f8, PIT_COMMAND = 0x43, PIT_CHANNEL2 = 0x42, PIT_GATE = 0x61, FW_CFG = 0x510, FW_DMA = 0x514, EXIT = 0xf4 };

static void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static void out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

struct cpuid { uint32_t a, b, c, d; };

static struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
	return r;
}

/* --- 16550 ---------------------------------------------------------------------------------------------------------- */
enum { UART_DATA = 0, UART_IER = 1, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5, UART_FIFO = 16 };

void machine_console(void)
{
	out8(UART + UART_IER, 0);
	out8(UART + UART_LCR, 0x80); /* divisor follows: 1, 115200 baud */
	out8(UART + UART_DATA, 1);
	out8(UART + UART_IER, 0);
	out8(UART + UART_LCR, 3);    /* 8N1 */
	out8(UART + UART_FCR, 7);    /* FIFO on and empty */
	out8(UART + UART_MCR, 3);
}

void machine_send(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i % UART_FIFO == 0)
			while (!(in8(UART + UART_LSR) & 0x20)) /* the FIFO is empty: it takes 16 */
				;
		out8(UART + UART_DATA, (uint8_t)text[i]);
	}
}

/* --- RAM: the PVH start info, version 1 or later --------------------------------------------------------------------- */
struct start_info {
	uint32_t magic, version, flags, nmodules;
	uint64_t modules, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

struct memmap_entry {
	uint64_t base, size;
	uint32_t type, reserved;
};

enum { START_INFO_MAGIC = 0x336ec578, TYPE_RAM = 1 };

void machine_ram(uint64_t boot_info)
{
	const struct start_info *info = (const struct start_info *)(uintptr_t)boot_info;
	const struct memmap_entry *e;

	if (info->magic != START_INFO_MAGIC || info->version < 1)
		board_panic("no PVH start info with a memory map");
	e = (const struct memmap_entry *)(uintptr_t)info->memmap;
	for (uint32_t i = 0; i < info->memmap_entries; i++)
		if (e[i].type == TYPE_RAM)
			board_ram_region(e[i].base, e[i].size);
}

/* --- pages ---------------------------------------------------------------------------------------------------------- */
enum { PRESENT = 1, WRITABLE = 2, UNCACHED = 0x18, USED = 0x60, LARGE = 0x80 };
#define NO_EXEC (UINT64_C(1) << 63)

const struct page_format machine_page_format = {
	.table = PRESENT | WRITABLE,
	.page = PRESENT | USED,
	.block = PRESENT | USED | LARGE,
	.kind = {
		[PAGE_TEXT] = 0,
		[PAGE_RODATA] = NO_EXEC,
		[PAGE_DATA] = NO_EXEC | WRITABLE,
		[PAGE_DEVICE] = NO_EXEC | WRITABLE | UNCACHED,
		[PAGE_CODE] = 0,
	},
};

static uint64_t apic_base(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0x1b));
	return ((uint64_t)hi << 32 | lo) & 0x000ffffffffff000;
}

void machine_devices(void) /* all others are behind ports */
{
	pages_map(apic_base(), apic_base(), PAGE_BYTES, PAGE_DEVICE);
}

void machine_pages_on(const uint64_t *root)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory");
}

/* --- vector units --------------------------------------------------------------------------------------------------- */
void machine_vector_units(void)
{
	enum { OSXSAVE = 1 << 18, X87_SSE = 3, AVX = 4, AVX512 = 0xe0 };
	static const uint32_t mxcsr = 0x1f80;
	uint64_t cr4;
	uint32_t xcr0;

	__asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
	if (!(cpuid(1, 0).c >> 26 & 1)) /* no XSAVE: SSE is all there is to enable */
		return;
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | OSXSAVE));
	xcr0 = cpuid(13, 0).a;
	if (!(xcr0 & AVX) || (xcr0 & AVX512) != AVX512) /* only all three of its parts, and only on top of AVX */
		xcr0 &= ~(uint32_t)AVX512;
	xcr0 &= X87_SSE | AVX | AVX512;
	__asm__ volatile("xsetbv" : : "a"(xcr0 | X87_SSE), "d"(0), "c"(0));
}

void machine_strict_alignment(void) {} /* EFLAGS.AC has no effect in ring 0 */

/* --- clock: the TSC, measured against the PIT ------------------------------------------------------------------------ */
static uint64_t scale;

uint64_t machine_ticks(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

uint64_t machine_tick_scale(void)
{
	return scale;
}

static uint16_t pit_now(uint64_t *ticks)
{
	uint8_t lo, hi;

	out8(PIT_COMMAND, 0x80); /* latch channel 2 */
	*ticks = machine_ticks();
	lo = in8(PIT_CHANNEL2);
	hi = in8(PIT_CHANNEL2);
	return (uint16_t)(hi << 8 | lo);
}

void machine_clock_start(void)
{
	enum { PIT_HZ = 1193182, SPAN = PIT_HZ / 500 /* 2 ms */ };
	static const uint64_t give_up = UINT64_C(1) << 32; /* ticks: a second or so */
	uint64_t t0, t1;
	uint16_t c0, c1;

	out8(PIT_GATE, (uint8_t)((in8(PIT_GATE) & ~2u) | 1)); /* gate open, speaker off */
	out8(PIT_COMMAND, 0xb0);                              /* channel 2, both bytes, mode 0: counts down */
	out8(PIT_CHANNEL2, 0xff);
	out8(PIT_CHANNEL2, 0xff);
	do
		c0 = pit_now(&t0);
	while (c0 == 0); /* not loaded yet */
	do {
		c1 = pit_now(&t1);
		if (t1 - t0 > give_up)
			board_panic("the PIT does not count: no clock");
	} while ((uint16_t)(c0 - c1) < SPAN);
	scale = ((uint64_t)(uint16_t)(c0 - c1) * 1000000000 / PIT_HZ << 32) / (t1 - t0);
}

/* --- fw_cfg --------------------------------------------------------------------------------------------------------- */
void machine_fw_cfg_select(uint16_t key)
{
	out16(FW_CFG, key);
}

uint8_t machine_fw_cfg_byte(void)
{
	return in8(FW_CFG + 1);
}

void machine_fw_cfg_dma(const void *request)
{
	uint64_t a = (uint64_t)(uintptr_t)request;

	out32(FW_DMA, __builtin_bswap32((uint32_t)(a >> 32)));
	out32(FW_DMA + 4, __builtin_bswap32((uint32_t)a)); /* starts it */
}

/* --- exceptions ----------------------------------------------------------------------------------------------------- */
enum { EXCEPTIONS = 32, TIMER = 32, SPURIOUS = 47, VECTORS = 48, CODE_SELECTOR = 8, TSS_SELECTOR = 0x18, PAGE_FAULT = 14 };

struct frame { /* as start.S pushes it */
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, code, rip, cs, rflags, rsp, ss;
};

struct gate {
	uint16_t offset0, selector;
	uint8_t stack, type;
	uint16_t offset1;
	uint32_t offset2, reserved;
};

struct __attribute__((packed)) tss {
	uint32_t reserved0;
	uint64_t rsp[3], reserved1, ist[7], reserved2;
	uint16_t reserved3, io_map;
};

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};

extern const unsigned char machine_vector[];
void machine_exception(struct frame *f); /* from start.S */

static struct gate idt[VECTORS];
static struct tss tss;
static uint64_t gdt[5];

static const char *const exception_name[EXCEPTIONS] = {
	"division error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid instruction",
	"device not available", "double fault", "coprocessor overrun", "invalid TSS", "segment not present", "stack segment",
	"general protection", "page fault", "reserved", "x87 error", "alignment check", "machine check", "SIMD floating point",
	"virtualization", "control protection", "reserved", "reserved", "reserved", "reserved", "reserved", "reserved",
	"hypervisor injection", "VMM communication", "security", "reserved",
};

void machine_vectors(void)
{
	uint64_t base = (uint64_t)(uintptr_t)&tss;
	struct table_pointer gdt_at = { sizeof gdt - 1, (uint64_t)(uintptr_t)gdt };
	struct table_pointer idt_at = { sizeof idt - 1, (uint64_t)(uintptr_t)idt };

	tss.ist[0] = (uint64_t)(uintptr_t)image_fault_stack_end;
	tss.io_map = sizeof tss;
	gdt[1] = 0x00af9b000000ffff;
	gdt[2] = 0x00cf93000000ffff;
	gdt[3] = (sizeof tss - 1) | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
	gdt[4] = base >> 32;
	for (unsigned v = 0; v < VECTORS; v++) {
		uint64_t entry = (uint64_t)(uintptr_t)machine_vector + 16 * v;

		idt[v] = (struct gate){ .offset0 = (uint16_t)entry, .selector = CODE_SELECTOR, .stack = 1, .type = 0x8e,
		                        .offset1 = (uint16_t)(entry >> 16), .offset2 = (uint32_t)(entry >> 32) };
	}
	__asm__ volatile("lgdt %0" : : "m"(gdt_at) : "memory");
	__asm__ volatile("lidt %0" : : "m"(idt_at) : "memory");
	__asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR) : "memory");
}

/* --- alarm: the timer of the local APIC. QEMU's counts nanoseconds; where another counts faster the alarm comes early and
 * board_alarm sets it again. */
enum { APIC_EOI = 0xb0, APIC_SPURIOUS = 0xf0, APIC_TIMER = 0x320, APIC_COUNT = 0x380, APIC_DIVIDE = 0x3e0 };
enum { PIC1_MASK = 0x21, PIC2_MASK = 0xa1 };

static volatile uint32_t *apic(unsigned reg)
{
	return (volatile uint32_t *)(uintptr_t)(apic_base() + reg);
}

void machine_alarm(uint64_t ns)
{
	uint64_t count = ns / 128 + 1;

	out8(PIC1_MASK, 0xff); /* the firmware left it ticking */
	out8(PIC2_MASK, 0xff);
	*apic(APIC_SPURIOUS) = 0x100 | SPURIOUS;
	*apic(APIC_DIVIDE) = 10; /* by 128 */
	*apic(APIC_TIMER) = TIMER;
	*apic(APIC_COUNT) = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
	__asm__ volatile("sti" : : : "memory");
}

void machine_exception(struct frame *f)
{
	static const char *const register_name[] = { /* as struct frame orders them */
		"r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8", "rbp", "rdi", "rsi", "rdx", "rcx", "rbx", "rax",
	};
	enum { PUSHED = sizeof register_name / sizeof register_name[0] };
	static struct machine_fault report; /* static: general registers cannot clear it without memset */

	report.fault = (struct board_fault){ .vector = f->vector, .code = f->code, .pc = f->rip, .address = 0 };
	__asm__ volatile("movq %%cr2, %0" : "=r"(report.fault.address));
	report.name = f->vector == TIMER ? "budget_ms is used up" : exception_name[f->vector % EXCEPTIONS];
	report.has_address = f->vector == PAGE_FAULT;
	report.pc = &f->rip;
	report.sp = &f->rsp;
	for (unsigned i = 0; i < PUSHED; i++)
		report.reg[i] = (struct machine_register){ register_name[PUSHED - 1 - i], (&f->r15)[PUSHED - 1 - i] };
	report.reg[PUSHED] = (struct machine_register){ "rsp", f->rsp };
	report.reg[PUSHED + 1] = (struct machine_register){ "rflags", f->rflags };
	report.nregs = PUSHED + 2;
	if (f->vector < EXCEPTIONS) {
		board_fault_report(&report);
	} else if (f->vector == TIMER) {
		*apic(APIC_EOI) = 0;
		board_alarm(&report);
	}
}

/* --- exit ----------------------------------------------------------------------------------------------------------- */
void machine_exit(unsigned status)
{
	out32(EXIT, status >> 1); /* QEMU ends with 2 * value + 1 */
	for (;;)                  /* no exit device: the starter's budget ends this */
		__asm__ volatile("cli; hlt");
}
