package cpu

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// Registers with the feature bits of such processors: CPUID.1:ECX, CPUID.(7,0):EBX, XCR0.
var (
	nehalem    = features{leaf1ECX: 0x0098e3fd}
	sandy      = features{leaf1ECX: 0x1fbae3ff, xcr0: 0x7}
	haswell    = features{leaf1ECX: 0x7ffafbff, leaf7EBX: 0x000027ab, xcr0: 0x7}
	zen3       = features{leaf1ECX: 0x7ef8320b, leaf7EBX: 0x219c97a9, xcr0: 0x207}
	skylakeX   = features{leaf1ECX: 0x7ffefbff, leaf7EBX: 0xd39ffffb, xcr0: 0x2ff}
	skylakeYMM = features{leaf1ECX: 0x7ffefbff, leaf7EBX: 0xd39ffffb, xcr0: 0x7}
	cascade    = features{leaf1ECX: 0x7ffefbff, leaf7EBX: 0xd39ffffb, leaf7ECX: 0x00000808, xcr0: 0x2ff}
	knl        = features{leaf1ECX: 0x7ff8f3bf, leaf7EBX: 0x1c0d23ab, xcr0: 0xe7}
	sapphire   = features{leaf1ECX: 0x7ffefbff, leaf7EBX: 0xf3bfbfef, leaf7ECX: 0x1b415f6e, leaf7EDX: 0xffdd4432, xcr0: 0x600e7, tiles: true}
	onlyInt8   = features{leaf1ECX: 0x7ffefbff, leaf7EBX: 0xf3bfbfef, leaf7ECX: 0x1b415f6e, leaf7EDX: 0xff9d4432, xcr0: 0x600e7, tiles: true}
	noTiles    = features{leaf1ECX: 0x7ffefbff, leaf7EBX: 0xf3bfbfef, leaf7ECX: 0x1b415f6e, leaf7EDX: 0xffdd4432, xcr0: 0x600e7}
	noTileXCR0 = features{leaf1ECX: 0x7ffefbff, leaf7EBX: 0xf3bfbfef, leaf7ECX: 0x1b415f6e, leaf7EDX: 0xffdd4432, xcr0: 0xe7, tiles: true}
	noState    = features{leaf1ECX: 0x77fafbff, leaf7EBX: 0x000027ab}
)

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		name string
		f    features
		want string
	}{
		{"none", features{}, "portable"},
		{"Nehalem", nehalem, "portable"},
		{"Sandy Bridge: AVX without AVX2", sandy, "portable"},
		{"Haswell", haswell, "portable, avx2"},
		{"Zen 3", zen3, "portable, avx2"},
		{"Skylake-SP", skylakeX, "portable, avx2, avx512"},
		{"Cascade Lake", cascade, "portable, avx2, avx512, avx512vnni"},
		{"Sapphire Rapids", sapphire, "portable, avx2, avx512, avx512vnni, amxint8, amx"},
		{"tiles without bfloat16", onlyInt8, "portable, avx2, avx512, avx512vnni, amxint8"},
		{"Sapphire Rapids, permission refused", noTiles, "portable, avx2, avx512, avx512vnni"},
		{"Sapphire Rapids, system without tiles", noTileXCR0, "portable, avx2, avx512, avx512vnni"},
		{"Skylake-SP, system without ZMM", skylakeYMM, "portable, avx2"},
		{"Knights Landing: F without BW, DQ, VL", knl, "portable, avx2"},
		{"Haswell, system without XSAVE", noState, "portable"},
	} {
		if got := list(availableLevels(c.f)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestDetectAgreesWithSystem(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("needs /proc/cpuinfo of linux/amd64")
	}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip(err)
	}
	_, line, _ := strings.Cut(string(info), "\nflags")
	line, _, _ = strings.Cut(line, "\n")
	flags := " " + line + " "
	want := "portable"
	if strings.Contains(flags, " avx2 ") && strings.Contains(flags, " fma ") && strings.Contains(flags, " f16c ") {
		want += ", avx2"
		if strings.Contains(flags, " avx512vl ") && strings.Contains(flags, " avx512bw ") && strings.Contains(flags, " avx512dq ") {
			want += ", avx512"
			if strings.Contains(flags, " avx512_vnni ") {
				want += ", avx512vnni"
				if strings.Contains(flags, " amx_tile ") && strings.Contains(flags, " amx_int8 ") && detect(true).tiles {
					want += ", amxint8"
					if strings.Contains(flags, " amx_bf16 ") {
						want += ", amx"
					}
				}
			}
		}
	}
	if got := list(Available()); got != want {
		t.Errorf("Available() = %s, the kernel says %s", got, want)
	}
}

func TestChoose(t *testing.T) {
	all := []Level{Portable, AVX2, AVX512, AVX512VNNI, AMXInt8, AMX}
	for forced, want := range map[string]Level{"": AMXInt8, "amx": AMX, "avx512vnni": AVX512VNNI, "avx2": AVX2} {
		if l, err := choose(forced, all); l != want || err != nil {
			t.Errorf("choose(%q) = %v, %v with every level; want %v", forced, l, err, want)
		}
	}
	has := []Level{Portable, AVX2}
	for _, c := range []struct {
		forced string
		want   Level
		err    string
	}{
		{"", AVX2, ""},
		{"portable", Portable, ""},
		{"avx2", AVX2, ""},
		{"avx512", AVX2, "TFGEN_CPU=avx512: this processor does not have it; available here: portable, avx2"},
		{"AVX2", AVX2, `TFGEN_CPU=AVX2: unknown CPU level "AVX2": the levels are portable, avx2, avx512, avx512vnni, amxint8, amx; available here: portable, avx2`},
	} {
		l, err := choose(c.forced, has)
		if l != c.want || fmt.Sprint(err) != cmpErr(c.err) {
			t.Errorf("choose(%q) = %v, %v; want %v, %s", c.forced, l, err, c.want, cmpErr(c.err))
		}
	}
}

// TestMayUseTiles: no permission is asked for when a level without tiles is named.
func TestMayUseTiles(t *testing.T) {
	for forced, want := range map[string]bool{"": true, "amx": true, "amxint8": true, "avx512vnni": false, "portable": false, "misspelt": true} {
		if mayUseTiles(forced) != want {
			t.Errorf("mayUseTiles(%q) = %v", forced, !want)
		}
	}
}

// cmpErr returns what fmt.Sprint prints for an error with this message.
func cmpErr(message string) string {
	if message == "" {
		return "<nil>"
	}
	return message
}

func TestAvailableIsACopy(t *testing.T) {
	Available()[0] = 99
	if Available()[0] != Portable {
		t.Error("a caller changed the levels")
	}
}

// TestEnvironment runs this test binary again with TFGEN_CPU set.
func TestEnvironment(t *testing.T) {
	if os.Getenv("CPU_TEST_CHILD") != "" {
		fmt.Printf("<%v|%v>\n", Current(), Err())
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	for value, want := range map[string]string{
		"portable": "<portable|<nil>>",
		"nonsense": "available here: " + list(Available()),
	} {
		cmd := exec.Command(exe, "-test.run=^TestEnvironment$")
		cmd.Env = append(os.Environ(), "CPU_TEST_CHILD=1", Variable+"="+value)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Skipf("cannot run the test binary again: %v", err)
		}
		if !strings.Contains(string(out), want) {
			t.Errorf("%s=%s: %s does not contain %q", Variable, value, out, want)
		}
	}
}

func TestLevelString(t *testing.T) {
	if s := Level(42).String(); s != "Level(42)" {
		t.Errorf("Level(42).String() = %s", s)
	}
	for l := range levels {
		if p, err := Parse(Level(l).String()); err != nil || p != Level(l) {
			t.Errorf("Parse(%q) = %v, %v", Level(l), p, err)
		}
	}
}

func BenchmarkPause(b *testing.B) {
	for range b.N {
		Pause()
	}
}
