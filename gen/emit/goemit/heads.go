package goemit

import (
	"fmt"
	"strings"
)

// headTexts are the methods of the heads, by the task of the model.
var headTexts = map[string]string{
	"text-classification":  classifyText,
	"token-classification": tagText,
	"question-answering":   answerText,
	"masked-lm":            fillText,
}

// headText emits what the model's head is for, "" if there is nothing.
func (e *emitter) headText() string {
	text := headTexts[e.Task]
	if !e.Tokens || e.Causal || text == "" {
		return ""
	}
	if strings.Contains(text, "$labels") {
		var names []string
		for _, name := range e.Labels {
			names = append(names, fmt.Sprintf("%q", name))
		}
		text = strings.ReplaceAll(text, "$labels", strings.Join(names, ", "))
	}
	if e.ranks() {
		text += rankText
	}
	types := pick(e.Plan.Graph.Input("token_types") != nil, ", Types: $e.TypeIDs", "")
	text = strings.NewReplacer("$sequence", "Sequence{Tokens: $e.IDs"+types+"}",
		"$classes", pick(e.Regression, "heads.Values($o.Logits, Labels)", "heads.Classes($o.Logits, Labels, $several)")).Replace(text)
	text = strings.NewReplacer("$several", fmt.Sprint(e.SeveralLabels), "$raw", fmt.Sprint(e.RawScores), "$o.", "o.").Replace(text)
	text = strings.ReplaceAll(text, "$e", "e")
	if e.Plan.Graph.Output("embedding") == nil {
		text += strings.ReplaceAll(lengthText, "$length", fmt.Sprint(e.maxLength()))
	}
	return text
}

const lengthText = `
// MaxTokens is the number of tokens of a text that are used, special tokens included; the rest is cut off.
const MaxTokens = $length
`

const classifyText = `
// Labels are the classes, in the order of the logits.
var Labels = []string{$labels}

// Classify returns the classes of each text in descending order of their scores.
func (m *Model) Classify(ctx context.Context, texts []string) ([][]heads.Class, error) {
	batch := make([]Sequence, len(texts))
	for i, text := range texts {
		e, err := m.tokens.EncodeInput(tokenizer.Text(text), tokenizer.Options{Special: true, Truncation: &tokenizer.Truncation{Max: MaxTokens}})
		if err != nil {
			return nil, err
		}
		batch[i] = $sequence
	}
	outputs, err := m.Run(ctx, batch)
	if err != nil {
		return nil, err
	}
	classes := make([][]heads.Class, len(texts))
	for i, o := range outputs {
		classes[i] = $classes
	}
	return classes, nil
}

// ClassifyPair returns the classes of a pair of texts, as for entailment.
func (m *Model) ClassifyPair(ctx context.Context, a, b string) ([]heads.Class, error) {
	e, err := m.tokens.EncodeInput(tokenizer.Pair(a, b), tokenizer.Options{Special: true, Truncation: &tokenizer.Truncation{Max: MaxTokens}})
	if err != nil {
		return nil, err
	}
	outputs, err := m.Run(ctx, []Sequence{$sequence})
	if err != nil {
		return nil, err
	}
	o := outputs[0]
	return $classes, nil
}
`

const rankText = `
// Rank returns the documents in descending order of what they say about the query, as cross-encoders judge it.
func (m *Model) Rank(ctx context.Context, query string, documents []string) ([]heads.Ranked, error) {
	batch := make([]Sequence, len(documents))
	for i, text := range documents {
		e, err := m.tokens.EncodeInput(tokenizer.Pair(query, text), tokenizer.Options{Special: true, Truncation: &tokenizer.Truncation{Max: MaxTokens}})
		if err != nil {
			return nil, err
		}
		batch[i] = $sequence
	}
	outputs, err := m.Run(ctx, batch)
	if err != nil {
		return nil, err
	}
	logits := make([]float32, len(documents))
	for i, o := range outputs {
		logits[i] = o.Logits[0]
	}
	return heads.Rank(logits, $raw), nil
}
`

// ranks reports whether the model gives one number for a pair of texts.
func (e *emitter) ranks() bool {
	logits := e.Plan.Graph.Output("logits")
	return e.Task == "text-classification" && logits != nil && logits.Type.Width() == 1
}

// judgeNames are the commands of programs for the heads above, by the task of the model, and judgeLines how they reach it.
var judgeNames = map[string]string{"text-classification": "classify", "token-classification": "tag", "question-answering": "answer", "masked-lm": "fill"}

var judgeLines = map[string]string{
	"text-classification":  "i.Judge.Classify, i.Judge.ClassifyPair = m.Classify, m.ClassifyPair\n",
	"token-classification": "i.Judge.Tag = m.Tag\n",
	"question-answering":   "i.Judge.Answer = m.Answer\n",
	"masked-lm":            "i.Judge.FillMask = m.FillMask\n",
}

// judge returns what a program's description and its open function say of the head; both are "" if it has none.
func (e *emitter) judge() (kind, instance string) {
	if e.headText() == "" {
		return "", ""
	}
	names, instance := fmt.Sprintf("%q", judgeNames[e.Task]), judgeLines[e.Task]
	if e.ranks() {
		names, instance = `"rank", `+names, instance+"i.Judge.Rank = m.Rank\n"
	}
	return "Judges: []string{" + names + "},\n", instance
}

const tagText = `
// Labels are the classes of tokens, in the order of the logits.
var Labels = []string{$labels}

// Tag returns the parts of a text that the model marks, with their labels and places.
func (m *Model) Tag(ctx context.Context, text string) ([]heads.Tag, error) {
	e, err := m.tokens.EncodeInput(tokenizer.Text(text), tokenizer.Options{Special: true, Truncation: &tokenizer.Truncation{Max: MaxTokens}})
	if err != nil {
		return nil, err
	}
	outputs, err := m.Run(ctx, []Sequence{$sequence})
	if err != nil {
		return nil, err
	}
	return heads.Tags(text, outputs[0].Logits, Labels, e.Offsets), nil
}
`

const answerText = `
// Answer returns the n best answers to a question in a text, each of at most 15 tokens. A text that does not fit is read
// in windows that overlap.
func (m *Model) Answer(ctx context.Context, question, text string, n int) ([]heads.Span, error) {
	first, err := m.tokens.EncodeInput(tokenizer.Pair(question, text),
		tokenizer.Options{Special: true, Truncation: &tokenizer.Truncation{Max: MaxTokens, Stride: MaxTokens / 4, Strategy: tokenizer.OnlySecond}})
	if err != nil {
		return nil, err
	}
	var best []heads.Span
	for _, e := range append([]*tokenizer.Encoding{first}, first.Overflow...) {
		outputs, err := m.Run(ctx, []Sequence{$sequence})
		if err != nil {
			return nil, err
		}
		inside := make([]bool, len(e.IDs))
		for i, of := range e.Sequences() {
			inside[i] = of == 1 && e.Special[i] == 0
		}
		best = append(best, heads.Spans(text, outputs[0].StartLogits, outputs[0].EndLogits, e.Offsets, inside, n, 15)...)
	}
	return heads.Best(best, n), nil
}
`

const fillText = `
// Masks are the texts of tokens that stand for a missing one.
var masks = []string{"[MASK]", "<mask>"}

// FillMask returns, for each mask in a text ([MASK] or <mask>), the n most probable tokens for its place.
func (m *Model) FillMask(ctx context.Context, text string, n int) ([][]heads.Fill, error) {
	e, err := m.tokens.EncodeInput(tokenizer.Text(text), tokenizer.Options{Special: true, Truncation: &tokenizer.Truncation{Max: MaxTokens}})
	if err != nil {
		return nil, err
	}
	outputs, err := m.Run(ctx, []Sequence{$sequence})
	if err != nil {
		return nil, err
	}
	var fills [][]heads.Fill
	for i, id := range e.IDs {
		for _, mask := range masks {
			if have, ok := m.tokens.TokenID(mask); ok && have == id {
				row := outputs[0].Logits[i*Vocabulary:][:Vocabulary]
				fills = append(fills, heads.Fills(row, n, func(id int32) string { return m.tokens.Decode([]int32{id}, false) }))
			}
		}
	}
	if fills == nil {
		return nil, errors.New("$package: the text has no mask: write [MASK] or <mask>, as the tokenizer does")
	}
	return fills, nil
}
`
