package op

import "github.com/tfgen/tfgen/gen/ir"

// The table. Shapes in the formulas: n rows of the input's row space, widths as named.
var table = []Row{
	{
		Kind: "embed", Doc: "y[n, dim] = scale · w[ids[n], dim]",
		In:      []string{"ids"},
		Weights: []Role{{Name: "w", Suffix: ".weight", Shape: func(o *ir.Op) []int { return []int{o.Attrs.Int("rows"), o.Attrs.Int("dim")} }, Use: Table}},
		Attrs: []Attr{
			{Name: "rows", Kind: "int", Doc: "rows of the table; an id outside is an error"},
			{Name: "dim", Kind: "int", Doc: "width of a row"},
			{Name: "scale", Kind: "float", Default: 1.0, Doc: "factor for every element"},
			{Name: "offset", Kind: "int", Default: 0, Doc: "added to every id"},
		},
		Infer: inferEmbed, Ref: refEmbed,
	},
	{
		Kind: "linear", Doc: "y[n, dim] = x[n, k] · wᵀ + b (+ residual[n, dim])",
		In: []string{"x", "residual?"},
		Weights: []Role{
			{Name: "w", Suffix: ".weight", Shape: func(o *ir.Op) []int { return []int{o.Attrs.Int("dim"), o.In[0].Type.Width()} }, Use: Product},
			{Name: "b", Suffix: ".bias", Optional: true, Shape: func(o *ir.Op) []int { return []int{o.Attrs.Int("dim")} }},
		},
		Attrs: []Attr{{Name: "dim", Kind: "int", Doc: "outputs"}},
		Infer: inferLinear, Ref: refLinear,
	},
	{
		Kind: "quantize", Doc: "y = d·round(x/d) in blocks of 32 columns, d = max|x|/127: the input of a product with quantised weights",
		In:    []string{"x"},
		Attrs: []Attr{{Name: "rows", Kind: "bool", Default: false, Doc: "one d for a whole row, for weights with one scale a row"}},
		Infer: inferQuantize, Ref: refQuantize, Pure: true,
	},
	{
		Kind: "rmsnorm", Doc: "y = x / sqrt(mean(x²) + eps) · w, over groups of dim elements (Zhang & Sennrich 2019)",
		In:      []string{"x"},
		Weights: []Role{{Name: "w", Suffix: ".weight", Shape: shapeDim}},
		Attrs:   normAttrs, Infer: inferSame, Ref: refRMSNorm,
	},
	{
		Kind: "layernorm", Doc: "y = (x - mean) / sqrt(var + eps) · w + b, over groups of dim elements (Ba et al. 2016)",
		In: []string{"x"},
		Weights: []Role{
			{Name: "w", Suffix: ".weight", Shape: shapeDim},
			{Name: "b", Suffix: ".bias", Optional: true, Shape: shapeDim},
		},
		Attrs: normAttrs, Infer: inferSame, Ref: refLayerNorm,
	},
	{
		Kind: "add_rmsnorm", Doc: "s = x + d; y = rmsnorm(s); results s, y",
		In:      []string{"x", "d"},
		Weights: []Role{{Name: "w", Suffix: ".weight", Shape: shapeDim}},
		Attrs:   normAttrs, Infer: inferAddNorm, Ref: refAddRMSNorm,
	},
	{
		Kind: "add_layernorm", Doc: "s = x + d; y = layernorm(s); results s, y",
		In: []string{"x", "d"},
		Weights: []Role{
			{Name: "w", Suffix: ".weight", Shape: shapeDim},
			{Name: "b", Suffix: ".bias", Optional: true, Shape: shapeDim},
		},
		Attrs: normAttrs, Infer: inferAddNorm, Ref: refAddLayerNorm,
	},
	{Kind: "add", Doc: "y = a + b", In: []string{"a", "b"}, Infer: inferBinary, Ref: refAdd, Pure: true},
	{Kind: "mul", Doc: "y = a · b, element by element", In: []string{"a", "b"}, Infer: inferBinary, Ref: refMul, Pure: true},
	{
		Kind: "gain", Doc: "y[n, dim] = w[dim] · x[n, dim]: a factor for each channel", In: []string{"x"},
		Weights: []Role{{Name: "w", Shape: shapeWidth}},
		Infer:   inferSame, Ref: refGain,
	},
	{
		Kind: "scale", Doc: "y = c · x", In: []string{"x"},
		Attrs: []Attr{{Name: "c", Kind: "float", Doc: "the factor"}},
		Infer: inferSame, Ref: refScale, Pure: true,
	},
	{
		Kind: "softcap", Doc: "y = cap · tanh(x / cap) (Gemma 2)", In: []string{"x"},
		Attrs: []Attr{{Name: "cap", Kind: "float", Doc: "bound of the result"}},
		Infer: inferSame, Ref: refSoftcap, Pure: true,
	},
	{
		Kind: "clamp", Doc: "y = min(max(x, low), high)", In: []string{"x"},
		Attrs: []Attr{{Name: "low", Kind: "float", Doc: "least result"}, {Name: "high", Kind: "float", Doc: "greatest result"}},
		Infer: inferClamp, Ref: refClamp, Pure: true,
	},
	{
		Kind: "xielu", Doc: "y = αp·x² + β·x for x > 0, else αn·(e^min(x, ε) - 1 - x) + β·x; αp = ln(1 + e^p), αn = β + ln(1 + e^n) (Huang & Schlag 2024)",
		In: []string{"x"},
		Weights: []Role{
			{Name: "p", Shape: shapeOne}, {Name: "n", Shape: shapeOne}, {Name: "beta", Shape: shapeOne}, {Name: "eps", Shape: shapeOne},
		},
		Infer: inferSame, Ref: refXIELU,
	},
	{
		Kind: "act", Doc: "y = kind(x)", In: []string{"x"},
		Attrs: []Attr{{Name: "kind", Kind: "string", Enum: Activations(), Doc: "activation function"}},
		Infer: inferSame, Ref: refAct, Pure: true,
	},
	{
		Kind: "glu", Doc: "y = kind(gate) · up (Shazeer 2020)", In: []string{"gate", "up"},
		Attrs: []Attr{{Name: "kind", Kind: "string", Enum: Activations(), Doc: "activation of the gate"}},
		Infer: inferBinary, Ref: refGLU, Pure: true,
	},
	{
		Kind: "slice", Doc: "y = x[:, from:to]", In: []string{"x"},
		Attrs: []Attr{{Name: "from", Kind: "int", Doc: "first element"}, {Name: "to", Kind: "int", Doc: "one past the last"}},
		Infer: inferSlice, Ref: refSlice, Pure: true,
	},
	{Kind: "concat", Doc: "y = a | b, rows one behind the other", In: []string{"a", "b"}, Infer: inferConcat, Ref: refConcat, Pure: true},
	{
		Kind: "position_scale", Doc: "y[n, 1] = 1 + beta · ln(1 + ⌊p/period⌋), p the position (Llama 4)", In: []string{"positions"},
		Attrs: []Attr{
			{Name: "beta", Kind: "float", Doc: "how fast it grows"},
			{Name: "period", Kind: "float", Doc: "positions that share a factor"},
		},
		Infer: inferPositionScale, Ref: refPositionScale, Pure: true,
	},
	{
		Kind: "rope_angles", Doc: "y[n, rot] = cos(p·f) | sin(p·f), times the attention factor; p the position, f the rot/2 frequencies (Su et al. 2021)",
		In: []string{"positions"},
		Attrs: []Attr{
			{Name: "rot", Kind: "int", Doc: "dimensions that are rotated"},
			{Name: "dim", Kind: "int", Default: 0, Doc: "d of the exponents -2i/d; 0: rot. An odd number of rotated elements rotates one more"},
			{Name: "theta", Kind: "float", Doc: "rope_theta"},
			{Name: "scaling", Kind: "map", Default: map[string]any{}, Doc: "rope_scaling of the configuration; rope_type names a row of the scaling table"},
			{Name: "max_pos", Kind: "int", Default: 0, Doc: "max_position_embeddings"},
			{Name: "beta", Kind: "float", Default: 0.0, Doc: "llama_4_scaling_beta that the model scales its queries by (position_scale); another one in scaling is an error"},
		},
		Infer: inferAngles, Ref: refAngles, Pure: true,
	},
	{
		Kind: "sinusoid", Doc: "y[n, dim] = sin(p·f) | cos(p·f); p the position plus offset, f the dim/2 frequencies (Vaswani et al. 2017)",
		In: []string{"positions"},
		Attrs: []Attr{
			{Name: "dim", Kind: "int", Doc: "width"},
			{Name: "offset", Kind: "int", Default: 0, Doc: "added to every position"},
			{Name: "spread", Kind: "string", Default: "half", Enum: []string{"half", "ends"}, Doc: "f is 10000^(-i/(dim/2)) or, to the ends, 10000^(-i/(dim/2-1))"},
		},
		Infer: inferSinusoid, Ref: refSinusoid, Pure: true,
	},
	{
		Kind: "rope", Doc: "rotates pairs of the first rot elements of each head by the angles", In: []string{"x", "angles"},
		Attrs: []Attr{
			{Name: "heads", Kind: "int", Doc: "heads in a row"},
			{Name: "head_dim", Kind: "int", Doc: "width of a head"},
			{Name: "rot", Kind: "int", Doc: "elements that are rotated"},
			{Name: "style", Kind: "string", Default: "half", Enum: []string{"half", "interleaved"}, Doc: "half: (i, i+rot/2); interleaved: (2i, 2i+1)"},
		},
		Infer: inferRope, Ref: refRope, Pure: true,
	},
	{
		Kind: "attend", Doc: "softmax(scale · q kᵀ + mask) v for each head; kv_heads share (Vaswani et al. 2017, Ainslie et al. 2023)",
		In: []string{"q", "k", "v", "distances?", "more_distances?", "marks?"}, State: "kv",
		Weights: []Role{
			{Name: "sinks", Optional: true, Shape: shapeHeadsOf}, // scores of a key without value (Xiao et al. 2023)
			{Name: "relative", Optional: true, Shape: func(o *ir.Op) []int { return []int{o.Attrs.Int("buckets"), o.Attrs.Int("heads")} }},
		},
		Attrs: []Attr{
			{Name: "heads", Kind: "int", Doc: "query heads"},
			{Name: "kv_heads", Kind: "int", Doc: "key and value heads"},
			{Name: "head_dim", Kind: "int", Doc: "width of a head"},
			{Name: "scale", Kind: "float", Doc: "factor of the scores"},
			{Name: "mask", Kind: "string", Enum: []string{"causal", "full"}, Doc: "which keys a query sees within its sequence"},
			{Name: "window", Kind: "int", Default: 0, Doc: "a query sees itself and the window-1 tokens before it (full: and behind it); 0: all"},
			{Name: "softcap", Kind: "float", Default: 0.0, Doc: "cap of the scores; 0: none"},
			{Name: "alibi", Kind: "float", Default: 0.0, Doc: "ALiBi (Press et al. 2022): scores change by -slope · |key - query|, the slopes of n heads being 2^(-alibi·i/n); usually 8; 0: none"},
			{Name: "alibi_factor", Kind: "float", Default: 0.0, Doc: "factor of that change; 0: 1"},
			{Name: "alibi_bf16", Kind: "bool", Default: false, Doc: "slopes, positions and slope · position are rounded to bfloat16 (Falcon)"},
			{Name: "buckets", Kind: "int", Default: 0, Doc: "rows of the weight relative, which is added to the scores by distance (T5)"},
			{Name: "max_distance", Kind: "int", Default: 0, Doc: "distance from which on all are in the last bucket"},
			{Name: "by", Kind: "string", Default: "", Enum: []string{"", "query", "key", "both"},
				Doc: "whose products with vectors of distances are added to the unscaled scores (DeBERTa): distances[n, heads·2·span] of the query, of the key, or of both, then in this order"},
			{Name: "span", Kind: "int", Default: 0, Doc: "row span + d of these products is that of the distance d = query - key, kept within 0 … 2·span-1"},
			{Name: "log_buckets", Kind: "int", Default: 0, Doc: "distances from half of it on share rows logarithmically up to max_distance (DeBERTa v2); 0: each has its own"},
			{Name: "marked", Kind: "bool", Default: false, Doc: "the last input are marks[n, 1]: all queries also see the keys whose mark is not 0, however far (Longformer)"},
		},
		Infer: inferAttend, Ref: refAttend,
	},
	{
		Kind: "attend_marked", Doc: "y = softmax(scale · q kᵀ) v over the whole sequence for each head in the rows whose mark is not 0, base in all others (Beltagy et al. 2020, Longformer)",
		In: []string{"base", "q", "k", "v", "marks"},
		Attrs: []Attr{
			{Name: "heads", Kind: "int", Doc: "query heads"},
			{Name: "kv_heads", Kind: "int", Doc: "key and value heads"},
			{Name: "head_dim", Kind: "int", Doc: "width of a head"},
			{Name: "scale", Kind: "float", Doc: "factor of the scores"},
		},
		Infer: inferAttendMarked, Ref: refAttendMarked,
	},
	{
		Kind: "marks", Doc: "y[n, 1] = what is given for the row, or, where that is negative, whether the rule marks it", In: []string{"given", "tokens"},
		Attrs: []Attr{
			{Name: "rule", Kind: "string", Enum: []string{"none", "first", "before", "after"}, Doc: "first: the first row of a sequence; before: those before the first token id; after: those from the second behind it on; none of them if there is no such token"},
			{Name: "id", Kind: "int", Default: -1, Doc: "the token id"},
		},
		Infer: inferMarks, Ref: refMarks, Pure: true,
	},
	{
		Kind: "keep", Doc: "stores keys and values of the encoder's rows for attend_kept", In: []string{"k", "v"}, State: "cross",
		Attrs: keptAttrs, Infer: inferKeep, Ref: refKeep,
	},
	{
		Kind: "attend_kept", Doc: "softmax(scale · q kᵀ) v over the keys and values that keep has stored", In: []string{"q"}, State: "cross",
		Attrs: append([]Attr{
			{Name: "heads", Kind: "int", Doc: "query heads"},
			{Name: "scale", Kind: "float", Doc: "factor of the scores"},
		}, keptAttrs...),
		Infer: inferAttendKept, Ref: refAttendKept,
	},
	{
		Kind: "unfold", Doc: "y[t, c·kernel + j] = x[t - before + j, c], zeros outside of the sequence: a product with it is a convolution over the sequence",
		In: []string{"x"},
		Attrs: []Attr{
			{Name: "kernel", Kind: "int", Doc: "rows side by side"},
			{Name: "before", Kind: "int", Doc: "how many of them come before the row itself"},
		},
		Infer: inferUnfold, Ref: refUnfold, Pure: true,
	},
	{
		Kind: "row_spectrum", Doc: "y[n, 2·(d/2+1)] = Re | Im of coefficients 0 … d/2 of the discrete Fourier transform of each row of d", In: []string{"x"},
		Infer: inferRowSpectrum, Ref: refRowSpectrum, Pure: true,
	},
	{
		Kind: "sequence_spectrum", Doc: "y[n, dim] = Re of the discrete Fourier transform over the rows of each sequence of a row_spectrum of rows of dim (Lee-Thorp et al. 2022, FNet)",
		In:    []string{"x"},
		Attrs: []Attr{{Name: "dim", Kind: "int", Doc: "width before row_spectrum"}},
		Infer: inferSequenceSpectrum, Ref: refSequenceSpectrum, Pure: true,
	},
	{Kind: "select", Doc: "y[m] = x[row m of the selection]; a class that makes no text selects all rows", In: []string{"x"}, Infer: inferSelect, Ref: refSelect},
	{Kind: "first", Doc: "y[s] = first row of sequence s", In: []string{"x"}, Infer: inferSequence, Ref: refFirst},
	{
		Kind: "last", Doc: "y[s] = last row of sequence s; with ids the last whose id is the given one, if there is one", In: []string{"x", "ids?"},
		Attrs: []Attr{{Name: "id", Kind: "int", Default: -1, Doc: "the id that is looked for"}},
		Infer: inferSequence, Ref: refLast,
	},
	{Kind: "mean", Doc: "y[s] = mean of the rows of sequence s", In: []string{"x"}, Infer: inferSequence, Ref: refMean},
	{Kind: "l2norm", Doc: "y = x / max(‖x‖₂, 1e-12)", In: []string{"x"}, Infer: inferSame, Ref: refL2Norm, Pure: true},
}

var keptAttrs = []Attr{
	{Name: "kv_heads", Kind: "int", Doc: "key and value heads"},
	{Name: "head_dim", Kind: "int", Doc: "width of a head"},
}

var normAttrs = []Attr{
	{Name: "eps", Kind: "float", Doc: "added under the root"},
	{Name: "dim", Kind: "int", Default: 0, Doc: "elements normalised together; 0: the whole row"},
	{Name: "each", Kind: "bool", Default: false, Doc: "every group of dim elements has weights of its own: w and b are as long as a row"},
}

func shapeOne(*ir.Op) []int { return []int{1} }

func shapeDim(o *ir.Op) []int {
	if o.Attrs.Bool("each") {
		return []int{o.In[0].Type.Width()}
	}
	return []int{NormDim(o)}
}

// NormDim is the number of elements that a norm takes together.
func NormDim(o *ir.Op) int {
	if d := o.Attrs.Int("dim"); d > 0 {
		return d
	}
	return o.In[0].Type.Width()
}
