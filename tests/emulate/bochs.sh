#!/bin/sh
# Builds Bochs from its sources, with AMX, and prints the command to give to avx512.sh in TFGEN_EMULATE_BOCHS.
#
#   bochs.sh [DIRECTORY OF SOURCES]
#
# Debian's Bochs 2.7 loses vector registers when the system switches tasks, and has no AMX. Version 3.1 (sources of August 2026)
# is sound for AVX-512; bochs-amx.patch adds what Linux needs to offer tiles: XFD, and all rows of tiles in XSAVE;
# bochs-int8.patch makes TDPBSSD, TDPBSUD and TDPBUSD extend signed bytes with their sign, as Intel's manual says.
set -eu

commit=783b58fd6
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tfgen-emulate
src=${1:-$cache/bochs}

if [ ! -d "$src" ]; then
	git clone -q https://github.com/bochs-emu/Bochs "$cache/bochs.$$" >&2
	git -C "$cache/bochs.$$" checkout -q "$commit"
	mv "$cache/bochs.$$/bochs" "$src"
	rm -rf "$cache/bochs.$$"
fi
cd "$src"
grep -q ia32_xfd cpu/cpu.h || patch -p1 -s <"$here/bochs-amx.patch" >&2
if ! grep -q 'const Bit8s xbyte' cpu/avx/amx.cc; then
	patch -p1 -s <"$here/bochs-int8.patch" >&2
	rm -f bochs
fi
if [ ! -x bochs ]; then
	./configure --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex --enable-amx --disable-large-ramfile --with-rfb \
		--disable-docbook --enable-repeat-speedups --enable-handlers-chaining --enable-fast-function-calls --disable-debugger \
		CFLAGS=-O2 CXXFLAGS='-O2 -march=native' >&2
	make -j"$(nproc)" >&2
fi
cp bios/VGABIOS-lgpl/VGABIOS-lgpl-latest.bin bios/VGABIOS-lgpl-latest.bin
printf '#!/bin/sh\nBXSHARE=%s/bios exec %s/bochs "$@"\n' "$PWD" "$PWD" >bochs-here
chmod +x bochs-here
echo "$PWD/bochs-here"
