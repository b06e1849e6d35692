/* SPDX-License-Identifier: MIT
 * tests/check_vir_access.c - loads and stores of every element type in every form, at addresses said in several ways; lanes
 * that are masked out are not touched; where alignment counts no access covers more than its elements allow. */
#include "vir_bench.h"

#if GLLM_JIT

/* --- accesses ------------------------------------------------------------------------------------------------------- */

enum form { FULL, SINGLE, TAIL, HOLES, BCAST, FORMS };
enum place { NEAR, FAR, SCALED, SCALED_FAR, WIDE, PLACES };

static gllm_vreg mask(struct bench *b, enum form f, gllm_vreg count, gllm_vreg x, gllm_vreg y)
{
	struct gllm_vi i = op(f == TAIL ? GLLM_V_MTAIL : GLLM_V_VLT, GLLM_F32);

	if (f != TAIL && f != HOLES)
		return GLLM_NO_VREG;
	i.a = f == TAIL ? count : x;
	i.b = f == TAIL ? GLLM_NO_VREG : y;
	return emit(b, i);
}

/* An address 64 bytes into `base`, said in several ways. */
static struct gllm_vi address(struct bench *b, struct gllm_vi i, enum place p, gllm_vreg base)
{
	static const struct { int64_t imm, index; uint8_t scale; } how[PLACES] = {
		[NEAR] = { 64, 0, 0 }, [FAR] = { INT64_C(0x312345678), 0, 0 }, [SCALED] = { 0, 16, 2 },
		[SCALED_FAR] = { 100000, -12492, 3 }, [WIDE] = { -4096 + 64, 64, 6 },
	};

	i.imm = how[p].imm;
	i.a = base;
	if (how[p].scale) {
		i.b = constant(b, how[p].index);
		i.scale = how[p].scale;
	}
	if (p == FAR) {
		struct gllm_vi down = op(GLLM_V_GADDI, GLLM_I64);

		down.a = base;
		down.imm = 64 - how[p].imm;
		i.a = emit(b, down);
	}
	return i;
}

/* Where alignment counts: no vector register of the last code goes to or from memory in pieces larger than `bytes`. Spill
 * slots are aligned to the vector. */
static bool keeps_alignment(const struct bench *b, unsigned bytes)
{
	struct gllm_insn in;

	for (size_t at = 0; at < b->size; at += in.length) {
		const struct gllm_operand *o = &in.op[0];

		if (b->target->decode(b->code + at, b->size - at, 0, &in) != GLLM_OK || in.length == 0)
			return false;
		if (in.n < 2 || in.op[in.n - 1].kind != GLLM_O_MEM || o->cls != GLLM_R_VEC ||
		    in.op[in.n - 1].base == b->machine.stack)
			continue;
		if ((o->lane ? 1u << (o->lane & 15) : o->size) > 8 * bytes)
			return false;
	}
	return true;
}

static void access(struct bench *b, unsigned type, unsigned mem, enum form f, enum place p, bool is_store)
{
	struct gllm_vi i = op(is_store ? GLLM_V_VSTORE : f == BCAST ? GLLM_V_VBCAST : GLLM_V_VLOAD, type);
	enum { STORED = 1024 };
	gllm_vreg in, out, ints, count, x, y;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, is_store || (type == GLLM_F32 && gllm_type_bytes((enum gllm_type)mem) > 1) ? 0 : 8);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	count = load_slot(b, ints, 0);
	x = load(b, in, GLLM_NO_VREG, 512);
	y = load(b, in, GLLM_NO_VREG, STORED);
	i.mem = (uint8_t)mem;
	i.lanes = f == SINGLE;
	i.m = mask(b, f, count, x, y);
	i = address(b, i, p, is_store ? out : in);
	if (is_store) {
		i.c = y;
		emit(b, i);
	} else {
		store(b, out, GLLM_NO_VREG, 0, emit(b, i));
	}
	end(b);
	/* Ties to either side; NaNs whose upper half is that of an infinity. */
	static const uint32_t narrowed[] = { 0x3f818000, 0x7f800001, 0x3f808000, 0xff800fff };
	b->half = is_store && type == GLLM_F32 && (mem == GLLM_F16 || mem == GLLM_BF16) ? mem : 0;
	for (unsigned k = 0; k < (b->runs ? 3u : 1u); k++) {
		if (is_store && type == GLLM_F32 && mem != GLLM_F32 && !b->half)
			vir_fill(b, -2.0e9f, 2.0e9f); /* out of range is the machine's own */
		else
			vir_fill(b, 1.0f, 0.0f);
		for (unsigned j = 0; j < GLLM_COUNT(narrowed) && b->half; j++)
			b->data->in[0][STORED / 4 + j] = narrowed[j];
		b->data->ints[0] = check_below(b->t, b->lanes + 2);
		if (!vir_finish(b, is_store ? "vstore" : "vload", 0, 0)) {
			check_print(b->t, "  type %s mem %s form %d place %d\n", gllm_type_name((enum gllm_type)type),
			            gllm_type_name((enum gllm_type)mem), (int)f, (int)p);
			break;
		}
	}
	if (b->machine.profile->strict_align)
		CHECK(b->t, keeps_alignment(b, gllm_type_bytes((enum gllm_type)mem)));
}

static void integer_access(struct bench *b, unsigned mem, enum place p)
{
	struct gllm_vi i = op(GLLM_V_GLOAD, GLLM_I64);
	gllm_vreg in, out, r;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, 0);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	i.mem = (uint8_t)mem;
	i = address(b, i, p, in);
	r = emit(b, i);
	store_int(b, out, 0, r);
	i = op(GLLM_V_GSTORE, GLLM_I64);
	i.mem = (uint8_t)mem;
	i = address(b, i, p, out);
	i.c = r;
	emit(b, i);
	end(b);
	vir_fill(b, 1.0f, 0.0f);
	vir_finish(b, "gload, gstore", 0, 0);
}

/* 16 bytes in every 128 bits, or 8 in every 64. */
static void repeated_access(struct bench *b, enum gllm_vir_op how, enum place p)
{
	struct gllm_vi i = op(how, GLLM_F32);
	gllm_vreg in, out;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, 0);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	store(b, out, GLLM_NO_VREG, 0, emit(b, address(b, i, p, in)));
	end(b);
	vir_fill(b, 1.0f, 0.0f);
	vir_finish(b, how == GLLM_V_VQUAD ? "vquad" : "vpair", 0, 0);
}

static bool same_memory(const struct gllm_operand *x, const struct gllm_operand *y)
{
	return x->kind == GLLM_O_MEM && y->kind == GLLM_O_MEM && x->base == y->base && x->index == y->index &&
	       x->scale == y->scale && x->imm == y->imm;
}

/* The last code has one prefetch, of this name, whose place is that of the load behind it. */
static bool one_prefetch(const struct bench *b, const char *name)
{
	struct gllm_insn in, last = { .n = 0 };
	unsigned found = 0, right = 0;
	char text[128];

	for (size_t at = 0; at < b->size; at += in.length) {
		if (b->target->decode(b->code + at, b->size - at, 0, &in) != GLLM_OK || in.length == 0)
			return false;
		b->target->text(&in, text, sizeof text);
		unsigned k = 0;
		while (name[k] && text[k] == name[k])
			k++;
		if (name[k] == '\0')
			found++;
		if (last.n && in.n > 1 && in.op[in.n - 1].kind == GLLM_O_MEM) {
			right += same_memory(&last.op[last.n - 1], &in.op[in.n - 1]);
			last.n = 0;
		} else if (name[k] == '\0') {
			last = in;
		}
	}
	return found == 1 && right == 1;
}

/* Changes nothing and may name any address: in the data, and where nothing is. */
static void prefetch(struct bench *b, int32_t how, enum place p)
{
	static const char *const name[2][3] = { { "prefetcht0 ", "prefetcht1 ", "prefetchnta " }, { "prfm pldl1keep,", "prfm pldl2keep,", "prfm pldl1strm," } };
	struct gllm_vi i = op(GLLM_V_PREFETCH, GLLM_I64), there = op(GLLM_V_GLOAD, GLLM_I64);
	gllm_vreg in, out;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, 0);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	there = address(b, there, p, in);
	i.aux = how;
	i.a = there.a;
	i.b = there.b;
	i.scale = there.scale;
	i.imm = there.imm;
	emit(b, i);
	store_int(b, out, 0, emit(b, there));
	end(b);
	vir_fill(b, 1.0f, 0.0f);
	vir_finish(b, "prefetch", 0, 0);
	if (!CHECK(b->t, one_prefetch(b, name[b->target->isa == GLLM_ISA_AARCH64][how])))
		check_print(b->t, "  of kind %d at place %d\n", (int)how, (int)p);
	begin(b);
	i.a = constant(b, INT64_MIN);
	i.b = GLLM_NO_VREG;
	i.imm = -64;
	emit(b, i);
	end(b);
	vir_finish(b, "prefetch of no memory", 0, 0);
}

static unsigned times_named(const struct bench *b, const char *name)
{
	struct gllm_insn in;
	unsigned found = 0;
	char text[128];

	for (size_t at = 0; at < b->size; at += in.length) {
		if (b->target->decode(b->code + at, b->size - at, 0, &in) != GLLM_OK || in.length == 0)
			return 0;
		b->target->text(&in, text, sizeof text);
		unsigned k = 0;
		while (name[k] && text[k] == name[k])
			k++;
		found += name[k] == '\0';
	}
	return found;
}

/* Where a vector may be stored past the caches: it is there, aligned or not, whole or in part, which goes through them. */
static void past_caches(struct bench *b, enum place p, enum form f, int64_t by)
{
	struct gllm_vi i = op(GLLM_V_VSTORE, GLLM_F32);
	gllm_vreg in, out, ints, count;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, 0);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	count = load_slot(b, ints, 0);
	i.m = mask(b, f, count, GLLM_NO_VREG, GLLM_NO_VREG);
	i = address(b, i, p, out);
	i.imm += by;
	i.c = load(b, in, GLLM_NO_VREG, 512);
	i.aux = 1;
	emit(b, i);
	emit(b, op(GLLM_V_FENCE, GLLM_F32));
	end(b);
	vir_fill(b, 1.0f, 0.0f);
	b->data->ints[0] = b->lanes / 2;
	vir_finish(b, "vstore past the caches", 0, 0);
	CHECK_EQ(b->t, times_named(b, "vmovntps "), f == FULL);
	CHECK_EQ(b->t, times_named(b, "sfence"), 1);
}

static void accesses(struct bench *b)
{
	static const uint8_t types[] = { GLLM_F32, GLLM_I32, GLLM_U32 };
	static const uint8_t mems[] = { GLLM_F32, GLLM_F16, GLLM_BF16, GLLM_I8, GLLM_U8, GLLM_I16, GLLM_U16, GLLM_I32, GLLM_U32 };
	static const uint8_t integers[] = { GLLM_I8, GLLM_U8, GLLM_I16, GLLM_U16, GLLM_I32, GLLM_U32, GLLM_I64 };

	for (unsigned t = 0; t < sizeof types; t++)
		for (unsigned k = 0; k < sizeof mems; k++)
			for (unsigned f = 0; f < FORMS; f++) {
				unsigned p = k + f + 2 * t;

				access(b, types[t], mems[k], (enum form)f, (enum place)(p % PLACES), false);
				if (f != BCAST)
					access(b, types[t], mems[k], (enum form)f, (enum place)((p + 1) % PLACES), true);
			}
	for (unsigned k = 0; k < sizeof integers; k++)
		for (unsigned p = 0; p < PLACES; p++)
			integer_access(b, integers[k], (enum place)p);
	for (unsigned p = 0; p < PLACES; p++) {
		if (b->machine.tiles)
			repeated_access(b, GLLM_V_VQUAD, (enum place)p);
		repeated_access(b, GLLM_V_VPAIR, (enum place)p);
		if (b->machine.has_widen) {
			access(b, GLLM_I16, GLLM_I8, FULL, (enum place)p, false);
			access(b, GLLM_U16, GLLM_U8, FULL, (enum place)p, false);
		}
		for (int32_t how = 0; how < 3; how++)
			prefetch(b, how, (enum place)p);
		for (int64_t by = 0; by < 3 && b->machine.past; by++)
			past_caches(b, (enum place)p, by < 2 ? FULL : TAIL, 4 * by);
	}
}

/* Lanes whose mask bit is clear are never read or written: the elements end where memory ends. */
static void at_the_edge(struct bench *b, unsigned mem)
{
	const struct check_host *h = b->t->host;
	size_t bytes = gllm_type_bytes((enum gllm_type)mem) * 3;
	unsigned char *p;
	gllm_vreg at, ints, out, count, x;
	struct gllm_vi i = op(GLLM_V_VLOAD, GLLM_F32);

	if (!b->runs || !h->guarded || !(p = h->guarded(h->user, bytes, true))) {
		check_skip(b->t, "no guard pages, or not this CPU's code");
		return;
	}
	begin(b);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	at = load_slot(b, ints, 8);
	count = load_slot(b, ints, 0);
	i.mem = (uint8_t)mem;
	i.a = at;
	i.m = mask(b, TAIL, count, 0, 0);
	x = emit(b, i);
	store(b, out, GLLM_NO_VREG, 0, x);
	i.op = GLLM_V_VSTORE;
	i.d = GLLM_NO_VREG;
	i.c = x;
	emit(b, i);
	end(b);
	for (unsigned n = 0; n < 4; n++) {
		for (size_t k = 0; k < bytes; k++)
			p[k] = (unsigned char)(0x31 + k);
		vir_fill(b, -1.0f, 1.0f);
		b->data->ints[0] = n;
		b->data->ints[1] = (int64_t)(uintptr_t)(p + bytes - bytes / 3 * n);
		vir_finish(b, "masked access at the edge", 0, 0);
	}
	h->guarded_free(h->user, p, bytes, true);
}

static void for_width(struct bench *b)
{
	static const uint8_t edges[] = { GLLM_F32, GLLM_F16, GLLM_BF16, GLLM_U8, GLLM_I16 };

	accesses(b);
	for (unsigned k = 0; k < sizeof edges; k++)
		at_the_edge(b, edges[k]);
}

void check_vir_access(struct check *t)
{
	vir_each_width(t, for_width);
}

#else

void check_vir_access(struct check *t)
{
	check_skip(t, "built without back ends");
}

#endif
