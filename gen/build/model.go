package build

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/config"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/spec"
)

// Result is a checkpoint compiled to a graph, with what its users need to know.
type Result struct {
	Graph   *ir.Graph
	Spec    *spec.Spec
	Class   string         // the head, e.g. "LlamaForCausalLM"
	Task    string         // causal-lm, masked-lm, text-classification, …
	Values  *config.Values // the configuration by our names
	Context int            // longest sequence
	BOS     []int          // token ids; empty where the model has none
	EOS     []int
	PAD     []int
	Start   []int    // of an encoder–decoder: what every text of the decoder begins with
	Labels  []string // of classes, in order; nil where the model has none
	Ignored []string // stored tensors that a rule of the specification ignores
}

// Model finds the specification for a checkpoint and builds its graph.
func Model(src Source) (*Result, error) {
	s, err := Find(src)
	if err != nil {
		return nil, err
	}
	return ModelWith(s, src)
}

// ModelWith builds the graph of a checkpoint by a given specification.
func ModelWith(s *spec.Spec, src Source) (*Result, error) {
	if src.Metadata() != nil {
		return fromGGUF(s, src)
	}
	return fromDirectory(s, src)
}

// plan is what the two kinds of checkpoints lead to: everything that expansion needs.
type plan struct {
	spec    *spec.Spec
	head    *spec.Head
	values  *config.Values
	store   *store
	ignores []*spec.Ignore
}

// model expands the plan.
func (p *plan) model() (*Result, error) {
	p.values.Map["task"] = p.head.Task
	p.store.env = &spec.Env{Vars: p.values.Map}
	x := &expander{
		graph:  &ir.Graph{Name: p.spec.Arch, Vocab: p.values.Int("vocab"), MaxPos: p.values.Int("max_pos")},
		store:  p.store,
		shared: map[string]*ir.Op{}, renamed: map[string]*ir.Value{}, seen: map[*ir.Weight]bool{},
	}
	if err := x.regions(p); err != nil {
		return nil, err
	}
	dropState(x.graph)
	ignored, err := p.store.finish(p.ignores)
	if err != nil {
		return nil, err
	}
	for _, o := range x.graph.Ops {
		if err := op.Check(o); err != nil {
			return nil, err
		}
	}
	return p.describe(x.graph, ignored), nil
}

// dropState takes the memory of steps from a model none of whose outputs belong to selected rows: it judges whole
// sequences, in one pass.
func dropState(g *ir.Graph) {
	for _, o := range g.Outputs {
		if o.Value.Type.Rows == ir.Selected {
			return
		}
	}
	g.States = nil
	for _, o := range g.Ops {
		o.State = nil
	}
}

func (p *plan) describe(g *ir.Graph, ignored []string) *Result {
	v := p.values
	m := &Result{Graph: g, Spec: p.spec, Class: p.head.Class, Task: p.head.Task, Values: v, Ignored: ignored,
		BOS: v.IDs("bos"), EOS: v.IDs("eos"), PAD: v.IDs("pad"), Start: v.IDs("start"), Context: v.Int("max_pos")}
	if c := v.Int("context"); c > 0 {
		m.Context = min(m.Context, c)
	}
	if names, ok := v.Map["label_names"].(map[string]any); ok && m.Task != "causal-lm" {
		for i := range len(names) {
			s, _ := names[fmt.Sprint(i)].(string)
			m.Labels = append(m.Labels, s)
		}
	}
	return m
}

// let computes the names that a block gives to expressions.
func (x *expander) let(f *frame, outer map[string]any, b *spec.Blocks) error {
	f.vars = make(map[string]any, len(outer)+len(b.Let))
	for k, v := range outer {
		f.vars[k] = v
	}
	for _, l := range b.Let {
		v, err := l.Value.Eval(x.env(f))
		if err != nil {
			return err
		}
		f.vars[l.Name] = v
	}
	return nil
}

// Find picks the built-in specification of a checkpoint: by general.architecture of a GGUF file, by model_type of
// config.json, or by its class where there is no model_type.
func Find(src Source) (*spec.Spec, error) {
	all, err := spec.List()
	if err != nil {
		return nil, err
	}
	if meta := src.Metadata(); meta != nil {
		return findGGUF(all, meta)
	}
	kind, _ := src.Config()["model_type"].(string)
	classes := classesOf(src.Config())
	var known []string
	var first *spec.Spec // of the model type; one with the class comes before it
	for _, s := range all {
		known = append(known, s.ModelTypes...)
		typed, named := slices.Contains(s.ModelTypes, kind), false
		if len(classes) > 0 {
			_, err := s.Head(classes[0])
			named = err == nil
		}
		if named && (typed || kind == "") {
			return s, nil
		}
		if typed && first == nil {
			first = s
		}
	}
	if first != nil {
		return first, nil
	}
	if kind == "" {
		return nil, fmt.Errorf("config.json has no model_type, and architectures (%s) names no known class; known model types are %s", strings.Join(classes, ", "), strings.Join(known, ", "))
	}
	return nil, fmt.Errorf("config.json: no specification is for model_type %q; known ones are %s%s", kind, strings.Join(known, ", "), spec.Suggest(kind, known))
}

func classesOf(cfg map[string]any) []string {
	items, _ := cfg["architectures"].([]any)
	var out []string
	for _, x := range items {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
