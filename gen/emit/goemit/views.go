package goemit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// view is a named place in the arena. Values of one role share a name wherever they have the same place; values of
// different roles have different names even if the second takes the memory of the first.
type view struct {
	name  string
	base  string // the name before a number made it unique
	at    plan.Place
	width int
	rows  ir.Rows
}

// reserved are identifiers of the generated package that a view may not take.
var reserved = []string{"n", "m", "s", "t", "w", "level", "table", "zeros", "view", "run", "thread", "segment", "weights", "len", "min", "max", "cap", "copy", "clear", "new", "make", "init", "embed", "head"}

// nameViews names the places of all values in the order in which they are first written.
func (e *emitter) nameViews() {
	e.viewOf = map[*ir.Value]*view{}
	used := map[string]bool{}
	for _, r := range append(keys(imports), reserved...) {
		used[r] = true
	}
	for _, s := range e.Plan.Steps {
		for _, v := range s.Op.Out {
			w := e.newView(v, s.Op)
			if known := e.known(w, s); known != nil {
				e.viewOf[v] = known
				continue
			}
			for i := 2; used[w.name]; i++ {
				w.name = fmt.Sprintf("%s%d", w.base, i)
			}
			used[w.name] = true
			e.views = append(e.views, w)
			e.viewOf[v] = w
		}
	}
}

func (e *emitter) newView(v *ir.Value, o *ir.Op) *view {
	base := camel(e.viewName(v, o))
	return &view{name: base, base: base, at: e.Plan.At[v], width: v.Type.Width(), rows: v.Type.Rows}
}

// known returns the view that a value already has: an operand that the operation overwrites, or a place of its role.
func (e *emitter) known(w *view, s plan.Step) *view {
	for _, v := range s.Op.In {
		if in := e.viewOf[v]; in != nil && s.Op.Kind != "slice" && in.same(w) {
			return in
		}
	}
	for _, seen := range e.views {
		if seen.base == w.base && seen.same(w) {
			return seen
		}
	}
	return nil
}

// same reports whether two views are the same matrix in memory.
func (v *view) same(w *view) bool {
	return v.at.Buffer.Offset == w.at.Buffer.Offset && v.at.Buffer.Stride == w.at.Buffer.Stride && v.at.Col == w.at.Col &&
		v.width == w.width && v.rows == w.rows
}

// viewName is the name of a value's place: that of the output it is, its own, or one made from its operation.
func (e *emitter) viewName(v *ir.Value, o *ir.Op) string {
	for _, out := range e.Plan.Graph.Outputs {
		if out.Value == v {
			return out.Name + "_out"
		}
	}
	switch {
	case o.Region.Result == v && o.Region.Kind != ir.Head, o.Kind == "embed":
		return "x" // the residual stream
	case strings.HasSuffix(o.Kind, "rmsnorm") || strings.HasSuffix(o.Kind, "layernorm"):
		return "h"
	case o.Kind == "attend":
		return "attended"
	case o.Kind == "select":
		return "last" // the rows whose logits are wanted
	case strings.Contains(v.Name, "|"):
		return strings.Join(foldSuffix(slices.Compact(strings.Split(v.Name, "|"))), "_")
	case v.Name != "":
		return v.Name
	}
	return o.Kind
}

// ref is the name of a value's place in generated code.
func (e *emitter) ref(v *ir.Value) string { return e.viewOf[v].name }
