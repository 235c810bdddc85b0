// Package heads makes what people ask for of the outputs of models that judge
// texts: classes, marked words, answers and words for masks, as the pipelines of
// Hugging Face transformers do.
package heads

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Class is a label and its probability.
type Class struct {
	Label string  `json:"label"`
	Score float64 `json:"score"`
}

// label returns the name of a class.
func label(labels []string, i int) string {
	if i < len(labels) && labels[i] != "" {
		return labels[i]
	}
	return "LABEL_" + strconv.Itoa(i)
}

// softmax returns the probabilities of logits.
func softmax(logits []float32) []float64 {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, float64(v))
	}
	p, sum := make([]float64, len(logits)), 0.0
	for i, v := range logits {
		p[i] = math.Exp(float64(v) - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// Probabilities returns those of classes: the softmax of the logits, or the
// sigmoid of each where several may hold, which is so for a single class too.
func Probabilities(logits []float32, several bool) []float64 {
	scores := softmax(logits)
	if several || len(logits) == 1 {
		for i, v := range logits {
			scores[i] = 1 / (1 + math.Exp(-float64(v)))
		}
	}
	return scores
}

// Classes returns the classes of a text in descending order of their
// Probabilities.
func Classes(logits []float32, labels []string, several bool) []Class {
	scores := Probabilities(logits, several)
	list := make([]Class, len(scores))
	for i, p := range scores {
		list[i] = Class{label(labels, i), p}
	}
	slices.SortStableFunc(list, func(a, b Class) int { return -compare(a.Score, b.Score) })
	return list
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Tag is a part of a text with a label: bytes Start to End.
type Tag struct {
	Label string  `json:"label"`
	Score float64 `json:"score"` // mean probability of its tokens
	Start int     `json:"start"`
	End   int     `json:"end"`
	Text  string  `json:"text"`
}

// Tags returns the parts of a text that the tokens' labels mark, tokens of one
// kind that follow each other joined: B- begins a part, I- continues it, O is
// none (aggregation_strategy "simple"). Logits has a row for each token; tokens
// that were added have an empty range.
func Tags(text string, logits []float32, labels []string, offsets [][2]int) (tags []Tag) {
	n := len(logits) / max(1, len(offsets))
	kind, count := "", 0
	for i, at := range offsets {
		if at[0] == at[1] {
			continue
		}
		p := softmax(logits[i*n:][:n])
		best := 0
		for j := range p {
			if p[j] > p[best] {
				best = j
			}
		}
		name := label(labels, best)
		begins := strings.HasPrefix(name, "B-")
		if part := strings.TrimPrefix(strings.TrimPrefix(name, "B-"), "I-"); part != kind || begins {
			kind, count = part, 0
			tags = append(tags, Tag{Label: part, Start: at[0]})
		}
		t := &tags[len(tags)-1]
		t.Score = (t.Score*float64(count) + p[best]) / float64(count+1)
		count++
		t.End = at[1]
		t.Text = text[t.Start:t.End]
	}
	return slices.DeleteFunc(tags, func(t Tag) bool { return t.Label == "O" })
}

// Span is an answer: bytes Start to End of the context.
type Span struct {
	Text  string  `json:"text"`
	Start int     `json:"start"`
	End   int     `json:"end"`
	Score float64 `json:"score"` // product of the probabilities of its first and last token
}

// Spans returns the n best answers among the tokens for which inside is true, of
// at most longest tokens. The probabilities are those of these tokens.
func Spans(text string, start, end []float32, offsets [][2]int, inside []bool, n, longest int) (spans []Span) {
	var tokens []int
	var first, last []float32
	for i, in := range inside {
		if in {
			tokens, first, last = append(tokens, i), append(first, start[i]), append(last, end[i])
		}
	}
	p, q := softmax(first), softmax(last)
	for i := range tokens {
		for j := i; j < min(len(tokens), i+longest); j++ {
			score := p[i] * q[j]
			if len(spans) == n && score <= spans[n-1].Score {
				continue
			}
			at := slices.IndexFunc(spans, func(s Span) bool { return s.Score < score })
			if at < 0 {
				at = len(spans)
			}
			from, to := offsets[tokens[i]][0], offsets[tokens[j]][1]
			spans = slices.Insert(spans, at, Span{text[from:to], from, to, score})
			spans = spans[:min(len(spans), n)]
		}
	}
	return spans
}

// Fill is a token for the place of a mask.
type Fill struct {
	ID    int32   `json:"id"`
	Text  string  `json:"text"`
	Score float64 `json:"score"`
}

// Fills returns the n most probable tokens of a row of logits; text gives the
// text of a token.
func Fills(logits []float32, n int, text func(id int32) string) []Fill {
	p := softmax(logits)
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return -compare(p[a], p[b]) })
	var list []Fill
	for _, i := range order[:min(n, len(order))] {
		list = append(list, Fill{int32(i), text(int32(i)), p[i]})
	}
	return list
}

// Best returns the n best of answers that were found in several windows, each
// place once.
func Best(spans []Span, n int) []Span {
	slices.SortStableFunc(spans, func(a, b Span) int { return -compare(a.Score, b.Score) })
	var best []Span
	for _, s := range spans {
		if len(best) < n && !slices.ContainsFunc(best, func(b Span) bool { return b.Start == s.Start && b.End == s.End }) {
			best = append(best, s)
		}
	}
	return best
}
