#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what build, run and tests need from Debian 12's own packages; nothing else is ever fetched.
set -eu
need="gcc:gcc make:make ar:binutils clang:clang clang-14:clang-14 aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu \
aarch64-linux-gnu-objdump:binutils-aarch64-linux-gnu qemu-system-x86_64:qemu-system-x86 qemu-system-aarch64:qemu-system-arm \
qemu-aarch64:qemu-user llvm-mc:llvm python3:python3"
missing=
for pair in $need; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
[ -e /usr/aarch64-linux-gnu/lib/libc.a ] || missing="$missing libc6-dev-arm64-cross"
[ -z "$missing" ] && exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing:$missing"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
