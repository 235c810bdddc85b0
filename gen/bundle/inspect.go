package bundle

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/weights"
)

// Tensor is one packed tensor: where it comes from and where it goes.
type Tensor struct {
	Name    string   `json:"name"`
	Sources []Stored `json:"sources"`
	Region  string   `json:"region"`
	Layout  string   `json:"layout"`
	Rows    int      `json:"rows"`
	Cols    int      `json:"cols"`
	Offset  int64    `json:"offset"`
	Bytes   int64    `json:"bytes"`
	Note    string   `json:"note,omitempty"` // what happens to the values on the way
}

// Stored is a tensor of the checkpoint.
type Stored struct {
	Name   string `json:"name"`
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"`
}

// Report is what is known of a model before a weight is read.
type Report struct {
	Architecture string   `json:"architecture"`
	Class        string   `json:"class"`
	Task         string   `json:"task"`
	Spec         string   `json:"spec"`
	Parameters   int64    `json:"parameters"`
	Layers       int      `json:"layers"`
	Vocabulary   int      `json:"vocabulary"`
	Format       string   `json:"weights"`
	Memory       Memory   `json:"memory"`
	States       []State  `json:"states"`
	Largest      string   `json:"largest_layer"`
	LargestBytes int64    `json:"largest_layer_bytes"`
	Tensors      []Tensor `json:"tensors"`
	Ignored      []string `json:"ignored"`
}

// Peak is the memory of the model with one session and the given number of workers: weights, activations, scratch, state and
// the tokenizer. What a process has beside it, the program and Go's heap, takes less than 16 MiB (tests/memory).
func (m Memory) Peak(workers int) int64 {
	return m.Weights + m.Activations + int64(workers)*m.Worker + m.Session + m.Tokenizer
}

// Report describes the model.
func (b *Bundle) Report() Report {
	g, r := b.Plan.Graph, b.Result
	out := Report{Architecture: r.Spec.Arch, Class: r.Class, Task: r.Task, Spec: r.Spec.File, Parameters: b.Parameters(),
		Vocabulary: g.Vocab, Format: b.Options.Weights, Memory: b.Memory(), States: b.States(), Ignored: r.Ignored}
	region := map[*weights.Packed]*ir.Region{}
	for _, o := range g.Ops {
		for _, w := range o.Weights {
			if p := b.place[w]; p != nil && region[p] == nil {
				region[p] = o.Region
			}
		}
	}
	bytes := map[*ir.Region]int64{}
	for _, p := range b.Packed {
		if region[p] == nil {
			continue // the tokenizer
		}
		bytes[region[p]] += p.Bytes()
		t := Tensor{Name: p.Name, Region: region[p].Name, Layout: p.Layout, Rows: p.Rows, Cols: p.Cols, Offset: p.Offset, Bytes: p.Bytes()}
		for _, name := range p.Sources {
			if s, ok := b.Source.Tensor(name); ok {
				t.Sources = append(t.Sources, Stored{s.Name, s.DType.String(), s.Shape, s.File, s.Offset, s.Size})
				if weights.Expanded(s.DType, p.Layout) {
					t.Note = fmt.Sprintf("%s has no kernel of its own: its values are rounded to %s", s.DType, p.Layout)
				}
			}
		}
		out.Tensors = append(out.Tensors, t)
	}
	for _, r := range g.Regions {
		if r.Kind != ir.Layer {
			continue
		}
		out.Layers++
		if bytes[r] > out.LargestBytes {
			out.Largest, out.LargestBytes = r.Name, bytes[r]
		}
	}
	return out
}
