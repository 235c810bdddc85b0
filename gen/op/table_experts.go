package op

import "github.com/tfgen/tfgen/gen/ir"

// MaxExperts bounds the experts of a layer, so that a router needs no memory but a small table.
const MaxExperts = 1024

// expertTable has the operations of mixtures of experts and of products by heads. routes[n, 2·top] are, for each row,
// the numbers of its experts and then their weights.
var expertTable = []Row{
	{
		Kind: "route", Doc: "routes[n, 2·top] of logits[n, experts]: the experts with the highest scores, and their weights (Shazeer et al. 2017)",
		In:      []string{"logits"},
		Weights: []Role{{Name: "correction", Optional: true, Shape: func(o *ir.Op) []int { return []int{o.In[0].Type.Width()} }}},
		Attrs: []Attr{
			{Name: "top", Kind: "int", Doc: "experts of a row"},
			{Name: "score", Kind: "string", Default: "softmax", Enum: []string{"softmax", "sigmoid", "chosen"}, Doc: "of the logits; chosen: softmax over those of the chosen experts"},
			{Name: "normalise", Kind: "bool", Default: false, Doc: "weights are divided by their sum"},
			{Name: "eps", Kind: "float", Default: 0.0, Doc: "added to that sum"},
			{Name: "scale", Kind: "float", Default: 1.0, Doc: "factor of the weights"},
			{Name: "groups", Kind: "int", Default: 1, Doc: "groups of experts, of which some are chosen first (DeepSeek-V2)"},
			{Name: "top_groups", Kind: "int", Default: 1, Doc: "groups that are chosen"},
			{Name: "group_score", Kind: "string", Default: "max", Enum: []string{"max", "top2"}, Doc: "score of a group: its best expert's, or the sum of its two best (DeepSeek-V3)"},
		},
		Infer: inferRoute, Ref: refRoute, Decides: true,
	},
	{
		Kind: "expert_linear", Doc: "y[n, top·dim]: for each chosen expert e, x · w[e]ᵀ + b[e]; x is the row, or the row's part for this choice",
		In: []string{"x", "routes"},
		Weights: []Role{
			{Name: "w", Suffix: ".weight", Shape: shapeExperts, Use: Product, Groups: "experts"},
			{Name: "b", Suffix: ".bias", Optional: true, Groups: "experts", Shape: func(o *ir.Op) []int { return []int{o.Attrs.Int("experts") * o.Attrs.Int("dim")} }},
		},
		Attrs: []Attr{
			{Name: "experts", Kind: "int", Doc: "experts of the layer"},
			{Name: "dim", Kind: "int", Doc: "outputs of an expert"},
			{Name: "parts", Kind: "bool", Default: false, Doc: "x has a part for each choice"},
		},
		Infer: inferExpertLinear, Ref: refExpertLinear,
	},
	{
		Kind: "combine", Doc: "y[n, dim] = Σ weight · x[choice], over the choices of a row", In: []string{"x", "routes"},
		Infer: inferCombine, Ref: refCombine,
	},
	{
		Kind: "head_linear", Doc: "y[n, heads·dim]: each head's part of x times its own w[head]ᵀ + b: a block-diagonal product",
		In: []string{"x"},
		Weights: []Role{
			{Name: "w", Suffix: ".weight", Shape: shapeHeads, Use: Product, Groups: "heads"},
			{Name: "b", Suffix: ".bias", Optional: true, Groups: "heads", Shape: func(o *ir.Op) []int { return []int{o.Attrs.Int("heads") * o.Attrs.Int("dim")} }},
		},
		Attrs: []Attr{{Name: "heads", Kind: "int", Doc: "parts of a row"}, {Name: "dim", Kind: "int", Doc: "outputs of a head"}},
		Infer: inferHeadLinear, Ref: refHeadLinear,
	},
	{
		Kind: "scale_rows", Doc: "y[n, dim] = x[n, dim] · s[n, 1]", In: []string{"x", "s"},
		Infer: inferScaleRows, Ref: refScaleRows, Pure: true,
	},
}

func shapeExperts(o *ir.Op) []int {
	k := o.In[0].Type.Width()
	if o.Attrs.Bool("parts") {
		k /= Choices(o)
	}
	return []int{o.Attrs.Int("experts") * o.Attrs.Int("dim"), k}
}

func shapeHeads(o *ir.Op) []int {
	heads := o.Attrs.Int("heads")
	return []int{heads * o.Attrs.Int("dim"), o.In[0].Type.Width() / heads}
}

// Choices is the number of experts of a row, for an operation whose second input are routes.
func Choices(o *ir.Op) int { return o.In[1].Type.Width() / 2 }
