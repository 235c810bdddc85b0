package chat

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

const chatML = `{%- if tools %}tools: {{ tools | tojson }}
{% endif %}{% for m in messages %}<|{{ m.role }}|>{{ m.content if m.content is string else m.content|map(attribute='text')|join }}
{%- if m.reasoning_content %} ({{ m.reasoning_content }}){% endif %}
{%- for c in m.tool_calls or [] %} {{ c.function.name }}{{ c.function.arguments | tojson }}{% endfor %}<|end|>
{% endfor %}{% if add_generation_prompt %}<|assistant|>{% if enable_thinking is false %}<nothink>{% endif %}{% endif %}`

func newTemplate() *Template {
	return New(map[string]string{"bos_token": "<s>"}).Parse("default", chatML)
}

func TestApply(t *testing.T) {
	off := false
	for _, c := range []struct {
		name     string
		messages []Message
		options  Options
		want     string
	}{
		{"prompt", []Message{{Role: "user", Content: "Hi"}}, Options{}, "<|user|>Hi<|end|>\n<|assistant|>"},
		{"no prompt", []Message{{Role: "user", Content: "Hi"}}, Options{NoGenerationPrompt: true}, "<|user|>Hi<|end|>\n"},
		{"thinking off", []Message{{Role: "user", Content: "Hi"}}, Options{Thinking: &off}, "<|user|>Hi<|end|>\n<|assistant|><nothink>"},
		{"parts", []Message{{Role: "user", Parts: []Part{{Type: "text", Text: "a"}, {Type: "text", Text: "b"}}}}, Options{NoGenerationPrompt: true}, "<|user|>ab<|end|>\n"},
		{"reasoning", []Message{{Role: "assistant", Content: "2", Reasoning: "1+1"}}, Options{NoGenerationPrompt: true}, "<|assistant|>2 (1+1)<|end|>\n"},
		{"calls", []Message{{Role: "assistant", ToolCalls: []ToolCall{{Name: "f", Arguments: json.RawMessage(`{"b":1,"a":2.0}`)}}}}, Options{NoGenerationPrompt: true}, `<|assistant|> f{"b": 1, "a": 2.0}<|end|>` + "\n"},
		{"continue", []Message{{Role: "user", Content: "Hi"}, {Role: "assistant", Content: "Once upon "}}, Options{Continue: true}, "<|user|>Hi<|end|>\n<|assistant|>Once upon "},
		{"invalid UTF-8", []Message{{Role: "user", Content: "a\xffb"}}, Options{NoGenerationPrompt: true}, "<|user|>a\uFFFDb<|end|>\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := newTemplate().Apply(c.messages, c.options)
			if err != nil || got.Text != c.want {
				t.Errorf("got %q, %v; want %q", got.Text, err, c.want)
			}
		})
	}
}

func TestApplyErrors(t *testing.T) {
	hello := []Message{{Role: "user", Content: "Hi"}}
	if _, err := New(nil).Apply(hello, Options{}); !errors.Is(err, ErrNoTemplate) {
		t.Errorf("no template: %v", err)
	}
	if _, err := newTemplate().Apply(nil, Options{}); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("no messages: %v", err)
	}
	if _, err := newTemplate().Apply(hello, Options{Template: "rag"}); err == nil || !strings.Contains(err.Error(), "it has default") {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := New(nil).Parse("default", "{% if %}").Apply(hello, Options{}); err == nil || !strings.Contains(err.Error(), "TemplateSyntaxError") {
		t.Errorf("syntax: %v", err)
	}
	if _, err := New(nil).Parse("default", "{{ messages[0].role }}").Apply(hello, Options{Continue: true}); err == nil {
		t.Error("a message was continued that the template does not print")
	}
}

func TestChoice(t *testing.T) {
	set := New(nil).Parse("default", "plain").Parse("tool_use", "tools").Parse("rag", "rag")
	for _, c := range []struct {
		o    Options
		want string
	}{{Options{}, "plain"}, {Options{Tools: []Tool{{Name: "f"}}}, "tools"}, {Options{Template: "rag"}, "rag"}} {
		got, err := set.Apply([]Message{{Role: "user"}}, c.o)
		if err != nil || got.Text != c.want {
			t.Errorf("got %q, %v; want %q", got.Text, err, c.want)
		}
	}
}

// TestJSON reads the forms of messages and tools that chat APIs use, and writes them back.
func TestJSON(t *testing.T) {
	var m []Message
	err := json.Unmarshal([]byte(`[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image","url":"x.png"}]},
		{"role":"assistant","content":null,"reasoning":"r","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]},
		{"role":"tool","tool_call_id":"1","name":"f","content":"ok","extra":[1]}]`), &m)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image","url":"x.png"}]},` +
		`{"role":"assistant","content":"","reasoning_content":"r","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":{"a":1}}}]},` +
		`{"role":"tool","content":"ok","tool_call_id":"1","name":"f","extra":[1]}]`
	if string(out) != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
	var tool Tool
	in := `{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object"}}}`
	if err := json.Unmarshal([]byte(in), &tool); err != nil || tool.Name != "f" {
		t.Fatalf("%+v, %v", tool, err)
	}
	if out, err := json.Marshal(tool); err != nil || string(out) != in {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestNow(t *testing.T) {
	set := New(nil).Parse("default", "{{ strftime_now('%d %b %Y') }}")
	got, err := set.Apply([]Message{{Role: "user"}}, Options{Now: time.Date(2025, 7, 26, 0, 0, 0, 0, time.UTC)})
	if err != nil || got.Text != "26 Jul 2025" {
		t.Errorf("got %q, %v", got.Text, err)
	}
}

// FuzzMessage reads any JSON as messages; what can be read can be written, read again and rendered.
func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"role":"user","content":"a","tool_calls":[{"function":{"name":"f","arguments":"{}"}}],"x":1}`))
	f.Add([]byte(`{"role":"user","content":[{"type":"text","text":"a"},"b",{"type":"image"}],"thinking":"t"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m Message
		if json.Unmarshal(data, &m) != nil {
			return
		}
		out, err := json.Marshal(m)
		if err != nil {
			return // arguments that are nested too deep
		}
		var again Message
		if err := json.Unmarshal(out, &again); err != nil {
			t.Errorf("%s becomes %s: %v", data, out, err)
		}
		_, _ = newTemplate().Apply([]Message{m}, Options{}) // an error is a result too
	})
}
