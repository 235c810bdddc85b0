package program

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tfgen/tfgen/runtime/flags"
	"github.com/tfgen/tfgen/runtime/generate"
)

// maxInput is the largest standard input that is read, in bytes.
const maxInput = 64 << 20

// generation holds the flags of generate.
type generation struct {
	*opening
	*constraint
	top     int // log probabilities to report, -1 for none
	prompt  string
	context int
	json    bool
	echo    bool
	stop    []string
	force   []string // texts that a beam search has to say
	options generate.Options
}

// generateCommand adds the flags of generate and returns its action.
func generateCommand(e *env, f *flag.FlagSet) func([]string) error {
	g := &generation{opening: e.openingFlags(f), options: e.model.Defaults}
	o := &g.options
	f.StringVar(&g.prompt, "p", "", "`prompt`; without it the prompt is read from standard input")
	f.IntVar(&o.MaxTokens, "n", cmpOr(o.MaxTokens, 128), "number of `tokens` to generate at most; 0 is until the context is full")
	flags.In(f, &e.sections, "Choosing tokens", func() { samplingFlags(f, o) })
	flags.In(f, &e.sections, "What the text must look like", func() { g.constraint = constraintFlags(f) })
	flags.In(f, &e.sections, "Searching", func() { g.searchFlags(f) })
	f.IntVar(&g.top, "logprobs", -1, "with --json: print each token with the logarithms of its probability and of those of the `n` most probable")
	f.Func("stop", "`text` that ends the generation; may be repeated", func(s string) error {
		g.stop = append(g.stop, s)
		return nil
	})
	f.IntVar(&g.context, "ctx", 0, fmt.Sprintf("`tokens` that the session can hold, at most %d (default: prompt and -n)", e.model.Context))
	f.BoolVar(&g.json, "json", false, "print one JSON object at the end instead of streaming text")
	f.BoolVar(&g.echo, "echo", false, "print the prompt before its continuation")
	return func([]string) error { return e.generate(g, given(f, "p")) }
}

// given reports whether the flag was set.
func given(f *flag.FlagSet, name string) (set bool) {
	f.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// cmpOr returns n, or other if n is 0.
func cmpOr(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// generate continues a prompt.
func (e *env) generate(g *generation, prompted bool) (err error) {
	if err := g.options.Check(); err != nil {
		return usageError{err}
	}
	if g.context < 0 || g.context > e.model.Context {
		return misuse("ctx %d: the model takes up to %d tokens", g.context, e.model.Context)
	}
	if g.options.MaxTokens < 0 {
		return misuse("n %d: must be 0 (no limit) or positive", g.options.MaxTokens)
	}
	if !prompted {
		if g.prompt, err = e.readInput("the prompt"); err != nil {
			return err
		}
	}
	grammar, err := g.compile()
	if err != nil {
		return err
	}
	model, err := e.open(g.opening)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	if err := model.follow(grammar, &g.options); err != nil {
		return err
	}
	if g.force != nil && g.options.Beam.Width <= 1 {
		return misuse("force: needs --beams of 2 or more")
	}
	if g.searches() {
		return e.search(g, model)
	}
	if g.context == 0 {
		g.context = e.fit(model.Tokenizer, g)
	}
	session, err := model.NewSession(g.context)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	return e.stream(g, model, session)
}

// fit returns the context that the prompt and its continuation need.
func (e *env) fit(t generate.Tokenizer, g *generation) int {
	if g.options.MaxTokens == 0 {
		return e.model.Context
	}
	need := len(t.AppendEncode(nil, g.prompt, true)) + g.options.MaxTokens
	return max(1, min(need, e.model.Context))
}

// stream generates and prints text and figures.
func (e *env) stream(g *generation, model *Instance, session Session) error {
	var stats generate.Stats
	g.options.Stats = &stats
	g.options.Stop = append(g.options.Stop[:len(g.options.Stop):len(g.options.Stop)], g.stop...)
	var text strings.Builder
	if g.echo && !g.json {
		if _, err := io.WriteString(e.out, g.prompt); err != nil {
			return err
		}
	}
	prompt := model.Tokenizer.AppendEncode(nil, g.prompt, true)
	if model.Read != nil {
		var err error
		if prompt, err = model.Read(e.ctx, session, prompt); err != nil {
			return err
		}
	}
	var failure error
	g.options.LogProbs, g.options.TopLogProbs = g.top >= 0, max(g.top, 0)
	var tokens []tokenReport
	for token, err := range generate.Stream(e.ctx, session, model.Tokenizer, prompt, g.options) {
		if err != nil {
			failure = err
			break
		}
		if g.top >= 0 {
			tokens = append(tokens, newTokenReport(model, token))
		}
		if g.json {
			text.WriteString(token.Text)
		} else if _, err := io.WriteString(e.out, token.Text); err != nil {
			return err
		}
	}
	if failure != nil && e.ctx.Err() == nil {
		return failure
	}
	if g.json {
		r := newReport(e.model, g, &stats, text.String())
		r.Logprobs = tokens
		if err := e.printJSON(r); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintln(e.out); err != nil {
		return err
	}
	fmt.Fprintln(e.log, e.summary(g, &stats))
	return failure
}

// summary returns the line of figures that ends a generation.
func (e *env) summary(g *generation, s *generate.Stats) string {
	line := fmt.Sprintf("prompt %d tokens, %.1f tok/s · generated %d tokens, %.1f tok/s · first token after %s",
		s.PromptTokens, s.PrefillRate(), s.Tokens, s.DecodeRate(), s.First.Round(10*time.Microsecond))
	line += " · weights " + size(e.model.WeightBytes)
	if e.model.SessionBytes != nil {
		line += ", session " + size(e.model.SessionBytes(g.context))
	}
	if peak := peakMemory(); peak > 0 {
		line += ", peak " + size(peak)
	}
	return line + " · " + s.Reason.String()
}

// report is the output of generate --json.
type report struct {
	Model         string  `json:"model"`
	Prompt        string  `json:"prompt"`
	Text          string  `json:"text"`
	Reason        string  `json:"reason"`
	PromptTokens  int     `json:"prompt_tokens"`
	Tokens        int     `json:"tokens"`
	PrefillRate   float64 `json:"prefill_tokens_per_second"`
	DecodeRate    float64 `json:"tokens_per_second"`
	First         float64 `json:"first_token_seconds"`
	Seed          uint64  `json:"seed"`
	Context       int     `json:"context"`
	WeightBytes   int64   `json:"weight_bytes"`
	SessionBytes  int64   `json:"session_bytes,omitempty"`
	PeakRSSMemory int64   `json:"peak_memory_bytes,omitempty"`

	Logprobs  []tokenReport    `json:"logprobs,omitempty"`
	Sequences []sequenceReport `json:"sequences,omitempty"`
}

// newReport returns the report of a generation.
func newReport(m Model, g *generation, s *generate.Stats, text string) report {
	r := report{
		Model: m.Name, Prompt: g.prompt, Text: text, Reason: s.Reason.String(),
		PromptTokens: s.PromptTokens, Tokens: s.Tokens,
		PrefillRate: s.PrefillRate(), DecodeRate: s.DecodeRate(), First: s.First.Seconds(),
		Seed: g.options.Seed, Context: g.context, WeightBytes: m.WeightBytes, PeakRSSMemory: peakMemory(),
	}
	if m.SessionBytes != nil {
		r.SessionBytes = m.SessionBytes(g.context)
	}
	return r
}

// printJSON prints v as one line of JSON.
func (e *env) printJSON(v any) error {
	encoder := json.NewEncoder(e.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// readInput returns standard input, without the line end after its last line.
func (e *env) readInput(what string) (string, error) {
	if f, ok := e.in.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			fmt.Fprintf(e.log, "reading %s from standard input, to its end (Ctrl-D)\n", what)
		}
	}
	b, err := io.ReadAll(io.LimitReader(e.in, maxInput+1))
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", what, err)
	}
	if len(b) > maxInput {
		return "", fmt.Errorf("%s on standard input is longer than %s", what, size(maxInput))
	}
	text := strings.TrimSuffix(string(b), "\n")
	return strings.TrimSuffix(text, "\r"), nil
}
