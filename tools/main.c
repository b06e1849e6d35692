/* SPDX-License-Identifier: MIT
 * tools/main.c - gllm: the library on a hosted system. Commands are rows of a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/tool.h"

static const struct command {
	const char *name;
	tool_command *run;
	const char *usage;
} command[] = {
	{ "probe",   tool_probe,   "probe                      what this CPU has, what is enabled, what is used" },
	{ "ops",     tool_ops,     "ops                        the operators, their patterns and trace hashes" },
	{ "trace",   tool_trace,   "trace OP                   what was lifted from an operator's machine code" },
	{ "explain", tool_explain, "explain [MODEL|FILE.graph]   what a plan does, and why [--rows N] [--dot|--svg|--json]" },
	{ "disasm",  tool_disasm,  "disasm [MODEL|FILE.graph]    the code compiled for the plans [--rows N] [--stages 1|2]" },
	{ "run",     tool_run,     "run [MODEL] -p TEXT -n N     generate text [--temp T] [--top-k K] [--top-p P] [--seed S]" },
	{ "logits",  tool_logits,  "logits [MODEL] --tokens 1,2  logits after these tokens" },
	{ "inspect", tool_inspect, "inspect [MODEL]              header, hyper-parameters and tensors of a model file" },
	{ "record",  tool_record,  "record IMAGE                 traces of a linked image as C source [--ops SYMBOL[:ROW_BYTES]] [--same FILE]" },
	{ "dequant", NULL,         "dequant TYPE               not part of this version" },
	{ "bench",   NULL,         "bench                      not part of this version: make bench measures" },
	{ "tune",    NULL,         "tune                       not part of this version" },
};
enum { COMMANDS = sizeof command / sizeof command[0] };

static void help(FILE *to)
{
	fprintf(to, "usage: gllm COMMAND [ARGUMENTS] [--isa scalar|avx2|avx512|neon|sve] [-t THREADS] [--unmeasured] [--cache FOLDER] [--json]\n");
	for (int i = 0; i < COMMANDS; i++)
		fprintf(to, "  %s\n", command[i].usage);
	fprintf(to, "Without MODEL (a GGUF file) the built-in one is used.\n");
}

/* Takes the options every command has out of the arguments. */
static int common(struct tool *t, int argc, char **argv)
{
	int n = 0;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			t->json = true;
		else if (strcmp(argv[i], "--unmeasured") == 0)
			t->unmeasured = true;
		else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc)
			t->isa = argv[++i];
		else if (strcmp(argv[i], "--cache") == 0 && i + 1 < argc)
			t->cache = argv[++i];
		else if (strcmp(argv[i], "-t") == 0 && i + 1 < argc)
			t->threads = (unsigned)strtoul(argv[++i], NULL, 10);
		else
			argv[n++] = argv[i];
	}
	return n;
}

int main(int argc, char **argv)
{
	struct tool t = { .threads = 1 };
	if (argc < 2) {
		help(stderr);
		return 2;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
		help(stdout);
		return 0;
	}
	for (int i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], command[i].name) != 0)
			continue;
		int n = common(&t, argc - 2, argv + 2);
		for (int k = 0; k < n; k++) {
			if (strcmp(argv[2 + k], "-h") == 0 || strcmp(argv[2 + k], "--help") == 0) {
				printf("usage: gllm %s\n", command[i].usage);
				return 0;
			}
		}
		if (!command[i].run) {
			fprintf(stderr, "gllm: %s is not part of this version\n", command[i].name);
			return 1;
		}
		return command[i].run(&t, n, argv + 2);
	}
	fprintf(stderr, "gllm: no such command: %s\n", argv[1]);
	help(stderr);
	return 2;
}
