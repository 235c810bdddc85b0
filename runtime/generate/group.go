package generate

import (
	"context"
	"math"
	"slices"
	"sort"

	"github.com/tfgen/tfgen/runtime/sample"
)

// group is a group of beams in a diverse beam search (transformers 4's
// _group_beam_search and BeamSearchScorer; Vijayakumar et al., Diverse Beam
// Search, 2016), or all beams of a search with forced words.
type group struct {
	beams
	forced   *forced      // nil for none
	complete []hypothesis // finished sequences, at most as many as there are beams
	worst    float64      // of their scores
	done     bool
}

// groupSearch pursues o.Beam.Groups groups of beams that differ from each other,
// or one with forced words.
func groupSearch[S Session[S], M Model[S]](ctx context.Context, m M, context int, prompt []int32, o Options) ([]Sequence, error) {
	diversity := &sample.Diversity{Penalty: o.Beam.Diversity}
	o.Options.Diversity = diversity
	width := o.Beam.Width
	o.Beam.Groups = max(o.Beam.Groups, 1)
	o.Beam.Width /= o.Beam.Groups
	words, err := newForced(o.Beam.Words)
	if err != nil {
		return nil, err
	}
	if o.Temperature != 0 && o.Keep == 0 {
		o.Keep = max(len(o.EOS), 1) + 1
	}
	p, err := open[S](m, width, context)
	if err != nil {
		return nil, err
	}
	defer p.close()
	groups := make([]*group, o.Beam.Groups)
	for i := range groups {
		b, err := newBeams(p.sessions[0], prompt, o)
		if err != nil {
			return nil, err
		}
		groups[i] = &group{beams: *b, worst: -impossible, forced: words}
	}
	first, err := p.sessions[0].Prefill(ctx, prompt)
	if err != nil {
		return nil, err
	}
	p.held[0] = slices.Clone(prompt)
	for i := 1; i < len(groups); i++ { // each group begins with its first beam
		if err := p.copy(i*o.Beam.Width, 0); err != nil {
			return nil, err
		}
	}
	logits := slices.Repeat([][]float32{first}, width)
	for {
		parents, tokens, more, err := advance(groups, logits, diversity)
		if err != nil {
			return nil, err
		}
		if !more {
			return gather(groups), nil
		}
		if err := p.arrange(parents); err != nil {
			return nil, err
		}
		if logits, err = decode(ctx, m, p, tokens); err != nil {
			return nil, err
		}
	}
}

// advance extends the beams of all groups by one token, each group knowing the
// tokens of those before.
func advance(groups []*group, logits [][]float32, d *sample.Diversity) (parents []int, tokens []int32, more bool, err error) {
	d.Tokens = d.Tokens[:0]
	length := 0
	for i, g := range groups {
		n := g.options.Beam.Width
		if err := g.extend(logits[i*n : (i+1)*n]); err != nil {
			return nil, nil, false, err
		}
		for _, h := range g.running {
			id := h.tokens[len(h.tokens)-1]
			parents, tokens = append(parents, i*n+h.beams[len(h.beams)-1]), append(tokens, id)
			d.Tokens = append(d.Tokens, id)
			length = len(h.tokens) - g.prompt
		}
		more = more || !g.done
	}
	return parents, tokens, more && length < groups[0].most, nil
}

// extend extends the beams of one group. A group that is done goes on with token
// 0 at score 0, as transformers pads it, which counts for the diversity of the
// groups behind it.
func (g *group) extend(logits [][]float32) error {
	if g.done {
		for i, h := range g.running {
			g.running[i] = h.extend(0, 0, 0)
		}
		return nil
	}
	best, err := g.continuations(logits)
	if err != nil {
		return err
	}
	if len(best) < g.options.Beam.Width {
		return sample.ErrLogits
	}
	length := len(best[0].tokens) - g.prompt
	var running []hypothesis
	for rank, h := range best {
		if slices.Contains(g.options.EOS, h.tokens[len(h.tokens)-1]) {
			if rank < g.options.Beam.Width && g.says(h.tokens[:len(h.tokens)-1]) {
				g.add(h, length)
			}
			continue
		}
		if running = append(running, h); len(running) == g.options.Beam.Width {
			break
		}
	}
	if len(running) < g.options.Beam.Width {
		return sample.ErrLogits
	}
	if g.forced != nil {
		if running, err = g.forced.choose(g.running, running, g.scores); err != nil {
			return err
		}
	}
	g.running = running
	g.done = g.full(best[0].score, length)
	return nil
}

// add lets a hypothesis of the given length compete with the finished ones.
func (g *group) add(h hypothesis, length int) {
	h.score /= math.Pow(float64(length), g.options.Beam.LengthPenalty)
	n := g.options.Beam.Width
	if len(g.complete) >= n && h.score <= g.worst {
		return
	}
	g.complete = append(g.complete, h)
	if len(g.complete) <= n {
		g.worst = min(g.worst, h.score)
		return
	}
	least := 0
	for i, c := range g.complete {
		if c.score < g.complete[least].score {
			least = i
		}
	}
	g.complete = slices.Delete(g.complete, least, least+1)
	g.worst = math.Inf(1)
	for _, c := range g.complete {
		g.worst = min(g.worst, c.score)
	}
}

// says reports whether a sequence says all words that it has to.
func (g *group) says(tokens []int32) bool {
	if g.forced == nil {
		return true
	}
	p := g.forced.after(tokens)
	return p.complete()
}

// addOpen lets the open hypotheses compete: those that say the forced words, and
// the others if those are fewer than what is asked for.
func (g *group) addOpen() {
	var others []hypothesis
	for _, h := range g.running {
		if g.says(h.tokens) {
			g.add(h, len(h.tokens)-g.prompt)
		} else {
			others = append(others, h)
		}
	}
	if len(g.running)-len(others) >= max(g.options.Return, 1) {
		return
	}
	for _, h := range others {
		g.add(h, len(h.tokens)-g.prompt)
	}
}

// full reports whether no open hypothesis can become one of the best.
func (g *group) full(best float64, length int) bool {
	b := g.options.Beam
	switch {
	case len(g.complete) < b.Width:
		return false
	case b.Early == StopWhenFull:
		return true
	case b.Early == StopNever && b.LengthPenalty > 0:
		length = g.most
	}
	return g.worst >= best/math.Pow(float64(length), b.LengthPenalty)
}

// gather returns the best sequences of all groups.
func gather(groups []*group) []Sequence {
	var all []Sequence
	for _, g := range groups {
		if !g.done {
			g.addOpen()
		}
		for _, h := range g.complete {
			all = append(all, g.sequence(h, len(h.beams)))
		}
	}
	slices.Reverse(all) // of equal scores the last comes first
	sort.SliceStable(all, func(i, j int) bool { return all[i].Score > all[j].Score })
	return all[:min(max(groups[0].options.Return, 1), len(all))]
}
