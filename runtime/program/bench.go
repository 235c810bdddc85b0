package program

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tfgen/tfgen/runtime/cpu"
)

// benchmark holds the flags of bench.
type benchmark struct {
	*opening
	prompts, depths       counts
	tokens, repeat, batch int
	json, benchstat       bool
}

// result is one line of bench: how long the repetitions took.
type result struct {
	Name    string    `json:"name"`
	Tokens  int       `json:"tokens"`          // in each repetition
	Depth   int       `json:"depth,omitempty"` // tokens of the session before the first one that was decoded
	Texts   int       `json:"texts,omitempty"` // embedded at once
	Best    float64   `json:"best_tokens_per_second"`
	Median  float64   `json:"median_tokens_per_second"`
	Seconds []float64 `json:"seconds"` // of the repetitions, in their order
}

// benchReport is the output of bench --json.
type benchReport struct {
	Model   string   `json:"model"`
	Threads int      `json:"threads"`
	Kernels string   `json:"kernels"`
	Load    float64  `json:"load_seconds"`
	Memory  int64    `json:"peak_bytes"` // resident, the touched part of mapped weights included; 0: the system does not tell
	Results []result `json:"results"`
}

// counts is a flag with numbers separated by commas.
type counts []int

// String formats the numbers as Set reads them.
func (c *counts) String() string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(*c)), ","), "[]")
}

// Set reads the numbers.
func (c *counts) Set(text string) error {
	*c = nil
	for _, field := range strings.Split(text, ",") {
		n, err := strconv.Atoi(field)
		if err != nil {
			return fmt.Errorf("%q is not a number", field)
		}
		*c = append(*c, n)
	}
	return nil
}

// benchCommand adds the flags of bench and returns its action.
func benchCommand(e *env, f *flag.FlagSet) func([]string) error {
	b := &benchmark{opening: e.openingFlags(f)}
	room := e.model.Context
	if e.model.Generates {
		room = (room + 1) / 2 // the rest is for decoding
	}
	b.prompts = counts{min(128, room)}
	f.Var(&b.prompts, "prompt", "`tokens` of the prompt or of a text; several numbers separated by commas")
	if e.model.Generates {
		f.IntVar(&b.tokens, "n", min(64, e.model.Context-min(128, room)), "`tokens` to decode")
		f.Var(&b.depths, "depth", "`tokens` that come before those that are decoded, several numbers separated by commas (default: the first prompt)")
	}
	if e.model.Embeds {
		f.IntVar(&b.batch, "batch", 32, "`texts` embedded at once")
	}
	f.IntVar(&b.repeat, "repeat", 5, "`times` to measure")
	f.BoolVar(&b.json, "json", false, "print one JSON object")
	f.BoolVar(&b.benchstat, "benchstat", false, "print a line for each repetition, as benchstat reads them")
	return func([]string) error { return e.bench(b) }
}

// check returns what is wrong with the flags.
func (b *benchmark) check(room int) error {
	if len(b.depths) == 0 {
		b.depths = b.prompts[:1]
	}
	for _, n := range b.prompts {
		if n < 1 || n > room {
			return misuse("bench: prompt must be 1 to %d", room)
		}
	}
	if b.repeat < 1 || b.tokens < 0 || b.batch < 0 {
		return misuse("bench: repeat must be at least 1, n and batch not negative")
	}
	for _, d := range b.depths {
		if d < 0 || b.tokens > 0 && d+b.tokens > room {
			return misuse("bench: depth %d and n %d are more than the model's %d tokens", d, b.tokens, room)
		}
	}
	return nil
}

// bench measures and prints tokens per second.
func (e *env) bench(b *benchmark) (err error) {
	if err := b.check(e.model.Context); err != nil {
		return err
	}
	begin := time.Now()
	model, err := e.open(b.opening)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	r := benchReport{Model: e.model.Name, Threads: b.options.Threads, Kernels: cpu.Current().String(), Load: time.Since(begin).Seconds()}
	if r.Threads == 0 {
		r.Threads = runtime.GOMAXPROCS(0)
	}
	if model.NewSession != nil {
		if err := e.benchSession(b, model, &r); err != nil {
			return err
		}
	}
	if model.Embed != nil {
		if err := e.benchEmbed(b, model, &r); err != nil {
			return err
		}
	}
	r.Memory = peakMemory()
	switch {
	case b.json:
		return e.printJSON(r)
	case b.benchstat:
		return r.benchstat(e.out)
	}
	return r.print(e.out)
}

// print prints the report for people.
func (r *benchReport) print(out io.Writer) error {
	for _, r := range r.Results {
		if _, err := fmt.Fprintf(out, "%-16s %8d tokens  best %10.1f tok/s  median %10.1f tok/s\n", r.Name, r.Tokens, r.Best, r.Median); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "threads %d, %s kernels, load %.3g ms, peak memory %s\n", r.Threads, r.Kernels, r.Load*1e3, size(r.Memory))
	return err
}

// benchstat prints lines as go test -bench does.
func (r *benchReport) benchstat(out io.Writer) error {
	for _, row := range r.Results {
		name := strings.ReplaceAll(row.Name, " ", "_")
		for _, s := range row.Seconds {
			if _, err := fmt.Fprintf(out, "Benchmark/%s/%s/tokens=%d-%d 1 %.0f ns/op %.2f tok/s\n", r.Model, name, row.Tokens, r.Threads, s*1e9, float64(row.Tokens)/s); err != nil {
				return err
			}
		}
	}
	return nil
}

// benchSession measures prefill and decode of a decoder.
func (e *env) benchSession(b *benchmark, model *Instance, r *benchReport) error {
	for _, n := range b.prompts {
		var times []time.Duration
		for range b.repeat {
			t, err := e.measurePrefill(model, n)
			if err != nil {
				return err
			}
			times = append(times, t)
		}
		r.Results = append(r.Results, newResult("prefill", n, times))
	}
	if b.tokens == 0 {
		return nil
	}
	for _, depth := range b.depths {
		times, err := e.measureDecode(model, depth, b.tokens, b.repeat)
		if err != nil {
			return err
		}
		name := "decode"
		if len(b.depths) > 1 {
			name += fmt.Sprintf(" at %d", depth)
		}
		row := newResult(name, b.tokens, times)
		row.Depth = depth
		r.Results = append(r.Results, row)
	}
	return nil
}

// numbered returns n tokens that differ.
func (e *env) numbered(n int) []int32 {
	tokens := make([]int32, n)
	for i := range tokens {
		tokens[i] = int32(i % max(1, e.model.Vocabulary))
	}
	return tokens
}

// fill gives a new session its first n tokens.
func (e *env) fill(model *Instance, session Session, n int) (err error) {
	tokens := e.numbered(n)
	if model.Read != nil { // what it reads is the prompt
		if tokens, err = model.Read(e.ctx, session, e.numbered(max(1, n))); err != nil {
			return err
		}
	}
	if len(tokens) > 0 {
		_, err = session.Prefill(e.ctx, tokens)
	}
	return err
}

// measurePrefill returns the time that n tokens take in a new session.
func (e *env) measurePrefill(model *Instance, n int) (t time.Duration, err error) {
	session, err := model.NewSession(n)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	begin := time.Now()
	err = e.fill(model, session, n)
	return time.Since(begin), err
}

// measureDecode returns the times that n tokens take in sessions that have at least depth tokens: runs follow each other
// in a session as long as the model's context allows.
func (e *env) measureDecode(model *Instance, depth, n, repeat int) (times []time.Duration, err error) {
	for len(times) < repeat {
		runs := min(repeat-len(times), (e.model.Context-depth)/n)
		more, err := e.decodeRuns(model, depth, n, runs)
		if err != nil {
			return nil, err
		}
		times = append(times, more...)
	}
	return times, nil
}

// decodeRuns decodes n tokens several times, one run after the other in a new session.
func (e *env) decodeRuns(model *Instance, depth, n, runs int) (times []time.Duration, err error) {
	session, err := model.NewSession(depth + n*runs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if err := e.fill(model, session, depth); err != nil {
		return nil, err
	}
	for range runs {
		begin := time.Now()
		for _, token := range e.numbered(n) {
			if _, err := session.Decode(e.ctx, token); err != nil {
				return nil, err
			}
		}
		times = append(times, time.Since(begin))
	}
	return times, nil
}

// benchEmbed measures an encoder with one text and with a batch.
func (e *env) benchEmbed(b *benchmark, model *Instance, r *benchReport) error {
	for _, n := range b.prompts {
		text, tokens := words(model, n)
		for _, batch := range slices.Compact([]int{1, max(1, b.batch)}) {
			texts := slices.Repeat([]string{text}, batch)
			var times []time.Duration
			for range b.repeat {
				begin := time.Now()
				if _, err := model.Embed(e.ctx, texts); err != nil {
					return err
				}
				times = append(times, time.Since(begin))
			}
			row := newResult(fmt.Sprintf("embed %d × %d", batch, tokens), batch*tokens, times)
			row.Texts = batch
			r.Results = append(r.Results, row)
		}
	}
	return nil
}

// words returns a text of about n tokens, not more, and their number.
func words(model *Instance, n int) (string, int) {
	text, tokens := "", 0
	for {
		longer := strings.TrimSpace(text + " word")
		t := len(model.Tokenizer.AppendEncode(nil, longer, true))
		if t > n || t <= tokens {
			return text, tokens
		}
		text, tokens = longer, t
	}
}

// newResult returns the rates of n tokens in the given times.
func newResult(name string, n int, times []time.Duration) result {
	r := result{Name: name, Tokens: n}
	for _, t := range times {
		r.Seconds = append(r.Seconds, max(t, time.Nanosecond).Seconds())
	}
	sorted := slices.Sorted(slices.Values(r.Seconds))
	r.Best, r.Median = float64(n)/sorted[0], float64(n)/sorted[len(sorted)/2]
	return r
}
