package heads

import (
	"math"
	"slices"
)

// Ranked is a document that was judged for a query.
type Ranked struct {
	Index int     `json:"index"` // in the list that was given
	Score float64 `json:"score"`
}

// Rank returns documents in descending order of their scores: of the sigmoid of
// each logit or, where raw is set, of the logit itself (CrossEncoder.rank of
// sentence-transformers).
func Rank(logits []float32, raw bool) []Ranked {
	list := make([]Ranked, len(logits))
	for i, v := range logits {
		list[i] = Ranked{i, float64(v)}
		if !raw {
			list[i].Score = 1 / (1 + math.Exp(-float64(v)))
		}
	}
	slices.SortStableFunc(list, func(a, b Ranked) int { return -compare(a.Score, b.Score) })
	return list
}

// Values returns the logits themselves as the scores of their labels, in
// descending order: the numbers that a model of regression gives.
func Values(logits []float32, labels []string) []Class {
	list := make([]Class, len(logits))
	for i, v := range logits {
		list[i] = Class{label(labels, i), float64(v)}
	}
	slices.SortStableFunc(list, func(a, b Class) int { return -compare(a.Score, b.Score) })
	return list
}

// Cut returns the first n elements of a vector with length 1 again, as models
// trained on nested lengths allow (Kusupati et al. 2022, arXiv:2205.13147); the
// vector itself if it is not longer. A vector of zeros stays one.
func Cut(vector []float32, n int) []float32 {
	if n >= len(vector) {
		return vector
	}
	cut := slices.Clone(vector[:max(n, 0)])
	sum := 0.0
	for _, v := range cut {
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return cut
	}
	for i := range cut {
		cut[i] = float32(float64(cut[i]) / math.Sqrt(sum))
	}
	return cut
}
