/* SPDX-License-Identifier: MIT
 * tools/plan_dir.h - compiled plans as files of a folder.
 *
 * A file's name is its key. It is written under a name of its own and then renamed, so that readers find it whole or not
 * at all, however many processes write. What else lies there, what is cut or damaged does no harm: it is not taken, and
 * replaced. One store per process. */
#ifndef PLAN_DIR_H
#define PLAN_DIR_H
#include "gllm/store.h"

/* The folder must exist; what cannot be read or written is as if it were not there. */
struct gllm_store plan_dir(const char *folder);
#endif
