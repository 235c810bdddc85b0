package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/weights"
)

// weightFile emits weights.go: the struct of all weights, where each lies in the file, and the table of the file.
func (e *emitter) weightFile() ([]File, error) {
	types := map[string]string{} // signature → type name
	var typeTexts, fields, binds []string
	for _, r := range e.Plan.Graph.Regions {
		list := e.regionWeights(r)
		if len(list) == 0 {
			continue
		}
		body := structBody(e, list)
		name, ok := types[body]
		if !ok {
			name = r.Name + "Weights"
			if r.Kind == ir.Layer {
				name = "layerWeights"
				if n := len(typeTexts); n > 0 && hasType(types, name) {
					name = fmt.Sprintf("layerWeights%d", n+1)
				}
			}
			types[body] = name
			typeTexts = append(typeTexts, fmt.Sprintf("// %s are the weights of %s.\ntype %s struct {\n%s}\n", name, regionWord(r), name, body))
		}
		fields = append(fields, r.Name+" "+name)
		binds = append(binds, e.bind(r, name, list))
	}
	texts := []string{
		"// weights are slices of the weights file.\ntype weights struct {\n" + strings.Join(fields, "\n") + "\n}\n",
	}
	texts = append(texts, typeTexts...)
	texts = append(texts, "// bind points the weights to their places in the file.\nfunc (w *weights) bind(f *weightfile.File) {\n"+strings.Join(binds, "\n")+"}\n", e.layoutTable())
	if e.Tables != nil {
		texts = append(texts, e.tokenizerTables())
	}
	f, err := e.file("weights.go", "", "", texts...)
	return []File{f}, err
}

func hasType(types map[string]string, name string) bool {
	for _, n := range types {
		if n == name {
			return true
		}
	}
	return false
}

func regionWord(r *ir.Region) string {
	if r.Kind == ir.Layer {
		return "a block"
	}
	return r.Name
}

// regionWeights are the packed tensors whose fields are in the region's struct, in file order.
func (e *emitter) regionWeights(r *ir.Region) []*weights.Packed {
	var list []*weights.Packed
	for _, p := range e.Packed {
		if e.fields[p].region == r {
			list = append(list, p)
		}
	}
	return list
}

func structBody(e *emitter, list []*weights.Packed) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%s []%s // %s\n", e.fields[p].name, elem(p.Layout), dims(p))
	}
	return b.String()
}

// dims describes a packed tensor: its logical shape and its layout.
func dims(p *weights.Packed) string {
	if p.Cols == 1 && strings.HasPrefix(p.Layout, "vector") {
		return fmt.Sprintf("[%d] %s", p.Rows, p.Layout)
	}
	return fmt.Sprintf("[%d, %d] %s", p.Rows, p.Cols, p.Layout)
}

func (e *emitter) bind(r *ir.Region, typeName string, list []*weights.Packed) string {
	var b strings.Builder
	fmt.Fprintf(&b, "w.%s = %s{\n", r.Name, typeName)
	for _, p := range list {
		get, size := "F32", int64(4)
		switch elem(p.Layout) {
		case "uint16":
			get, size = "U16", 2
		case "uint8":
			get, size = "Bytes", 1
		}
		fmt.Fprintf(&b, "%s: f.%s(%d, %d), // %s\n", e.fields[p].name, get, p.Offset, p.Bytes()/size, p.Name)
	}
	return b.String() + "}\n"
}

// layoutTable is the table of the weights file: what it must be, tensor by tensor.
func (e *emitter) layoutTable() string {
	var b strings.Builder
	b.WriteString(comment("layout is the table of the weights file: the digest of its header (size, and every tensor's place) and the digest of every tensor. The file is a safetensors container whose tensors are in the layout the kernels read."))
	fmt.Fprintf(&b, "var layout = weightfile.Layout{\nSize: %d,\nHeaderSize: %d,\nHeader: %s,\nTensors: []weightfile.Tensor{\n", e.FileSize, e.HeaderSize, digest(e.Header))
	for _, p := range e.Packed {
		b.WriteString(tensor(p) + ",\n")
	}
	b.WriteString("},\n")
	if e.Tables != nil {
		b.WriteString("Kept: &tokenizerTables,\n")
	}
	return b.String() + "}\n"
}

// tokenizerTables declares the tokenizer's place in the weights file.
func (e *emitter) tokenizerTables() string {
	return "// tokenizerTables is the packed tokenizer, in the weights file.\nvar tokenizerTables = weightfile.Kept{\n" +
		fmt.Sprintf("Tensor: weightfile.Tensor%s,\nCount: %d,\n}\n", tensor(e.Tables), e.Tables.Bytes())
}

// tensor is the literal of a tensor in the weights file, without its type.
func tensor(p *weights.Packed) string {
	return fmt.Sprintf("{Name: %q, Offset: %d, Size: %d, SHA256: %s}", p.Name, p.Offset, p.Size, digest(p.SHA256))
}

func digest(d [32]byte) string {
	var b strings.Builder
	b.WriteString("[32]byte{")
	for i, v := range d {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%#02x", v)
	}
	return b.String() + "}"
}
