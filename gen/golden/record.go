package golden

import (
	"encoding/gob"
	"fmt"
	"os"
)

// A recording holds expected values that a case does not come with.
type recording struct {
	Share    float64
	Expected map[string]*Array
}

// Record returns the case with the values that a runner computes for its outputs and steps, and without continuations.
// Results may be off by share of the largest value where that is more than the case's own tolerance.
func (c *Case) Record(r Runner, share float64) (*Case, error) {
	rec := recording{share, map[string]*Array{}}
	for i := range c.Inputs {
		in := &c.Inputs[i]
		err := c.recordOutputs(in, r, rec.Expected)
		if err == nil {
			err = c.recordSteps(in, r, rec.Expected)
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", c.Name, in.Name, err)
		}
	}
	return c.with(rec), nil
}

// with returns the case with recorded values instead of its own.
func (c *Case) with(rec recording) *Case {
	own := *c
	own.expected, own.share = rec.Expected, rec.Share
	return &own
}

// recordOutputs computes all outputs for an input.
func (c *Case) recordOutputs(in *Input, r Runner, expected map[string]*Array) error {
	segments := in.Segments()
	result, err := r.Full(segments)
	if err != nil {
		return err
	}
	for _, name := range c.Outputs(in.Name) {
		a, _ := c.Expected(in.Name, name)
		a = &Array{Shape: a.Shape, Data: make([]float32, len(a.Data))}
		m := result.output(name)
		rows, err := a.rows(name, m, segments, 0)
		if err != nil {
			return err
		}
		for i, row := range rows {
			copy(row, m.Row(i))
		}
		expected[in.Name+"/"+name] = a
	}
	return nil
}

// recordSteps computes the logits of decoding, if the case has them.
func (c *Case) recordSteps(in *Input, r Runner, expected map[string]*Array) error {
	a, ok := c.Expected(in.Name, "decode/logits")
	if !ok {
		return nil
	}
	all := &Array{Shape: a.Shape}
	for row := range a.Shape[0] {
		m, err := in.steps(row, r, a.Shape[1], a.Shape[2])
		if err != nil {
			return err
		}
		all.Data = append(all.Data, m.Data...)
	}
	expected[in.Name+"/decode/logits"] = all
	return nil
}

// WriteRecorded writes what Record computed to a file.
func (c *Case) WriteRecorded(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := gob.NewEncoder(f).Encode(recording{c.share, c.expected}); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// ReadRecorded returns the case with the values of a file that WriteRecorded wrote.
func (c *Case) ReadRecorded(path string) (*Case, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rec recording
	if err := gob.NewDecoder(f).Decode(&rec); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c.with(rec), nil
}
