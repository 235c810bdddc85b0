// Package rope computes the angles of rotary position embeddings (Su et al. 2021, RoFormer).
package rope

import "math"

// Angles writes, for each position, the cosines and then the sines of position · inv[i], times factor, to a row of cs
// with stride ld. Angles are computed in float64.
func Angles(cs []float32, ld int, positions []int32, inv []float64, factor float64) {
	for r, p := range positions {
		row := cs[r*ld:][:2*len(inv)]
		for i, f := range inv {
			sin, cos := math.Sincos(float64(p) * f)
			row[i], row[len(inv)+i] = float32(cos*factor), float32(sin*factor)
		}
	}
}

// Dynamic writes the frequencies of dynamic NTK scaling for a sequence of total tokens, more than original, to inv:
// the base theta grows with the length (transformers, modeling_rope_utils.py, _compute_dynamic_ntk_parameters).
func Dynamic(inv []float64, theta, scale float64, original, total int) {
	d := float64(2 * len(inv))
	base := theta * math.Pow(float64(scale*float64(total)/float64(original))-float64(scale-1), d/(d-2))
	for i := range inv {
		inv[i] = 1 / math.Pow(base, float64(2*i)/d)
	}
}
