/* SPDX-License-Identifier: MIT
 * gllm/graph_text.h - graphs written as text, to try graphs without writing C (examples/ holds some).
 *
 *     # y = silu(x * transpose(w)) + x
 *     graph block rows 64
 *     let d = 256
 *     input  x [rows, d]
 *     weight w f16 [d, d]
 *     output y [rows, d]
 *     value  h [rows, d]
 *     value  a [rows, d]
 *     h = gemm_bt_f16(x, w, rows, d, d)
 *     a = silu(h, n=d) per rows
 *     y = add(a, x, n=d) per rows
 *
 *     text      = { [ statement ] end-of-line }       # begins a comment; inside ( ) and [ ] a line may end anywhere
 *     statement = "graph" name [ "rows" number ]                          first; the greatest row count, or else 1
 *               | "let" name "=" number                                   a constant
 *               | kind name [ type ] "[" number "," number "]" [ "packed" number ]    a tensor: rows, columns; a weight that
 *                                                                       is bound packed, of so many columns (gllm/pack.h)
 *               | name { "," name } "=" operator "(" [ argument { "," argument } ] ")" [ "per" number ]     a node
 *     kind      = "input" | "weight" | "output" | "value"
 *     type      = "f32" | "f16" | "bf16" | "i8" | "u8" | ..               as gllm_type_name says; or else f32
 *     argument  = [ parameter "=" ] ( name of a tensor | number )
 *     number    = factor { ( "*" | "/" ) factor }
 *     factor    = [ "-" ] decimal | name of a constant | "rows"           "rows" stands alone: the symbolic row count
 *     name      = a letter or "_", then letters, digits, "_" and "."      none of the words in quotes above
 *
 * On the left of a node stand its outputs, on the right its other parameters, in the order of the operator's list
 * (gllm/ops.def, gllm/signatures.def); once one is named its neighbours may stand in any order. "per" is the node's batch:
 * it is applied once per row. Bindings of a run are numbered as the tensors are declared. A decimal has at most 15 digits
 * and an exponent of at most 22. */
#ifndef GLLM_GRAPH_TEXT_H
#define GLLM_GRAPH_TEXT_H
#include "gllm/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of workspace for reading this text; SIZE_MAX for texts of 2^28 bytes and more. */
size_t gllm_graph_text_workspace(const char *text, size_t n);

/* Reads a text of n bytes. `max_rows` takes the place of the number that the text gives, unless it is 0. The workspace,
 * aligned to 8 bytes, holds the names and must outlive the graph; the text need not.
 * Fails: SYNTAX, MISSING_KEY (a name that nothing has), DUPLICATE, INVALID_ARGUMENT, OUT_OF_MEMORY and what building a graph
 * fails with. e->where is the line; e->name says the name concerned, for a node as "output = operator: name". */
enum gllm_status gllm_graph_read(struct gllm_context *c, const char *text, size_t n, uint64_t max_rows, void *workspace,
                                 size_t size, struct gllm_graph **out, struct gllm_error *e);

#ifdef __cplusplus
}
#endif
#endif
