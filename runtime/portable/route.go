package portable

import "math"

// maxExperts bounds the experts of a router.
const maxExperts = 1024

// Router is the rule by which experts are chosen and weighed.
type Router struct {
	Experts, Top      int
	Sigmoid           bool // scores are sigmoids of the logits, otherwise their softmax
	Chosen            bool // weights are the softmax of the chosen logits
	Normalise         bool // weights are divided by their sum plus Eps
	Eps, Scale        float64
	Groups, TopGroups int  // groups of experts of which some are chosen first; at most one: no groups
	TwoBest           bool // the score of a group is the sum of its two best, otherwise its best
}

// Route writes to every row of y the numbers of the Top experts with the highest scores, highest first, and then their
// weights. x has a row of Experts logits; correction (nil: none) is added to the scores for the choice only. Of equal
// scores the first wins. Shazeer et al. 2017; groups: DeepSeek-AI 2024, DeepSeek-V2 and V3.
func Route(y []float32, ldy int, x []float32, ldx, rows int, correction []float32, o Router) {
	var scores, choice [maxExperts]float64
	for r := range rows {
		logits, out := x[r*ldx:][:o.Experts], y[r*ldy:][:2*o.Top]
		s, c := scores[:o.Experts], choice[:o.Experts]
		o.score(s, logits)
		copy(c, s)
		if correction != nil {
			for i := range c {
				c[i] += float64(correction[i])
			}
		}
		o.limit(c)
		for j := range o.Top {
			e := largest(c)
			c[e] = math.Inf(-1)
			out[j] = float32(e)
		}
		o.weigh(out[:o.Top], out[o.Top:], s, logits)
	}
}

// score writes the scores of one row of logits.
func (o *Router) score(s []float64, logits []float32) {
	for i, v := range logits {
		s[i] = float64(v)
		if o.Sigmoid {
			s[i] = 1 / (1 + exp(-s[i]))
		}
	}
	if !o.Sigmoid && !o.Chosen {
		softmaxRow(s)
	}
}

// softmaxRow replaces values by their softmax.
func softmaxRow(s []float64) {
	top, sum := math.Inf(-1), 0.0
	for _, v := range s {
		top = max(top, v)
	}
	for i, v := range s {
		s[i] = exp(v - top)
		sum += s[i]
	}
	for i := range s {
		s[i] /= sum
	}
}

// largest returns the index of the first largest value.
func largest(v []float64) int {
	at := 0
	for i, x := range v {
		if x > v[at] {
			at = i
		}
	}
	return at
}

// limit excludes the experts outside the best groups.
func (o *Router) limit(choice []float64) {
	if o.Groups <= 1 || o.TopGroups >= o.Groups {
		return
	}
	var scores [maxExperts]float64
	size := o.Experts / o.Groups
	for g := range o.Groups {
		part := choice[g*size:][:size]
		first, second := math.Inf(-1), math.Inf(-1)
		for _, v := range part {
			if v > first {
				first, second = v, first
			} else if v > second {
				second = v
			}
		}
		scores[g] = first
		if o.TwoBest {
			scores[g] += second
		}
	}
	var keep [maxExperts]bool
	for range o.TopGroups {
		g := largest(scores[:o.Groups])
		scores[g], keep[g] = math.Inf(-1), true
	}
	for i := range choice {
		if !keep[i/size] {
			choice[i] = math.Inf(-1)
		}
	}
}

// weigh writes the weights w of the chosen experts.
func (o *Router) weigh(chosen, w []float32, scores []float64, logits []float32) {
	var v [maxExperts]float64
	sum := 0.0
	for j, e := range chosen {
		v[j] = scores[int(e)]
		sum += v[j]
	}
	scale := o.Scale
	switch {
	case o.Chosen:
		for j, e := range chosen {
			v[j] = float64(logits[int(e)])
		}
		softmaxRow(v[:len(chosen)])
	case o.Normalise:
		scale /= sum + o.Eps
	}
	for j := range w {
		w[j] = float32(v[j] * scale)
	}
}

// GroupRoutes sorts the choices of rows by expert: order[starts[e]:starts[e+1]] are the choices of expert e, row·top +
// place among the row's choices, in rising order. routes are the rows that Route wrote.
func GroupRoutes(starts, order []int32, routes []float32, ld, rows, top int) {
	clear(starts)
	for r := range rows {
		for _, e := range routes[r*ld:][:top] {
			starts[int(e)+1]++
		}
	}
	for e := 1; e < len(starts); e++ {
		starts[e] += starts[e-1]
	}
	for r := range rows {
		for c, e := range routes[r*ld:][:top] {
			order[starts[int(e)]] = int32(r*top + c)
			starts[int(e)]++
		}
	}
	copy(starts[1:], starts)
	starts[0] = 0
}

// ExpertTiles divides the work of experts: a tile of outputs of an expert with the choices lo … hi−1 costs hi−lo, and
// the range from … to of the cost of all experts gets the tiles first … last−1.
func ExpertTiles(lo, hi, tiles, from, to int) (first, last int) {
	at, rows := lo*tiles, hi-lo
	return min(max((from-at+rows-1)/rows, 0), tiles), min(max((to-at+rows-1)/rows, 0), tiles)
}

// Combine writes Σ weight · part over the top parts of d elements in every row of x; routes are the rows that Route
// wrote. Parts are added in the order of the choices.
func Combine(y []float32, ldy int, x []float32, ldx int, routes []float32, ldr, rows, top, d int) {
	for r := range rows {
		out, w := y[r*ldy:][:d], routes[r*ldr+top:][:top]
		clear(out)
		for c, f := range w {
			for i, v := range x[r*ldx+c*d:][:d] {
				out[i] += float32(f * v)
			}
		}
	}
}
