/* SPDX-License-Identifier: MIT
 * tools/record.c - gllm record: lifts the operators of a linked image, of either ISA, and writes them as C source.
 *
 * The image is a static ELF file with symbols, linked at fixed addresses. Its operators are read from tables in it whose
 * rows begin as struct gllm_op_info does (name, function, one word, parameters, their number): gllm_op_info itself, and
 * those named with --ops SYMBOL:ROW_BYTES. What is written is a function of the image alone, so recording the image that
 * was linked with the table must give the same text: --same FILE compares instead of writing.
 *
 * An operator that does not lift is left out with a line on standard error: it runs as it is, and without a record it has
 * no trace. */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/bits.h"
#include "jit/lift.h"
#include "jit/record.h"
#include "tools/host.h"
#include "tools/tool.h"

#if GLLM_JIT

enum { RANGES = 16, TABLES = 8, KEEP = 4 << 20, WORD = 8, ROW_LEAST = 5 * WORD };

struct elf {
	const unsigned char *file;
	size_t size;
	const Elf64_Sym *symbol;
	size_t nsymbols;
	const char *names;
	size_t names_size;
	struct gllm_range range[RANGES];
	struct gllm_known known[GLLM_PRIM_COUNT];
	struct gllm_image image;
	const struct gllm_target *target;
	uint64_t anchor;
};

struct writer {
	FILE *out;
	unsigned n;
	struct gllm_arena keep, scratch;
	struct gllm_reads reads;
};

static enum gllm_status bad(struct gllm_error *e, enum gllm_status s, const char *what, const char *name)
{
	return gllm_fail(e, s, what, name, 0, 0, 0);
}

/* ---- the image ----------------------------------------------------------------------------------------------------- */

static bool same(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

static bool within(const struct elf *x, uint64_t at, uint64_t n, uint64_t size)
{
	uint64_t bytes;
	return gllm_mul_ok(n, size, &bytes) && at <= x->size && bytes <= x->size - at;
}

static const Elf64_Sym *find_symbol(const struct elf *x, const char *name)
{
	size_t n = strlen(name) + 1;
	for (size_t i = 0; i < x->nsymbols; i++) {
		const Elf64_Sym *s = &x->symbol[i];
		if (s->st_shndx != SHN_UNDEF && s->st_name < x->names_size && n <= x->names_size - s->st_name &&
		    same(x->names + s->st_name, name, n))
			return s;
	}
	return NULL;
}

static void add_known(struct elf *x, const char *name, enum gllm_primitive what)
{
	const Elf64_Sym *s = find_symbol(x, name);
	if (s)
		x->known[x->image.nknown++] = (struct gllm_known){ s->st_value, what };
}

static enum gllm_status open_segments(struct elf *x, const Elf64_Ehdr *h, struct gllm_error *e)
{
	if (!within(x, h->e_phoff, h->e_phnum, sizeof(Elf64_Phdr)) || h->e_phoff % WORD)
		return bad(e, GLLM_TRUNCATED, "program headers", NULL);
	const Elf64_Phdr *p = (const void *)(x->file + h->e_phoff);
	for (unsigned i = 0; i < h->e_phnum; i++) {
		if (p[i].p_type != PT_LOAD || !p[i].p_filesz)
			continue;
		if (!within(x, p[i].p_offset, 1, p[i].p_filesz) || x->image.nranges == RANGES)
			return bad(e, GLLM_TRUNCATED, "a segment", NULL);
		x->range[x->image.nranges++] = (struct gllm_range){ x->file + p[i].p_offset, p[i].p_vaddr, p[i].p_filesz,
		                                                    !(p[i].p_flags & PF_W) };
	}
	return GLLM_OK;
}

static enum gllm_status open_symbols(struct elf *x, const Elf64_Ehdr *h, struct gllm_error *e)
{
	if (!within(x, h->e_shoff, h->e_shnum, sizeof(Elf64_Shdr)) || h->e_shoff % WORD)
		return bad(e, GLLM_TRUNCATED, "section headers", NULL);
	const Elf64_Shdr *s = (const void *)(x->file + h->e_shoff);
	for (unsigned i = 0; i < h->e_shnum; i++) {
		if (s[i].sh_type != SHT_SYMTAB || s[i].sh_link >= h->e_shnum)
			continue;
		const Elf64_Shdr *names = &s[s[i].sh_link];
		if (!within(x, s[i].sh_offset, 1, s[i].sh_size) || !within(x, names->sh_offset, 1, names->sh_size) ||
		    s[i].sh_offset % WORD)
			return bad(e, GLLM_TRUNCATED, "the symbol table", NULL);
		x->symbol = (const void *)(x->file + s[i].sh_offset);
		x->nsymbols = s[i].sh_size / sizeof *x->symbol;
		x->names = (const char *)x->file + names->sh_offset;
		x->names_size = names->sh_size;
	}
	const Elf64_Sym *anchor = find_symbol(x, "gllm_op_trace");
	if (!anchor)
		return bad(e, GLLM_MISSING_KEY, "the image has no such symbol", "gllm_op_trace");
	x->anchor = anchor->st_value;
#define P(id, fn) add_known(x, #fn, GLLM_PRIM_##id);
	GLLM_PRIMITIVES(P)
#undef P
	return GLLM_OK;
}

static enum gllm_status open_elf(struct elf *x, const char *path, struct gllm_error *e)
{
	*x = (struct elf){ .image = { .range = x->range, .known = x->known } };
	x->file = host_file(path, &x->size);
	if (!x->file)
		return bad(e, GLLM_IO_ERROR, "cannot read the image", path);
	const Elf64_Ehdr *h = (const void *)x->file;
	if (x->size < sizeof *h || !same(h->e_ident, ELFMAG, SELFMAG))
		return bad(e, GLLM_BAD_MAGIC, "the image is not an ELF file", path);
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_type != ET_EXEC)
		return bad(e, GLLM_UNSUPPORTED, "the image must be linked at fixed addresses, 64 bits, little endian", path);
	if (h->e_machine != EM_X86_64 && h->e_machine != EM_AARCH64)
		return bad(e, GLLM_UNSUPPORTED, "the image is of another machine", path);
	x->target = h->e_machine == EM_AARCH64 ? &gllm_target_aarch64 : &gllm_target_x86_64;
	enum gllm_status s = open_segments(x, h, e);
	return s ? s : open_symbols(x, h, e);
}

static const unsigned char *bytes_at(const struct elf *x, uint64_t addr, uint64_t n)
{
	return gllm_image_at(&x->image, addr, n, false);
}

/* Text at an address, in memory of its own; NULL if it does not end within a name's length. */
static char *text_at(const struct elf *x, uint64_t addr)
{
	enum { LONGEST = 64 };
	char text[LONGEST];
	for (unsigned i = 0; i < LONGEST; i++) {
		const unsigned char *p = bytes_at(x, addr + i, 1);
		if (!p || *p == '"' || *p == '\\' || (*p && *p < ' '))
			return NULL;
		text[i] = (char)*p;
		if (!*p)
			return strdup(text);
	}
	return NULL;
}

/* ---- source -------------------------------------------------------------------------------------------------------- */

static const char *upper(const char *s, char *out, size_t size)
{
	size_t i = 0;
	for (; s[i] && i + 1 < size; i++)
		out[i] = (char)(s[i] >= 'a' && s[i] <= 'z' ? s[i] - 'a' + 'A' : s[i]);
	out[i] = 0;
	return out;
}

static const char *type_name(unsigned type, char *out, size_t size)
{
	return upper(gllm_type_name((enum gllm_type)type), out, size);
}

static void write_int64(FILE *f, int64_t v) /* the least value has no literal of its own */
{
	if (v == INT64_MIN)
		fprintf(f, "INT64_MIN");
	else
		fprintf(f, "INT64_C(%" PRId64 ")", v);
}

#define BEGIN(w, type, what) fprintf((w)->out, "static const struct gllm_" type " " what "_%u[] IN = {\n", (w)->n)
#define END(w) fprintf((w)->out, "};\n")

static void write_params(struct writer *w, const struct gllm_trace *t)
{
	static const char *const kind[] = { "IN", "OUT", "INOUT", "WEIGHT", "DIM", "SCALAR" };
	char type[16];
	BEGIN(w, "param", "param");
	for (unsigned i = 0; i < t->nparams; i++)
		fprintf(w->out, "\t{ unnamed, GLLM_%s, GLLM_%s },\n", kind[t->param[i].kind], type_name(t->param[i].type, type, sizeof type));
	END(w);
}

static void write_nodes(struct writer *w, const struct gllm_trace *t)
{
	char type[16];
	BEGIN(w, "node", "node");
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		fprintf(w->out, "\t{ GLLM_N_%s, GLLM_%s, %d, 0, %u, %u, %u, 0, UINT64_C(0x%" PRIx64 ") },\n",
		        gllm_node_name((enum gllm_node_op)n->op), type_name(n->type, type, sizeof type), n->loop, n->a, n->b, n->c, n->imm);
	}
	END(w);
	BEGIN(w, "loop", "loop");
	for (unsigned i = 0; i < t->nloops; i++)
		fprintf(w->out, "\t{ %d, %u, %u, { %u, %u } },\n", t->loop[i].parent, t->loop[i].first, t->loop[i].end,
		        t->loop[i].trip.first, t->loop[i].trip.count);
	fprintf(w->out, t->nloops ? "" : "\t{ -1, 0, 0, { 0, 0 } },\n");
	END(w);
}

static void write_accesses(struct writer *w, const struct gllm_trace *t)
{
	char type[16];
	BEGIN(w, "access", "access");
	for (unsigned i = 0; i < t->naccesses; i++) {
		const struct gllm_access *a = &t->access[i];
		fprintf(w->out, "\t{ %u, GLLM_%s, %u, %u, { %u, %u } },\n", a->param, type_name(a->type, type, sizeof type), a->index,
		        a->index_bytes, a->offset.first, a->offset.count);
	}
	fprintf(w->out, t->naccesses ? "" : "\t{ 0, 0, 0, 0, { 0, 0 } },\n");
	END(w);
	BEGIN(w, "poly", "poly");
	for (unsigned i = 0; i < t->npolys; i++)
		fprintf(w->out, "\t{ %u, %u },\n", t->poly[i].first, t->poly[i].count);
	fprintf(w->out, t->npolys ? "" : "\t{ 0, 0 },\n");
	END(w);
	BEGIN(w, "term", "term");
	for (unsigned i = 0; i < t->nterms; i++) {
		const struct gllm_term *x = &t->term[i];
		fprintf(w->out, "\t{ ");
		write_int64(w->out, x->coef);
		fprintf(w->out, ", { %u, %u, %u, %u } },\n", x->sym[0], x->sym[1], x->sym[2], x->sym[3]);
	}
	fprintf(w->out, t->nterms ? "" : "\t{ 0, { 0 } },\n");
	END(w);
	BEGIN(w, "reduction", "reduction");
	for (unsigned i = 0; i < t->nreductions; i++) {
		const struct gllm_reduction *r = &t->reduction[i];
		fprintf(w->out, "\t{ %u, %d, %u, %u, %u },\n", r->kind, r->loop, r->carry, r->pair, r->value);
	}
	fprintf(w->out, t->nreductions ? "" : "\t{ 0, 0, 0, 0, 0 },\n");
	END(w);
}

static void write_tables(struct writer *w, const struct gllm_trace *t)
{
	char type[16];
	for (unsigned i = 0; i < t->ntables; i++) {
		fprintf(w->out, "static const unsigned char table_%u_%u[] IN = {", w->n, i);
		for (uint32_t k = 0; k < t->table[i].bytes; k++)
			fprintf(w->out, "%s%u,", k % 32 ? "" : "\n\t", t->table[i].data[k]);
		fprintf(w->out, "\n};\n");
	}
	BEGIN(w, "table", "table");
	for (unsigned i = 0; i < t->ntables; i++)
		fprintf(w->out, "\t{ GLLM_%s, %u, table_%u_%u },\n", type_name(t->table[i].type, type, sizeof type), t->table[i].bytes,
		        w->n, i);
	fprintf(w->out, t->ntables ? "" : "\t{ 0, 0, 0 },\n");
	END(w);
}

static void write_reads(struct writer *w)
{
	BEGIN(w, "span", "span");
	for (unsigned i = 0; i < w->reads.nspans; i++) {
		const struct gllm_span *s = &w->reads.span[i];
		fprintf(w->out, "\t{ %" PRId64 ", %u, UINT64_C(0x%016" PRIx64 ") },\n", s->at, s->bytes, s->hash);
	}
	END(w);
	BEGIN(w, "record_call", "call");
	for (unsigned i = 0; i < w->reads.ncalls; i++)
		fprintf(w->out, "\t{ %" PRId64 ", (enum gllm_primitive)%u },\n", w->reads.call[i].at, (unsigned)w->reads.call[i].what);
	fprintf(w->out, w->reads.ncalls ? "" : "\t{ 0, GLLM_PRIM_NONE },\n");
	END(w);
}

static void write_trace(struct writer *w, const struct gllm_trace *t, int64_t at)
{
	unsigned n = w->n;
	fprintf(w->out, "\n/* %s: %s */\nstatic const char name_%u[] IN = \"%s\";\n", t->name, gllm_pattern_name(t->pattern),
	        n, t->name);
	write_params(w, t);
	write_nodes(w, t);
	write_accesses(w, t);
	write_tables(w, t);
	write_reads(w);
	fprintf(w->out, "static const struct gllm_trace trace_%u IN = {\n\tname_%u, param_%u, %u, node_%u, %u, loop_%u, %u, "
	        "access_%u, %u,\n\tpoly_%u, %u, term_%u, %u, reduction_%u, %u, table_%u, %u, (enum gllm_pattern)%u, UINT64_C(0x%016" PRIx64 "),\n};\n",
	        n, n, n, t->nparams, n, t->nnodes, n, t->nloops, n, t->naccesses, n, t->npolys, n, t->nterms, n, t->nreductions, n, t->ntables,
	        (unsigned)t->pattern, t->hash);
	fprintf(w->out, "#define RECORD_%u { name_%u, INT64_C(%" PRId64 "), span_%u, %u, call_%u, %u, &trace_%u },\n", n, n, at, n,
	        w->reads.nspans, n, w->reads.ncalls, n);
	w->n++;
}

/* ---- operators ----------------------------------------------------------------------------------------------------- */

static enum gllm_status record_row(struct writer *w, const struct elf *x, const unsigned char *row, struct gllm_error *e)
{
	struct gllm_param param[GLLM_MAX_PARAMS];
	const struct gllm_trace *t;
	char *name = text_at(x, gllm_le64(row));
	uint64_t fn = gllm_le64(row + WORD), params = gllm_le64(row + 3 * WORD);
	uint32_t n = gllm_le32(row + 4 * WORD);
	const unsigned char *p = n <= GLLM_MAX_PARAMS ? bytes_at(x, params, n * 2 * WORD) : NULL;
	if (!name || !p || !n)
		return bad(e, GLLM_BAD_VALUE, "a row of the table of operators has no name or parameters", name);
	for (unsigned i = 0; i < n; i++) {
		uint32_t kind = gllm_le32(p + 16 * i + WORD), type = gllm_le32(p + 16 * i + 12);
		if (kind > GLLM_SCALAR || type >= GLLM_MASK)
			return bad(e, GLLM_BAD_VALUE, "kind or type of a parameter", name);
		param[i] = (struct gllm_param){ "", (enum gllm_param_kind)kind, (enum gllm_type)type };
	}
	w->keep.used = 0;
	enum gllm_status s = gllm_lift_reads(x->target, &x->image, fn, name, param, n, &w->scratch, &w->keep, &w->reads, &t, e);
	if (s && e)
		snprintf(e->name, sizeof e->name, "%s", name);
	if (s == GLLM_NOT_LIFTED && e) {
		fprintf(stderr, "gllm: not recorded: %s: %s at %" PRIu64 "\n", name, e->what, e->where);
		*e = (struct gllm_error){ .status = GLLM_OK };
		free(name);
		return GLLM_OK;
	}
	if (!s && gllm_trace_flaw(t))
		s = bad(e, GLLM_COMPILE_ERROR, gllm_trace_flaw(t), name);
	if (!s)
		write_trace(w, t, (int64_t)(fn - x->anchor));
	free(name);
	return s;
}

static enum gllm_status record_table(struct writer *w, const struct elf *x, const char *option, struct gllm_error *e)
{
	char name[128];
	const char *colon = strchr(option, ':');
	size_t length = colon ? (size_t)(colon - option) : strlen(option);
	uint64_t row = colon ? strtoull(colon + 1, NULL, 0) : sizeof(struct gllm_op_info);
	if (length >= sizeof name || row < ROW_LEAST || row % WORD)
		return bad(e, GLLM_INVALID_ARGUMENT, "a table of operators is SYMBOL or SYMBOL:ROW_BYTES", option);
	memcpy(name, option, length);
	name[length] = 0;
	const Elf64_Sym *s = find_symbol(x, name);
	const unsigned char *p = s ? bytes_at(x, s->st_value, s->st_size) : NULL;
	if (!p || s->st_size == 0 || s->st_size % row)
		return bad(e, GLLM_MISSING_KEY, "the image has no table of operators of this name and row size", option);
	for (uint64_t i = 0; i < s->st_size; i += row) {
		enum gllm_status status = record_row(w, x, p + i, e);
		if (status)
			return status;
	}
	return GLLM_OK;
}

static enum gllm_status record(FILE *out, const char *path, const char *const *table, unsigned ntables, struct gllm_error *e)
{
	static struct elf x;
	static struct writer w;
	w.out = out;
	gllm_arena_init(&w.keep, malloc(KEEP), KEEP);
	gllm_arena_init(&w.scratch, malloc(GLLM_LIFT_SCRATCH), GLLM_LIFT_SCRATCH);
	if (!w.keep.base || !w.scratch.base)
		return bad(e, GLLM_OUT_OF_MEMORY, "memory for lifting", NULL);
	enum gllm_status s = open_elf(&x, path, e);
	fprintf(out, "/* Made by gllm record. Traces of the operators of one linked image; see gllm/record.h. */\n"
	             "#include \"gllm/record.h\"\n#define IN __attribute__((section(\".gllm_recorded\"), used, aligned(8)))\n"
	             "static const char unnamed[] IN = \"\";\n");
	for (unsigned i = 0; i < ntables && !s; i++)
		s = record_table(&w, &x, table[i], e);
	fprintf(out, "\nextern const struct gllm_trace_record gllm_recorded_traces[%u];\nextern const unsigned gllm_recorded_count;\n"
	             "const struct gllm_trace_record gllm_recorded_traces[%u] IN = {\n", w.n, w.n);
	for (unsigned i = 0; i < w.n; i++)
		fprintf(out, "\tRECORD_%u\n", i);
	fprintf(out, "};\nconst unsigned gllm_recorded_count IN = %u;\n", w.n);
	return s;
}

int tool_record(const struct tool *t, int argc, char **argv)
{
	const char *table[TABLES] = { "gllm_op_info" }, *image = NULL, *recorded = NULL;
	unsigned ntables = 1;
	struct gllm_error e = { .status = GLLM_OK };
	char *text = NULL;
	size_t size = 0, want_size = 0;
	(void)t;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--ops") == 0 && i + 1 < argc && ntables < TABLES)
			table[ntables++] = argv[++i];
		else if (strcmp(argv[i], "--same") == 0 && i + 1 < argc)
			recorded = argv[++i];
		else if (!image && argv[i][0] != '-')
			image = argv[i];
		else
			image = NULL, argc = 0;
	}
	if (!image)
		return tool_usage("record IMAGE [--ops SYMBOL[:ROW_BYTES]] [--same FILE]");
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return 1;
	enum gllm_status s = record(out, image, table, ntables, &e);
	fclose(out);
	if (s)
		return tool_failed(&e);
	if (!recorded)
		return fwrite(text, 1, size, stdout) == size ? 0 : 1;
	const unsigned char *want = host_file(recorded, &want_size);
	if (want && want_size == size && same(text, want, size))
		return 0;
	fprintf(stderr, "gllm: %s: its operators are not those recorded in %s\n", image, recorded);
	return 1;
}

#else

int tool_record(const struct tool *t, int argc, char **argv)
{
	(void)t, (void)argc, (void)argv;
	fprintf(stderr, "gllm: record: built without back ends\n");
	return 1;
}

#endif
