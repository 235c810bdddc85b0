package pass

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// EarlyLayers reads which layers DoLa contrasts with the last one, as the setting dola_layers of transformers says it:
// "low", "high", or numbers of blocks ("0,2" or "[0, 2]"), of which those below the number of all blocks count. Of a
// model whose output layer is the transposed embedding, "low" leaves out what the first blocks receive.
func EarlyLayers(g *ir.Graph, setting string) ([]int, error) {
	setting = strings.Trim(strings.TrimSpace(setting), `"`)
	if setting == "" || setting == "null" {
		return nil, nil
	}
	head, err := outputLinear(g)
	if err != nil {
		return nil, err
	}
	states := hiddenStates(g)
	n := len(states) - 1
	var layers []int
	switch setting {
	case "low":
		first := firstEarly(g, head, n)
		if first == n/2 {
			return []int{first}, nil
		}
		layers = evens(first, min(n/2, 20))
	case "high":
		layers = evens(max(n/2, n-20), n)
	default:
		if layers, err = numbers(setting); err != nil {
			return nil, err
		}
		layers = slices.DeleteFunc(layers, func(i int) bool { return i >= n })
	}
	if len(layers) == 0 {
		return nil, fmt.Errorf("early layers %s: none is left of the %d blocks", setting, n)
	}
	return layers, nil
}

// firstEarly is the first layer that "low" may mean: behind an embedding that the output layer transposes, the state
// says nothing but the token itself.
func firstEarly(g *ir.Graph, head *ir.Op, blocks int) int {
	tied := slices.ContainsFunc(g.Ops, func(o *ir.Op) bool { return o.Kind == "embed" && o.Weights[0] == head.Weights[0] })
	switch {
	case !tied:
		return 0
	case blocks > 2:
		return 2
	}
	return blocks / 2
}

// numbers reads a list of layers.
func numbers(list string) (layers []int, err error) {
	for _, part := range strings.FieldsFunc(strings.Trim(list, "[]"), func(r rune) bool { return r == ',' || r == ' ' }) {
		i, err := strconv.Atoi(part)
		if err != nil || i < 0 {
			return nil, fmt.Errorf("early layers %q: expected low, high or numbers of blocks", list)
		}
		layers = append(layers, i)
	}
	return layers, nil
}

// evens returns every second number from a to below b.
func evens(a, b int) (list []int) {
	for ; a < b; a += 2 {
		list = append(list, a)
	}
	return list
}

// AddEarly adds outputs early/i: what the output layer makes of the state behind i blocks, without the final norm (DoLa:
// Chuang et al., Decoding by Contrasting Layers Improves Factuality, 2024). It comes before all passes.
func AddEarly(g *ir.Graph, layers []int) error {
	if len(layers) == 0 {
		return nil
	}
	head, err := outputLinear(g)
	if err != nil {
		return err
	}
	states := hiddenStates(g)
	for _, i := range layers {
		if i < 0 || i >= len(states) {
			return fmt.Errorf("early layer %d: the model has %d blocks", i, len(states)-1)
		}
		name := fmt.Sprintf("early/%d", i)
		if g.Output(name) != nil {
			continue
		}
		x := put(g, &ir.Op{Kind: "select", In: []*ir.Value{states[i]}, Region: head.Region, Pos: head.Pos})
		x = put(g, &ir.Op{Kind: "linear", In: []*ir.Value{x}, Weights: head.Weights, Attrs: maps.Clone(head.Attrs), Region: head.Region, Pos: head.Pos})
		if !x.Type.Equal(head.Out[0].Type) {
			return fmt.Errorf("%s: early layer %d is %s, the output layer makes %s", head.Pos, i, x.Type, head.Out[0].Type)
		}
		g.Outputs = append(g.Outputs, ir.Output{Name: name, Value: x})
	}
	return nil
}

// put adds an operation with one result at the end of the head.
func put(g *ir.Graph, o *ir.Op) *ir.Value {
	t := o.In[0].Type
	t.Rows = ir.Selected
	if o.Kind == "linear" {
		t.Dims = []int{o.Attrs.Int("dim")}
	}
	v := g.NewValue(o.Kind, t)
	v.Def, o.Out = o, []*ir.Value{v}
	g.Ops = append(g.Ops, o)
	return v
}

// outputLinear is the product that the logits come from.
func outputLinear(g *ir.Graph) (*ir.Op, error) {
	v := g.Output("logits")
	if v == nil || v.Type.Rows != ir.Selected || g.Towers() {
		return nil, errors.New("early layers (DoLa) are for decoders that make text, without an encoder")
	}
	for v.Def != nil && v.Def.Kind != "linear" {
		v = v.Def.In[0]
	}
	if v.Def == nil || v.Def.Region.Kind != ir.Head {
		return nil, errors.New("early layers (DoLa): the logits do not come from a product with a matrix")
	}
	return v.Def, nil
}

// hiddenStates are what the blocks receive, and what the last of them returns.
func hiddenStates(g *ir.Graph) (states []*ir.Value) {
	for _, r := range g.Regions {
		if r.Kind == ir.Embed || r.Kind == ir.Layer {
			states = append(states, r.Result)
		}
	}
	return states
}
