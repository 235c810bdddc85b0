package chat

import "strings"

// mark is a text that no template changes.
const mark = "Zq7mark"

// TurnEnd returns what the template writes behind an answer, "" if that cannot be
// told: in "<|im_start|>assistant\nHello<|im_end|>\n" it is "<|im_end|>\n".
// Models end an answer with the token that this begins with, whether or not it
// is their end-of-text token.
func (t *Template) TurnEnd() string {
	r, err := t.Apply([]Message{{Role: "user", Content: "Hello"}, {Role: "assistant", Content: mark}}, Options{NoGenerationPrompt: true})
	if err != nil {
		return ""
	}
	_, after, found := strings.Cut(r.Text, mark)
	if !found {
		return ""
	}
	return after
}
