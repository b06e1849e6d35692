/* SPDX-License-Identifier: MIT
 * qemu/aarch64/machine.c - QEMU's `virt`: PL011, generic timer, fw_cfg, semihosting and PSCI.
 * Compiled for strict alignment: most of it runs before the MMU is on. */
#include "qemu/machine.h"

#define UART UINT64_C(0x09000000)
#define GIC_DISTRIBUTOR UINT64_C(0x08000000)
#define GIC_CORE UINT64_C(0x08010000)
#define FW_CFG UINT64_C(0x09020000)
#define DEVICE_TREE UINT64_C(0x40000000) /* where `virt` leaves it for an ELF image: at the start of RAM */

static volatile uint32_t *reg32(uint64_t address)
{
	return (volatile uint32_t *)(uintptr_t)address;
}

#define READ(name)                                                                                 \
	({                                                                                         \
		uint64_t value_;                                                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_));                                 \
		value_;                                                                            \
	})
#define WRITE(name, value) __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)) : "memory")

static void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

static void dsb(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

/* --- PL011 ---------------------------------------------------------------------------------------------------------- */
void machine_console(void)
{
	*reg32(UART + 0x30) = 0;      /* CR: off */
	*reg32(UART + 0x24) = 13;     /* 115200 baud of 24 MHz */
	*reg32(UART + 0x28) = 1;
	*reg32(UART + 0x2c) = 0x70;   /* LCRH: 8N1, FIFO */
	*reg32(UART + 0x30) = 0x301;  /* CR: on, both ways */
}

void machine_send(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		while (*reg32(UART + 0x18) & 0x20) /* FR: the transmit FIFO is full */
			;
		*reg32(UART) = (uint8_t)text[i];
	}
}

/* --- RAM: /memory of the device tree ----------------------------------------------------------------------------------- */
enum { FDT_MAGIC = 0xd00dfeed, FDT_BEGIN = 1, FDT_END = 2, FDT_PROP = 3, FDT_NOP = 4 };
static unsigned began_at; /* exception level */

static uint32_t be32(uint64_t address)
{
	return __builtin_bswap32(*(const uint32_t *)(uintptr_t)address);
}

static uint64_t be64(uint64_t address)
{
	return (uint64_t)be32(address) << 32 | be32(address + 4);
}

static bool begins(uint64_t address, const char *word)
{
	const char *text = (const char *)(uintptr_t)address;

	for (; *word != 0; word++, text++)
		if (*word != *text)
			return false;
	return true;
}

static uint64_t after_text(uint64_t address)
{
	while (*(const char *)(uintptr_t)address != 0)
		address++;
	return (address + 4) & ~UINT64_C(3);
}

void machine_ram(uint64_t boot_info)
{
	uint64_t at = DEVICE_TREE, strings, end;
	bool memory = false;

	began_at = (unsigned)boot_info;
	if (began_at > 2)
		board_panic("started at EL3: start `virt` with secure=off");
	if (be32(at) != FDT_MAGIC)
		board_panic("no device tree at the start of RAM");
	strings = DEVICE_TREE + be32(at + 12);
	end = DEVICE_TREE + be32(at + 8) + be32(at + 36);
	at = DEVICE_TREE + be32(at + 8);
	while (at < end) {
		uint32_t token = be32(at);

		at += 4;
		if (token == FDT_BEGIN) {
			memory = begins(at, "memory@") || (begins(at, "memory") && *(const char *)(uintptr_t)(at + 6) == 0);
			at = after_text(at);
		} else if (token == FDT_PROP) {
			uint32_t size = be32(at);
			uint64_t name = strings + be32(at + 4);

			at += 8;
			if (memory && begins(name, "reg") && *(const char *)(uintptr_t)(name + 3) == 0)
				for (uint32_t i = 0; i + 16 <= size; i += 16) /* two cells each, in `virt` */
					board_ram_region(be64(at + i), be64(at + i + 8));
			at += ((uint64_t)size + 3) & ~UINT64_C(3);
		} else if (token == FDT_END) {
			memory = false;
		} else if (token != FDT_NOP) {
			break;
		}
	}
}

/* --- pages ---------------------------------------------------------------------------------------------------------- */
#define BIT(n) (UINT64_C(1) << (n))
#define VALID_USED (BIT(0) | BIT(10))
#define NORMAL (UINT64_C(3) << 8)            /* attribute 0, inner shareable */
#define DEVICE (UINT64_C(1) << 2)            /* attribute 1 */
#define READ_ONLY BIT(7)
#define NO_EXEC_EL1 BIT(53)
#define NO_EXEC_EL0 BIT(54)
#define GUARDED BIT(50)                      /* BTI: an indirect call must meet a landing pad */

const struct page_format machine_page_format = {
	.table = 3,
	.page = VALID_USED | BIT(1),
	.block = VALID_USED,
	.kind = {
		[PAGE_TEXT] = NORMAL | READ_ONLY | NO_EXEC_EL0,
		[PAGE_RODATA] = NORMAL | READ_ONLY | NO_EXEC_EL1 | NO_EXEC_EL0,
		[PAGE_DATA] = NORMAL | NO_EXEC_EL1 | NO_EXEC_EL0,
		[PAGE_DEVICE] = DEVICE | NO_EXEC_EL1 | NO_EXEC_EL0,
		[PAGE_CODE] = NORMAL | READ_ONLY | NO_EXEC_EL0 | GUARDED,
	},
};

void machine_devices(void)
{
	pages_map(GIC_DISTRIBUTOR, GIC_DISTRIBUTOR, PAGE_BYTES, PAGE_DEVICE);
	pages_map(GIC_CORE, GIC_CORE, PAGE_BYTES, PAGE_DEVICE);
	pages_map(UART, UART, PAGE_BYTES, PAGE_DEVICE);
	pages_map(FW_CFG, FW_CFG, PAGE_BYTES, PAGE_DEVICE);
}

void machine_pages_on(const uint64_t *root)
{
	enum { M = 1, C = 4, SA = 8, SA0 = 16, I = 1 << 12, WXN = 1 << 19, RES1 = 0x30d00800 };
	uint64_t size = READ(id_aa64mmfr0_el1) & 15;

	WRITE(mair_el1, 0x04ff);           /* 0: write-back; 1: device nGnRE */
	WRITE(tcr_el1, 16 | 1 << 8 | 1 << 10 | 3 << 12 | BIT(23) | (size > 5 ? 5 : size) << 32); /* 48 bits, 4 KiB, no TTBR1 */
	WRITE(ttbr0_el1, (uintptr_t)root);
	dsb();
	__asm__ volatile("tlbi vmalle1\n\tic iallu" : : : "memory");
	dsb();
	isb();
	WRITE(sctlr_el1, RES1 | M | C | I | SA | SA0 | WXN); /* WXN: what is writable never runs, whatever a table says */
	isb();
}

void machine_strict_alignment(void)
{
	WRITE(sctlr_el1, READ(sctlr_el1) | 2);
	isb();
}

/* --- vector units --------------------------------------------------------------------------------------------------- */
void machine_vector_units(void)
{
	bool sve = (READ(id_aa64pfr0_el1) >> 32 & 15) != 0;

	WRITE(cpacr_el1, 3 << 20 | (sve ? 3 << 16 : 0));
	isb();
	if (sve)
		WRITE(s3_0_c1_c2_0, 15); /* ZCR_EL1.LEN: the longest vectors */
	WRITE(fpcr, 0);
	isb();
}

/* --- clock: the virtual counter --------------------------------------------------------------------------------------- */
#define SECOND UINT64_C(1000000000)
static uint64_t hz;

void machine_clock_start(void)
{
	hz = READ(cntfrq_el0) & 0xffffffff;
	if (hz == 0)
		board_panic("CNTFRQ is 0: no clock");
}

uint64_t machine_ticks(void)
{
	isb(); /* the counter may otherwise be read early */
	return READ(cntvct_el0);
}

uint64_t machine_tick_scale(void)
{
	return (SECOND << 32) / hz;
}

/* --- alarm: the virtual timer through a GICv2; with another GIC the starter's own budget is all there is ----------------- */
enum { TIMER_INTERRUPT = 27 };

void machine_alarm(uint64_t ns)
{
	if ((*reg32(GIC_DISTRIBUTOR + 0xfe8) >> 4 & 15) != 2) /* PIDR2: architecture */
		return;
	*reg32(GIC_DISTRIBUTOR + 0x100) = 1u << TIMER_INTERRUPT; /* ISENABLER0 */
	*reg32(GIC_DISTRIBUTOR) = 1;
	*reg32(GIC_CORE + 4) = 0xff; /* PMR: every priority */
	*reg32(GIC_CORE) = 1;
	WRITE(cntv_cval_el0, machine_ticks() + ns / SECOND * hz + ns % SECOND * hz / SECOND + 1);
	WRITE(cntv_ctl_el0, 1);
	isb();
	__asm__ volatile("msr daifclr, #2" : : : "memory");
}

/* --- fw_cfg --------------------------------------------------------------------------------------------------------- */
void machine_fw_cfg_select(uint16_t key)
{
	*(volatile uint16_t *)(uintptr_t)(FW_CFG + 8) = __builtin_bswap16(key);
}

uint8_t machine_fw_cfg_byte(void)
{
	return *(volatile uint8_t *)(uintptr_t)FW_CFG;
}

void machine_fw_cfg_dma(const void *request)
{
	dsb();
	*(volatile uint64_t *)(uintptr_t)(FW_CFG + 16) = __builtin_bswap64((uint64_t)(uintptr_t)request);
	dsb();
}

/* --- exceptions ----------------------------------------------------------------------------------------------------- */
struct frame { /* as start.S stores it */
	uint64_t x[31], sp, pc, pstate, esr, far, index, pad;
};
_Static_assert(sizeof(struct frame) == 304, "FRAME of start.S");

extern const unsigned char machine_vector[];
void machine_exception(struct frame *f); /* from start.S */

static bool exiting;

void machine_vectors(void)
{
	WRITE(vbar_el1, (uintptr_t)machine_vector);
	isb();
}

static const char *class_name(unsigned ec)
{
	static const char *const name[64] = {
		[0x00] = "undefined instruction", [0x07] = "FP or SIMD is not enabled", [0x0d] = "branch target",
		[0x0e] = "illegal state", [0x15] = "supervisor call", [0x18] = "system register", [0x19] = "SVE is not enabled",
		[0x1d] = "SME is not enabled", [0x20] = "instruction abort from EL0", [0x21] = "instruction abort",
		[0x22] = "PC alignment", [0x24] = "data abort from EL0", [0x25] = "data abort", [0x26] = "SP alignment",
		[0x2c] = "floating point", [0x2f] = "SError", [0x30] = "breakpoint", [0x32] = "step", [0x34] = "watchpoint",
		[0x3c] = "brk",
	};

	return name[ec & 63] != NULL ? name[ec & 63] : "exception";
}

static const char *const register_name[31] = {
	"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
	"x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30",
};

void machine_exception(struct frame *f)
{
	static const char *const kind[4] = { NULL, "budget_ms is used up", "FIQ", "SError" };
	enum { OF_PROGRAM = 0, IRQ = 1, IABORT = 0x21, DABORT = 0x25 };
	unsigned ec = (unsigned)(f->esr >> 26) & 63;
	static struct machine_fault report; /* of program faults only: those do not nest */

	if (exiting) /* no semihosting: QEMU made the call an undefined instruction */
		machine_exit(0);
	if (f->index / 4 != OF_PROGRAM) {
		board_print("\nboard: %s inside the board, pc 0x%lx, address 0x%lx\n", class_name(ec), f->pc, f->far);
		board_exit(BOARD_EXIT_FAULT);
	}
	report.fault = (struct board_fault){ ec, f->esr, f->pc, f->far };
	report.name = f->index % 4 == 0 ? class_name(ec) : kind[f->index % 4];
	report.has_address = ec == IABORT || ec == DABORT;
	report.pc = &f->pc;
	report.sp = &f->sp;
	for (unsigned i = 0; i < 31; i++)
		report.reg[i] = (struct machine_register){ register_name[i], f->x[i] };
	report.reg[31] = (struct machine_register){ "sp", f->sp };
	report.reg[32] = (struct machine_register){ "pstate", f->pstate };
	report.nregs = 33;
	if (f->index == IRQ) {
		uint32_t which = *reg32(GIC_CORE + 0xc); /* IAR */

		*reg32(GIC_CORE + 0x10) = which;         /* EOIR */
		board_alarm(&report);
	} else {
		board_fault_report(&report);
	}
}

/* --- exit: semihosting gives the status to QEMU; without it PSCI turns the machine off ------------------------------ */
static void psci_off(void)
{
	register uint64_t call __asm__("x0") = 0x84000008; /* SYSTEM_OFF */

	if (began_at == 2)
		__asm__ volatile("smc #0" : "+r"(call) : : "x1", "x2", "x3", "memory");
	else
		__asm__ volatile("hvc #0" : "+r"(call) : : "x1", "x2", "x3", "memory");
}

void machine_exit(unsigned status)
{
	if (!exiting) {
		uint64_t block[2] = { 0x20026, status }; /* ADP_Stopped_ApplicationExit */
		register uint64_t call __asm__("x0") = 0x20; /* SYS_EXIT_EXTENDED */
		register uint64_t argument __asm__("x1") = (uint64_t)(uintptr_t)block;

		exiting = true;
		__asm__ volatile("hlt #0xf000" : "+r"(call) : "r"(argument) : "memory");
	}
	psci_off();
	for (;;)
		__asm__ volatile("wfi");
}
