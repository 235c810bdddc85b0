package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/tfgen/tfgen/asm/limits"
	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/runtime/cpu"
)

const benchHelp = `usage: tfgen bench MODEL [SPEC] [flags]

Builds the model's program, into the same cache as tfgen run, and measures it with each number of threads: loading, prompts,
decoding in sessions that are empty or filled, embeddings, memory. Speeds are also stated as a share of what the same
threads can do on this machine, measured in the same run: of the read bandwidth for decoding, which reads weights, keys and
values once for a token, and of the multiply-add peak in float32 for all else. Products of 8-bit inputs can pass that peak.

Examples:

  tfgen bench model.gguf --weights source --threads 1,2 --depth 0,2048,8192
  tfgen bench DIR --weights int8 --json > now.json
`

// benchOptions are the flags of bench.
type benchOptions struct {
	build           buildOptions
	threads         string
	prompts, depths string
	tokens, batch   int
	repeat          int
	json, benchstat bool
}

// benchRow is one measurement with what it reached.
type benchRow struct {
	Name      string    `json:"name"`
	Threads   int       `json:"threads"`
	Tokens    int       `json:"tokens"`
	Depth     int       `json:"depth,omitempty"`
	Texts     int       `json:"texts,omitempty"`
	Best      float64   `json:"best_tokens_per_second"`
	Median    float64   `json:"median_tokens_per_second"`
	Seconds   []float64 `json:"seconds"`
	Flops     float64   `json:"flops"`                        // per second, of products
	OfPeak    float64   `json:"share_of_peak"`                // of float32 multiply-adds
	Bytes     float64   `json:"bytes_per_second,omitempty"`   // read by decoding
	OfReading float64   `json:"share_of_bandwidth,omitempty"` // of reading memory in order
}

// benchThreads is what one run of the program found.
type benchThreads struct {
	Threads   int        `json:"threads"`
	Kernels   string     `json:"kernels"`
	Load      float64    `json:"load_seconds"`
	Memory    int64      `json:"peak_bytes"`
	Peak      float64    `json:"machine_flops"`
	Bandwidth float64    `json:"machine_bytes_per_second"`
	Results   []benchRow `json:"results"`
}

// benchReport is what bench prints.
type benchReport struct {
	Model      string         `json:"model"`
	Weights    string         `json:"weights"`
	Parameters int64          `json:"parameters"`
	Memory     bundle.Memory  `json:"memory"` // as inspect says
	Runs       []benchThreads `json:"runs"`
}

// parseBench parses the flags.
func parseBench(args []string, stderr io.Writer) (*benchOptions, error) {
	o := &benchOptions{}
	f := newFlags("bench", benchHelp, stderr)
	f.StringVar(&o.build.Weights, "weights", "f32", weightsHelp)
	f.StringVar(&o.build.KV, "kv", "f32", kvHelp)
	f.StringVar(&o.build.tuning, "tuning", "", tuningHelp)
	f.IntVar(&o.build.Context, "context", 0, "longest sequence in tokens (default: what the model was made for)")
	all := "1"
	for n := 2; n <= runtime.GOMAXPROCS(0); n *= 2 {
		all += fmt.Sprintf(",%d", n)
	}
	f.StringVar(&o.threads, "threads", all, "numbers of threads, separated by commas")
	f.StringVar(&o.prompts, "prompt", "", "tokens of prompts or texts, separated by commas (default: 128 and 512, if the model takes so many)")
	f.StringVar(&o.depths, "depth", "0", "tokens before those that are decoded, separated by commas, such as 0,2048,8192")
	f.IntVar(&o.tokens, "n", 64, "tokens to decode")
	f.IntVar(&o.batch, "batch", 32, "texts embedded at once")
	f.IntVar(&o.repeat, "repeat", 3, "times to measure")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.benchstat, "benchstat", false, "print a line for each repetition, as benchstat reads them")
	if err := o.build.parse(f, args); err != nil {
		return nil, err
	}
	o.build.Program, o.build.vendor = true, true
	o.build.defaults()
	return o, nil
}

// runBench is the bench command.
func runBench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseBench(args, stderr)
	if err != nil {
		return err
	}
	threads, err := numbers("threads", o.threads, 1)
	if err != nil {
		return err
	}
	b, closeModel, err := prepare(&o.build, goBackend)
	if err != nil {
		return err
	}
	defer closeModel()
	flags, err := o.programFlags(b)
	if err != nil {
		return err
	}
	binary, err := cached(ctx, &o.build, stderr)
	if err != nil {
		return err
	}
	report := benchReport{Model: o.build.Title, Weights: o.build.Weights, Parameters: b.Parameters(), Memory: b.Memory()}
	for _, n := range threads {
		run, err := measureThreads(ctx, binary, flags, n, b.Cost())
		if err != nil {
			return err
		}
		report.Runs = append(report.Runs, *run)
	}
	switch {
	case o.json:
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	case o.benchstat:
		return report.benchstat(stdout)
	}
	return report.print(stdout)
}

// numbers reads a list of numbers that are at least least.
func numbers(name, text string, least int) (list []int, err error) {
	for _, field := range strings.Split(text, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < least {
			return nil, fmt.Errorf("%s %q: expected numbers from %d on, separated by commas", name, text, least)
		}
		list = append(list, n)
	}
	return list, nil
}

// programFlags returns the flags of the program's bench. Depths that leave no room in the context are errors, prompts that
// nobody asked for are left out.
func (o *benchOptions) programFlags(b *bundle.Bundle) ([]string, error) {
	room := b.Plan.Graph.MaxPos
	generates := b.Plan.Graph.Output("logits") != nil && len(b.Plan.Graph.States) > 0
	prompts := []int{min(128, room)}
	if room >= 512 {
		prompts = append(prompts, 512)
	}
	if o.prompts != "" {
		var err error
		if prompts, err = numbers("prompt", o.prompts, 1); err != nil {
			return nil, err
		}
	}
	flags := []string{"bench", "-json", "-repeat", strconv.Itoa(o.repeat), "-prompt", joined(prompts)}
	if !generates {
		return append(flags, "-batch", strconv.Itoa(o.batch)), nil
	}
	depths, err := numbers("depth", o.depths, 0)
	if err != nil {
		return nil, err
	}
	if deepest := slices.Max(depths); o.tokens < 1 || deepest+o.tokens > room {
		return nil, fmt.Errorf("depth %d and n %d: the model takes %d tokens", deepest, o.tokens, room)
	}
	return append(flags, "-n", strconv.Itoa(o.tokens), "-depth", joined(depths)), nil
}

func joined(list []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]")
}

// measureThreads runs the program with n threads, between two measurements of the machine, of which the better counts.
func measureThreads(ctx context.Context, binary string, flags []string, n int, cost bundle.Cost) (*benchThreads, error) {
	level := cpu.Current()
	peak, bandwidth := limits.Flops(level, n), limits.Bandwidth(level, n)
	cmd := exec.CommandContext(ctx, binary, append(slices.Clip(flags), "-threads", strconv.Itoa(n))...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(n))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("the program: %s", strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return nil, err
	}
	r := &benchThreads{}
	if err := json.Unmarshal(out, r); err != nil {
		return nil, fmt.Errorf("the program's report: %w", err)
	}
	r.Peak, r.Bandwidth = max(peak, limits.Flops(level, n)), max(bandwidth, limits.Bandwidth(level, n))
	for i := range r.Results {
		r.Results[i].Threads = n
		r.Results[i].rate(cost, r)
	}
	return r, nil
}

// rate states what a measurement reached, from its median.
func (r *benchRow) rate(cost bundle.Cost, of *benchThreads) {
	passes := r.Median / float64(r.Tokens) // per second
	switch {
	case r.Texts > 0:
		r.Flops = passes * float64(r.Texts) * cost.Flops(r.Tokens/r.Texts, 0)
	case strings.HasPrefix(r.Name, "decode"):
		middle := r.Depth + r.Tokens*len(r.Seconds)/2 // the runs follow each other in a session
		r.Flops = r.Median * cost.Flops(1, middle)
		r.Bytes = r.Median * cost.Bytes(middle)
		r.OfReading = r.Bytes / of.Bandwidth
	default:
		r.Flops = passes * cost.Flops(r.Tokens, 0)
	}
	r.OfPeak = r.Flops / of.Peak
}

// print prints the report for people.
func (r *benchReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %s parameters, weights %s (%s)\n", r.Model, count(r.Parameters), r.Weights, size(r.Memory.Weights))
	for _, run := range r.Runs {
		fmt.Fprintf(w, "\n%d threads, %s: the machine reads %.2f GB/s and does %.1f GFLOP/s in float32\n", run.Threads, run.Kernels, run.Bandwidth/1e9, run.Peak/1e9)
		fmt.Fprintf(w, "loaded in %.3g ms, peak memory %s\n", 1e3*run.Load, size(run.Memory))
		fmt.Fprintln(w, "job\ttokens\ttokens/s\tbest\tGFLOP/s\tof peak\tGB/s\tof reading")
		for _, m := range run.Results {
			fmt.Fprintf(w, "%s\t%d\t%.4g\t%.4g\t%.1f\t%.0f %%", m.Name, m.Tokens, m.Median, m.Best, m.Flops/1e9, 100*m.OfPeak)
			if m.Bytes > 0 {
				fmt.Fprintf(w, "\t%.2f\t%.0f %%", m.Bytes/1e9, 100*m.OfReading)
			}
			fmt.Fprintln(w)
		}
	}
	return w.Flush()
}

// benchstat prints lines as go test -bench does.
func (r *benchReport) benchstat(out io.Writer) error {
	for _, run := range r.Runs {
		for _, m := range run.Results {
			name := strings.ReplaceAll(m.Name, " ", "_")
			for _, s := range m.Seconds {
				_, err := fmt.Fprintf(out, "Benchmark/%s/weights=%s/%s/tokens=%d-%d 1 %.0f ns/op %.2f tok/s\n",
					r.Model, r.Weights, name, m.Tokens, m.Threads, s*1e9, float64(m.Tokens)/s)
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}
