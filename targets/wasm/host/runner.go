package host

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/op"
)

// StateBytes is the room for the states of sequences with these lengths.
func StateBytes(d *wasmemit.Description, lengths ...int) (total int64) {
	for _, n := range lengths {
		total += int64(len(d.States)+1) * wasmemit.StateEntry
		for _, s := range d.States {
			total += int64(blocks(s, n))*int64(s.Key+s.Value) + 128
		}
		total += 64
	}
	return total
}

func blocks(s wasmemit.State, length int) int {
	n := (length + 63) / 64
	if s.Ring > 0 {
		n = min(n, s.Ring)
	}
	return n
}

// sequence is a sequence with its state.
type sequence struct {
	table  int64 // address of its state table
	length int   // tokens in it
}

// sequences makes empty sequences of the given lengths; earlier ones are gone.
func (m *Model) sequences(lengths ...int) ([]*sequence, error) {
	at, end := m.heap, m.heap+m.room
	take := func(bytes int64) int64 {
		from := (at + 63) &^ 63
		at = from + bytes
		return from
	}
	var list []*sequence
	for _, n := range lengths {
		s := &sequence{table: take(int64(len(m.States)+1) * wasmemit.StateEntry)}
		var table []int32
		for _, state := range m.States {
			b := blocks(state, n)
			table = append(table, int32(take(int64(b*state.Key))), int32(take(int64(b*state.Value))), int32(b*64))
		}
		if at > end {
			return nil, errors.New("the states of the sequences do not fit the memory")
		}
		m.putInts(s.table, table)
		list = append(list, s)
	}
	return list, nil
}

// part is what one sequence has in a pass: its next tokens.
type part struct {
	*sequence
	tokens, types, global []int32
	total                 int
}

// pass runs the layers for the next tokens of some sequences, and appends hidden states to rows.
func (m *Model) pass(parts []part, rows golden.Result) error {
	var tokens, types, global, positions, totals, segments []int32
	for _, p := range parts {
		segments = append(segments, int32(len(tokens)), int32(len(p.tokens)), int32(p.length), int32(p.table))
		tokens = append(tokens, p.tokens...)
		for i := range p.tokens {
			positions, totals = append(positions, int32(p.length+i)), append(totals, int32(p.total))
		}
		if p.types == nil {
			p.types = make([]int32, len(p.tokens))
		}
		types = append(types, p.types...)
		if p.global == nil {
			p.global = slices.Repeat([]int32{-1}, len(p.tokens))
		}
		global = append(global, p.global...)
		p.length += len(p.tokens)
	}
	for _, in := range []struct {
		at     int64
		values []int32
	}{{m.Memory.Tokens, tokens}, {m.Memory.Types, types}, {m.Memory.Positions, positions}, {m.Memory.Totals, totals}, {m.Memory.Segments, segments}} {
		m.putInts(in.at, in.values)
	}
	if m.Memory.Global > 0 {
		m.putInts(m.Memory.Global, global)
	}
	m.putInts(m.Memory.Counts, []int32{int32(len(tokens)), 0, int32(len(parts)), 0})
	if err := m.call("layers"); err != nil {
		return err
	}
	m.collectAll(rows, m.Hidden, "tokens", len(tokens))
	return nil
}

// encode lets a sequence read a source, and appends the encoder's results to rows.
func (m *Model) encode(s *sequence, source []int32, rows golden.Result) error {
	if !m.Encodes {
		return nil
	}
	n := len(source)
	if n == 0 || n > m.Limits.Source {
		return fmt.Errorf("a source of %d tokens, expected 1 to %d", n, m.Limits.Source)
	}
	positions := make([]int32, n)
	for i := range positions {
		positions[i] = int32(i)
	}
	m.putInts(m.Memory.Tokens, source)
	m.putInts(m.Memory.Positions, positions)
	m.putInts(m.Memory.Segments, []int32{0, int32(n), 0, int32(s.table)})
	m.putInts(s.table+int64(len(m.States))*wasmemit.StateEntry, []int32{int32(n)})
	m.putInts(m.Memory.Counts, []int32{0, 0, 1, int32(n)})
	if err := m.call("encode"); err != nil {
		return err
	}
	s.length = 0
	m.collectAll(rows, m.Hidden, "source", n)
	m.collectAll(rows, m.Outputs, "source", n)
	return nil
}

// collectAll appends n rows of each of the outputs of a kind.
func (m *Model) collectAll(rows golden.Result, outputs []wasmemit.Output, kind string, n int) {
	for _, o := range outputs {
		if o.Rows == kind {
			m.collect(rows, o, n)
		}
	}
}

// head runs the head for rows of the last pass, and appends outputs to rows.
func (m *Model) head(selected []int32, sequences int, rows golden.Result) error {
	for at := 0; at == 0 || at < len(selected); at += m.Limits.Selected {
		part := selected[at:min(at+m.Limits.Selected, len(selected))]
		m.putInts(m.Memory.Selected, part)
		m.putInts(m.Memory.Counts+4, []int32{int32(len(part))})
		if err := m.call("head"); err != nil {
			return err
		}
		for _, o := range m.Outputs {
			switch {
			case o.Rows == "selected":
				m.collect(rows, o, len(part))
			case at == 0 && o.Rows == "sequences":
				m.collect(rows, o, sequences)
			}
		}
	}
	return nil
}

// collect appends n rows of an output.
func (m *Model) collect(rows golden.Result, o wasmemit.Output, n int) {
	to := rows[o.Name]
	if to == nil {
		to = &golden.Matrix{Width: o.Width}
		rows[o.Name] = to
	}
	for i := range n {
		to.Data = append(to.Data, m.row(o, i)...)
		to.Rows++
	}
}

// Full implements golden.Runner: sequences that fit one pass together go in one.
func (m *Model) Full(segments []op.Segment) (golden.Result, error) {
	rows := golden.Result{}
	for len(segments) > 0 {
		n, tokens := 0, 0
		for n < len(segments) && n < m.Limits.Sequences && tokens+len(segments[n].Tokens) <= m.Limits.Tokens {
			tokens += len(segments[n].Tokens)
			n++
		}
		if n == 0 {
			return nil, fmt.Errorf("a sequence of %d tokens, one pass has at most %d", len(segments[0].Tokens), m.Limits.Tokens)
		}
		if err := m.together(segments[:n], tokens, rows); err != nil {
			return nil, err
		}
		segments = segments[n:]
	}
	return rows, nil
}

// together computes sequences in one pass.
func (m *Model) together(segments []op.Segment, tokens int, rows golden.Result) error {
	var lengths []int
	for _, s := range segments {
		lengths = append(lengths, max(len(s.Tokens), len(s.Source)))
	}
	list, err := m.sequences(lengths...)
	if err != nil {
		return err
	}
	var parts []part
	for i, s := range segments {
		if err := m.encode(list[i], s.Source, rows); err != nil {
			return err
		}
		parts = append(parts, part{list[i], s.Tokens, s.Types, s.Global, s.Total})
	}
	if err := m.pass(parts, rows); err != nil {
		return err
	}
	all := make([]int32, tokens)
	for i := range all {
		all[i] = int32(i)
	}
	if err := m.head(all, len(segments), rows); err != nil {
		return err
	}
	m.collectAll(rows, m.Outputs, "tokens", tokens)
	return nil
}

// feed appends tokens to a sequence, in chunks of one pass, and returns the logits behind the last.
func (m *Model) feed(s *sequence, tokens []int32, total int) ([]float32, error) {
	for chunk := range slices.Chunk(tokens, m.Limits.Tokens) {
		if err := m.pass([]part{{s, chunk, nil, nil, total}}, golden.Result{}); err != nil {
			return nil, err
		}
		tokens = chunk
	}
	rows := golden.Result{}
	if err := m.head([]int32{int32(len(tokens) - 1)}, 1, rows); err != nil {
		return nil, err
	}
	if rows["logits"] == nil {
		return nil, errors.New("the model has no logits")
	}
	return rows["logits"].Data, nil
}

// Decode implements golden.Runner.
func (m *Model) Decode(segment op.Segment, prefill int) (logits [][]float32, err error) {
	tokens := segment.Tokens
	list, err := m.sequences(max(len(tokens), len(segment.Source)))
	if err == nil {
		err = m.encode(list[0], segment.Source, golden.Result{})
	}
	if err != nil {
		return nil, err
	}
	if prefill > 0 {
		if _, err := m.feed(list[0], tokens[:prefill], prefill); err != nil {
			return nil, err
		}
	}
	for i := prefill; i < len(tokens); i++ {
		row, err := m.feed(list[0], tokens[i:i+1], i+1)
		if err != nil {
			return nil, err
		}
		logits = append(logits, row)
	}
	return logits, nil
}

// Greedy implements golden.Runner.
func (m *Model) Greedy(tokens []int32, n int) (ids []int32, err error) {
	return m.Translate(nil, tokens, n)
}

// Translate is Greedy behind a source.
func (m *Model) Translate(source, tokens []int32, n int) (ids []int32, err error) {
	list, err := m.sequences(max(len(tokens)+n, len(source)))
	if err == nil {
		err = m.encode(list[0], source, golden.Result{})
	}
	if err != nil {
		return nil, err
	}
	next := tokens
	for len(ids) < n {
		if _, err := m.feed(list[0], next, list[0].length+len(next)); err != nil {
			return nil, err
		}
		id, err := m.ArgMax(0)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
		next = ids[len(ids)-1:]
	}
	return ids, nil
}
