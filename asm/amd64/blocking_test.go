package amd64_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/asm/amd64"
	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/asm/tuning"
)

// tunable are kernels that tables have blockings for.
var tunable = []kernel.Kernel{
	{Op: "gemm", S: "f32", D: []int{40}}, {Op: "gemm", S: "bf16", D: []int{35}}, {Op: "qgemm", S: "q8", D: []int{64}}, {Op: "qgemm", S: "int8", D: []int{64}},
}

// everything also runs what takes minutes.
var everything = os.Getenv("TFGEN_SHARED") != ""

// TestCandidatesAreLowered emits candidates of some kernels: what Fits allows has registers enough.
func TestCandidatesAreLowered(t *testing.T) {
	for _, k := range tunable {
		for _, isa := range amd64.ISAs {
			rule, ok := amd64.Rule(isa, k)
			if !ok || !amd64.Supports(isa, k) {
				continue
			}
			rule.Unroll = min(rule.Unroll, 1) // the same registers, less to assemble
			tried := 0
			for _, c := range amd64.Candidates(isa, k, rule) {
				for _, b := range c.Blockings {
					tried++
					if c.Name != "block" && c.Name != "stream" && !everything {
						continue
					}
					table := &tuning.Table{Rows: []tuning.Row{{Level: isa.Level(), Format: k.S, K: k.D[0], Blocking: b}}}
					text, _, err := amd64.EmitOne(isa, "p", "Code generated.", k, table)
					if err != nil || len(text) == 0 {
						t.Errorf("%s, %s: %v: %v", k.Name(), isa, b, err)
					}
				}
			}
			if tried < 8 {
				t.Errorf("%s, %s: only %d candidates", k.Name(), isa, tried)
			}
		}
	}
}

// TestEmitRejectsBlockings checks that a table with an impossible blocking is an error that says so.
func TestEmitRejectsBlockings(t *testing.T) {
	for want, b := range map[string]tuning.Blocking{
		"vector registers": {Rows: 8, Tiles: 2}, "1 to 8 rows": {Rows: 12}, "for one row": {Stream: 12},
	} {
		table := &tuning.Table{Rows: []tuning.Row{{Level: "avx2", Format: "f32", Blocking: b}}}
		if _, _, err := amd64.EmitTuned("p", "h", tunable[:1], table); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, expected %q", b, err, want)
		}
	}
	table := &tuning.Table{Rows: []tuning.Row{{Level: "avx2", Format: "q8", Blocking: tuning.Blocking{Rows: 5}}}}
	if _, _, err := amd64.EmitTuned("p", "h", tunable[2:3], table); err == nil || !strings.Contains(err.Error(), "1 to 4 rows") {
		t.Errorf("five rows of quantised products: %v", err)
	}
}

// TestBuiltInTables checks that every row of a built-in table can be lowered, and is about a level and a format that exist.
func TestBuiltInTables(t *testing.T) {
	for _, name := range tuning.Names() {
		table, err := tuning.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range table.Rows {
			m, ok := kernel.MatrixOf(r.Format, max(r.K, 256))
			if !ok {
				t.Errorf("%s: no format %q", name, r.Format)
				continue
			}
			i := slices.IndexFunc(amd64.ISAs, func(isa amd64.ISA) bool { return isa.Level() == r.Level })
			if r.Level == "" {
				continue
			}
			if i < 0 {
				t.Errorf("%s: no level %q", name, r.Level)
				continue
			}
			rule, tunable := amd64.Rule(amd64.ISAs[i], m.Kernel)
			if err := amd64.Fits(amd64.ISAs[i], m.Kernel, r.Blocking.Over(rule)); err != nil || !tunable {
				t.Errorf("%s: %s %s k=%d: %v", name, r.Level, r.Format, r.K, err)
			}
		}
	}
}
