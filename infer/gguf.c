/* SPDX-License-Identifier: MIT
 * infer/gguf.c - GGUF from memory.
 *
 * What must stay true: no byte is read before its distance from the end was checked, no sum or product of numbers from
 * the file is formed unchecked, and the loops are bounded by bytes that are really there (a count is first compared with
 * the bytes left divided by the least size of an item). */
#include "infer/gguf.h"
#include "core/bits.h"

enum {
	LEAST_VALUE_BYTES = 14, /* length, one byte of key, type, one byte of value */
	LEAST_TENSOR_BYTES = 25, /* length, one byte of name, dimension count, type, offset */
	MAX_KEY = 65535,
	MAX_NAME = 64,
	MAX_DIMS = 4,
	MAX_ALIGNMENT = 65536,
	DEFAULT_ALIGNMENT = 32,
};

static const struct gllm_ggml_type_info ggml_type[GLLM_GGML_TYPE_COUNT + 1] = {
#define T(name, id, block, bytes) [id] = { #name, block, bytes },
	GLLM_GGML_TYPES(T)
#undef T
};

static const uint8_t value_bytes[GLLM_GGUF_TYPE_COUNT] = {
#define T(name, id, bytes) [id] = bytes,
	GLLM_GGUF_TYPES(T)
#undef T
};

const struct gllm_ggml_type_info *gllm_ggml_type_info(uint32_t id)
{
	return &ggml_type[id < GLLM_GGML_TYPE_COUNT ? id : GLLM_GGML_TYPE_COUNT];
}

/* ---- texts, workspace, sorting ---- */

struct gllm_name gllm_name(struct gllm_text t)
{
	struct gllm_name r;
	size_t n = t.n < sizeof r.text - 1 ? t.n : sizeof r.text - 1;
	for (size_t i = 0; i < sizeof r.text; i++) {
		unsigned char c = i < n ? (unsigned char)t.at[i] : 0;
		r.text[i] = i >= n || (c >= 0x20 && c < 0x7f) ? (char)c : '?';
	}
	return r;
}

struct gllm_text gllm_text(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return (struct gllm_text){ s, n };
}

static int compare(struct gllm_text a, struct gllm_text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	for (size_t i = 0; i < n; i++)
		if (a.at[i] != b.at[i])
			return (unsigned char)a.at[i] < (unsigned char)b.at[i] ? -1 : 1;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool gllm_text_equal(struct gllm_text a, struct gllm_text b)
{
	return a.n == b.n && compare(a, b) == 0;
}

void *gllm_carve(struct gllm_carve *c, uint64_t n, uint64_t size)
{
	uint64_t at = c->used;
	c->used += (n * size + 7) & ~(uint64_t)7;
	return c->base ? c->base + at : NULL;
}

enum gllm_status gllm_workspace_check(const void *workspace, size_t size, uint64_t need, const char *what,
                                      struct gllm_error *e)
{
	if (size < need)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, what, "workspace", 0, need, size);
	if (need && (!workspace || (uintptr_t)workspace % 8))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "workspace must be aligned to 8 bytes", "workspace",
		                 (uintptr_t)workspace, 8, (uintptr_t)workspace % 8);
	return GLLM_OK;
}

static void sift(uint32_t *v, uint32_t at, uint32_t n, gllm_less_fn *less, const void *user)
{
	uint32_t x = v[at];
	while (at < n / 2) {
		uint32_t child = 2 * at + 1;
		if (child + 1 < n && less(user, v[child], v[child + 1]))
			child++;
		if (!less(user, x, v[child]))
			break;
		v[at] = v[child];
		at = child;
	}
	v[at] = x;
}

void gllm_sort(uint32_t *v, uint32_t n, gllm_less_fn *less, const void *user)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift(v, i, n, less, user);
	for (uint32_t last = n; last-- > 1;) {
		uint32_t top = v[0];
		v[0] = v[last];
		v[last] = top;
		sift(v, 0, last, less, user);
	}
}

/* ---- the file ---- */

/* Walks the file. The first failure sticks; from then on reads give zero and move nothing. */
struct cursor {
	const unsigned char *bytes;
	uint64_t size, at;
	enum gllm_status status;
	struct gllm_error *error;
	struct gllm_text name; /* the key or tensor being read */
};

static enum gllm_status fail(struct cursor *c, enum gllm_status s, const char *what, uint64_t where,
                             uint64_t expected, uint64_t actual)
{
	if (c->status == GLLM_OK) {
		c->status = s;
		gllm_fail(c->error, s, what, gllm_name(c->name).text, where, expected, actual);
	}
	return c->status;
}

static const unsigned char *take(struct cursor *c, uint64_t n, const char *what)
{
	if (c->status != GLLM_OK)
		return NULL;
	if (n > c->size - c->at) {
		fail(c, GLLM_TRUNCATED, what, c->at, n, c->size - c->at);
		return NULL;
	}
	c->at += n;
	return c->bytes + (c->at - n);
}

static uint32_t take32(struct cursor *c, const char *what)
{
	const unsigned char *p = take(c, 4, what);
	return p ? gllm_le32(p) : 0;
}

static uint64_t take64(struct cursor *c, const char *what)
{
	const unsigned char *p = take(c, 8, what);
	return p ? gllm_le64(p) : 0;
}

static struct gllm_text take_name(struct cursor *c, uint64_t most, const char *what)
{
	uint64_t where = c->at;
	uint64_t n = take64(c, what);
	if (c->status == GLLM_OK && (n == 0 || n > most))
		fail(c, GLLM_BAD_VALUE, what, where, most, n);
	const unsigned char *p = take(c, n, what);
	return p ? (struct gllm_text){ (const char *)p, (size_t)n } : (struct gllm_text){ NULL, 0 };
}

/* Magic, version and counts. Nothing beyond the header is read. */
static enum gllm_status take_header(struct cursor *c, struct gllm_gguf *g)
{
	static const unsigned char magic[4] = { 'G', 'G', 'U', 'F' };
	const unsigned char *p = take(c, 4, "magic");
	if (p && gllm_le32(p) != gllm_le32(magic))
		return fail(c, GLLM_BAD_MAGIC, "magic", 0, gllm_le32(magic), gllm_le32(p));
	g->version = take32(c, "version");
	if (c->status == GLLM_OK && (g->version < 2 || g->version > 3))
		return fail(c, GLLM_BAD_VERSION, "version (a big-endian file shows as 0x03000000)", 4, 3, g->version);
	g->tensor_count = take64(c, "number of tensors");
	g->value_count = take64(c, "number of keys");
	if (c->status != GLLM_OK)
		return c->status;
	uint64_t left = c->size - c->at;
	uint64_t most = left / LEAST_VALUE_BYTES < UINT32_MAX ? left / LEAST_VALUE_BYTES : UINT32_MAX;
	if (g->value_count > most)
		return fail(c, GLLM_TRUNCATED, "number of keys against the bytes left", 16, most, g->value_count);
	left -= g->value_count * LEAST_VALUE_BYTES;
	most = left / LEAST_TENSOR_BYTES < UINT32_MAX ? left / LEAST_TENSOR_BYTES : UINT32_MAX;
	if (g->tensor_count > most)
		return fail(c, GLLM_TRUNCATED, "number of tensors against the bytes left", 8, most, g->tensor_count);
	return GLLM_OK;
}

struct index {
	struct gllm_gguf_value *values;
	struct gllm_gguf_tensor *tensors;
	uint32_t *values_by_key, *tensors_by_name;
};

static struct index carve_index(struct gllm_carve *c, const struct gllm_gguf *g)
{
	struct index x;
	x.values = gllm_carve(c, g->value_count, sizeof *x.values);
	x.tensors = gllm_carve(c, g->tensor_count, sizeof *x.tensors);
	x.values_by_key = gllm_carve(c, g->value_count, sizeof *x.values_by_key);
	x.tensors_by_name = gllm_carve(c, g->tensor_count, sizeof *x.tensors_by_name);
	return x;
}

enum gllm_status gllm_gguf_workspace(const void *bytes, uint64_t size, size_t *need, struct gllm_error *error)
{
	if (!bytes || !need)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "null argument", NULL, 0, 1, 0);
	struct cursor c = { .bytes = bytes, .size = size, .error = error };
	struct gllm_gguf g = { 0 };
	if (take_header(&c, &g) != GLLM_OK)
		return c.status;
	struct gllm_carve carve = { 0 };
	carve_index(&carve, &g);
	*need = (size_t)carve.used;
	return GLLM_OK;
}

static void take_type(struct cursor *c, struct gllm_gguf_value *v)
{
	uint64_t where = c->at;
	uint32_t id = take32(c, "type of a value");
	v->array = id == GLLM_GGUF_ARRAY;
	if (v->array) {
		where = c->at;
		id = take32(c, "type of an array's elements");
		if (id == GLLM_GGUF_ARRAY)
			fail(c, GLLM_UNSUPPORTED, "an array of arrays", where, GLLM_GGUF_TYPE_COUNT - 1, id);
	}
	if (id >= GLLM_GGUF_TYPE_COUNT)
		fail(c, GLLM_BAD_VALUE, "type of a value", where, GLLM_GGUF_TYPE_COUNT - 1, id);
	v->type = c->status == GLLM_OK ? (enum gllm_gguf_type)id : GLLM_GGUF_U8;
	v->count = v->array ? take64(c, "number of elements of an array") : 1;
}

/* Moves over the value's data, which is checked as far as it can be without knowing what it means. */
static void take_data(struct cursor *c, struct gllm_gguf_value *v)
{
	uint64_t each = value_bytes[v->type], least = each ? each : 8, left = c->size - c->at;
	v->where = c->at;
	v->data = c->bytes + c->at;
	if (c->status != GLLM_OK)
		return;
	if (v->count > left / least) {
		fail(c, GLLM_TRUNCATED, "elements against the bytes left", c->at, left / least, v->count);
		return;
	}
	if (each) {
		take(c, v->count * each, "value");
		for (uint64_t i = 0; v->type == GLLM_GGUF_BOOL && i < v->count; i++)
			if (v->data[i] > 1) {
				fail(c, GLLM_BAD_VALUE, "a bool is neither 0 nor 1", v->where + i, 1, v->data[i]);
				return;
			}
		return;
	}
	for (uint64_t i = 0; i < v->count && c->status == GLLM_OK; i++)
		take(c, take64(c, "length of a string"), "string");
}

static void take_value(struct cursor *c, struct gllm_gguf_value *v)
{
	c->name = (struct gllm_text){ NULL, 0 };
	v->key = c->name = take_name(c, MAX_KEY, "length of a key");
	take_type(c, v);
	take_data(c, v);
}

static void take_tensor(struct cursor *c, struct gllm_gguf_tensor *t)
{
	c->name = (struct gllm_text){ NULL, 0 };
	t->where = c->at;
	t->name = c->name = take_name(c, MAX_NAME, "length of a tensor's name");
	uint64_t where = c->at;
	t->ndims = take32(c, "number of dimensions");
	if (t->ndims > MAX_DIMS)
		fail(c, GLLM_BAD_VALUE, "number of dimensions", where, MAX_DIMS, t->ndims);
	uint64_t elements = 1;
	for (uint32_t i = 0; i < MAX_DIMS; i++) {
		where = c->at;
		t->dims[i] = c->status == GLLM_OK && i < t->ndims ? take64(c, "dimension") : 1;
		if (c->status == GLLM_OK && t->dims[i] == 0)
			fail(c, GLLM_BAD_VALUE, "a dimension is zero", where, 1, 0);
		if (!gllm_mul_ok(elements, t->dims[i], &elements) || elements > INT64_MAX)
			fail(c, GLLM_BAD_VALUE, "product of the dimensions", where, INT64_MAX, t->dims[i]);
	}
	where = c->at;
	uint32_t id = take32(c, "type of a tensor");
	const struct gllm_ggml_type_info *info = gllm_ggml_type_info(id);
	if (c->status == GLLM_OK && !info->name)
		fail(c, GLLM_UNSUPPORTED, "unknown tensor type", where, GLLM_GGML_TYPE_COUNT - 1, id);
	if (c->status == GLLM_OK && t->dims[0] % info->block)
		fail(c, GLLM_BAD_VALUE, "a row is not a whole number of the type's blocks", where, info->block, t->dims[0]);
	t->type = c->status == GLLM_OK ? (enum gllm_ggml_type)id : GLLM_GGML_F32;
	if (c->status == GLLM_OK && !gllm_mul_ok(elements / info->block, info->bytes, &t->bytes))
		fail(c, GLLM_BAD_VALUE, "size of a tensor", where, UINT64_MAX, elements);
	take(c, 8, "offset of a tensor"); /* read once the place of the data section is known */
}

static bool tensor_before(const void *user, uint32_t a, uint32_t b)
{
	const struct gllm_gguf_tensor *t = user;
	return t[a].data != t[b].data ? t[a].data < t[b].data : a < b;
}

static bool tensor_name_before(const void *user, uint32_t a, uint32_t b)
{
	const struct gllm_gguf_tensor *t = user;
	int order = compare(t[a].name, t[b].name);
	return order ? order < 0 : a < b;
}

static bool key_before(const void *user, uint32_t a, uint32_t b)
{
	const struct gllm_gguf_value *v = user;
	int order = compare(v[a].key, v[b].key);
	return order ? order < 0 : a < b;
}

static void fill_order(uint32_t *v, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		v[i] = (uint32_t)i;
}

static void order_keys(struct cursor *c, const struct gllm_gguf *g, const struct index *x)
{
	fill_order(x->values_by_key, g->value_count);
	gllm_sort(x->values_by_key, (uint32_t)g->value_count, key_before, x->values);
	for (uint64_t i = 1; i < g->value_count; i++) {
		const struct gllm_gguf_value *a = &x->values[x->values_by_key[i - 1]], *b = &x->values[x->values_by_key[i]];
		c->name = b->key;
		if (compare(a->key, b->key) == 0) /* equals stand in file order, so b is the second one */
			fail(c, GLLM_DUPLICATE, "a key stands twice", (uint64_t)((const unsigned char *)b->key.at - c->bytes), 1, 2);
	}
}

static void order_tensors(struct cursor *c, const struct gllm_gguf *g, const struct index *x)
{
	uint32_t *order = x->tensors_by_name, n = (uint32_t)g->tensor_count;
	fill_order(order, n);
	gllm_sort(order, n, tensor_before, x->tensors);
	for (uint32_t i = 1; i < n; i++) {
		const struct gllm_gguf_tensor *a = &x->tensors[order[i - 1]], *b = &x->tensors[order[i]];
		c->name = b->name;
		if ((uint64_t)(b->data - a->data) < a->bytes)
			fail(c, GLLM_OVERLAP, "a tensor begins before the one before it ends", b->where,
			     (uint64_t)(a->data - c->bytes) + a->bytes, (uint64_t)(b->data - c->bytes));
	}
	gllm_sort(order, n, tensor_name_before, x->tensors);
	for (uint32_t i = 1; i < n; i++) {
		const struct gllm_gguf_tensor *a = &x->tensors[order[i - 1]], *b = &x->tensors[order[i]];
		c->name = b->name;
		if (compare(a->name, b->name) == 0)
			fail(c, GLLM_DUPLICATE, "a tensor's name stands twice", b->where, 1, 2);
	}
}

/* A tensor's offset in the data section; it stands in the last eight bytes of the tensor's description. */
static uint64_t tensor_offset(const struct gllm_gguf_tensor *t)
{
	return gllm_le64((const unsigned char *)t->name.at + t->name.n + 4 + 8 * (uint64_t)t->ndims + 4);
}

static void place_tensors(struct cursor *c, struct gllm_gguf *g, const struct index *x)
{
	uint64_t infos_end = c->at;
	g->data_at = gllm_round_up(infos_end, g->alignment); /* infos_end <= size of an object in memory: no overflow */
	for (uint64_t i = 0; i < g->tensor_count && c->status == GLLM_OK; i++) {
		struct gllm_gguf_tensor *t = &x->tensors[i];
		uint64_t offset = tensor_offset(t), room = g->data_at < c->size ? c->size - g->data_at : 0;
		c->name = t->name;
		if (offset % g->alignment)
			fail(c, GLLM_BAD_VALUE, "offset of a tensor is not aligned", t->where, g->alignment, offset);
		else if (offset > room || t->bytes > room - offset)
			fail(c, GLLM_TRUNCATED, "a tensor reaches beyond the end of the file", t->where, room,
			     offset > UINT64_MAX - t->bytes ? UINT64_MAX : offset + t->bytes);
		else
			t->data = c->bytes + g->data_at + offset;
	}
}

static void read_alignment(struct cursor *c, struct gllm_gguf *g)
{
	static const char key[] = "general.alignment";
	const struct gllm_gguf_value *v = gllm_gguf_value(g, key);
	uint32_t a = DEFAULT_ALIGNMENT;
	if (v) {
		c->name = v->key;
		c->status = gllm_gguf_u32(g, key, &a, c->error);
		if (c->status == GLLM_OK && (a == 0 || (a & (a - 1)) || a > MAX_ALIGNMENT))
			fail(c, GLLM_BAD_VALUE, "alignment is not a power of two up to 65536", v->where, MAX_ALIGNMENT, a);
	}
	g->alignment = a;
}

enum gllm_status gllm_gguf_open(struct gllm_gguf *g, const void *bytes, uint64_t size, void *workspace,
                                size_t workspace_size, struct gllm_error *error)
{
	if (!g || !bytes)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "null argument", NULL, 0, 1, 0);
	struct cursor c = { .bytes = bytes, .size = size, .error = error };
	struct gllm_gguf r = { .bytes = bytes, .size = size };
	if (take_header(&c, &r) != GLLM_OK)
		return c.status;
	struct gllm_carve carve = { 0 };
	carve_index(&carve, &r);
	enum gllm_status s = gllm_workspace_check(workspace, workspace_size, carve.used, "workspace for a GGUF's index", error);
	if (s != GLLM_OK)
		return s;
	carve = (struct gllm_carve){ .base = workspace };
	struct index x = carve_index(&carve, &r);
	r.values = x.values;
	r.tensors = x.tensors;
	r.values_by_key = x.values_by_key;
	r.tensors_by_name = x.tensors_by_name;
	for (uint64_t i = 0; i < r.value_count && c.status == GLLM_OK; i++)
		take_value(&c, &x.values[i]);
	if (c.status == GLLM_OK)
		order_keys(&c, &r, &x);
	if (c.status == GLLM_OK)
		read_alignment(&c, &r);
	for (uint64_t i = 0; i < r.tensor_count && c.status == GLLM_OK; i++)
		take_tensor(&c, &x.tensors[i]);
	if (c.status == GLLM_OK)
		place_tensors(&c, &r, &x);
	if (c.status == GLLM_OK)
		order_tensors(&c, &r, &x);
	if (c.status == GLLM_OK)
		*g = r;
	return c.status;
}

/* ---- access ---- */

const struct gllm_gguf_value *gllm_gguf_value(const struct gllm_gguf *g, const char *key)
{
	if (!g || !key)
		return NULL;
	struct gllm_text k = gllm_text(key);
	uint64_t low = 0, high = g->value_count;
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		const struct gllm_gguf_value *v = &g->values[g->values_by_key[mid]];
		int order = compare(k, v->key);
		if (order == 0)
			return v;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct gllm_gguf_tensor *gllm_gguf_tensor(const struct gllm_gguf *g, const char *name)
{
	if (!g || !name)
		return NULL;
	struct gllm_text k = gllm_text(name);
	uint64_t low = 0, high = g->tensor_count;
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		const struct gllm_gguf_tensor *t = &g->tensors[g->tensors_by_name[mid]];
		int order = compare(k, t->name);
		if (order == 0)
			return t;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static bool is_integer(enum gllm_gguf_type t)
{
	switch (t) {
	case GLLM_GGUF_U8: case GLLM_GGUF_I8: case GLLM_GGUF_U16: case GLLM_GGUF_I16:
	case GLLM_GGUF_U32: case GLLM_GGUF_I32: case GLLM_GGUF_U64: case GLLM_GGUF_I64:
		return true;
	case GLLM_GGUF_F32: case GLLM_GGUF_F64: case GLLM_GGUF_BOOL: case GLLM_GGUF_STRING: case GLLM_GGUF_ARRAY:
	case GLLM_GGUF_TYPE_COUNT:
		return false;
	}
	return false;
}

static uint32_t found_type(const struct gllm_gguf_value *v)
{
	return v->array ? GLLM_GGUF_ARRAY : (uint32_t)v->type;
}

/* The value of `key` if its type is `type`; for I64 any integer, for F64 any float. */
static enum gllm_status typed(const struct gllm_gguf *g, const char *key, enum gllm_gguf_type type, bool array,
                              const struct gllm_gguf_value **out, struct gllm_error *e)
{
	if (!g || !key || !out)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "null argument", key, 0, 1, 0);
	const struct gllm_gguf_value *v = gllm_gguf_value(g, key);
	if (!v)
		return gllm_fail(e, GLLM_MISSING_KEY, "a required key is missing", key, g->size, 1, 0);
	bool fits = v->type == type || (type == GLLM_GGUF_I64 && is_integer(v->type)) ||
	            (type == GLLM_GGUF_F64 && v->type == GLLM_GGUF_F32);
	if (v->array != array)
		return gllm_fail(e, GLLM_WRONG_TYPE, array ? "not an array" : "an array where one value is needed", key,
		                 v->where, array ? GLLM_GGUF_ARRAY : (uint32_t)type, found_type(v));
	if (!fits)
		return gllm_fail(e, GLLM_WRONG_TYPE, array ? "type of an array's elements" : "type of a value", key, v->where,
		                 type, v->type);
	*out = v;
	return GLLM_OK;
}

/* Any integer of the file as sign and 64 bits. */
struct integer {
	bool negative; /* `bits` is then its two's complement */
	uint64_t bits;
};

static struct integer integer_at(const struct gllm_gguf_value *v, uint64_t i)
{
	const unsigned char *p = v->data + i * value_bytes[v->type];
	int64_t s = 0;
	switch (v->type) {
	case GLLM_GGUF_U8:  return (struct integer){ false, p[0] };
	case GLLM_GGUF_U16: return (struct integer){ false, gllm_le16(p) };
	case GLLM_GGUF_U32: return (struct integer){ false, gllm_le32(p) };
	case GLLM_GGUF_U64: return (struct integer){ false, gllm_le64(p) };
	case GLLM_GGUF_I8:  s = (int8_t)p[0]; break;
	case GLLM_GGUF_I16: s = (int16_t)gllm_le16(p); break;
	case GLLM_GGUF_I32: s = (int32_t)gllm_le32(p); break;
	case GLLM_GGUF_I64: s = (int64_t)gllm_le64(p); break;
	case GLLM_GGUF_F32: case GLLM_GGUF_F64: case GLLM_GGUF_BOOL: case GLLM_GGUF_STRING: case GLLM_GGUF_ARRAY:
	case GLLM_GGUF_TYPE_COUNT: break;
	}
	return (struct integer){ s < 0, (uint64_t)s };
}

static enum gllm_status get_integer(const struct gllm_gguf *g, const char *key, int64_t least, uint64_t most,
                                    uint64_t *out, struct gllm_error *e)
{
	const struct gllm_gguf_value *v = NULL;
	enum gllm_status s = typed(g, key, GLLM_GGUF_I64, false, &v, e);
	if (s != GLLM_OK)
		return s;
	struct integer x = integer_at(v, 0);
	if (x.negative ? (int64_t)x.bits < least : x.bits > most)
		return gllm_fail(e, GLLM_BAD_VALUE, "an integer does not fit", key, v->where, most, x.bits);
	*out = x.bits;
	return GLLM_OK;
}

enum gllm_status gllm_gguf_u32(const struct gllm_gguf *g, const char *key, uint32_t *out, struct gllm_error *error)
{
	uint64_t x = 0;
	enum gllm_status s = get_integer(out ? g : NULL, key, 0, UINT32_MAX, &x, error);
	if (s == GLLM_OK)
		*out = (uint32_t)x;
	return s;
}

enum gllm_status gllm_gguf_i32(const struct gllm_gguf *g, const char *key, int32_t *out, struct gllm_error *error)
{
	uint64_t x = 0;
	enum gllm_status s = get_integer(out ? g : NULL, key, INT32_MIN, INT32_MAX, &x, error);
	if (s == GLLM_OK)
		*out = (int32_t)(int64_t)x;
	return s;
}

enum gllm_status gllm_gguf_u64(const struct gllm_gguf *g, const char *key, uint64_t *out, struct gllm_error *error)
{
	uint64_t x = 0;
	enum gllm_status s = get_integer(out ? g : NULL, key, 0, UINT64_MAX, &x, error);
	if (s == GLLM_OK)
		*out = x;
	return s;
}

enum gllm_status gllm_gguf_f32(const struct gllm_gguf *g, const char *key, float *out, struct gllm_error *error)
{
	const struct gllm_gguf_value *v = NULL;
	enum gllm_status s = typed(out ? g : NULL, key, GLLM_GGUF_F64, false, &v, error);
	if (s == GLLM_OK)
		*out = gllm_gguf_float_at(v, 0);
	return s;
}

enum gllm_status gllm_gguf_bool(const struct gllm_gguf *g, const char *key, bool *out, struct gllm_error *error)
{
	const struct gllm_gguf_value *v = NULL;
	enum gllm_status s = typed(out ? g : NULL, key, GLLM_GGUF_BOOL, false, &v, error);
	if (s == GLLM_OK)
		*out = v->data[0] != 0;
	return s;
}

enum gllm_status gllm_gguf_string(const struct gllm_gguf *g, const char *key, struct gllm_text *out,
                                  struct gllm_error *error)
{
	const struct gllm_gguf_value *v = NULL;
	uint64_t at = 0;
	enum gllm_status s = typed(out ? g : NULL, key, GLLM_GGUF_STRING, false, &v, error);
	if (s == GLLM_OK)
		*out = gllm_gguf_next_string(v, &at);
	return s;
}

enum gllm_status gllm_gguf_array(const struct gllm_gguf *g, const char *key, enum gllm_gguf_type type,
                                 const struct gllm_gguf_value **out, struct gllm_error *error)
{
	return typed(g, key, type, true, out, error);
}

int64_t gllm_gguf_integer_at(const struct gllm_gguf_value *v, uint64_t i)
{
	struct integer x = integer_at(v, i);
	return !x.negative && x.bits > INT64_MAX ? INT64_MAX : (int64_t)x.bits;
}

float gllm_gguf_float_at(const struct gllm_gguf_value *v, uint64_t i)
{
	if (v->type == GLLM_GGUF_F32)
		return gllm_bits_f32(gllm_le32(v->data + 4 * i));
	return v->type == GLLM_GGUF_F64 ? (float)gllm_bits_f64(gllm_le64(v->data + 8 * i)) : 0.0f;
}

struct gllm_text gllm_gguf_next_string(const struct gllm_gguf_value *v, uint64_t *at)
{
	const unsigned char *p = v->data + *at;
	uint64_t n = gllm_le64(p);
	*at += 8 + n;
	return (struct gllm_text){ (const char *)p + 8, (size_t)n };
}
