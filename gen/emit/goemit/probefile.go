package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// probeFile emits probe.go, which `tfgen verify` uses to see inside.
func (e *emitter) probeFile() (File, error) {
	text := encoderProbe
	if e.Causal {
		text = decoderProbe
	}
	var selected, tokens, sequences strings.Builder
	var source strings.Builder
	for _, o := range e.Plan.Graph.Outputs {
		v := e.viewOf[o.Value]
		line := fmt.Sprintf("keep(out, %q, r.row(%s, i, %d))\n", o.Name, v.name, o.Value.Type.Width())
		switch o.Value.Type.Rows {
		case ir.Selected:
			selected.WriteString(line)
		case ir.Source:
			source.WriteString(line)
		case ir.Tokens:
			tokens.WriteString(line)
		default:
			sequences.WriteString(line)
		}
	}
	loops := strings.NewReplacer("$tokens", loop("r.tokens", tokens.String()), "$sequences", loop("r.segments", sequences.String()))
	encode, encodeOne, seq := "", "", ""
	for _, x := range e.extras() {
		seq += fmt.Sprintf(", %s: q.%[1]s", x.field)
	}
	if e.encodes() {
		encode = strings.ReplaceAll(probeEncode, "$source", loop("r.tokens", source.String()))
		encodeOne = "if err := s.Encode(ctx, q.Source); err != nil {\nreturn nil, err\n}\n"
	}
	text = strings.NewReplacer("$each", pick(e.encodes(), "_, q := range sequences", "range sequences"), "$encodeone", encodeOne, "$encode", encode, "$sourcearg", e.sessionArgs(), "$selected", selected.String(),
		"$seq", "Sequence{Tokens: q.Tokens"+seq+"}", "$addtypes", e.extraArgs("q")).Replace(loops.Replace(text))
	return e.file("probe.go", "", "", e.fill(text))
}

// loop wraps a body, if there is one, in a loop over a slice.
func loop(over, body string) string {
	if body == "" {
		return ""
	}
	return "for i := range " + over + " {\n" + body + "}\n"
}

const decoderProbe = `
// NewProbe opens the model for verification.
func NewProbe(path string) (probe.Model, error) {
	m, err := Open(path, Options{})
	if err != nil {
		return nil, err
	}
	return &prober{m}, nil
}

type prober struct{ *Model }

// keep appends a copy of a row to a result.
func keep(out map[string][][]float32, name string, row []float32) {
	out[name] = append(out[name], append([]float32(nil), row...))
}

// Full computes the sequences together where they fit one pass, longer ones alone and in chunks.
func (p *prober) Full(sequences []probe.Sequence) (map[string][][]float32, error) {
	out, r := map[string][][]float32{}, p.run
	r.probe = func(name string, row []float32) { keep(out, name, row) }
	defer func() { r.probe = nil }()
	var sessions []*Session
	for $each {
		s, err := p.NewSession(0)
		if err != nil {
			return nil, err
		}
		$encodesessions = append(sessions, s)
	}
	r.begin()
	for i, q := range sequences {
		s := sessions[i]
		if err := s.check(q.Tokens); err != nil {
			return nil, err
		}
		for at := 0; at < len(q.Tokens); at += maxRows {
			chunk := q.Tokens[at:min(at+maxRows, len(q.Tokens))]
			if len(r.tokens)+len(chunk) > maxRows {
				if err := p.flush(out); err != nil {
					return nil, err
				}
			}
			r.add(chunk, at, len(q.Tokens), s.caches$sourcearg)
		}
	}
	return out, p.flush(out)
}

// flush runs the rows that have been added, and the head for all of them.
func (p *prober) flush(out map[string][][]float32) error {
	r := p.run
	if err := r.execute(true); err != nil {
		return err
	}
	rows := len(r.tokens)
	for at := 0; at < rows; at += maxSelected {
		r.selected = r.selected[:0]
		for i := at; i < min(at+maxSelected, rows); i++ {
			r.selected = append(r.selected, int32(i))
		}
		if err := r.execute(false); err != nil {
			return err
		}
		for i := range r.selected {
			$selected}
	}
	r.begin()
	return nil
}

// Steps feeds prefill tokens at once, then one at a time.
func (p *prober) Steps(q probe.Sequence, prefill int) ([][]float32, error) {
	ctx, tokens := context.Background(), q.Tokens
	s, err := p.NewSession(0)
	if err != nil {
		return nil, err
	}
	$encodeoneif _, err := s.Prefill(ctx, tokens[:prefill]); err != nil {
		return nil, err
	}
	var rows [][]float32
	for _, token := range tokens[prefill:] {
		logits, err := s.Decode(ctx, token)
		if err != nil {
			return nil, err
		}
		rows = append(rows, append([]float32(nil), logits...))
	}
	return rows, nil
}

// Greedy continues tokens by the largest logit.
func (p *prober) Greedy(tokens []int32, n int) ([]int32, error) {
	ctx := context.Background()
	s, err := p.NewSession(0)
	if err != nil {
		return nil, err
	}
	logits, err := s.Prefill(ctx, tokens)
	var out []int32
	for err == nil {
		out = append(out, int32(portable.ArgMax(logits)))
		if len(out) == n {
			break
		}
		logits, err = s.Decode(ctx, out[len(out)-1])
	}
	return out, err
}
`

// probeEncode runs the encoder of one session and keeps its outputs.
const probeEncode = `if err := s.Encode(context.Background(), q.Source); err != nil {
	return nil, err
}
$source`

const encoderProbe = `
// NewProbe opens the model for verification.
func NewProbe(path string) (probe.Model, error) {
	m, err := Open(path, Options{})
	if err != nil {
		return nil, err
	}
	return &prober{m}, nil
}

type prober struct{ *Model }

// keep appends a copy of a row to a result.
func keep(out map[string][][]float32, name string, row []float32) {
	out[name] = append(out[name], append([]float32(nil), row...))
}

// Full computes the sequences, as many in one pass as fit.
func (p *prober) Full(sequences []probe.Sequence) (map[string][][]float32, error) {
	out, r := map[string][][]float32{}, p.run
	r.probe = func(name string, row []float32) { keep(out, name, row) }
	defer func() { r.probe = nil }()
	var batch []Sequence
	for i, q := range sequences {
		batch = append(batch, $seq)
		if err := check(i, batch[i]); err != nil {
			return nil, err
		}
	}
	for at := 0; at < len(batch); {
		at += r.take(batch[at:])
		if err := r.execute(true); err != nil {
			return nil, err
		}
		$tokens$sequences	}
	return out, nil
}

// Steps and Greedy do not exist for encoders.
func (p *prober) Steps(probe.Sequence, int) ([][]float32, error) {
	return nil, errors.New("$package: an encoder does not decode")
}

// Greedy does not exist for encoders.
func (p *prober) Greedy([]int32, int) ([]int32, error) {
	return nil, errors.New("$package: an encoder does not generate")
}
`
