/* SPDX-License-Identifier: MIT
 * bench/count/qemu_plugin.c - a plugin of QEMU's user mode that counts the instructions a guest executes between marks.
 *
 * qemu-<arch> -plugin PLUGIN.so,out=FILE,mark=NUMBER PROGRAM: whenever the guest makes the system call NUMBER, which need
 * not exist, a line with the instructions since the one before goes to FILE. Debian has QEMU's plugin interface (version
 * 1, docs/devel/tcg-plugins) but not its header, so what is used of it is declared here. One guest thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void on_block(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void on_syscall(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                        uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, on_block *f);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, on_syscall *f);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op, void *counter, uint64_t by);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);

EXPORT int qemu_plugin_version = 1;

static uint64_t executed, before;
static int64_t mark = -1;
static FILE *out;

static void block(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &executed, qemu_plugin_tb_n_insns(tb));
}

static void syscall(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                    uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
	(void)id, (void)vcpu, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
	if (number != mark)
		return;
	fprintf(out, "%llu\n", (unsigned long long)(executed - before));
	fflush(out);
	before = executed;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			out = fopen(argv[i] + 4, "w");
		else if (strncmp(argv[i], "mark=", 5) == 0)
			mark = strtoll(argv[i] + 5, NULL, 10);
	}
	if (!out || mark < 0) {
		fprintf(stderr, "count: out=FILE and mark=NUMBER are needed\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, block);
	qemu_plugin_register_vcpu_syscall_cb(id, syscall);
	return 0;
}
