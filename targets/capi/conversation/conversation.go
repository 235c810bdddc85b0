// Package conversation renders conversations given as JSON. Only libraries of models with a chat template link it, and with
// it the engine of templates.
package conversation

import (
	"fmt"

	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/json"
)

// request is what a chat template renders.
type request struct {
	messages []chat.Message
	options  chat.Options
}

// members reads a request: names are those of apply_chat_template in transformers. Others are left out.
var members = map[string]func(r *json.Reader, q *request) error{
	"messages": func(r *json.Reader, q *request) (err error) {
		q.messages, err = json.Each(r, (*chat.Message).UnmarshalJSON)
		return err
	},
	"tools": func(r *json.Reader, q *request) (err error) {
		q.options.Tools, err = json.Each(r, (*chat.Tool).UnmarshalJSON)
		return err
	},
	"documents": func(r *json.Reader, q *request) (err error) {
		q.options.Documents, err = json.Each(r, (*chat.Document).UnmarshalJSON)
		return err
	},
	"add_generation_prompt": func(r *json.Reader, q *request) error {
		var add bool
		err := r.Value(&add)
		q.options.NoGenerationPrompt = !add
		return err
	},
	"continue_final_message": func(r *json.Reader, q *request) error { return r.Value(&q.options.Continue) },
	"enable_thinking":        func(r *json.Reader, q *request) error { return r.Value(&q.options.Thinking) },
	"chat_template":          func(r *json.Reader, q *request) error { return r.Value(&q.options.Template) },
	"variables": func(r *json.Reader, q *request) error {
		var values map[string]json.RawMessage
		err := r.Value(&values)
		q.options.Variables = map[string]any{}
		for name, v := range values {
			q.options.Variables[name] = v
		}
		return err
	},
}

// Renderer returns a function that renders a request in JSON with a model's chat template.
func Renderer(apply func([]chat.Message, chat.Options) (string, error)) func(text []byte) (string, error) {
	return func(text []byte) (string, error) {
		q, err := read(text)
		if err != nil {
			return "", fmt.Errorf("the conversation: %w", err)
		}
		return apply(q.messages, q.options)
	}
}

// read reads a request.
func read(text []byte) (*request, error) {
	q := &request{options: chat.Options{NoGenerationPrompt: true}}
	r := json.NewReader(text)
	err := r.Object(func(name string) error {
		set := members[name]
		if set == nil {
			return r.Skip()
		}
		if err := set(r, q); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return q, r.End()
}
