package program

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

// benchmark holds the flags of bench.
type benchmark struct {
	*opening
	prompt, tokens, repeat, batch int
	json                          bool
}

// result is one line of bench: tokens per second of the repetitions.
type result struct {
	Name   string  `json:"name"`
	Tokens int     `json:"tokens"`
	Best   float64 `json:"best_tokens_per_second"`
	Median float64 `json:"median_tokens_per_second"`
}

// benchCommand adds the flags of bench and returns its action.
func benchCommand(e *env, f *flag.FlagSet) func([]string) error {
	b := &benchmark{opening: e.openingFlags(f)}
	room := e.model.Context
	if e.model.Generates {
		room = (room + 1) / 2 // the rest is for decoding
	}
	f.IntVar(&b.prompt, "prompt", min(128, room), "`tokens` of the prompt or of a text")
	if e.model.Generates {
		f.IntVar(&b.tokens, "n", min(64, e.model.Context-min(128, room)), "`tokens` to decode after the prompt")
	}
	if e.model.Embeds {
		f.IntVar(&b.batch, "batch", 32, "`texts` embedded at once")
	}
	f.IntVar(&b.repeat, "repeat", 5, "`times` to measure")
	f.BoolVar(&b.json, "json", false, "print one JSON object")
	return func([]string) error { return e.bench(b) }
}

// bench measures and prints tokens per second.
func (e *env) bench(b *benchmark) (err error) {
	if b.prompt < 1 || b.prompt > e.model.Context || b.repeat < 1 || b.tokens < 0 || b.batch < 0 {
		return misuse("bench: prompt must be 1 to %d, repeat at least 1, n and batch not negative", e.model.Context)
	}
	if b.tokens > e.model.Context-b.prompt {
		return misuse("bench: prompt %d and n %d are more than the model's %d tokens", b.prompt, b.tokens, e.model.Context)
	}
	model, err := e.open(b.opening)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	var results []result
	if model.NewSession != nil {
		r, err := e.benchSession(b, model)
		if err != nil {
			return err
		}
		results = append(results, r...)
	}
	if model.Embed != nil {
		r, err := e.benchEmbed(b, model)
		if err != nil {
			return err
		}
		results = append(results, r...)
	}
	if b.json {
		return e.printJSON(map[string]any{"model": e.model.Name, "results": results})
	}
	for _, r := range results {
		if _, err := fmt.Fprintf(e.out, "%-16s %8d tokens  best %10.1f tok/s  median %10.1f tok/s\n", r.Name, r.Tokens, r.Best, r.Median); err != nil {
			return err
		}
	}
	return nil
}

// benchSession measures prefill and decode of a decoder.
func (e *env) benchSession(b *benchmark, model *Instance) ([]result, error) {
	n := b.tokens
	prompt := make([]int32, b.prompt)
	for i := range prompt {
		prompt[i] = int32(i % max(1, e.model.Vocabulary))
	}
	var prefill, decode []time.Duration
	for range b.repeat {
		p, d, err := e.measureSession(model, prompt, n)
		if err != nil {
			return nil, err
		}
		prefill, decode = append(prefill, p), append(decode, d)
	}
	results := []result{newResult("prefill", b.prompt, prefill)}
	if n > 0 {
		results = append(results, newResult("decode", n, decode))
	}
	return results, nil
}

// measureSession returns the time to prefill prompt and to decode n tokens in a
// new session.
func (e *env) measureSession(model *Instance, prompt []int32, n int) (prefill, decode time.Duration, err error) {
	session, err := model.NewSession(len(prompt) + n)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	begin := time.Now()
	if model.Read != nil { // what it reads is the prompt
		if prompt, err = model.Read(e.ctx, session, prompt); err != nil {
			return 0, 0, err
		}
	}
	if _, err := session.Prefill(e.ctx, prompt); err != nil {
		return 0, 0, err
	}
	prefill = time.Since(begin)
	begin = time.Now()
	for i := range n {
		if _, err := session.Decode(e.ctx, prompt[i%len(prompt)]); err != nil {
			return 0, 0, err
		}
	}
	return prefill, time.Since(begin), nil
}

// benchEmbed measures an encoder with one text and with a batch.
func (e *env) benchEmbed(b *benchmark, model *Instance) ([]result, error) {
	text, tokens := words(model, b.prompt)
	var results []result
	for _, batch := range slices.Compact([]int{1, max(1, b.batch)}) {
		texts := slices.Repeat([]string{text}, batch)
		var times []time.Duration
		for range b.repeat {
			begin := time.Now()
			if _, err := model.Embed(e.ctx, texts); err != nil {
				return nil, err
			}
			times = append(times, time.Since(begin))
		}
		results = append(results, newResult(fmt.Sprintf("embed %d × %d", batch, tokens), batch*tokens, times))
	}
	return results, nil
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
	slices.Sort(times)
	rate := func(d time.Duration) float64 { return float64(n) / max(d, time.Nanosecond).Seconds() }
	return result{Name: name, Tokens: n, Best: rate(times[0]), Median: rate(times[len(times)/2])}
}
