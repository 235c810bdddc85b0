package amd64

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/asm/tuning"
	"github.com/tfgen/tfgen/runtime/quant"
)

// Level is the name of the instruction set in tuning tables and for users.
func (isa ISA) Level() string { return strings.ToLower(isa.String()) }

// rules are the blockings of kernels that no table names, for the registers of each vector instruction set.
var rules = map[ISA]map[string]tuning.Blocking{
	AVX2: {
		"gemm":  {Rows: 6, Tiles: 1, Depth: 384, Unroll: 4, Ahead: prefetchAhead, Stream: 4, Prefetch: prefetchAhead},
		"qgemm": {Rows: 4, Ahead: prefetchAhead, Prefetch: prefetchAhead},
	},
	AVX512: {
		"gemm":  {Rows: 8, Tiles: 3, Depth: 384, Unroll: 4, Ahead: prefetchAhead, Stream: 8, Prefetch: prefetchAhead},
		"qgemm": {Rows: 8, Ahead: prefetchAhead, Prefetch: prefetchAhead},
	},
}

// Rule returns the blocking of a kernel that no table names, and whether tables can name another.
func Rule(isa ISA, k kernel.Kernel) (tuning.Blocking, bool) {
	b, ok := rules[isa.vector()][k.Op]
	if k.Op == "gemm" && k.S == "bf16" {
		b.Unroll = 2
	}
	if wholeRows(k) && isa == AVX2 {
		b.Rows = 6 // accumulators are in memory
	}
	return b, ok && isa != AMX
}

// wholeRows reports whether a product has weights with one scale for a row.
func wholeRows(k kernel.Kernel) bool {
	f, err := quant.Lookup(k.S)
	return err == nil && f.Whole
}

// blocking returns the blocking of a kernel by a table, nil for none.
func blocking(isa ISA, k kernel.Kernel, t *tuning.Table) (tuning.Blocking, error) {
	rule, ok := Rule(isa, k)
	if !ok {
		return rule, nil
	}
	b := t.Kernel(isa.Level(), k.S, k.D[0]).Over(rule)
	if err := Fits(isa, k, b); err != nil {
		return b, fmt.Errorf("tuning of %s for %s: %w", k.Name(), isa.Level(), err)
	}
	return b, nil
}

// Limits of blockings: rows have a pointer in a register each, tiles of one row two accumulators.
const (
	maxBlockRows  = 8
	maxStream     = 6
	maxBlockSteps = 16 // unrolled
)

// Fits reports why a complete blocking cannot be lowered to an instruction set.
func Fits(isa ISA, k kernel.Kernel, b tuning.Blocking) error {
	if k.Op == "qgemm" {
		most := map[ISA]int{AVX2: 4, AVX512: 8}[isa.vector()]
		if wholeRows(k) && isa == AVX2 {
			most = 6
		}
		if b.Rows < 1 || b.Rows > most || b.Tiles != 0 || b.Depth != 0 || b.Unroll != 0 || b.Stream != 0 {
			return fmt.Errorf("%s: products with quantised weights take 1 to %d rows and distances of prefetches", b, most)
		}
		return nil
	}
	stream := map[ISA]int{AVX2: maxStream, AVX512: 2 * maxStream}[isa.vector()]
	if b.Rows < 1 || b.Rows > maxBlockRows || b.Tiles < 1 || b.Stream < 1 || b.Stream > stream || b.Unroll < 1 || b.Unroll > maxBlockSteps || b.Depth < 16 {
		return fmt.Errorf("%s: products take blocks of 1 to %d rows, 1 to %d tiles for one row, 1 to %d steps", b, maxBlockRows, stream, maxBlockSteps)
	}
	vectors := kernel.Tile * 4 / (map[ISA]int{AVX2: 32, AVX512: 64}[isa.vector()]) * b.Tiles
	fixed := 1 // the broadcast of x, or the weights that it is multiplied with
	if k.S == "bf16" {
		fixed++
	}
	registers := map[ISA]int{AVX2: 16, AVX512: 32}[isa.vector()]
	if need := b.Rows*vectors + min(vectors, b.Rows) + fixed; need > registers {
		return fmt.Errorf("a block of %d rows and %d tiles needs %d vector registers, there are %d", b.Rows, b.Tiles, need, registers)
	}
	return nil
}

// Candidates returns blockings that are worth measuring for a kernel: for each choice of a blocking, under its name, the
// complete blockings that differ from b in this choice only. All can be lowered.
func Candidates(isa ISA, k kernel.Kernel, b tuning.Blocking) []Choice {
	var fit []Choice
	for _, c := range choices(isa, k) {
		var list []tuning.Blocking
		for _, other := range c.Blockings {
			other = other.Over(b)
			if other != b && Fits(isa, k, other) == nil && !slices.Contains(list, other) && !onePass(other, b, k) {
				list = append(list, other)
			}
		}
		fit = append(fit, Choice{c.Name, c.OneRow, list})
	}
	return fit
}

// onePass reports whether both blockings add all k in one pass, so that they are the same product.
func onePass(a, b tuning.Blocking, k kernel.Kernel) bool {
	a.Depth, b.Depth = min(a.Depth, k.D[0]), min(b.Depth, k.D[0])
	return k.Op == "gemm" && a == b
}

// A Choice is what a blocking chooses at a time, and what it can choose.
type Choice struct {
	Name      string
	OneRow    bool // it matters for products of one row, else for those of many
	Blockings []tuning.Blocking
}

// choices lists what can be chosen for a kernel; what does not fit is left out later.
func choices(isa ISA, k kernel.Kernel) []Choice {
	distances := []int{tuning.Off, 512, 1024, 2048, 4096, 8192}
	ahead, prefetch := Choice{Name: "ahead"}, Choice{Name: "prefetch", OneRow: true}
	for _, d := range distances {
		ahead.Blockings = append(ahead.Blockings, tuning.Blocking{Ahead: d})
		prefetch.Blockings = append(prefetch.Blockings, tuning.Blocking{Prefetch: d})
	}
	if k.Op == "qgemm" {
		rows := Choice{Name: "block"}
		for n := 2; n <= 8; n++ {
			rows.Blockings = append(rows.Blockings, tuning.Blocking{Rows: n})
		}
		return []Choice{rows, ahead, prefetch}
	}
	block := Choice{Name: "block"}
	for tiles := 1; tiles <= 4; tiles++ {
		for rows := 2; rows <= maxBlockRows; rows++ {
			if n := rows * tiles; n >= map[ISA]int{AVX2: 4, AVX512: 12}[isa.vector()] {
				block.Blockings = append(block.Blockings, tuning.Blocking{Rows: rows, Tiles: tiles})
			}
		}
	}
	depth, unroll, stream := Choice{Name: "depth"}, Choice{Name: "unroll"}, Choice{Name: "stream", OneRow: true}
	for _, n := range []int{128, 192, 256, 384, 512, 768, 1024, k.D[0]} { // the last is one pass
		if n <= k.D[0] && n >= 16 {
			depth.Blockings = append(depth.Blockings, tuning.Blocking{Depth: n})
		}
	}
	for n := 1; n <= maxBlockSteps/2; n *= 2 {
		unroll.Blockings = append(unroll.Blockings, tuning.Blocking{Unroll: n})
	}
	for _, n := range []int{1, 2, 4, 6, 8, 12} {
		stream.Blockings = append(stream.Blockings, tuning.Blocking{Stream: n})
	}
	return []Choice{block, depth, unroll, ahead, stream, prefetch}
}
