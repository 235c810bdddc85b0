#!/bin/sh
# Compiles golden cases here and verifies them on an emulated processor, in one boot; prints the table of tfgen verify.
#
#   golden.sh [--levels L,…] [--weights FORMAT]… [--kv FORMAT] [--cpu MODEL] [--mem MB] [--timeout S] [--out FILE] CASE…
#
# Levels are those of TFGEN_CPU; the default is all that Sapphire Rapids has, which `amx` and `amxstrict` need. Bochs computes
# some million float32 a second: a case of 150,000 weights takes seconds at avx512 and up to half a minute at amxstrict.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
levels=avx512,avx512vnni,amxint8,amx,amxstrict cpu=sapphire_rapids mem=1500 timeout=7200 out=
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
options=
while [ $# -gt 0 ]; do
	case $1 in
	--levels) levels=$2 ;;
	--cpu) cpu=$2 ;;
	--mem) mem=$2 ;;
	--timeout) timeout=$2 ;;
	--out) out=$2 ;;
	--weights | --kv) options="$options $1 $2" ;;
	--*)
		echo "golden.sh: unknown option $1; there are --levels, --weights, --kv, --cpu, --mem, --timeout and --out" >&2
		exit 2
		;;
	*) break ;;
	esac
	shift 2
done
if [ $# -eq 0 ]; then
	sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi

# The machine has the cases in one folder, under the names of their folders here.
mkdir -p "$work/work" "$work/run/cases"
names=
for dir in "$@"; do
	name=$(basename "$dir")
	if [ -e "$work/run/cases/$name" ]; then
		echo "golden.sh: two cases are called $name" >&2
		exit 2
	fi
	cp -r "$dir" "$work/run/cases/$name"
	names="$names cases/$name"
done
CGO_ENABLED=0 go build -C "$here/../.." -o "$work/tfgen" ./cmd/tfgen
cd "$work/run"
# shellcheck disable=SC2086
"$work/tfgen" verify --work "$work/work" --compile-only $options $names >"$work/reference" || {
	cat "$work/reference"
	exit 1
}
mkdir compiled
(cd "$work/work" && cp --parents harness */*.weights "$work/run/compiled" && { cp --parents */recorded.gob "$work/run/compiled" 2>/dev/null || true; })
rm -rf "$work/work"
status=0
# shellcheck disable=SC2086
"$here/avx512.sh" --cpu "$cpu" --mem "$mem" --timeout "$timeout" --file "$work/run/cases" --file "$work/run/compiled" \
	"$work/tfgen" verify --work compiled --compiled --levels "$levels" $options $names >"$work/table" || status=$?
cat "$work/table"
[ -z "$out" ] || cp "$work/table" "$out"
exit $status
