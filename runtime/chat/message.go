// Package chat turns conversations into the text that a model was trained on: messages with roles, parts, tools, tool calls,
// documents and reasoning go through the model's chat template exactly as apply_chat_template of transformers 5.23 does it.
package chat

import (
	"fmt"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/runtime/json"
	"github.com/tfgen/tfgen/runtime/template/py"
)

// Message is one message of a conversation. Its JSON is that of the common chat APIs.
type Message struct {
	Role      string // "system", "user", "assistant", "tool", or what else the model knows
	Content   string
	Parts     []Part // the content, instead of Content, if it has several parts
	Reasoning string // what the model thought before it answered
	ToolCalls []ToolCall

	ToolCallID string // of a tool's result
	Name       string // of who speaks, or of the tool

	// More are further keys of the message, for templates that know them.
	More map[string]any
}

// Part is a part of a message's content: a text or a place where an image, audio or video stands.
type Part struct {
	Type string // "text", "image", …
	Text string // of a text
	More map[string]any
}

// ToolCall is the model's wish to call a function.
type ToolCall struct {
	ID        string
	Name      string
	Arguments json.RawMessage // an object
}

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description string
	Parameters  json.RawMessage // JSON Schema of the arguments

	raw *py.Dict // as it was in JSON
}

// Document is a text that the model may use for its answer.
type Document struct {
	Title, Text string
	More        map[string]any
}

func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// value decodes JSON for templates; text that is not JSON stays text.
func rawValue(data json.RawMessage, absent py.Value) py.Value {
	if len(data) == 0 {
		return absent
	}
	v, err := py.Decode(data)
	if err != nil {
		return clean(string(data))
	}
	return v
}

// setAll sets Go values in the order of their names.
func setAll(d *py.Dict, more map[string]any) error {
	var names []string
	for name := range more {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		v, err := py.FromGo(more[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		d.Set(name, v)
	}
	return nil
}

func (m Message) value() py.Value {
	d := py.NewDict("role", clean(m.Role))
	if m.Parts != nil {
		d.Set("content", list(m.Parts, Part.value))
	} else {
		d.Set("content", clean(m.Content))
	}
	if m.Reasoning != "" {
		d.Set("reasoning_content", clean(m.Reasoning))
	}
	if len(m.ToolCalls) > 0 {
		d.Set("tool_calls", list(m.ToolCalls, ToolCall.value))
	}
	for _, f := range [][2]string{{"tool_call_id", m.ToolCallID}, {"name", m.Name}} {
		if f[1] != "" {
			d.Set(f[0], clean(f[1]))
		}
	}
	setMore(d, m.More)
	return d
}

// setMore is setAll; what has no JSON is left out.
func setMore(d *py.Dict, more map[string]any) {
	for name, x := range more {
		if _, err := py.FromGo(x); err != nil {
			more = without(more, name)
		}
	}
	_ = setAll(d, more)
}

func without(m map[string]any, name string) map[string]any {
	c := map[string]any{}
	for k, v := range m {
		if k != name {
			c[k] = v
		}
	}
	return c
}

func (p Part) value() py.Value {
	d := py.NewDict("type", clean(p.Type))
	if p.Type == "text" || p.Text != "" {
		d.Set("text", clean(p.Text))
	}
	setMore(d, p.More)
	return d
}

func (c ToolCall) value() py.Value {
	d := new(py.Dict)
	if c.ID != "" {
		d.Set("id", clean(c.ID))
	}
	d.Set("type", "function")
	d.Set("function", py.NewDict("name", clean(c.Name), "arguments", rawValue(c.Arguments, new(py.Dict))))
	return d
}

func (t Tool) value() py.Value {
	if t.raw != nil {
		return t.raw
	}
	f := py.NewDict("name", clean(t.Name), "description", clean(t.Description))
	f.Set("parameters", rawValue(t.Parameters, py.NewDict("type", "object", "properties", new(py.Dict))))
	return py.NewDict("type", "function", "function", f)
}

func (d Document) value() py.Value {
	out := py.NewDict("title", clean(d.Title), "text", clean(d.Text))
	setMore(out, d.More)
	return out
}
