package cpu

import (
	"fmt"
	"os"
	"strings"
)

// Variable is the name of the environment variable that forces a level.
const Variable = "TFGEN_CPU"

// Level is a set of instructions that a family of kernels needs. Levels are
// ordered: a processor that has a level has all lower ones.
type Level int

// The levels, slowest first.
const (
	Portable   Level = iota // plain Go, every processor
	AVX2                    // amd64: AVX2, FMA, F16C, BMI1 and BMI2; 256-bit registers
	AVX512                  // amd64: AVX2 and AVX-512 F, BW, DQ, VL; 512-bit registers
	AVX512VNNI              // amd64: AVX512 and VNNI, integer dot products for quantised weights
	AMXInt8                 // amd64: AVX512VNNI and AMX tiles with int8 products, with the bits of AVX512VNNI; linux only
	AMX                     // amd64: AMXInt8 and tiles with bfloat16 products, whose sums have an order of their own
)

// levels holds one row a level: its name in TFGEN_CPU and in messages, whether
// a processor with the given features has it, and whether it runs only when
// TFGEN_CPU names it.
var levels = [...]struct {
	name   string
	has    func(features) bool
	byName bool
}{
	Portable:   {name: "portable", has: func(features) bool { return true }},
	AVX2:       {name: "avx2", has: features.avx2},
	AVX512:     {name: "avx512", has: features.avx512},
	AVX512VNNI: {name: "avx512vnni", has: features.avx512vnni},
	AMXInt8:    {name: "amxint8", has: features.amxInt8},
	AMX:        {name: "amx", has: features.amx, byName: true},
}

// current and available are fixed when the program starts.
var (
	detected            = detect(mayUseTiles(os.Getenv(Variable)))
	available           = availableLevels(detected)
	current, currentErr = choose(os.Getenv(Variable), available)
)

// String returns the level's name, for example "avx2".
func (l Level) String() string {
	if l < 0 || int(l) >= len(levels) {
		return fmt.Sprintf("Level(%d)", int(l))
	}
	return levels[l].name
}

// Parse returns the level called name. The error lists the names that exist.
func Parse(name string) (Level, error) {
	for l, row := range levels {
		if row.name == name {
			return Level(l), nil
		}
	}
	all := make([]Level, len(levels))
	for l := range all {
		all[l] = Level(l)
	}
	return Portable, fmt.Errorf("unknown CPU level %q: the levels are %s", name, list(all))
}

// Current returns the level that kernels use: the one named in TFGEN_CPU, or
// the highest available one that needs no naming. AMX is used only by name: its
// results are near those of the other levels, not equal. When Err is not nil it
// is as without TFGEN_CPU.
func Current() Level { return current }

// Available returns the levels that this processor and operating system
// support, lowest first. The caller may keep and change the slice.
func Available() []Level { return append([]Level(nil), available...) }

// Err returns an error when TFGEN_CPU names a level that is unknown or not
// available here. Opening a generated model returns it.
func Err() error { return currentErr }

// mayUseTiles reports whether a process with this value of TFGEN_CPU could use
// tiles: the system is asked for them only then, because the permission makes
// it refuse small signal stacks from then on.
func mayUseTiles(forced string) bool {
	l, err := Parse(forced)
	return err != nil || l >= AMXInt8
}

// choose returns the level named forced, or when forced is empty the last of
// has that needs no naming.
func choose(forced string, has []Level) (Level, error) {
	best := Portable
	for _, l := range has {
		if !levels[l].byName {
			best = l
		}
	}
	if forced == "" {
		return best, nil
	}
	l, err := Parse(forced)
	if err != nil {
		return best, fmt.Errorf("%s=%s: %w; available here: %s", Variable, forced, err, list(has))
	}
	for _, h := range has {
		if h == l {
			return l, nil
		}
	}
	return best, fmt.Errorf("%s=%s: this processor does not have it; available here: %s", Variable, forced, list(has))
}

// availableLevels returns the levels of a processor with features f, lowest
// first. It stops at the first level that is missing, so levels stay ordered.
func availableLevels(f features) []Level {
	var has []Level
	for l, row := range levels {
		if !row.has(f) {
			break
		}
		has = append(has, Level(l))
	}
	return has
}

// list returns the names of the levels separated by commas.
func list(levels []Level) string {
	names := make([]string, len(levels))
	for i, l := range levels {
		names[i] = l.String()
	}
	return strings.Join(names, ", ")
}
