// Package conversation renders conversations given as JSON. Only libraries of models with a chat template link it, and with
// it the engine of templates.
package conversation

import (
	"encoding/json"
	"fmt"

	"github.com/tfgen/tfgen/runtime/chat"
)

// request is what a chat template renders, with the names of apply_chat_template in transformers.
type request struct {
	Messages             []chat.Message  `json:"messages"`
	Tools                []chat.Tool     `json:"tools"`
	Documents            []chat.Document `json:"documents"`
	AddGenerationPrompt  bool            `json:"add_generation_prompt"`
	ContinueFinalMessage bool            `json:"continue_final_message"`
	EnableThinking       *bool           `json:"enable_thinking"`
	ChatTemplate         string          `json:"chat_template"`
	Variables            map[string]any  `json:"variables"`
}

// Renderer returns a function that renders a request in JSON with a model's chat template.
func Renderer(apply func([]chat.Message, chat.Options) (string, error)) func(text []byte) (string, error) {
	return func(text []byte) (string, error) {
		var q request
		if err := json.Unmarshal(text, &q); err != nil {
			return "", fmt.Errorf("the conversation is not valid JSON: %w", err)
		}
		return apply(q.Messages, chat.Options{
			Tools: q.Tools, Documents: q.Documents, NoGenerationPrompt: !q.AddGenerationPrompt, Continue: q.ContinueFinalMessage,
			Thinking: q.EnableThinking, Template: q.ChatTemplate, Variables: q.Variables,
		})
	}
}
