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
		Size: sizeScan,
		Weights: []Role{
			{Name: "a", Shape: shapeDecay, Use: Tiled},
			{Name: "d", Shape: shapeHeadsOf},
			{Name: "step_bias", Optional: true, Shape: shapeHeadsOf},
		},
		Attrs: []Attr{
			{Name: "heads", Kind: "int", Doc: "heads; each channel is one in Mamba"},
			{Name: "groups", Kind: "int", Default: 1, Doc: "groups of heads that share B and C"},
			{Name: "state_size", Kind: "int", Doc: "width of a channel's state"},
			{Name: "decay", Kind: "string", Default: "head", Enum: []string{"head", "state"}, Doc: "a is a number for each head (Mamba 2), or for each element of the state of heads of one channel (Mamba); it is not positive"},
			{Name: "low", Kind: "float", Default: 0.0, Doc: "least dt"},
			{Name: "high", Kind: "float", Default: 0.0, Doc: "greatest dt; 0: unbounded"},
		},
		Infer: inferSelectiveScan, Ref: refSelectiveScan,
	},
	{
		Kind: "rg_lru", Doc: "h = a ⊙ h + √(1-a²) ⊙ σ(input) ⊙ x, y = h, with a = exp(decay · σ(recurrence)); the first token's factor is 1 (De et al. 2024, Griffin)",
		In: []string{"x", "input", "recurrence"}, State: "lru", Size: func(o *ir.Op) int { return o.In[0].Type.Width() },
		Weights: []Role{{Name: "decay", Shape: shapeWidth}},
		Infer:   inferRGLRU, Ref: refRGLRU,
	},
	{
		Kind: "shift", Doc: "y[t] = x[t-1], zeros for the first token; the state is the last row", In: []string{"x"},
		State: "shift", Size: func(o *ir.Op) int { return o.In[0].Type.Width() },
		Infer: func(o *ir.Op) ([]ir.Type, error) {
			t := o.In[0].Type
			return []ir.Type{t}, wantWidths(o, []string{"x"}, t.Width())
		},
		Ref: refShift,
	},
	{
		Kind: "lerp", Doc: "y = w ⊙ a + (1-w) ⊙ b", In: []string{"a", "b"},
		Weights: []Role{{Name: "w", Shape: shapeWidth}},
		Infer:   inferBinary, Ref: refLerp,
	},
	{
		Kind: "wkv", Doc: "y = (Σ e^(decay·age + k) v + e^(first + k) v) / (the same sum without v), channel by channel; the state is numerator, denominator and largest exponent (Peng et al. 2023, RWKV-4)",
		In: []string{"k", "v"}, State: "wkv", Size: func(o *ir.Op) int { return 3 * o.In[0].Type.Width() },
		Weights: []Role{{Name: "decay", Shape: shapeWidth}, {Name: "first", Shape: shapeWidth}},
		Infer: func(o *ir.Op) ([]ir.Type, error) {
			t := o.In[0].Type
			return []ir.Type{t}, wantWidths(o, []string{"k", "v"}, t.Width(), t.Width())
		},
		Ref: refWKV,
	},
	{
		Kind: "delta_rule", Doc: "S = α(S - β k (kᵀS)) + β k vᵀ with α applied first, y = Sᵀ q / √d for each head, q and k of length 1, α = exp(a · softplus(step + bias)), β = σ(beta); the state is S[heads, key_dim, value_dim] (Yang et al. 2024, Gated DeltaNet)",
		In: []string{"q", "k", "v", "step", "beta"}, State: "delta",
		Size: func(o *ir.Op) int {
			return o.In[2].Type.Width() * o.In[1].Type.Width() / o.Attrs.Int("key_heads")
		},
		Weights: []Role{{Name: "a", Shape: shapeHeadsOf}, {Name: "step_bias", Shape: shapeHeadsOf}},
		Attrs: []Attr{
			{Name: "heads", Kind: "int", Doc: "heads of values"},
			{Name: "key_heads", Kind: "int", Doc: "heads of queries and keys, each shared by heads / key_heads"},
			{Name: "eps", Kind: "float", Default: 0.000001, Doc: "added to the square of the lengths of q and k"},
		},
		Infer: inferDeltaRule, Ref: refDeltaRule,
	},
	{
		Kind: "linear_attention", Doc: "S = w ⊙ S + k vᵀ; y = scale · qᵀ S, or with a bonus u, scale · qᵀ (S before + (u ⊙ k) vᵀ), for each head; w is a factor for every row of S, which is [heads, k, v] (Katharopoulos et al. 2020, Sun et al. 2023, Peng et al. 2024)",
		In: []string{"q", "k", "v", "rate?"}, State: "matrix",
		Size: func(o *ir.Op) int { return o.In[0].Type.Width() * (o.In[2].Type.Width() / o.Attrs.Int("key_heads")) },
		Weights: []Role{
			{Name: "decay", Optional: true, Shape: shapeWidth},
			{Name: "bonus", Optional: true, Shape: shapeWidth},
		},
		Attrs: []Attr{
			{Name: "heads", Kind: "int", Doc: "heads of queries"},
			{Name: "key_heads", Kind: "int", Doc: "heads of keys and values, each shared by heads/key_heads queries"},
			{Name: "scale", Kind: "float", Default: 1.0, Doc: "factor of the results"},
			{Name: "w", Kind: "string", Default: "weight", Enum: []string{"weight", "retention", "rate"}, Doc: "what the factors are: the weight decay, or 1 without it; 1 - 2^(-5-h) for head h; e^(-e^rate) of every token"},
		},
		Infer: inferLinearAttention, Ref: refLinearAttention,
	},
	{
		Kind: "mlstm", Doc: "C = f C + i k vᵀ, n = f n + i k, y = Cᵀq / (max(|nᵀq|, 1) + eps) for each head, with q / √d, i = exp(input), f = σ(forget), all divided by a running maximum e^m; the state is C, n and m (Beck et al. 2024, xLSTM)",
		In: []string{"q", "k", "v", "input", "forget"}, State: "mlstm",
		Size: func(o *ir.Op) int {
			heads := o.Attrs.Int("heads")
			keys, values := o.In[0].Type.Width()/heads, o.In[2].Type.Width()/heads
			return heads * (keys*values + keys + 1)
		},
		Attrs: []Attr{{Name: "heads", Kind: "int", Doc: "heads"}, {Name: "eps", Kind: "float", Default: 0.000001, Doc: "added to the denominator"}},
		Infer: inferMLSTM, Ref: refMLSTM,
	},
	slstmRow, stateSpaceRow, longConvRow,
}

// sizeScan is the memory of a scan, with whole tiles of 16 channels: of all channels that are heads, or of every head.
func sizeScan(o *ir.Op) int {
	channels, heads := o.In[0].Type.Width(), 1
	if o.Attrs.Str("decay") != "state" {
		heads = o.Attrs.Int("heads")
		channels /= heads
	}
	return heads * ((channels + 15) / 16 * 16) * o.Attrs.Int("state_size")
}

func shapeWidth(o *ir.Op) []int { return []int{o.In[0].Type.Width()} }

func shapeHeadsOf(o *ir.Op) []int { return []int{o.Attrs.Int("heads")} }

func shapeDecay(o *ir.Op) []int {
	if o.Attrs.Str("decay") == "state" {
		return []int{o.Attrs.Int("heads"), o.Attrs.Int("state_size")}
	}
	return shapeHeadsOf(o)
}
