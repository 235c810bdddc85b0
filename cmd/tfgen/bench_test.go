package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
)

// TestBench measures the demo model: all jobs are there, and shares are those of the limits in the report.
func TestBench(t *testing.T) {
	t.Setenv("TFGEN_CACHE", t.TempDir())
	var out, log bytes.Buffer
	args := []string{"bench", "../../tests/demo-model", "--weights", "bf16", "--threads", "1,2", "--prompt", "32,64", "--n", "8", "--depth", "0,40", "--repeat", "2", "--json"}
	if code := run(t.Context(), args, &out, &log); code != 0 {
		t.Fatalf("exit %d: %s", code, log.String())
	}
	var r benchReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) != 2 || r.Parameters == 0 || r.Memory.Weights == 0 {
		t.Fatalf("report %+v", r)
	}
	for i, run := range r.Runs {
		if run.Threads != i+1 || run.Load <= 0 || run.Memory < r.Memory.Weights || run.Peak <= 0 || run.Bandwidth <= 0 || len(run.Results) != 4 {
			t.Errorf("%d threads: %+v", run.Threads, run)
			continue
		}
		deep := run.Results[3]
		if deep.Depth != 40 || len(deep.Seconds) != 2 || math.Abs(deep.OfReading*run.Bandwidth/deep.Bytes-1) > 1e-9 || deep.Bytes < deep.Median*float64(r.Memory.Weights)/2 {
			t.Errorf("%d threads: decoding %+v", run.Threads, deep)
		}
		if p := run.Results[1]; p.Tokens != 64 || !(p.OfPeak > 0 && p.OfPeak < 1.2) {
			t.Errorf("%d threads: prompt %+v", run.Threads, p)
		}
	}
	out.Reset()
	if err := r.benchstat(&out); err != nil || strings.Count(out.String(), "Benchmark/demo-model/weights=bf16/") != 16 {
		t.Errorf("%v: %s", err, out.String())
	}
	out.Reset()
	if err := r.print(&out); err != nil || strings.Count(out.String(), "decode at 40  8") != 2 {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestBenchErrors(t *testing.T) {
	for args, want := range map[string]string{
		"--threads 0":         `threads "0": expected numbers from 1 on`,
		"--prompt 4,x":        `prompt "4,x"`,
		"--depth 0,100000":    "depth 100000 and n 64: the model takes",
		"--weights nonsense":  "not supported",
		"--depth -1":          `depth "-1"`,
		"--kv q3":             "q3",
		"--context 8 --n 100": "the model takes 8 tokens",
	} {
		t.Setenv("TFGEN_CACHE", t.TempDir())
		var out, log bytes.Buffer
		code := run(t.Context(), append([]string{"bench", "../../tests/demo-model"}, strings.Fields(args)...), &out, &log)
		if code == 0 || !strings.Contains(log.String(), want) {
			t.Errorf("%s: exit %d, %s; want %q", args, code, log.String(), want)
		}
	}
}

// TestRates computes shares from figures that are easy to check by hand.
func TestRates(t *testing.T) {
	cost := bundle.Cost{RowFlops: 1000, HeadFlops: 500, RowBytes: 300}
	of := &benchThreads{Peak: 1e6, Bandwidth: 1e5}
	prompt := benchRow{Name: "prefill", Tokens: 10, Median: 100} // 10 passes a second of 10,500 flop
	prompt.rate(cost, of)
	decode := benchRow{Name: "decode at 5", Tokens: 4, Depth: 5, Median: 20, Seconds: []float64{1}}
	decode.rate(cost, of)
	embed := benchRow{Name: "embed 2 × 5", Tokens: 10, Texts: 2, Median: 100} // 10 passes of twice 5,500
	embed.rate(cost, of)
	for _, c := range []struct{ got, want float64 }{
		{prompt.Flops, 105000}, {prompt.OfPeak, 0.105}, {prompt.Bytes, 0}, {decode.Flops, 30000}, {decode.Bytes, 6000}, {decode.OfReading, 0.06}, {embed.Flops, 110000},
	} {
		if math.Abs(c.got-c.want) > 1e-9*c.want {
			t.Errorf("%v, expected %v", c.got, c.want)
		}
	}
}
