# SPDX-License-Identifier: MIT
# Targets are listed in README.md. ARCH names the machine of `make run`; both libraries are always built.
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
JIT ?= 1
# 1: archives that may be linked into position-independent executables.
PIE ?= 0
B ?= build$(if $(filter 0,$(JIT)),/nojit)$(if $(filter 1,$(PIE)),/pie)
ARCHES := x86_64 aarch64
HOST := $(shell uname -m)
ARCH ?= $(HOST)

COMPILER ?= gcc
ifeq ($(COMPILER),clang)
CC_x86_64 := clang --target=x86_64-linux-gnu
CC_aarch64 := clang --target=aarch64-linux-gnu
NO_VECTORS := -fno-vectorize -fno-slp-vectorize -fno-unroll-loops
else
CC_x86_64 := $(if $(filter x86_64,$(HOST)),gcc,x86_64-linux-gnu-gcc)
CC_aarch64 := $(if $(filter aarch64,$(HOST)),gcc,aarch64-linux-gnu-gcc)
NO_VECTORS := -fno-tree-vectorize -fno-tree-slp-vectorize
endif
AR_x86_64 := $(if $(filter x86_64,$(HOST)),ar,x86_64-linux-gnu-ar)
AR_aarch64 := $(if $(filter aarch64,$(HOST)),ar,aarch64-linux-gnu-ar)

WARN := -Wall -Wextra -Wconversion -Wshadow -Wswitch-enum -Werror
PLACE := $(if $(filter 1,$(PIE)),-fPIE,-fno-pic -fno-pie)
# Nothing is contracted: what costs decide must be the same on every host.
FREESTANDING := -std=c11 -ffreestanding -ffp-contract=off -fno-stack-protector -ffunction-sections -fdata-sections $(PLACE) \
	-fno-asynchronous-unwind-tables -fstack-usage
MACHINE_x86_64 := -mno-red-zone
MACHINE_aarch64 := -mno-outline-atomics
INCLUDE := -Iinclude -I. -DGLLM_JIT=$(JIT)
# How scalar definitions are compiled so that everything lifts (README, "Your own operators").
OPS_FLAGS := -O1 -ffp-contract=off -fno-math-errno -fno-jump-tables -fno-lto $(NO_VECTORS)
# Without AdvSIMD an integer on its way to a float is shifted in a general register, not as a lane of a vector.
OPS_FLAGS_aarch64 := -march=armv8-a+nosimd
# The part that may run before vector units are on.
BASE := core/arena.c core/heap.c core/mem.c core/status.c core/types.c core/fmt.c core/profile.c core/profile_blocking.c \
	$(wildcard arch/*/probe.c arch/*/native/probe.c)

OPS_SRC := $(wildcard ops/*.c)
LIB_SRC := $(wildcard core/*.c jit/*.c infer/*.c) $(OPS_SRC)
ifeq ($(JIT),0)
ARCH_SRC := $(wildcard arch/*/probe.c)
else
ARCH_SRC := $(wildcard arch/*/*.c)
endif
# Suites that test back ends, which suites.def leaves out likewise, and what they share.
JIT_SUITES := $(shell sed -n '/^.if GLLM_JIT/,/^.endif/s/SUITE(\(.*\))/\1/p' tests/suites.def)
TEST_SRC := $(filter-out $(if $(filter 0,$(JIT)),$(JIT_SUITES:%=tests/check_%.c) tests/check_vir_bench.c),$(wildcard tests/check*.c))
FIXTURE_SRC := $(wildcard tests/fixtures/*.c)
# Its operators are recorded beside the library's (rows of 48 bytes: struct user_op).
RECORD_OPS := --ops user_op:48
# Compiled like the operators of the library.
SCALAR_SRC := $(OPS_SRC) $(filter %_ops.c,$(FIXTURE_SRC)) examples/leaky.c examples/gemv_q4_k.c

# What decides about emitted code: its checksum is the version that compiled plans carry (gllm/blob.h).
EMITTER_SRC := $(sort $(wildcard include/gllm/*.h include/gllm/*.def core/*.[ch] jit/*.[ch] arch/*/*.[ch] arch/*/*.def))

# Flags are in this file: objects depend on it.
define arch_rules
LIB_OBJ_$(1) := $$(patsubst %.c,$(B)/$(1)/%.o,$$(LIB_SRC) $$(ARCH_SRC) $$(wildcard arch/$(1)/native/*.c)) \
	$$(patsubst %.S,$(B)/$(1)/%.o,$$(wildcard arch/$(1)/native/*.S))
TEST_OBJ_$(1) := $$(patsubst %.c,$(B)/$(1)/%.o,$$(TEST_SRC) $$(FIXTURE_SRC)) $(B)/$(1)/examples/examples.o

$(B)/$(1)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(CC_$(1)) $$(FREESTANDING) $$(MACHINE_$(1)) -O2 $$(WARN) $$(INCLUDE) $$(EXTRA) $$(SANITIZE) -MMD -MP -c $$< -o $$@
$(B)/$(1)/%.o: %.S Makefile
	@mkdir -p $$(@D)
	$$(CC_$(1)) $$(INCLUDE) -MMD -MP -c $$< -o $$@
$$(patsubst %.c,$(B)/$(1)/%.o,$$(SCALAR_SRC)): $(B)/$(1)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(CC_$(1)) $$(FREESTANDING) $$(MACHINE_$(1)) $$(OPS_FLAGS) $$(OPS_FLAGS_$(1)) $$(WARN) $$(INCLUDE) -MMD -MP -c $$< -o $$@
$(B)/$(1)/jit/emitter.o: EXTRA += -DGLLM_EMITTER=$$(shell cat $$(EMITTER_SRC) | cksum | cut -d' ' -f1)u
$(B)/$(1)/jit/emitter.o: $$(EMITTER_SRC)
$$(patsubst %.c,$(B)/$(1)/%.o,$$(BASE)): EXTRA += -mgeneral-regs-only

$(B)/$(1)/libgllm.a: $$(LIB_OBJ_$(1))
	@rm -f $$@
	$$(AR_$(1)) rcs $$@ $$^

# Hosted programs are ordinary static Linux executables around the same archive.
$(B)/$(1)/hosted/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(CC_$(1)) -std=gnu11 -O2 -fno-pic -fno-pie -fno-builtin-memcmp $$(WARN) $$(INCLUDE) $$(SANITIZE) -MMD -MP -c $$< -o $$@
$(B)/$(1)/models/story.o: models/story.gguf
$(B)/$(1)/examples/examples.o: $$(wildcard examples/*.graph)
CHECK_OBJ_$(1) := $(B)/$(1)/hosted/tests/hosted.o $(B)/$(1)/hosted/tools/host.o $$(TEST_OBJ_$(1)) $(B)/$(1)/models/story.o
$(B)/$(1)/check: $$(CHECK_OBJ_$(1)) $(B)/$(1)/tests/no_records.o $(B)/$(1)/libgllm.a
	$$(CC_$(1)) $$(if $$(SANITIZE),$$(SANITIZE),-static) -no-pie -Wl,--gc-sections $$^ -o $$@
# A hardened program (gllm/record.h): linked, its operators recorded, linked again with the table. Fails if that moved any.
$(B)/$(1)/recorded.c: $(B)/$(1)/check $(B)/$(HOST)/gllm
	$(B)/$(HOST)/gllm record $$(RECORD_OPS) $$< >$$@.new
	mv $$@.new $$@
$(B)/$(1)/recorded.o: $(B)/$(1)/recorded.c
	$$(CC_$(1)) $$(FREESTANDING) $$(MACHINE_$(1)) -O2 $$(WARN) $$(INCLUDE) -c $$< -o $$@
$(B)/$(1)/check-recorded: $$(CHECK_OBJ_$(1)) $(B)/$(1)/recorded.o $(B)/$(1)/libgllm.a
	$$(CC_$(1)) -static -no-pie -Wl,--gc-sections $$^ -o $$@.new
	$(B)/$(HOST)/gllm record $$(RECORD_OPS) --same $(B)/$(1)/recorded.c $$@.new
	mv $$@.new $$@
$(B)/$(1)/gllm: $$(patsubst %.c,$(B)/$(1)/hosted/%.o,$$(wildcard tools/*.c)) $(B)/$(1)/models/story.o $(B)/$(1)/libgllm.a
	$$(CC_$(1)) -static -no-pie -Wl,--gc-sections $$^ -o $$@ -lpthread
$(B)/$(1)/examples/embed: examples/embed.c $(B)/$(1)/examples/leaky.o $(B)/$(1)/libgllm.a
	$$(CC_$(1)) -std=gnu11 -O2 $$(PLACE) $$(if $$(filter 0,$$(PIE)),-no-pie,-pie) $$(WARN) -Iinclude $$^ -o $$@
-include $$(shell find $(B)/$(1) -name '*.d' 2>/dev/null)
endef
$(foreach a,$(ARCHES),$(eval $(call arch_rules,$(a))))
# What SANITIZE (flags of the compiler: tests/sanitize.sh) leaves alone: code that a test lifts, and what stands in for memcpy.
$(B)/$(HOST)/tests/check_lift.o $(B)/$(HOST)/core/mem.o: override SANITIZE :=

.PHONY: all lib examples run check check-host check-examples check-recorded check-user check-system check-symbols check-deps check-diff check-diff-long check-math-long check-matrix check-mutants check-sanitize \
	bench bench-floor bench-static bench-count bench-sizes bench-peers deps clean
.SECONDARY:

all: $(foreach a,$(ARCHES),$(B)/$(a)/libgllm.a) $(B)/gllm
lib: $(foreach a,$(ARCHES),$(B)/$(a)/libgllm.a)
$(B)/gllm: $(B)/$(HOST)/gllm
	cp $< $@

examples: $(if $(filter 1,$(JIT)),$(B)/$(HOST)/examples/embed)

include qemu/qemu.mk

deps:
	@sh tests/install.sh

check: deps
	@sh tests/check.sh "$(MAKE)" $(JIT)
check-recorded: $(foreach a,$(ARCHES),$(B)/$(a)/check-recorded) $(B)/gllm
	@sh tests/recorded.sh $(B)
check-examples: examples $(B)/gllm
	@sh tests/examples.sh $(B)/$(HOST)/examples/embed $(B)/gllm
check-host: $(B)/$(HOST)/check $(B)/gllm $(if $(filter 1,$(JIT)),check-examples)
	@sh tests/host.sh $(B)
	@sh tests/plan_dir.sh $(B)/gllm
	@sh tests/draw.sh $(B)/gllm
	@sh tests/arguments.sh $(B)/gllm
check-user: $(foreach a,$(ARCHES),$(B)/$(a)/check)
	@sh tests/user.sh $(B)
check-symbols:
	@sh tests/symbols.sh "$(MAKE)"
check-deps:
	@sh tests/deps.sh
check-diff:
	@sh tests/diff.sh "$(MAKE)" $(B)
check-diff-long:
	@sh tests/diff/insn_long.sh "$(MAKE)" $(B)
check-math-long:
	@sh tests/diff/math_long.sh "$(MAKE)" $(B)
check-matrix:
	@sh tests/diff/lift_matrix.sh "$(MAKE)" $(B)
check-mutants:
	@sh tests/diff/lift_matrix.sh "$(MAKE)" $(B) mutants
check-sanitize:
	@sh tests/sanitize.sh "$(MAKE)" $(B)
bench: $(B)/$(HOST)/bench
	@sh bench/run.sh $(B)/$(HOST)/bench
$(B)/$(HOST)/bench: $(patsubst %.c,$(B)/$(HOST)/hosted/%.o,$(filter-out bench/peers.c,$(wildcard bench/*.c))) $(B)/$(HOST)/hosted/tools/host.o $(B)/$(HOST)/libgllm.a
	$(CC_$(HOST)) -static -no-pie -Wl,--gc-sections $^ -o $@ -lpthread
# Fails when a row undercuts the ratio stored for it (bench/floor.def).
bench-floor: $(B)/$(HOST)/bench
	@mkdir -p build/bench
	@$(B)/$(HOST)/bench -f >build/bench/floor.json
# Inner loops as llvm-mca predicts them on cores that are not here.
$(B)/aarch64/static_own: $(B)/aarch64/hosted/bench/static/own.o $(B)/aarch64/hosted/tools/host.o $(B)/aarch64/examples/gemv_q4_k.o \
		$(B)/aarch64/tests/fixtures/user_ops.o $(B)/aarch64/tests/fixtures/user_table.o $(B)/aarch64/libgllm.a
	$(CC_aarch64) -static -no-pie -Wl,--gc-sections $^ -o $@ -lpthread
bench-static: deps $(B)/aarch64/gllm $(B)/aarch64/static_own
	@sh bench/static/static.sh $(B)
# Instructions executed, beside those of scalar definitions compiled as a program would have them.
COUNT_OBJ := $(B)/aarch64/hosted/bench/count/count.o $(B)/aarch64/hosted/tools/host.o $(B)/aarch64/libgllm.a
define count_rules
$(B)/count/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(CC_aarch64) -std=gnu11 -O3 -fno-math-errno $(2) $$(INCLUDE) -c $$< -o $$@
$(B)/count/scalar_$(1): $$(OPS_SRC:%.c=$(B)/count/$(1)/%.o) $$(COUNT_OBJ)
	$$(CC_aarch64) -static -no-pie -Wl,--gc-sections $$^ -o $$@ -lpthread
endef
$(eval $(call count_rules,neon,-march=armv8-a))
$(eval $(call count_rules,sve,-march=armv8.2-a+sve))
$(B)/count/compiled: $(COUNT_OBJ)
	@mkdir -p $(@D)
	$(CC_aarch64) -static -no-pie -Wl,--gc-sections $^ -o $@ -lpthread
$(B)/count/qemu_plugin.so: bench/count/qemu_plugin.c
	@mkdir -p $(@D)
	cc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -shared $< -o $@
bench-count: deps $(patsubst %,$(B)/count/%,compiled scalar_neon scalar_sve qemu_plugin.so)
	@sh bench/count/count.sh $(B)
# Bytes of code and compile times of every ISA, all on this machine.
bench-sizes: $(B)/$(HOST)/sizes
	@$(B)/$(HOST)/sizes $(MODEL)
$(B)/$(HOST)/sizes: $(B)/$(HOST)/hosted/bench/sizes/sizes.o $(B)/$(HOST)/hosted/tools/host.o $(B)/$(HOST)/models/story.o $(B)/$(HOST)/libgllm.a
	$(CC_$(HOST)) -static -no-pie -Wl,--gc-sections $^ -o $@ -lpthread
bench-peers: $(B)/$(HOST)/peers $(B)/$(HOST)/maps $(B)/$(HOST)/gllm
	@sh bench/peers.sh $(B)/$(HOST)
# Linked dynamically: it opens the other libraries while it runs. libxsmm is an archive in Debian, linked if it is there.
XSMM := $(if $(wildcard /usr/lib/libxsmm.a),-u libxsmm_smmdispatch -lxsmm -lxsmmnoblas -lm)
$(B)/$(HOST)/peers: $(B)/$(HOST)/hosted/bench/peers.o $(B)/$(HOST)/hosted/bench/limits.o $(B)/$(HOST)/hosted/bench/stats.o $(B)/$(HOST)/hosted/tools/host.o $(B)/$(HOST)/libgllm.a
	$(CC_$(HOST)) -no-pie -Wl,--gc-sections $^ -o $@ $(XSMM) -ldl -lpthread
# Elementwise operators: with what oneDNN and libmvec this machine has.
$(B)/$(HOST)/hosted/bench/maps/loops.o: bench/maps/loops.c
	@mkdir -p $(@D)
	gcc -std=gnu11 -Ofast -march=native -mprefer-vector-width=512 -fno-pic -fno-pie -Wall -Wextra $(INCLUDE) -MMD -MP -c $< -o $@
$(B)/$(HOST)/hosted/bench/maps/fused_map.o: bench/maps/fused_map.c
	@mkdir -p $(@D)
	$(CC_$(HOST)) $(FREESTANDING) $(MACHINE_$(HOST)) $(OPS_FLAGS) $(OPS_FLAGS_$(HOST)) $(WARN) $(INCLUDE) -MMD -MP -c $< -o $@
MAPS_OBJ := $(patsubst %,$(B)/$(HOST)/hosted/bench/%.o,maps/maps maps/fused maps/fused_map maps/loops maps/dnnl stats)
$(B)/$(HOST)/maps: $(MAPS_OBJ) $(B)/$(HOST)/hosted/tools/host.o $(B)/$(HOST)/libgllm.a
	$(CC_$(HOST)) -no-pie -Wl,--gc-sections $^ -o $@ $(if $(wildcard /usr/include/dnnl.h),-ldnnl -lgomp) -lmvec -ldl -lpthread -lm
clean:
	rm -rf build
