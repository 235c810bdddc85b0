package goemit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/gen/ir"
)

// layersPerFile keeps generated files at a size that people open.
const layersPerFile = 8

// layers emits one function for every region. The functions are made twice: the first time to learn which kernels
// there are, the second with the kernels' final names.
func (e *emitter) layers() ([]File, error) {
	if _, err := e.functions(); err != nil {
		return nil, err
	}
	e.kernels = kernel.Distinct(e.kernels)
	e.ops = map[string]string{}
	functions, err := e.functions()
	if err != nil {
		return nil, err
	}
	var files []File
	for at := 0; at < len(functions); at += layersPerFile {
		name := fmt.Sprintf("layers_%03d.go", at/layersPerFile)
		f, err := e.file(name, "", "", functions[at:min(at+layersPerFile, len(functions))]...)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (e *emitter) functions() ([]string, error) {
	var texts []string
	for i, r := range e.Plan.Graph.Regions {
		body, err := e.body(r)
		if err != nil {
			return nil, err
		}
		params := strings.Join(e.spaces(r), ", ")
		if params != "" {
			params += " int"
		}
		texts = append(texts, comment(e.regionDoc(i, r))+fmt.Sprintf("func (t *thread) %s(%s) {\n%s\n}\n", r.Name, params, body))
	}
	return texts, nil
}

// regionDoc is the comment of a region's function.
func (e *emitter) regionDoc(i int, r *ir.Region) string {
	doc := r.Name + " "
	switch r.Kind {
	case ir.Embed:
		doc += "turns tokens into what the first block receives"
	case ir.Layer:
		total := 0
		for _, s := range e.Plan.Graph.Regions {
			if s.Kind == ir.Layer && s.Tower == r.Tower {
				total++
			}
		}
		doc += fmt.Sprintf("is block %d of %d", r.Index+1, total) + pick(r.Tower != "", " of the encoder", "")
	case ir.Bridge:
		doc += "makes of the encoder's rows what the decoder reads"
	case ir.Head:
		doc += "makes the outputs from what the last block returns"
	}
	lines := e.formula(r)
	switch f := strings.Join(lines, "; "); {
	case f == "":
		return doc + "."
	case len(lines) > 1 || len(f) > longFormula:
		return doc + ":\n\n\t" + strings.Join(lines, "\n\t")
	default:
		return doc + ": " + f + "."
	}
}

// spaces are the row counts that a region's function needs.
func (e *emitter) spaces(r *ir.Region) []string {
	used := map[string]bool{}
	for _, o := range e.Plan.Graph.RegionOps(r) {
		for _, v := range slices.Concat(o.In, o.Out) {
			used[count(v.Type.Rows)] = true
		}
	}
	var list []string
	for _, name := range []string{"n", "m", "s"} {
		if used[name] {
			list = append(list, name)
		}
	}
	return list
}

// body emits the statements of a region: one line an operation with its line in the specification and its shape.
func (e *emitter) body(r *ir.Region) (string, error) {
	var b strings.Builder
	f := fence{plan: e.Plan}
	var own bool
	for _, s := range e.Plan.Steps {
		if s.Op.Region != r || s.Op.Kind == "slice" {
			continue
		}
		row, ok := lowerings[s.Op.Kind]
		if !ok {
			return "", fmt.Errorf("%s: the Go backend has no lowering for the operation %s", s.Op.Pos, s.Op.Kind)
		}
		call, err := row.call(e, s)
		if err != nil {
			return "", err
		}
		if f.before(s, row.rowwise) {
			b.WriteString("t.sync()\n")
		}
		own = own || strings.Contains(call, " w.") || strings.Contains(call, ",w.")
		fmt.Fprintf(&b, "%s // %s  %s\n", call, s.Op.Pos, shape(slices.Concat(s.Op.In, s.Op.Out)))
	}
	b.WriteString("t.sync()")
	if e.Trace && r.Result != nil && (r.Kind == ir.Embed || r.Kind == ir.Layer) {
		b.WriteString("\n" + e.traceResult(r))
	}
	text := b.String()
	if own {
		text = fmt.Sprintf("w := &t.run.model.weights.%s\n\n", r.Name) + text
	}
	return text, nil
}

// shape formats the type of a result, the last of an operation's values, for readers.
func shape(values []*ir.Value) string {
	s := strings.Replace(values[len(values)-1].Type.String(), "E", "N", 1)
	return "[" + strings.ToLower(s[strings.Index(s, "[")+1:])
}

func (e *emitter) traceResult(r *ir.Region) string {
	i, tower := 0, ""
	if r.Kind == ir.Layer {
		i = r.Index + 1
	}
	if e.Plan.Graph.Towers() {
		tower = pick(r.Tower != "", "encoder/", "decoder/")
	}
	return fmt.Sprintf("t.trace(\"%shidden/%d\", %s, %d, n)\n", tower, i, e.ref(r.Result), r.Result.Type.Width())
}

// passOf says which pass a region is computed in: the encoder's, that of the layers, or that of the head.
func (e *emitter) passOf(r *ir.Region) string {
	switch {
	case r.Kind == ir.Head:
		return "head"
	case r.Tower != "" && e.Causal:
		return "encoder"
	}
	return "layers"
}

// regionCalls are the calls of all region functions of one pass, for the run's work.
func (e *emitter) regionCalls(pass string) string {
	var b strings.Builder
	for _, r := range e.Plan.Graph.Regions {
		if e.passOf(r) != pass {
			continue
		}
		var args []string
		for _, s := range e.spaces(r) {
			args = append(args, "r."+s)
		}
		fmt.Fprintf(&b, "t.%s(%s)\n", r.Name, strings.Join(args, ", "))
	}
	return b.String()
}

// outputView is the view of a named output, nil if the model has none of this name.
func (e *emitter) outputView(name string) *view {
	if v := e.Plan.Graph.Output(name); v != nil {
		return e.viewOf[v]
	}
	return nil
}
