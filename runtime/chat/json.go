package chat

import (
	"fmt"

	"github.com/tfgen/tfgen/runtime/json"
	"github.com/tfgen/tfgen/runtime/template/py"
)

// MarshalJSON writes the call as chat APIs do.
func (c ToolCall) MarshalJSON() ([]byte, error) {
	arguments := c.Arguments
	if len(arguments) == 0 {
		arguments = json.RawMessage("{}")
	}
	if !json.Valid(arguments) {
		return nil, fmt.Errorf("the arguments of the call of %s are not JSON", c.Name)
	}
	id := ""
	if c.ID != "" {
		id = `"id":` + json.Quote(c.ID) + ","
	}
	return fmt.Appendf(nil, `{%s"type":"function","function":{"name":%s,"arguments":%s}}`, id, json.Quote(c.Name), arguments), nil
}

// UnmarshalJSON reads a call: {"function": {"name": …, "arguments": …}} or the function alone. Its arguments are an object or, as
// some services send it, the text of one.
func (c *ToolCall) UnmarshalJSON(data []byte) error {
	f, err := fields(data)
	if err != nil {
		return err
	}
	*c = ToolCall{}
	if err := take(f, "id", &c.ID); err != nil {
		return err
	}
	if inner, ok := f["function"]; ok {
		if f, err = fields(inner); err != nil {
			return fmt.Errorf("function: %w", err)
		}
	}
	if err := take(f, "name", &c.Name); err != nil {
		return err
	}
	c.Arguments = f["arguments"]
	var text string
	if json.Unmarshal(c.Arguments, &text) == nil && json.Valid([]byte(text)) {
		c.Arguments = json.RawMessage(text)
	}
	return nil
}

// fields takes a JSON object apart.
func fields(data []byte) (map[string]json.RawMessage, error) {
	var m map[string]json.RawMessage
	err := json.Unmarshal(data, &m)
	return m, err
}

// take decodes a field into v and removes it; null and missing ones leave v alone.
func take(m map[string]json.RawMessage, name string, v any) error {
	raw, ok := m[name]
	if !ok {
		return nil
	}
	delete(m, name)
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func rest(m map[string]json.RawMessage) map[string]any {
	if len(m) == 0 {
		return nil
	}
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// UnmarshalJSON reads a message as chat APIs write it.
func (m *Message) UnmarshalJSON(data []byte) error {
	f, err := fields(data)
	if err != nil {
		return err
	}
	*m = Message{}
	content := f["content"]
	delete(f, "content")
	if len(content) > 0 && content[0] == '[' {
		m.Parts, err = json.Each(json.NewReader(content), (*Part).UnmarshalJSON)
	} else if len(content) > 0 {
		err = json.Unmarshal(content, &m.Content)
	}
	if err != nil {
		return fmt.Errorf("content: %w", err)
	}
	for i := len(reasoning) - 1; i >= 0 && err == nil; i-- {
		err = take(f, reasoning[i], &m.Reasoning)
	}
	for name, v := range map[string]*string{"role": &m.Role, "tool_call_id": &m.ToolCallID, "name": &m.Name} {
		if e := take(f, name, v); e != nil {
			err = e
		}
	}
	if calls, ok := f["tool_calls"]; ok {
		delete(f, "tool_calls")
		var e error
		if m.ToolCalls, e = json.Each(json.NewReader(calls), (*ToolCall).UnmarshalJSON); e != nil {
			err = fmt.Errorf("tool_calls: %w", e)
		}
	}
	m.More = rest(f)
	return err
}

// MarshalJSON writes a message as chat APIs do.
func (m Message) MarshalJSON() ([]byte, error) { return marshal(m.value()) }

// MarshalJSON writes a part as chat APIs do.
func (p Part) MarshalJSON() ([]byte, error) { return marshal(p.value()) }

// MarshalJSON writes a tool as chat APIs do.
func (t Tool) MarshalJSON() ([]byte, error) { return marshal(t.value()) }

func marshal(v py.Value) (data []byte, err error) {
	defer py.Catch(&err)
	return []byte(new(py.Machine).Dumps(v, py.JSON{Item: ",", Key: ":"})), nil
}

// UnmarshalJSON reads a part: an object, or a string for a text.
func (p *Part) UnmarshalJSON(data []byte) error {
	*p = Part{Type: "text"}
	if json.Unmarshal(data, &p.Text) == nil {
		return nil
	}
	f, err := fields(data)
	if err != nil {
		return err
	}
	if err := take(f, "type", &p.Type); err != nil {
		return err
	}
	if err := take(f, "text", &p.Text); err != nil {
		return err
	}
	p.More = rest(f)
	return nil
}

// UnmarshalJSON reads a tool: {"type": "function", "function": {…}} or the function alone. Templates see it as it was.
func (t *Tool) UnmarshalJSON(data []byte) error {
	v, err := py.Decode(data)
	if err != nil {
		return err
	}
	d, ok := v.(*py.Dict)
	if !ok {
		return fmt.Errorf("a tool is an object, not a %s", py.TypeName(v))
	}
	f := d
	if inner, ok := d.Get("function"); ok {
		if f, ok = inner.(*py.Dict); !ok {
			return fmt.Errorf("function is an object, not a %s", py.TypeName(inner))
		}
	}
	get := func(name string) string {
		x, _ := f.Get(name)
		s, _ := py.Text(x)
		return s
	}
	*t = Tool{Name: get("name"), Description: get("description"), raw: d}
	if p, ok := f.Get("parameters"); ok {
		t.Parameters, err = marshal(p)
	}
	return err
}

// UnmarshalJSON reads a document.
func (d *Document) UnmarshalJSON(data []byte) error {
	f, err := fields(data)
	if err != nil {
		return err
	}
	*d = Document{}
	if err := take(f, "title", &d.Title); err != nil {
		return err
	}
	if err := take(f, "text", &d.Text); err != nil {
		return err
	}
	d.More = rest(f)
	return nil
}
