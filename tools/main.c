/* SPDX-License-Identifier: MIT
 * tools/main.c - gllm: the library on a hosted system. Commands are rows of a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/tool.h"

static const struct command {
	const char *name;
	tool_command *run;
	const char *arguments, *words;
	bool json;                   /* understands --json */
} command[] = {
	{ "probe",   tool_probe,   "",                      "what this CPU has, what is enabled, what is used", true },
	{ "ops",     tool_ops,     "",                      "the operators, their patterns and trace hashes", true },
	{ "trace",   tool_trace,   "OP",                    "what was lifted from an operator's machine code", false },
	{ "explain", tool_explain, "[MODEL|FILE.graph]",    "what a plan does, and why [--rows N] [--dot|--svg|--json]", true },
	{ "disasm",  tool_disasm,  "[MODEL|FILE.graph]",    "the code compiled for the plans, or the vector IR of a graph's [--rows N] [--stages 1|2] [--ir]", false },
	{ "run",     tool_run,     "[MODEL] -p TEXT -n N",  "generate text [--temp T] [--top-k K] [--top-p P] [--min-p P] [--seed S]", true },
	{ "logits",  tool_logits,  "[MODEL] --tokens 1,2",  "logits after these tokens", false },
	{ "inspect", tool_inspect, "[MODEL]",               "header, hyper-parameters and tensors of a model file", false },
	{ "dequant", tool_dequant, "TYPE",                  "blocks of standard input to floats on standard output (q4_k, iq2_xs, ..)", false },
	{ "record",  tool_record,  "IMAGE",                 "traces of a linked image as C source [--ops SYMBOL[:ROW_BYTES]] [--same FILE]", false },
};
enum { COMMANDS = sizeof command / sizeof command[0] };

static void help(FILE *to)
{
	fprintf(to, "usage: gllm COMMAND [ARGUMENTS] [--isa scalar|avx2|avx512|neon|sve] [-t THREADS] [--unmeasured] [--cache FOLDER] [--json]\n");
	for (int i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-7s %-20s  %s\n", command[i].name, command[i].arguments, command[i].words);
	fprintf(to, "--json is for probe, ops, explain and run. Without MODEL (a GGUF file) the built-in one is used.\n");
}

/* Takes the options every command has out of the arguments; returns how many others there are, -1 if one is wrong. */
static int common(struct tool *t, int argc, char **argv)
{
	uint64_t threads;
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
		else if (strcmp(argv[i], "-t") != 0)
			argv[n++] = argv[i];
		else if (++i < argc && tool_number(argv[i], 1024, &threads))
			t->threads = (unsigned)threads;
		else
			return -1;
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
				printf("usage: gllm %s %s\n%s\n", command[i].name, command[i].arguments, command[i].words);
				return 0;
			}
		}
		if (n < 0 || (t.json && !command[i].json)) {
			fprintf(stderr, "gllm: %s\n", n < 0 ? "-t takes a number of threads" : "--json is for probe, ops, explain and run");
			return 2;
		}
		return command[i].run(&t, n, argv + 2);
	}
	fprintf(stderr, "gllm: no such command: %s\n", argv[1]);
	help(stderr);
	return 2;
}
