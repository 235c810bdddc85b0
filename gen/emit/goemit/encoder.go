package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// encoderText emits the API of an encoder: a struct of its outputs, Run for token sequences, Embed for texts.
func (e *emitter) encoderText() string {
	var fields, copies strings.Builder
	for _, o := range e.Plan.Graph.Outputs {
		v, name, width := e.viewOf[o.Value], title(camel(o.Name)), o.Value.Type.Width()
		if o.Value.Type.Rows == ir.Tokens {
			fmt.Fprintf(&fields, "%s []float32 // [tokens, %d], rows one behind another\n", name, width)
			fmt.Fprintf(&copies, "for j := range r.segments[i].rows {\nout.%s = append(out.%s, r.row(%s, r.segments[i].start+j, %d)...)\n}\n", name, name, v.name, width)
		} else {
			fmt.Fprintf(&fields, "%s []float32 // [%d]\n", name, width)
			fmt.Fprintf(&copies, "out.%s = append(out.%s, r.row(%s, i, %d)...)\n", name, name, v.name, width)
		}
	}
	text := strings.NewReplacer("$fields", fields.String(), "$copies", copies.String(), "$types", e.extraArgs("q"), "$more", e.extraFields(),
		"$typecheck", e.extraChecks()).Replace(encoderRun)
	if e.Tokens && e.Plan.Graph.Output("embedding") != nil {
		text += strings.ReplaceAll(embedText, "$length", fmt.Sprint(e.maxLength()))
	}
	return e.fill(text + e.headText())
}

// tokenTypes is the number of token types: the rows of their table.
func (e *emitter) tokenTypes() int {
	for _, o := range e.Plan.Graph.Ops {
		if o.Kind == "embed" && o.In[0].Name == "token_types" {
			return o.Attrs.Int("rows")
		}
	}
	return 1
}

// maxLength is the number of tokens of a text that are used.
func (e *emitter) maxLength() int {
	if e.MaxLength > 0 {
		return min(e.MaxLength, e.maxContext())
	}
	return e.maxContext()
}

const encoderRun = `
// Sequence is one input: token ids with their special tokens, and token types (nil: all zero).
type Sequence struct {
	Tokens []int32
	Types  []int32
	$more}

// Output is what the model makes of one sequence.
type Output struct {
	$fields}

// Run computes a batch of sequences of any lengths. There is no padding: a batch costs what its tokens cost, and each
// sequence's result is the same bits as alone.
func (m *Model) Run(ctx context.Context, batch []Sequence) ([]Output, error) {
	for i, q := range batch {
		if err := check(i, q); err != nil {
			return nil, err
		}
	}
	if err := m.acquire(ctx); err != nil {
		return nil, err
	}
	defer m.release()
	outputs := make([]Output, len(batch))
	for at := 0; at < len(batch); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := m.run.take(batch[at:])
		if err := m.run.execute(true); err != nil {
			return nil, err
		}
		for i := range n {
			m.run.output(i, &outputs[at+i])
		}
		at += n
	}
	return outputs, nil
}

// check reports a sequence that the model cannot compute.
func check(i int, q Sequence) error {
	if len(q.Tokens) == 0 || len(q.Tokens) > MaxContext {
		return fmt.Errorf("%w: sequence %d has %d tokens, expected 1 to %d", ErrContext, i, len(q.Tokens), MaxContext)
	}
	$typecheckreturn checkTokens(q.Tokens)
}

// take fills the run with the first sequences of a batch, as many as fit, and returns their number.
func (r *run) take(batch []Sequence) int {
	r.begin()
	for i, q := range batch {
		if i == maxSequences || len(r.tokens)+len(q.Tokens) > maxRows {
			return i
		}
		r.add(q.Tokens, 0, len(q.Tokens)$types)
	}
	return len(batch)
}

// output copies the results of sequence i of the last pass.
func (r *run) output(i int, out *Output) {
	$copies}

// row is row i of a matrix of the last pass.
func (r *run) row(v view, i, width int) []float32 { return r.arena[v.at+i*v.ld:][:width] }
`

const embedText = `
// MaxTokens is the number of tokens of a text that are used, special tokens included; the rest is cut off.
const MaxTokens = $length

// Embed returns the embedding of each text.
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	batch := make([]Sequence, len(texts))
	for i, text := range texts {
		batch[i].Tokens = truncate(m.tokens.Encode(text, true))
	}
	outputs, err := m.Run(ctx, batch)
	if err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(texts))
	for i := range outputs {
		vectors[i] = outputs[i].Embedding
	}
	return vectors, nil
}

// truncate shortens a sequence to MaxTokens; its last token, a separator, stays the last.
func truncate(tokens []int32) []int32 {
	if len(tokens) > MaxTokens {
		tokens[MaxTokens-1] = tokens[len(tokens)-1]
		tokens = tokens[:MaxTokens]
	}
	return tokens
}
`
