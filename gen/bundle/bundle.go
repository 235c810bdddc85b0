// Package bundle runs the compiler's stages on a checkpoint and collects what a target consists of. It writes nothing
// itself: files come as data, weights go to a writer that the caller gives.
package bundle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/asm/tuning"
	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/emit/goemit"
	"github.com/tfgen/tfgen/gen/generation"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/pass"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/gen/template"
	"github.com/tfgen/tfgen/gen/weights"
	"github.com/tfgen/tfgen/runtime/generate"
)

// Source is a checkpoint: its configuration and its tensors.
type Source interface {
	build.Source
	weights.Source
}

// Options are the choices of a build.
type Options struct {
	Package    string               // Go package name
	Title      string               // the model's name for readers
	Weights    string               // weight format: a row of the formats table of gen/weights; a list as weights.ParsePolicy reads it
	KV         string               // format of keys and values in sessions: f32 or f16; "": f32
	Context    int                  // longest sequence; 0: what the model was made for
	Early      string               // layers whose states the output layer reads too, for DoLa, as pass.EarlyLayers reads them; "": as generation_config.json says
	Importance map[string][]float32 // how much the columns of tensors count when they are quantised (gen/importance); nil: all the same
	Trace      bool                 // add the probe of `tfgen verify`
	Embed      bool                 // compile the weights into the program
	Stored     bool                 // keep the tables of the tokenizer in the weights file, not in the program
	Program    bool                 // add a main package
	ImportPath string               // of the generated package, for that program
	Gap        int64                // bytes of WebAssembly memory left free before the weights, for tests of 64-bit addresses; every variant is made
	Tuning     *tuning.Table        // blockings of products; nil: rules
	Dump       func(pass string, g *ir.Graph)
}

// Bundle is a model on its way through the stages.
type Bundle struct {
	Options   Options
	Source    Source
	Result    *build.Result
	Plan      *plan.Plan
	Packed    []*weights.Packed
	Tokenizer []byte          // packed; nil if the checkpoint has none
	Chat      *template.Found // chat templates; nil or empty if the checkpoint has none
	tables    *weights.Packed // the tokenizer in the weights file
	early     []int           // layers
	place     map[*ir.Weight]*weights.Packed
	header    int64
	size      int64
	digest    [32]byte
	written   bool
}

// New compiles a checkpoint up to the plan: everything that is known before a weight is read. A nil specification is
// found from the checkpoint's own metadata.
func New(src Source, s *spec.Spec, o Options) (b *Bundle, err error) {
	if o.Weights == "" {
		o.Weights = "f32"
	}
	if !token.IsIdentifier(o.Package) || strings.ToLower(o.Package) != o.Package {
		return nil, fmt.Errorf("%q is not a Go package name: expected lower-case letters and digits, a letter first", o.Package)
	}
	b = &Bundle{Options: o, Source: src}
	if s == nil {
		b.Result, err = build.Model(src)
	} else {
		b.Result, err = build.ModelWith(s, src)
	}
	if err != nil {
		return nil, err
	}
	g := b.Result.Graph
	if err := b.setContext(g); err != nil {
		return nil, err
	}
	if !o.Trace && b.causal() {
		keepOutputs(g, "logits", "final")
	}
	if err := b.addEarly(g); err != nil {
		return nil, err
	}
	if err := b.setKV(g); err != nil {
		return nil, err
	}
	policy, err := weights.ParsePolicy(o.Weights)
	if err == nil {
		err = weights.Choose(g, src, policy)
	}
	if err != nil {
		return nil, err
	}
	if err := pass.Run(g, o.Dump); err != nil {
		return nil, err
	}
	if b.Plan, err = plan.New(g, b.limits()); err != nil {
		return nil, err
	}
	if b.Packed, b.place, err = weights.Assign(g); err != nil {
		return nil, err
	}
	if b.header, b.size, err = weights.Place(b.Packed); err != nil {
		return nil, err
	}
	return b, b.weigh()
}

// SetTokenizer gives the model a packed tokenizer, which may be nil.
func (b *Bundle) SetTokenizer(packed []byte) (err error) {
	if b.Tokenizer = packed; packed == nil || !b.Options.Stored {
		return nil
	}
	b.tables = weights.Data("tokenizer", packed)
	b.Packed = append(b.Packed, b.tables)
	b.header, b.size, err = weights.Place(b.Packed)
	return err
}

// weigh tells the tensors how much their columns count.
func (b *Bundle) weigh() error {
	found := len(b.Options.Importance) == 0
	for _, p := range b.Packed {
		if weights.Quantised(p.Layout) == nil || len(b.Options.Importance) == 0 {
			continue
		}
		ok, err := p.Weigh(b.Source, b.Options.Importance)
		if err != nil {
			return err
		}
		found = found || ok
	}
	if !found {
		return errors.New("the importance is for none of the matrices that are quantised: its tensors have other names " +
			"(llama.cpp's are those of GGUF files), or the weight format quantises nothing")
	}
	return nil
}

// setKV chooses how attention keeps keys and values.
func (b *Bundle) setKV(g *ir.Graph) error {
	switch b.Options.KV {
	case "", "f32":
		return nil
	case "f16", "q8":
	default:
		return fmt.Errorf("keys and values cannot be kept as %q; f32, f16 and q8 are supported", b.Options.KV)
	}
	n := 0
	for _, o := range g.Ops {
		if o.Kind == "attend" && o.State != nil {
			o.State.Attrs["format"] = b.Options.KV
			n++
		}
	}
	if n == 0 {
		return errors.New("the model keeps no keys and values whose format could be chosen")
	}
	return nil
}

// causal reports whether the model is a decoder: whether it has state.
func (b *Bundle) causal() bool { return len(b.Result.Graph.States) > 0 }

// keepOutputs drops the outputs that only verification asks for: all but those of the given names, if the model has the
// first of them.
func keepOutputs(g *ir.Graph, names ...string) {
	if g.Output(names[0]) != nil {
		g.Outputs = slices.DeleteFunc(g.Outputs, func(o ir.Output) bool { return !slices.Contains(names, o.Name) })
	}
}

// setContext applies the wanted context. Learned positions end where their table ends.
func (b *Bundle) setContext(g *ir.Graph) error {
	want := b.Options.Context
	if want == 0 {
		g.MaxPos = b.Result.Context
		return nil
	}
	if want < 1 || want > 1<<24 {
		return fmt.Errorf("a context of %d tokens, expected 1 to %d", want, 1<<24)
	}
	for _, o := range g.Ops {
		if have := o.Attrs.Int("rows") - o.Attrs.Int("offset"); o.Kind == "embed" && strings.HasSuffix(o.In[0].Name, "positions") && want > have {
			return fmt.Errorf("a context of %d tokens: the model has learned positions for %d", want, have)
		}
	}
	g.MaxPos = want
	return nil
}

// Rows of one pass. A decoder's prompt goes through the layers in chunks; an encoder needs its longest sequence in one
// pass, and fills it with several short ones.
const (
	chunkRows        = 128
	headRows         = 8
	encoderRows      = 512
	encoderSequences = 32
)

func (b *Bundle) limits() plan.Limits {
	if b.causal() {
		rows := min(chunkRows, b.Result.Graph.MaxPos)
		l := plan.Limits{Tokens: rows, Selected: min(headRows, rows), Sequences: rows}
		if b.Result.Graph.Towers() {
			l.Source = b.Result.Graph.MaxPos
		}
		return l
	}
	return plan.Limits{Tokens: max(encoderRows, b.Result.Graph.MaxPos), Selected: 1, Sequences: encoderSequences}
}

// Parameters counts the weights' elements, tied ones once.
func (b *Bundle) Parameters() (n int64) {
	for _, w := range b.place {
		for _, v := range w.Weights {
			n += int64(v.Elements())
		}
	}
	for _, w := range b.place {
		for _, v := range w.Weights {
			for _, p := range v.Parts {
				n -= int64(p.Zeros)
			}
		}
	}
	return n
}

// Stored returns the packed tensor that a weight of the plan's graph is in.
func (b *Bundle) Stored(w *ir.Weight) *weights.Packed { return b.place[w] }

// WeightsSize is the size of the weights file in bytes.
func (b *Bundle) WeightsSize() int64 { return b.size }

// WriteWeights packs all weights into w and learns their digests.
func (b *Bundle) WriteWeights(ctx context.Context, w io.WriterAt, progress func(done, total int64, name string)) (err error) {
	if b.digest, err = weights.Write(ctx, w, b.Packed, b.Source, progress); err != nil {
		return err
	}
	b.written = true
	return nil
}

// Files returns the generated files of the package; the weights must have been written, because their digests are part
// of the code.
func (b *Bundle) Files() ([]goemit.File, error) {
	if !b.written {
		return nil, fmt.Errorf("the weights have not been written")
	}
	return b.Emit()
}

// Emit returns the generated files with the digests known so far.
func (b *Bundle) Emit() ([]goemit.File, error) {
	r := b.Result
	defaults, o, err := b.generation()
	if err != nil {
		return nil, err
	}
	j := b.judging()
	m := &goemit.Model{
		Plan: b.Plan, Packed: b.Packed, Tables: b.tables, Place: b.place, HeaderSize: b.header, Header: b.digest, FileSize: b.size,
		Parameters: b.Parameters(), Causal: b.causal(), BOS: int32s(r.BOS), EOS: o.EOS, Start: int32s(r.Start), Defaults: defaults, MaxLength: r.Context,
		Task: r.Task, Labels: r.Labels, SeveralLabels: b.Several(), Regression: b.Regression(), RawScores: j.raw(),
	}
	if b.Chat != nil {
		m.ChatTokens, m.Answers = b.Chat.Tokens, b.Chat.Answers()
		for _, t := range b.Chat.Templates {
			code, filters := template.Compile(t.Text)
			m.Chat = append(m.Chat, goemit.ChatTemplate{Name: t.Name, Source: t.Text, Code: code, Filters: filters})
		}
	}
	files, err := goemit.Emit(m, goemit.Options{
		Package: b.Options.Package, Title: b.Options.Title, Spec: r.Spec.File, SpecSHA: r.Spec.SHA256,
		Format: b.Options.Weights, Trace: b.Options.Trace, Embed: b.Options.Embed, Tokens: b.Tokenizer != nil, Program: b.Options.Program, ImportPath: b.Options.ImportPath,
		Tuning: b.Options.Tuning,
	})
	if err != nil {
		return nil, err
	}
	if b.Tokenizer != nil && b.tables == nil {
		files = append(files, goemit.File{Name: "tokenizer.bin", Data: b.Tokenizer})
	}
	return files, nil
}

// judging is what config.json says about the results of heads.
type judging struct {
	Problem string `json:"problem_type"`
	Ranking struct {
		Activation string `json:"activation_fn"`
	} `json:"sentence_transformers"`
	OldActivation string `json:"sbert_ce_default_activation_function"`
}

// judging reads config.json; without one, as in a GGUF file, nothing is said.
func (b *Bundle) judging() (j judging) {
	if text, err := b.Source.ReadFile("config.json"); err == nil {
		_ = json.Unmarshal(text, &j) // the checkpoint's reader has decoded it before
	}
	return j
}

// Several and Regression report what the logits of a classifier are: independent of each other, or the numbers themselves.
func (b *Bundle) Several() bool    { return b.judging().Problem == "multi_label_classification" }
func (b *Bundle) Regression() bool { return b.judging().Problem == "regression" }

// raw reports whether cross-encoders are said to give their logits, and not the sigmoid of them.
func (j judging) raw() bool {
	return strings.HasSuffix(cmp.Or(j.Ranking.Activation, j.OldActivation), ".Identity")
}

// Generation returns the options that generation begins with, the tokens that end a text among them, from generation_config.json
// where the checkpoint has one.
func (b *Bundle) Generation() (generate.Options, error) {
	_, o, err := b.generation()
	return o, err
}

// generation is Generation, and the options as a Go expression.
func (b *Bundle) generation() (literal string, o generate.Options, err error) {
	o.EOS = int32s(b.Result.EOS)
	if !b.causal() {
		return "", o, nil
	}
	text, err := b.readOptional("generation_config.json")
	if err != nil {
		return "", o, err
	}
	if text == nil && b.Result.Graph.Towers() {
		if text, err = oldGeneration(b.Source.Config()); err != nil {
			return "", o, err
		}
	}
	literal, o, _, err = generation.Compiled(text, o.EOS, b.early)
	return literal, o, err
}

// readOptional reads a file of the checkpoint, nil if there is none.
func (b *Bundle) readOptional(name string) ([]byte, error) {
	text, err := b.Source.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// addEarly adds the outputs of early layers that the options, or else the model's own settings ask for.
func (b *Bundle) addEarly(g *ir.Graph) error {
	setting := b.Options.Early
	if setting == "" && b.causal() && !g.Towers() {
		text, err := b.readOptional("generation_config.json")
		if err != nil || text == nil {
			return err
		}
		c, _, err := generation.Parse(text)
		if err != nil {
			return err
		}
		setting = string(c.DoLa)
	}
	var err error
	if b.early, err = pass.EarlyLayers(g, setting); err != nil {
		return err
	}
	return pass.AddEarly(g, b.early)
}

// oldGeneration are the generation settings in config.json, where models had them before generation_config.json.
func oldGeneration(config map[string]any) ([]byte, error) {
	settings := map[string]any{}
	for _, key := range []string{"forced_bos_token_id", "forced_eos_token_id", "no_repeat_ngram_size", "bad_words_ids", "min_length",
		"num_beams", "length_penalty", "early_stopping", "suppress_tokens", "begin_suppress_tokens", "eos_token_id"} {
		if v, ok := config[key]; ok && v != nil {
			settings[key] = v
		}
	}
	return json.Marshal(settings)
}

func int32s(ids []int) []int32 {
	var out []int32
	for _, id := range ids {
		out = append(out, int32(id))
	}
	return out
}
