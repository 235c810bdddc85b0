// Package op is the table of primitive operations. One row defines an operation for the whole compiler: its inputs,
// weights, attributes and state, the rule that gives its result types, and a reference in float64 that is the oracle
// of every backend.
package op

import (
	"fmt"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// Row is one operation of the table.
type Row struct {
	Kind    string
	Doc     string   // formula and shapes, one line
	In      []string // names of the inputs; "?" behind a name makes it optional
	Weights []Role
	Attrs   []Attr
	State   string             // kind of state the operation may own, "" for none
	Size    func(o *ir.Op) int // elements of a state that does not grow with the sequence; nil: it grows
	Each    func(o *ir.Op) int // elements that a growing state keeps of a token; nil: its attributes say
	Infer   func(o *ir.Op) ([]ir.Type, error)
	Ref     func(x *Exec, o *ir.Op) error
	Decides bool // compares its input: the product that makes it is not quantised unasked
	Pure    bool // depends on its inputs and attributes only, so that equal ones may be shared
}

// Role is a place for a weight.
type Role struct {
	Name     string // "w", "b"
	Suffix   string // what is put behind the name in a specification: ".weight", ".bias"
	Optional bool
	Shape    func(o *ir.Op) []int // the shape it must have
	Use      Use
	Groups   string // attribute that counts groups of rows, each packed as a matrix of its own: experts, heads
}

// Use says how an operation reads a weight, which decides about its format and layout.
type Use uint8

// Uses of weights.
const (
	Parameter Use = iota // element by element, always float32: norms, biases, decays
	Product              // the matrix of a product
	Table                // rows that are looked up
	Tiled                // element by element for 16 rows at a time, always float32
)

// Attr is one attribute of an operation.
type Attr struct {
	Name    string
	Kind    string // int | float | string | bool | map | floats
	Default any    // nil: required
	Enum    []string
	Doc     string
}

// Lookup returns the row of an operation.
func Lookup(kind string) (*Row, bool) {
	r, ok := index[kind]
	return r, ok
}

// Kinds returns the names of all operations in order.
func Kinds() []string {
	kinds := make([]string, 0, len(index))
	for k := range index {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	return kinds
}

var index = map[string]*Row{}

func init() {
	for _, rows := range [][]Row{table, expertTable, recurrentTable, latentTable, efficientTable} {
		for i := range rows {
			index[rows[i].Kind] = &rows[i]
		}
	}
}

// Check verifies an operation against its row: number of inputs and weights, attributes and their types, weight shapes,
// and result types.
func Check(o *ir.Op) error {
	r, ok := Lookup(o.Kind)
	if !ok {
		return fmt.Errorf("%s: no operation is called %q; there are %s", o.Pos, o.Kind, strings.Join(Kinds(), ", "))
	}
	if err := checkArity(r, o); err != nil {
		return err
	}
	if err := checkAttrs(r, o); err != nil {
		return err
	}
	types, err := r.Infer(o)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", o.Pos, o.Kind, err)
	}
	if err := checkWeights(r, o); err != nil {
		return err
	}
	if len(o.Out) != len(types) {
		return fmt.Errorf("%s: %s has %d results, expected %d", o.Pos, o.Kind, len(o.Out), len(types))
	}
	for i, t := range types {
		if !o.Out[i].Type.Equal(t) {
			return fmt.Errorf("%s: %s: result %d is %s, expected %s", o.Pos, o.Kind, i, o.Out[i].Type, t)
		}
	}
	return nil
}

// Infer returns the result types of an operation whose inputs, weights and attributes are set.
func Infer(o *ir.Op) ([]ir.Type, error) {
	r, ok := Lookup(o.Kind)
	if !ok {
		return nil, fmt.Errorf("no operation is called %q", o.Kind)
	}
	if err := checkArity(r, o); err != nil {
		return nil, err
	}
	if err := checkAttrs(r, o); err != nil {
		return nil, err
	}
	return r.Infer(o)
}

func checkArity(r *Row, o *ir.Op) error {
	least := 0
	for _, name := range r.In {
		if !strings.HasSuffix(name, "?") {
			least++
		}
	}
	if len(o.In) < least || len(o.In) > len(r.In) {
		return fmt.Errorf("%s: %s takes %s, found %d inputs", o.Pos, o.Kind, strings.Join(r.In, ", "), len(o.In))
	}
	for i, v := range o.In {
		if v == nil {
			return fmt.Errorf("%s: %s: input %s is missing", o.Pos, o.Kind, r.In[i])
		}
	}
	if len(o.Weights) != len(r.Weights) {
		return fmt.Errorf("%s: %s has %d weights, expected %d", o.Pos, o.Kind, len(o.Weights), len(r.Weights))
	}
	return nil
}

func checkWeights(r *Row, o *ir.Op) error {
	for i, role := range r.Weights {
		w := o.Weights[i]
		if w == nil {
			if !role.Optional {
				return fmt.Errorf("%s: %s needs the weight %q", o.Pos, o.Kind, role.Name)
			}
			continue
		}
		if want := role.Shape(o); !equalInts(w.Shape, want) {
			return fmt.Errorf("%s: %s: weight %s has shape %v, expected %v", o.Pos, o.Kind, w.Name, w.Shape, want)
		}
	}
	return nil
}

func checkAttrs(r *Row, o *ir.Op) error {
	for _, key := range o.Attrs.Keys() {
		a := r.attr(key)
		if a == nil {
			return fmt.Errorf("%s: %s has no attribute %q; it has %s", o.Pos, o.Kind, key, r.attrNames())
		}
		if err := a.check(o.Attrs[key]); err != nil {
			return fmt.Errorf("%s: %s: %w", o.Pos, o.Kind, err)
		}
	}
	for _, a := range r.Attrs {
		if _, ok := o.Attrs[a.Name]; !ok && a.Default == nil {
			return fmt.Errorf("%s: %s: attribute %q is missing", o.Pos, o.Kind, a.Name)
		}
	}
	return nil
}

// Attr returns the attribute of this name, or nil.
func (r *Row) attr(name string) *Attr {
	for i := range r.Attrs {
		if r.Attrs[i].Name == name {
			return &r.Attrs[i]
		}
	}
	return nil
}

func (r *Row) attrNames() string {
	var names []string
	for _, a := range r.Attrs {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}

func (a *Attr) check(v any) error {
	ok := false
	switch a.Kind {
	case "int":
		_, ok = v.(int)
	case "float":
		switch v.(type) {
		case float64, int:
			ok = true
		}
	case "string":
		_, ok = v.(string)
	case "bool":
		_, ok = v.(bool)
	case "map":
		_, ok = v.(map[string]any)
	case "floats":
		_, ok = v.([]float64)
	}
	if !ok {
		return fmt.Errorf("attribute %s is %v (%T), expected %s", a.Name, v, v, a.Kind)
	}
	if len(a.Enum) > 0 {
		s, _ := v.(string)
		for _, e := range a.Enum {
			if e == s {
				return nil
			}
		}
		return fmt.Errorf("attribute %s is %q, expected one of %s", a.Name, s, strings.Join(a.Enum, ", "))
	}
	return nil
}

func equalInts(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
