package op

import "github.com/tfgen/tfgen/gen/ir"

// recurrentTable has the operations that carry a state of fixed size from one token to the next. Their results for a
// row depend on the rows before it in the sequence only, so that a sequence can be cut into chunks anywhere.
var recurrentTable = []Row{
	{
		Kind: "short_conv", Doc: "y[t, c] = b[c] + Σ w[c, j] · x[t-kernel+1+j, c]: a causal convolution of each channel; the state is the last kernel-1 rows",
		In: []string{"x"}, State: "tail", Size: func(o *ir.Op) int { return (o.Attrs.Int("kernel") - 1) * o.In[0].Type.Width() },
		Weights: []Role{
			{Name: "w", Suffix: ".weight", Shape: func(o *ir.Op) []int { return []int{o.In[0].Type.Width(), o.Attrs.Int("kernel")} }},
			{Name: "b", Suffix: ".bias", Optional: true, Shape: shapeWidth},
		},
		Attrs: []Attr{{Name: "kernel", Kind: "int", Doc: "rows that a result sees"}},
		Infer: inferShortConv, Ref: refShortConv,
	},
	{
		Kind: "selective_scan", Doc: "h = exp(dt·a) ⊙ h + dt·x Bᵀ; y = h C + d·x for each head, with dt = clamp(softplus(step + bias)); the state is h[heads, head_dim, state] (Gu & Dao 2023, Dao & Gu 2024)",
		In: []string{"x", "step", "B", "C"}, State: "scan",
		Size: func(o *ir.Op) int { return o.In[0].Type.Width() * o.Attrs.Int("state_size") },
		Weights: []Role{
			{Name: "a", Shape: shapeDecay},
			{Name: "d", Shape: shapeHeadsOf},
			{Name: "step_bias", Optional: true, Shape: shapeHeadsOf},
		},
		Attrs: []Attr{
			{Name: "heads", Kind: "int", Doc: "heads; each channel is one in Mamba"},
			{Name: "groups", Kind: "int", Default: 1, Doc: "groups of heads that share B and C"},
			{Name: "state_size", Kind: "int", Doc: "width of a channel's state"},
			{Name: "decay", Kind: "string", Default: "head", Enum: []string{"head", "state"}, Doc: "a is a number for each head (Mamba 2), or for each element of the state (Mamba)"},
			{Name: "low", Kind: "float", Default: 0.0, Doc: "least dt"},
			{Name: "high", Kind: "float", Default: 0.0, Doc: "greatest dt; 0: unbounded"},
		},
		Infer: inferSelectiveScan, Ref: refSelectiveScan,
	},
}

func shapeWidth(o *ir.Op) []int { return []int{o.In[0].Type.Width()} }

func shapeHeadsOf(o *ir.Op) []int { return []int{o.Attrs.Int("heads")} }

func shapeDecay(o *ir.Op) []int {
	if o.Attrs.Str("decay") == "state" {
		return []int{o.Attrs.Int("heads"), o.Attrs.Int("state_size")}
	}
	return shapeHeadsOf(o)
}
