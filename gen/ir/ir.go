// Package ir is the typed graph that every stage of the compiler reads and rewrites.
//
// A Graph is a list of operations in execution order over SSA values. Values are matrices: a number of rows that is
// known only when the model runs (Rows) times a row shape that is literal (Dims). Operations belong to regions
// (the embedding, one region a layer, the head), from which the emitters make functions.
package ir

import (
	"fmt"
	"sort"
	"strings"
)

// DType is the element type of a value.
type DType uint8

// Element types of values. Weights have their own formats, chosen when they are packed.
const (
	F32 DType = iota
	I32
	Q8 // quantised to 8 bits in blocks of 32 columns: what products with quantised weights read (runtime/quant)
	I8 // quantised to 8 bits, a scale a row: what products with weights of one scale a row read
)

// String returns "f32", "i32", "q8" or "i8".
func (d DType) String() string { return [...]string{"f32", "i32", "q8", "i8"}[d] }

// Rows says what the rows of a value stand for.
type Rows uint8

// Row spaces. A run computes Tokens rows; the head computes Selected rows out of them (those whose logits are
// wanted); pooled outputs have one row for each of the run's Sequences. Where a decoder reads what an encoder made of
// another sequence, that sequence's tokens are Source rows, computed in a pass of their own.
const (
	Tokens Rows = iota
	Selected
	Sequences
	Source
)

// String returns the letter used in dumps: N tokens, M selected rows, S sequences, E rows of the encoder.
func (r Rows) String() string { return [...]string{"N", "M", "S", "E"}[r] }

// Type is the type of a value: element type, row space, and the literal shape of one row.
type Type struct {
	DType DType
	Rows  Rows
	Dims  []int
}

// Width is the number of elements in one row.
func (t Type) Width() int {
	w := 1
	for _, d := range t.Dims {
		w *= d
	}
	return w
}

// String formats the type as in "f32[N, 640]".
func (t Type) String() string {
	parts := []string{t.Rows.String()}
	for _, d := range t.Dims {
		parts = append(parts, fmt.Sprint(d))
	}
	return fmt.Sprintf("%s[%s]", t.DType, strings.Join(parts, ", "))
}

// Equal reports whether two types are the same.
func (t Type) Equal(u Type) bool {
	if t.DType != u.DType || t.Rows != u.Rows || len(t.Dims) != len(u.Dims) {
		return false
	}
	for i := range t.Dims {
		if t.Dims[i] != u.Dims[i] {
			return false
		}
	}
	return true
}

// Pos is a place in a specification: the file and its line.
type Pos struct {
	File string
	Line int
}

// String formats the place as "file:line".
func (p Pos) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Value is the result of one operation, or an input of the graph (Def is nil).
type Value struct {
	ID   int
	Name string // a name for readers; not unique
	Type Type
	Def  *Op
}

// String formats the value as "%12".
func (v *Value) String() string { return fmt.Sprintf("%%%d", v.ID) }

// Op is one operation: a row of the op table (Kind) applied to values, weights and state.
type Op struct {
	Kind    string
	In      []*Value
	Weights []*Weight // in the order of the table row's roles; nil where an optional one is absent
	Out     []*Value
	Attrs   Attrs
	State   *State
	Region  *Region
	Pos     Pos
}

// Attrs are an operation's literal attributes: int, float64, bool, string, []int, []float64 or map[string]any.
type Attrs map[string]any

// Int returns an integer attribute, 0 if absent.
func (a Attrs) Int(key string) int { v, _ := a[key].(int); return v }

// Float returns a number, 0 if absent.
func (a Attrs) Float(key string) float64 {
	switch v := a[key].(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}

// Str returns a string attribute, "" if absent.
func (a Attrs) Str(key string) string { v, _ := a[key].(string); return v }

// Bool returns a boolean attribute, false if absent.
func (a Attrs) Bool(key string) bool { v, _ := a[key].(bool); return v }

// Keys returns the attribute names in order.
func (a Attrs) Keys() []string {
	keys := make([]string, 0, len(a))
	for k := range a {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// String formats the attributes in the order of their names; 0, false and what is empty is left out.
func (a Attrs) String() string {
	parts := make([]string, 0, len(a))
	for _, k := range a.Keys() {
		switch v := a[k].(type) {
		case map[string]any:
			if len(v) == 0 {
				continue
			}
		case int, float64, bool, string:
			if v == 0 || v == 0.0 || v == false || v == "" {
				continue
			}
		}
		parts = append(parts, fmt.Sprintf("%s: %v", k, a[k]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// RegionKind distinguishes the parts of a model.
type RegionKind uint8

// Kinds of regions.
const (
	Embed  RegionKind = iota // from inputs to what the first block receives
	Layer                    // one block
	Head                     // what follows the last block
	Bridge                   // from the encoder's last block to what the decoder reads
)

// Region is a named part of the model that becomes one function in generated code.
type Region struct {
	Kind   RegionKind
	Tower  string // "encoder" for the first part of an encoder–decoder, "" otherwise
	Name   string // "embed", "layer03", "head", "pooler", …
	Index  int    // of a layer, from 0
	Result *Value // what a layer (or the embedding) hands on; the golden hidden state
	Pos    Pos
}

// Weight is one parameter matrix or vector as the model uses it. Its value is made from checkpoint tensors when
// weights are packed: the parts one below another, each after its steps.
type Weight struct {
	Name  string // canonical name, e.g. "model.layers.0.self_attn.q_proj.weight"
	Shape []int  // [rows, columns] of a matrix, row-major as in PyTorch ([out, in]), or [length]
	Parts []Part
	Pos   Pos
	// Format is how a matrix is stored: f32, bf16, f16 or a format of runtime/quant. It is chosen before the passes,
	// which join only weights of one format. Empty is f32.
	Format string
}

// Part is a checkpoint tensor (or rows of it) with weight-only arithmetic.
type Part struct {
	Tensor string
	Steps  []Step
	Zeros  int     // rows of Fill instead of a tensor: an absent bias in a fused projection, a norm without weights
	Fill   float64 // value of these rows
}

// Step is one weight-only operation on a part, applied in order.
type Step struct {
	Kind string  // transpose | rows | take | add | mul | exp | softplus | unpermute | squeeze | flatten | reshape | linear | layernorm | sin | window | state_space
	From int     // rows: first row; take: first row of each period; reshape: rows
	To   int     // rows, take: one past the last row; reshape: columns
	N    int     // unpermute: number of heads; take: rows of a period; linear: outputs
	C    float64 // add, mul: the constant; layernorm: eps; window: shift
	W, B string  // linear, layernorm, sin, window: tensors of the weight and of the bias, "" for none

	System *System // state_space
}

// System is a linear system of one input and one output for each of H channels, as state-space models parametrise it: the
// tensors that stand beside the diagonal's real part, and what makes them numbers. Names of tensors are "" where there is none.
type System struct {
	Step     string // [H, 1] or [H, N]: the time step Δ, before its transform
	Imag     string // [S, N]: imaginary parts of the diagonal, before their transform and sign; channel h has those of row h mod S
	B, C     string // [1, S, N, 2] and [1, H, N, 2]: complex inputs (absent: 1) and outputs
	Low      string // [R, S, N, 2]: p of the low-rank part -p p*
	Length   string // the length L that C was multiplied for, by 1 - A^L; absent or 0: it was not
	Rule     string // zoh | bilinear: how time is made discrete
	OfStep   string // transforms: exp | softplus | relu | sigmoid | none
	OfReal   string
	OfImag   string
	Sign     float64 // of the imaginary parts
	Channels int     // H
	Size     int     // N: half the true size, conjugates are left out
	Rank     int     // R
}

// Rows is the number of rows that describe a channel: poles and outputs, and with a low rank inputs and two vectors for each rank.
func (s *System) Rows() int {
	if s.Rank == 0 {
		return 2
	}
	return 3 + 2*s.Rank
}

// Tensors are the other tensors of the system.
func (s *System) Tensors() []string { return []string{s.Step, s.Imag, s.B, s.C, s.Low, s.Length} }

// Elements is the number of elements of the weight.
func (w *Weight) Elements() int {
	n := 1
	for _, d := range w.Shape {
		n *= d
	}
	return n
}

// State is memory that lives from one step of a sequence to the next.
type State struct {
	Name  string // "kv03"
	Kind  string // a row of the op table's state kinds: "kv"; "cross" for keys and values of the encoder's rows
	Attrs Attrs  // kv: kv_heads, head_dim, window
}

// Output is a named result of the model.
type Output struct {
	Name  string // logits, final, pooled, embedding, start_logits, …
	Value *Value
}

// Graph is one model.
type Graph struct {
	Name    string // architecture, as in the specification
	Inputs  []*Value
	Ops     []*Op
	Regions []*Region
	Weights []*Weight
	States  []*State
	Outputs []Output
	Vocab   int // tokens in the vocabulary
	MaxPos  int // longest context the model was made for
	Shift   int // what stands before the tokens in the input shifted_tokens: an id, or -1 for the sequence's last token
	nextID  int
}

// NewValue makes a value that belongs to the graph.
func (g *Graph) NewValue(name string, t Type) *Value {
	v := &Value{ID: g.nextID, Name: name, Type: t}
	g.nextID++
	return v
}

// Input returns the graph's input of this name, or nil.
func (g *Graph) Input(name string) *Value {
	for _, v := range g.Inputs {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// Output returns the graph's output of this name, or nil.
func (g *Graph) Output(name string) *Value {
	for _, o := range g.Outputs {
		if o.Name == name {
			return o.Value
		}
	}
	return nil
}

// Towers reports whether the graph has an encoder in front of its decoder.
func (g *Graph) Towers() bool { return len(g.Regions) > 0 && g.Regions[0].Tower != "" }

// Uses counts the uses of every value by operations, region results and outputs.
func (g *Graph) Uses() map[*Value]int {
	uses := map[*Value]int{}
	for _, op := range g.Ops {
		for _, v := range op.In {
			uses[v]++
		}
	}
	for _, r := range g.Regions {
		if r.Result != nil {
			uses[r.Result]++
		}
	}
	for _, o := range g.Outputs {
		uses[o.Value]++
	}
	return uses
}

// Replace makes every user of old use new instead.
func (g *Graph) Replace(old, new *Value) {
	for _, op := range g.Ops {
		for i, v := range op.In {
			if v == old {
				op.In[i] = new
			}
		}
	}
	for _, r := range g.Regions {
		if r.Result == old {
			r.Result = new
		}
	}
	for i := range g.Outputs {
		if g.Outputs[i].Value == old {
			g.Outputs[i].Value = new
		}
	}
}

// RegionOps returns the operations of one region in order.
func (g *Graph) RegionOps(r *Region) []*Op {
	var ops []*Op
	for _, op := range g.Ops {
		if op.Region == r {
			ops = append(ops, op)
		}
	}
	return ops
}
