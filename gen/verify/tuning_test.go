package verify

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/asm/tuning"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// odd are blockings far from the rules: low blocks, short passes, calls of a few rows and tiles.
var odd = &tuning.Table{Version: tuning.Version, Machine: "none", Rows: []tuning.Row{
	{Level: "avx2", Format: "f32", Blocking: tuning.Blocking{Rows: 3, Tiles: 2, Depth: 16, Unroll: 1, Ahead: tuning.Off, Stream: 6, Prefetch: tuning.Off}},
	{Level: "avx512", Format: "f32", Blocking: tuning.Blocking{Rows: 7, Tiles: 2, Depth: 16, Unroll: 1, Ahead: tuning.Off, Stream: 12, Prefetch: 512}},
	{Level: "avx2", Format: "q8", Blocking: tuning.Blocking{Rows: 3, Ahead: 512, Prefetch: tuning.Off}},
	{Level: "avx512", Format: "q8", Blocking: tuning.Blocking{Rows: 5, Ahead: 512, Prefetch: tuning.Off}},
	{Format: "f32", Sweep: tuning.Sweep{Rows: 5, Tiles: 3}},
	{Format: "q8", Sweep: tuning.Sweep{Rows: 2, Tiles: 1}},
}}

// TestTuningKeepsBits compiles a model with float and quantised weights with the rules and with another table: the code differs, the results do not.
func TestTuningKeepsBits(t *testing.T) {
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var text [][]byte
	var sums []map[string]map[string][]uint64
	for _, table := range []*tuning.Table{nil, odd} {
		o := Options{Cases: cases(t, "../golden/testdata", "llama"), Module: module, Work: t.TempDir(), CompileOnly: true, Weights: []string{"f32,down_proj=q8"}, Tuning: table}
		if _, err := Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		asm, err := os.ReadFile(filepath.Join(o.Work, packageName(0, "llama"), "kernels_amd64.s"))
		if err != nil {
			t.Fatal(err)
		}
		levels := map[string]map[string][]uint64{}
		for _, l := range cpu.Available() {
			levels[l.String()] = recordBits(t, o, l.String(), 2)
		}
		text, sums = append(text, asm), append(sums, levels)
	}
	if slices.Equal(text[0], text[1]) {
		t.Error("the table changes no kernel")
	}
	for level, cases := range sums[0] {
		for name, want := range cases {
			if !slices.Equal(sums[1][level][name], want) {
				t.Errorf("%s at %s: a table changes bits", name, level)
			}
		}
	}
}
