package program

import (
	"fmt"
	"io"
	"strings"

	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/toolcall"
)

// answer is what the model says, on its way to the screen and into the
// conversation.
type answer struct {
	*talk
	parser  *toolcall.Parser // nil: all of it is text
	message toolcall.Collector
	shown   toolcall.Kind // of the event printed last
	begun   bool
	err     error // of printing
}

// newAnswer prepares for the answer to the conversation.
func (t *talk) newAnswer() (*answer, error) {
	a := &answer{talk: t}
	if t.instance.Answers == nil {
		return a, nil
	}
	var err error
	a.parser, err = t.instance.Answers(t.messages, t.asking)
	return a, err
}

// add takes the next piece of the answer.
func (a *answer) add(text string) error {
	if !a.begun {
		text = strings.TrimLeft(text, " ")
	}
	a.begun = a.begun || text != ""
	if a.parser == nil {
		a.take(toolcall.Event{Kind: toolcall.Text, Text: text})
	} else {
		a.take(a.parser.Feed(text)...)
	}
	return a.err
}

// take notes events and prints them.
func (a *answer) take(events ...toolcall.Event) {
	a.message.Add(events...)
	for _, e := range events {
		if !a.json && a.err == nil {
			_, a.err = io.WriteString(a.out, a.show(e))
		}
	}
}

// show is an event as text: reasoning and calls stand in brackets on lines of
// their own.
func (a *answer) show(e toolcall.Event) string {
	before := a.shown
	a.shown = e.Kind
	text := e.Text
	switch e.Kind {
	case toolcall.Reasoning:
		if before != toolcall.Reasoning {
			text = "[thinking] " + text
		}
		return text
	case toolcall.Begin:
		text = "[call] " + e.Name + " "
	case toolcall.Arguments:
		return text
	case toolcall.End:
		return "\n"
	}
	if before == toolcall.Reasoning {
		text = "\n[answer] " + text
	}
	return text
}

// finish ends the answer and returns it as a message.
func (a *answer) finish() (chat.Message, error) {
	if a.parser != nil {
		a.take(a.parser.Close()...)
	}
	m := a.message.Message()
	if a.err != nil {
		return m, a.err
	}
	s := a.stats
	if a.json {
		out := map[string]any{"role": m.Role, "content": m.Content, "reason": s.Reason.String(),
			"prompt_tokens": s.PromptTokens, "tokens": s.Tokens, "tokens_per_second": s.DecodeRate()}
		if m.Reasoning != "" {
			out["reasoning_content"] = m.Reasoning
		}
		if len(m.ToolCalls) > 0 {
			out["tool_calls"] = m.ToolCalls
		}
		return m, a.printJSON(out)
	}
	end := "\n"
	if r := s.Reason; r != generate.EndOfText && r != generate.StopText && r != generate.Complete {
		end = fmt.Sprintf(" [%s]\n", r)
	}
	_, err := io.WriteString(a.out, end)
	return m, err
}
