# SPDX-License-Identifier: MIT
# Bare-metal images; included by the Makefile. An image = start code and board of one machine, a program, the archive.
#   hello.elf   shows and tests the board      check.elf   the test suites      image.elf   the main program
MODEL ?=
PROMPT ?= Once upon a time
N ?= 240
SMP ?= 1
TEMP ?= 0
SEED ?= 0
BUDGET ?= 120
CPU ?=
export MODEL PROMPT N SMP BUDGET SEED CPU
unexport TEMP # to programs that name means a folder for temporary files

BOARD_SRC := board.c pages.c fw_cfg.c fault.c
BOARD_FLAGS_x86_64 := -mgeneral-regs-only
BOARD_FLAGS_aarch64 := -mgeneral-regs-only -mstrict-align
IMAGE_LINK := -nostdlib -static -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack

define image_rules
BOARD_OBJ_$(1) := $$(patsubst %,$(B)/$(1)/qemu/%.o,$(1)/start $(1)/machine $$(BOARD_SRC:.c=))
$$(BOARD_OBJ_$(1)): EXTRA += $$(BOARD_FLAGS_$(1))

$(B)/$(1)/qemu/main_hello.o: EXTRA += $$(filter -mstrict-align,$$(BOARD_FLAGS_$(1))) # it also runs with alignment checks on

$(B)/$(1)/hello.elf: $(B)/$(1)/qemu/main_hello.o
$(B)/$(1)/check.elf: $(B)/$(1)/qemu/check_main.o $(B)/$(1)/qemu/guest.o $$(TEST_OBJ_$(1)) $(B)/$(1)/models/story.o
$(B)/$(1)/image.elf: $(B)/$(1)/qemu/image.o $(B)/$(1)/qemu/guest.o $(B)/$(1)/models/story.o
$(B)/$(1)/%.elf: $$(BOARD_OBJ_$(1)) $(B)/$(1)/libgllm.a ldscripts/$(1).ld ldscripts/image.ld
	$$(CC_$(1)) $$(IMAGE_LINK) -Wl,-T,ldscripts/$(1).ld -o $$@ $$(filter %.o,$$^) $(B)/$(1)/libgllm.a
endef
$(foreach a,$(ARCHES),$(eval $(call image_rules,$(a))))

run: deps
	@if [ "$$SMP" != 1 ]; then echo "make run: this version uses one core; SMP must be 1" >&2; exit 1; fi
	@$(MAKE) -s $(B)/$(ARCH)/image.elf
	@qemu/run.sh $(ARCH) $(B)/$(ARCH)/image.elf $${MODEL:+--model "$$MODEL"} $${CPU:+--cpu "$$CPU"} --smp "$$SMP" --budget "$$BUDGET" "prompt=$$PROMPT" "n=$$N" "temp=$(TEMP)" "seed=$$SEED"

# An archive that never accesses memory unaligned, to run where that faults. By clang: gcc 12 clears structs with 16-byte
# stores at 8-byte boundaries even with -mstrict-align (gcc bug 103100). Not vectorised: clang 14 loads four
# bytes as a word (told to the optimiser, because -O2 behind it would turn -fno-vectorize back).
$(B)/strict/aarch64/check.elf: $(B)/aarch64/check.elf
	@$(MAKE) -s B=$(B)/strict COMPILER=clang MACHINE_aarch64="$(MACHINE_aarch64) -mstrict-align -mllvm -vectorize-loops=false -mllvm -vectorize-slp=false" $@

check-system: $(foreach a,$(ARCHES),$(foreach i,hello check image,$(B)/$(a)/$(i).elf)) $(B)/strict/aarch64/check.elf
	@bash qemu/check.sh $(B)
