package op

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// Rope holds the rotary frequencies of one rope_angles operation.
type Rope struct {
	InvFreq []float64 // rot/2 frequencies, in radians a position
	Factor  float64   // attention factor: multiplies cosine and sine
	// Dynamic scaling: past Original tokens the base grows with the length of the sequence (0: static).
	Original int
	// LongFreq replaces InvFreq for sequences longer than Original (longrope; nil otherwise).
	LongFreq []float64
	Theta    float64
	Scale    float64 // dynamic: the factor of the configuration
	rot      int     // d of the exponents: the rotated elements, or one less
}

// ropeScaling is the table of rope types: transformers' modeling_rope_utils.py, ROPE_INIT_FUNCTIONS.
var ropeScaling = map[string]func(r *Rope, s scaling) error{
	"default":  func(*Rope, scaling) error { return nil },
	"linear":   ropeLinear,
	"dynamic":  ropeDynamic,
	"llama3":   ropeLlama3,
	"yarn":     ropeYarn,
	"longrope": ropeLong,
	"factors":  ropeFactors,
}

// RopeTypes returns the names of the supported rope types in order.
func RopeTypes() []string {
	names := make([]string, 0, len(ropeScaling))
	for n := range ropeScaling {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// NewRope computes the frequencies of a rope_angles operation from its attributes rot, theta, scaling, max_pos.
func NewRope(a ir.Attrs) (*Rope, error) {
	r := &Rope{Factor: 1, Theta: a.Float("theta"), rot: a.Int("rot")}
	if d := a.Int("dim"); d != 0 {
		r.rot = d
	}
	if !(r.Theta > 0) || math.IsInf(r.Theta, 0) {
		return nil, fmt.Errorf("rope_theta is %v, expected a positive number", r.Theta)
	}
	r.InvFreq = r.base(r.Theta)
	m, _ := a["scaling"].(map[string]any)
	s := scaling{m, a.Int("max_pos")}
	kind, _ := m["rope_type"].(string)
	if kind == "" {
		kind = "default"
	}
	f, ok := ropeScaling[kind]
	if !ok {
		return nil, fmt.Errorf("rope_type %q is not supported; supported are %s", kind, strings.Join(RopeTypes(), ", "))
	}
	if err := f(r, s); err != nil {
		return nil, fmt.Errorf("rope_type %s: %w", kind, err)
	}
	if beta := s.number("llama_4_scaling_beta", 0); beta != a.Float("beta") {
		return nil, fmt.Errorf("llama_4_scaling_beta is %v, this architecture computes %v", beta, a.Float("beta"))
	}
	for _, f := range append(append([]float64{r.Factor}, r.InvFreq...), r.LongFreq...) {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("rope_type %s: the frequencies are not finite", kind)
		}
	}
	return r, nil
}

// Frequencies returns the frequencies for a sequence of total tokens.
func (r *Rope) Frequencies(total int) []float64 {
	switch {
	case r.Original == 0 || total <= r.Original:
		return r.InvFreq
	case r.LongFreq != nil:
		return r.LongFreq
	}
	d := float64(r.rot)
	base := r.Theta * math.Pow(r.Scale*float64(total)/float64(r.Original)-(r.Scale-1), d/(d-2))
	return r.base(base)
}

// base returns the frequencies theta^(-2i/d) of all pairs.
func (r *Rope) base(theta float64) []float64 {
	inv := make([]float64, (r.rot+1)/2)
	for i := range inv {
		inv[i] = 1 / math.Pow(theta, float64(2*i)/float64(r.rot))
	}
	return inv
}

// scaling reads numbers from the rope_scaling map of a configuration.
type scaling struct {
	m      map[string]any
	maxPos int
}

func (s scaling) number(key string, def float64) float64 {
	switch v := s.m[key].(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return def
}

func (s scaling) need(key string) (float64, error) {
	v := s.number(key, math.NaN())
	if math.IsNaN(v) || v <= 0 {
		return 0, fmt.Errorf("%s is %v, expected a positive number", key, s.m[key])
	}
	return v, nil
}

func (s scaling) original() int {
	return int(s.number("original_max_position_embeddings", float64(s.maxPos)))
}

func ropeLinear(r *Rope, s scaling) error {
	f, err := s.need("factor")
	if err != nil {
		return err
	}
	for i := range r.InvFreq {
		r.InvFreq[i] /= f
	}
	return nil
}

func ropeDynamic(r *Rope, s scaling) (err error) {
	if alpha := s.number("alpha", 0); alpha > 0 && r.rot > 2 { // a fixed stretch of the base (Hunyuan)
		d := float64(r.rot)
		r.Theta *= math.Pow(alpha, d/(d-2))
		r.InvFreq = r.base(r.Theta)
		return nil
	}
	r.Scale, err = s.need("factor")
	r.Original = s.maxPos
	if err == nil && (r.Original <= 0 || r.rot <= 2 || r.rot%2 != 0) {
		err = fmt.Errorf("needs max_position_embeddings and an even number of more than two rotated dimensions")
	}
	return err
}

// ropeLlama3 keeps high frequencies, divides low ones by factor and blends between (Llama 3.1).
func ropeLlama3(r *Rope, s scaling) error {
	factor, err := s.need("factor")
	if err != nil {
		return err
	}
	low, err := s.need("low_freq_factor")
	if err != nil {
		return err
	}
	high, err := s.need("high_freq_factor")
	if err != nil {
		return err
	}
	old := float64(s.original())
	for i, f := range r.InvFreq {
		wavelen := 2 * math.Pi / f
		switch {
		case wavelen > old/low:
			r.InvFreq[i] = f / factor
		case wavelen >= old/high:
			smooth := (old/wavelen - low) / (high - low)
			r.InvFreq[i] = (1-smooth)*f/factor + smooth*f
		}
	}
	return nil
}

// ropeYarn blends interpolated and original frequencies by a ramp over the dimensions (Peng et al. 2023).
func ropeYarn(r *Rope, s scaling) error {
	d, old := float64(r.rot), float64(s.original())
	factor := s.number("factor", float64(s.maxPos)/old)
	if !(factor > 0) || !(old > 0) {
		return fmt.Errorf("factor is %v and original_max_position_embeddings %v, expected positive numbers", factor, old)
	}
	r.Factor = s.number("attention_factor", 0)
	if r.Factor == 0 {
		r.Factor = yarnFactor(s, factor)
	}
	dim := func(rotations float64) float64 {
		return d * math.Log(old/(rotations*2*math.Pi)) / (2 * math.Log(r.Theta))
	}
	low, high := dim(s.number("beta_fast", 32)), dim(s.number("beta_slow", 1))
	if truncate, ok := s.m["truncate"].(bool); !ok || truncate {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = math.Max(low, 0), math.Min(high, d-1)
	if low == high {
		high += 0.001
	}
	for i, f := range r.InvFreq {
		ramp := math.Min(math.Max((float64(i)-low)/(high-low), 0), 1)
		r.InvFreq[i] = f/factor*ramp + f*(1-ramp)
	}
	return nil
}

func yarnFactor(s scaling, factor float64) float64 {
	mscale := func(m float64) float64 {
		if factor <= 1 {
			return 1
		}
		return 0.1*m*math.Log(factor) + 1
	}
	if m, all := s.number("mscale", 0), s.number("mscale_all_dim", 0); m != 0 && all != 0 {
		return mscale(m) / mscale(all)
	}
	return mscale(1)
}

// ropeLong divides every frequency by its own factor, one list for short and one for long sequences (Phi-3).
func ropeLong(r *Rope, s scaling) error {
	short, err := s.factors("short_factor", len(r.InvFreq))
	if err != nil {
		return err
	}
	long, err := s.factors("long_factor", len(r.InvFreq))
	if err != nil {
		return err
	}
	r.Original = s.original()
	r.LongFreq = make([]float64, len(r.InvFreq))
	for i, f := range r.InvFreq {
		r.InvFreq[i], r.LongFreq[i] = f/short[i], f/long[i]
	}
	factor := s.number("factor", float64(s.maxPos)/float64(r.Original))
	r.Factor = s.number("attention_factor", 0)
	if r.Factor == 0 {
		r.Factor = 1
		if factor > 1 {
			r.Factor = math.Sqrt(1 + math.Log(factor)/math.Log(float64(r.Original)))
		}
	}
	return nil
}

// ropeFactors divides every frequency by its own factor: Llama 3's scaling as GGUF files store it.
func ropeFactors(r *Rope, s scaling) error {
	list, err := s.factors("factors", len(r.InvFreq))
	for i := range list {
		r.InvFreq[i] /= list[i]
	}
	return err
}

func (s scaling) factors(key string, n int) ([]float64, error) {
	list, _ := s.m[key].([]any)
	if len(list) != n {
		return nil, fmt.Errorf("%s has %d numbers, expected %d", key, len(list), n)
	}
	out := make([]float64, n)
	for i, v := range list {
		f, err := scaling{m: map[string]any{key: v}}.need(key)
		if err != nil {
			return nil, err
		}
		out[i] = f
	}
	return out, nil
}
