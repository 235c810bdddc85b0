#!/bin/sh
# Runs a static linux/amd64 program on a PC with AVX-512 that Bochs emulates. See README.md.
#
#   avx512.sh [--mem MB] [--timeout S] [--cpu MODEL] [--file PATH]… [--env K=V]… [--verbose] BINARY [ARGS…]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tfgen-emulate
kernel=${TFGEN_EMULATE_KERNEL:-$cache/vmlinuz}
bochs=${TFGEN_EMULATE_BOCHS:-bochs}

fail() {
	echo "avx512.sh: $1" >&2
	exit 125
}

# need COMMAND PACKAGE
need() {
	command -v "$1" >/dev/null 2>&1 || fail "$1 is not installed; on Debian: apt-get install --no-install-recommends $2"
}

# fetch_kernel takes the kernel out of Debian's package; nothing is installed.
fetch_kernel() {
	need apt-get apt
	need dpkg-deb dpkg
	package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$package" ] || fail "apt does not know linux-image-cloud-amd64 (try apt-get update); or set TFGEN_EMULATE_KERNEL to a bzImage with CONFIG_PVH"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	(cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package" && dpkg-deb -x ./*.deb root) >"$work/log" 2>&1 ||
		fail "cannot download $package: $(tail -n 3 "$work/log")"
	cp "$work"/root/boot/vmlinuz-* "$cache/vmlinuz.$$"
	mv "$cache/vmlinuz.$$" "$cache/vmlinuz"
	rm -rf "$work"
	trap - EXIT
}

need go golang-go
need "$bochs" bochs
mkdir -p "$cache"
[ -f "$kernel" ] || [ -n "${TFGEN_EMULATE_KERNEL:-}" ] || fetch_kernel
[ -f "$kernel" ] || fail "no kernel at $kernel"

# The names carry the process number because several of these scripts may run at once.
build() {
	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -C "$here" -trimpath -ldflags='-s -w' -o "$cache/$1.$$" "./$1" || fail "go build $1 failed"
	mv "$cache/$1.$$" "$cache/$1"
}
build vm
build guest

exec "$cache/vm" --bochs "$bochs" --kernel "$kernel" --guest "$cache/guest" "$@"
