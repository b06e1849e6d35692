/* SPDX-License-Identifier: MIT
 * gllm/graph.h - a graph of operators over named tensors, and the plan it compiles to.
 *
 * Tensors are dense, row-major, of shape [rows][cols]; `rows` may be GLLM_ROWS, one number left open until the plan runs
 * (the tokens of a step), not above the graph's max_rows, which is below 2^31. Every tensor has one producer (SSA); inputs
 * and weights have none. A node applies one registered operator: once over all its elements, or, with `batch`, once for
 * every row: then each operand that has `batch` rows advances by one row and the others stay.
 * A tensor of F16 or BF16 may stand where the operator's definition has F32: its elements are widened when read and
 * rounded to nearest even when written, all arithmetic is F32, and values that fusion keeps in registers are not rounded
 * in between. Only sums of products of two BF16 elements are made, where the profile has them, by instructions that
 * multiply several at a time (BFDOT, BFMMLA, VDPBF16PS): within the same bound of error, denormals taken as zeros. Scalar
 * plans have no such nodes.
 * Pointers other than `e` must not be NULL unless stated. Errors name the node or tensor. A graph lives in its context's
 * heap until freed; plans do not refer to it. */
#ifndef GLLM_GRAPH_H
#define GLLM_GRAPH_H
#include "gllm/context.h"
#include "gllm/pack.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GLLM_ROWS UINT64_MAX /* the symbolic row count */

enum gllm_tensor_kind {
	GLLM_TENSOR_INPUT,  /* bound by the caller at every run */
	GLLM_TENSOR_WEIGHT, /* bound by the caller at every run; read only */
	GLLM_TENSOR_OUTPUT, /* bound by the caller at every run; written */
	GLLM_TENSOR_VALUE,  /* internal: the plan finds its memory, or none if fusion removes it */
};

typedef uint16_t gllm_tensor;

struct gllm_graph;

/* A graph with room for so many tensors and nodes; `name` must outlive it.
 * Fails: INVALID_ARGUMENT (no name, max_rows outside 1 .. 2^31 - 1, more than 4096 tensors or nodes), OUT_OF_MEMORY. */
enum gllm_status gllm_graph_create(struct gllm_context *c, const char *name, uint64_t max_rows,
                                   unsigned max_tensors, unsigned max_nodes, struct gllm_graph **out, struct gllm_error *e);
/* INVALID_ARGUMENT for what is no graph of this context, or is free already. */
enum gllm_status gllm_graph_free(struct gllm_context *c, struct gllm_graph *g);

/* Declares a tensor and returns its number: they count from 0 in the order of declaration, and plans are bound by them. `name`
 * must outlive the graph; `rows` is a number or GLLM_ROWS; at most 2^40 elements. Returns GLLM_NO_TENSOR after a failure, which
 * sticks in the graph: INVALID_ARGUMENT (kind, type, name, shape), OUT_OF_MEMORY (more than max_tensors). */
#define GLLM_NO_TENSOR ((gllm_tensor)0xffff)
gllm_tensor gllm_graph_tensor(struct gllm_graph *g, enum gllm_tensor_kind kind, enum gllm_type type, uint64_t rows,
                              uint64_t cols, const char *name);

struct gllm_tensor_info {
	const char *name;
	enum gllm_tensor_kind kind;
	enum gllm_type type;
	uint64_t rows, cols; /* rows may be GLLM_ROWS */
	struct gllm_packing packing; /* lanes 0: its elements lie row after row */
};
unsigned gllm_graph_tensors(const struct gllm_graph *g);
/* INVALID_ARGUMENT if there is no such tensor. */
enum gllm_status gllm_graph_tensor_info(const struct gllm_graph *g, unsigned tensor, struct gllm_tensor_info *out);

/* The weight is bound packed (gllm/pack.h) and read by products of matrices alone, as the side whose columns are those of the
 * result: B of gemm and gemm_bias, W of gemm_bt, with whatever is fused to them. Its shape stays what the operators say.
 * Sums are made in the order of blocks of k. Compiling fails with UNSUPPORTED, naming the tensor, where anything else reads
 * it; so do scalar plans. INVALID_ARGUMENT: no weight of fixed rows, another type, or n and k are not its rows and columns. */
enum gllm_status gllm_graph_packed(struct gllm_graph *g, gllm_tensor weight, const struct gllm_packing *p);

/* Actual parameters in the order of the operator's parameter list. */
struct gllm_actual {
	gllm_tensor tensor; /* pointers */
	uint64_t dim;       /* dims: a number or GLLM_ROWS */
	float scalar;
};
#define GLLM_T(t) ((struct gllm_actual){ .tensor = (t) })
#define GLLM_D(n) ((struct gllm_actual){ .dim = (n) })
#define GLLM_S(x) ((struct gllm_actual){ .scalar = (x) })

/* Appends a node. `batch`: 1, a number of rows, or GLLM_ROWS. Checked: arity, kinds, types, one producer, outputs that
 * advance with the batch, and, where the operator's trace tells what it reaches (a context with a target), that for any
 * number of rows every operand is large enough and every output exactly as large. Errors name the node by its first
 * output, and the operand: "y = relu: x"; where = its place among the parameters. */
enum gllm_status gllm_graph_node(struct gllm_graph *g, unsigned op, uint64_t batch, const struct gllm_actual *actual,
                                 unsigned n);

/* The first failure of building; GLLM_OK if there was none. */
enum gllm_status gllm_graph_status(const struct gllm_graph *g, struct gllm_error *e);

/* ------------------------------------------------------------------------------------------------------------------ */

struct gllm_plan;

/* Sizes of blocked products of matrices, in elements, and how loops run and store; 0: chosen from the profile. */
struct gllm_tuning {
	uint32_t mc, kc, nc;
	uint16_t mr, nr;   /* rows and columns of the register tile; nr a multiple of the vector's lanes */
	uint8_t unroll;    /* steps of k in the innermost loop's body */
	uint8_t fetch;     /* steps of k by which panels are fetched ahead */
	uint8_t stages;    /* of the software pipeline of every innermost loop: 1 loads what a turn needs in that turn, 2 in the
	                    * turn before */
	uint32_t past;     /* bytes from which on outputs that no node reads are stored past the caches; UINT32_MAX: never */
};

struct gllm_plan_options {
	bool scalar;    /* run the scalar definitions node by node: no code is generated */
	bool no_fusion; /* every node its own group: for tests and comparisons */
	bool readback;  /* decode every emitted byte again and check it; nothing is taken from the host's store then */
	const struct gllm_tuning *tuning; /* NULL: all chosen from the profile */
	uint64_t pack_bytes; /* workspace that packing may take beside the graph's values; 0: what is best */
	/* Not NULL: told the vector IR of each kernel, as scheduled and before it has registers: a line with the kernel's name and
	 * one for each instruction. Every kernel is compiled anew then. */
	void (*listing)(void *user, const char *text, size_t n);
	void *listing_user;
};

/* Compiles, or loads an equal plan from the host's store. The plan lives in the context's heap, its code in the host's
 * executable memory.
 * Fails, and nothing stays behind: as the graph's building did; INVALID_ARGUMENT (an output that no node produces), NO_BACK_END (no target),
 * NO_FEATURE (no usable vectors), NO_EXEC_MEMORY, NO_SPACE (code memory is full), NOT_LIFTED, UNSUPPORTED (packed weights, see above),
 * COMPILE_ERROR, OUT_OF_MEMORY, what the host's publish returns. The scalar option needs no target, vectors or executable memory;
 * UNSUPPORTED: an operator that was registered without a way to call it, half types in place of F32. */
enum gllm_status gllm_compile(struct gllm_context *c, const struct gllm_graph *g, const struct gllm_plan_options *o,
                              struct gllm_plan **out, struct gllm_error *e);
/* Gives its heap back. Kernels of equal code are shared by the plans of a context. Executable memory is used like a stack: a
 * kernel's is given back when no plan that lives uses it or one that lies above it, so plans that live and die in any order
 * do not use it up. INVALID_ARGUMENT for what is no plan of this context. */
enum gllm_status gllm_plan_free(struct gllm_context *c, struct gllm_plan *p);

/* Bytes of workspace a run with up to max_rows rows needs; 64-byte aligned; contents are not kept between runs. Large
 * pages are worth it where other processes share the caches: products of matrices that are packed anew were up to a sixth faster. */
size_t gllm_plan_workspace(const struct gllm_plan *p);

/* Runs. `bind` holds an address for every input, weight and output by tensor number (others are ignored); `rows` is
 * 0 .. max_rows (exactly 1 if max_rows is 1). Inputs and weights may be read-only memory and may overlap each other;
 * outputs must overlap nothing.
 * Fails: INVALID_ARGUMENT (binding or workspace NULL or misaligned, rows out of range), OVERLAP, as gllm_packed_check of what is
 * bound packed, VECTOR_LENGTH (the host says that SVE vectors no longer have the length the plan was made for; if those of a
 * worker have not, outputs may be half written). */
enum gllm_status gllm_plan_run(const struct gllm_plan *p, void *const *bind, uint64_t rows, void *workspace,
                               struct gllm_error *e);

/* --- what was decided: texts live as long as the plan; INVALID_ARGUMENT for a number beyond the last ---------------- */

/*          id        words */
#define GLLM_MODES(M)                                              \
	M(STANDALONE, "Standalone")                                \
	M(LOOP,       "LoopFusion")                                \
	M(EPILOGUE,   "EpilogueInjection")                         \
	M(TILE,       "TileLevelFusion")                           \
	M(ROOT,       "ComputeRoot")                               \
	M(QKV,        "QkvSharedInput")                            \
	M(NORM_INTO_GEMM, "NormIntoGemm")

enum gllm_mode {
#define M(id, words) GLLM_MODE_##id,
	GLLM_MODES(M)
#undef M
	GLLM_MODE_COUNT
};
const char *gllm_mode_name(enum gllm_mode m);

struct gllm_step_info {
	const char *name;          /* operators joined by '+' */
	unsigned group;            /* steps of one group stand together and in order */
	enum gllm_mode mode;
	enum gllm_pattern pattern; /* of the fused trace */
	const char *strategy;      /* how workers share it: "rows", "columns", "elements", "chunks" of one long reduction, of
	                            * which the steps behind it combine the partial results in order, or "sequential" if it
	                            * is one piece of work or too little to share; any sharing gives the same bits */
	uint64_t times;            /* it runs in one run of the plan: steps of blocked products repeat */
	uint32_t code_offset, code_bytes;
	/* per run at max_rows, all times together; of a compiled plan: */
	uint64_t bytes_saved;      /* reads and writes of tensors that fusion removed; of a group, told with its first step */
	uint64_t bytes_moved;      /* that the step reads and writes, each place once */
	uint64_t cycles;           /* predicted, of one core: a roofline over operations and bytes, shared by the cores if the
	                            * step is; the profile's peak and bandwidth, or common ones where it has none */
};
const char *gllm_plan_name(const struct gllm_plan *p); /* the graph's */
unsigned gllm_plan_steps(const struct gllm_plan *p);
unsigned gllm_plan_groups(const struct gllm_plan *p);
enum gllm_status gllm_plan_step(const struct gllm_plan *p, unsigned i, struct gllm_step_info *out);
/* By all steps: the memory traffic if no cache kept anything between them. */
uint64_t gllm_plan_bytes_moved(const struct gllm_plan *p);

struct gllm_node_info {
	const char *name;          /* operator */
	unsigned group;            /* that computes it */
};
unsigned gllm_plan_nodes(const struct gllm_plan *p);
enum gllm_status gllm_plan_node(const struct gllm_plan *p, unsigned i, struct gllm_node_info *out);

/* The graph's tensors, by the numbers that bindings have. */
unsigned gllm_plan_tensors(const struct gllm_plan *p);
enum gllm_status gllm_plan_tensor(const struct gllm_plan *p, unsigned i, struct gllm_tensor_info *out);

struct gllm_edge_info {            /* a node reads a tensor */
	uint16_t producer;         /* node, 0xffff: an input or a weight */
	uint16_t consumer;         /* node */
	gllm_tensor tensor;
	bool fused;
	uint64_t bytes;            /* of the tensor, at max_rows */
	const char *why;           /* it was fused or not; NULL if that was no question */
};
unsigned gllm_plan_edges(const struct gllm_plan *p);
enum gllm_status gllm_plan_edge(const struct gllm_plan *p, unsigned i, struct gllm_edge_info *out);

struct gllm_buffer_info {          /* a place in the workspace */
	gllm_tensor tensor;        /* that lies there; GLLM_NO_TENSOR: memory that a group needs while it runs */
	uint16_t first_group, last_group; /* that use it; others with disjoint lives may lie there as well */
	uint64_t offset, bytes;
};
unsigned gllm_plan_buffers(const struct gllm_plan *p);
enum gllm_status gllm_plan_buffer(const struct gllm_plan *p, unsigned i, struct gllm_buffer_info *out);

/* Why each group was formed and why each rejected candidate was rejected, a line each. */
void gllm_plan_explain(const struct gllm_plan *p, void (*out)(void *user, const char *text, size_t n), void *user);

#ifdef __cplusplus
}
#endif
#endif
