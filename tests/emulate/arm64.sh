#!/bin/sh
# Runs a static linux/arm64 program with QEMU's user-mode emulation and the CPU "max". See README.md.
#
#   arm64.sh BINARY [ARGS…]
set -eu

if [ $# -eq 0 ]; then
	echo "usage: arm64.sh BINARY [ARGS…]" >&2
	exit 2
fi
for qemu in qemu-aarch64-static qemu-aarch64; do
	if command -v "$qemu" >/dev/null 2>&1; then
		exec "$qemu" -cpu "${TFGEN_EMULATE_ARM64_CPU:-max}" "$@"
	fi
done
echo "arm64.sh: qemu-aarch64-static is not installed; on Debian: apt-get install qemu-user-static" >&2
exit 125
