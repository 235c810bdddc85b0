package portable

// BlockKeys is the number of keys in one block of the attention caches.
const BlockKeys = 64

// SoftmaxBlock is one step of a streaming softmax over a block of 64 keys, for
// rows queries. s holds rows × 64 scores q·k. Per row: t = s·scale; with a
// logitCap, t = logitCap·tanh(t/logitCap); lanes outside [lo, hi) are masked.
// Then m′ = max(m, max t), s = e^(t − m′) (masked lanes exactly 0),
// alpha = e^(m − m′), l = l·alpha + Σ s, m = m′. m starts at −1e30 and l at 0,
// so a fully masked block changes neither and gives alpha = 1. Milakov and
// Gimelshein 2018, Online normalizer calculation for softmax.
func SoftmaxBlock(s []float32, rows int, lo, hi []int32, m, l, alpha []float32, scale, logitCap float32) {
	for r := range rows {
		row := s[r*BlockKeys:][:BlockKeys]
		first, end := int(lo[r]), int(hi[r])
		top := m[r]
		for i := range row {
			row[i] = score(row[i], scale, logitCap)
			if i >= first && i < end {
				top = max(top, row[i])
			}
		}
		sum := 0.0
		for i := range row {
			if i < first || i >= end {
				row[i] = 0
				continue
			}
			row[i] = Exp(row[i] - top)
			sum += float64(row[i])
		}
		alpha[r] = Exp(m[r] - top)
		l[r] = float32(float64(l[r])*float64(alpha[r]) + sum)
		m[r] = top
	}
}

// score returns s·scale, limited to ±logitCap by a hyperbolic tangent unless
// logitCap is 0.
func score(s, scale, logitCap float32) float32 {
	t := s * scale
	if logitCap == 0 {
		return t
	}
	return logitCap * Tanh(t*float32(1/logitCap))
}

// MinScore is the score that starts a streaming softmax: below every
// score that occurs, yet finite, so that differences are never NaN.
const MinScore = -1e30

// StartSoftmax prepares m and l for the first block: m = −1e30, l = 0.
func StartSoftmax(m, l []float32) {
	for i := range m {
		m[i] = MinScore
	}
	clear(l)
}

// StartSinks prepares m and l for the first block when every head has a sink, a key without value: m is its score and
// l = 1. The sink of row r is sinks[r·step]. Xiao et al. 2023, Efficient Streaming Language Models with Attention Sinks.
func StartSinks(m, l, sinks []float32, step int) {
	for i := range m {
		m[i], l[i] = sinks[i*step], 1
	}
}

// FinishSoftmax turns the sums of weights into the factors that divide the
// accumulated values: inv[r] = 1 / l[r], or 0 when every key was masked.
func FinishSoftmax(inv, l []float32) {
	for r, v := range l {
		inv[r] = 0
		if v != 0 {
			inv[r] = float32(1 / float64(v))
		}
	}
}
