package toolcall

import (
	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/json"
)

// Collector makes a message of events.
type Collector struct{ m chat.Message }

// Add adds events. Calls that are malformed become text, as the model wrote them.
func (c *Collector) Add(events ...Event) {
	for _, e := range events {
		n := len(c.m.ToolCalls) - 1
		switch e.Kind {
		case Text:
			c.m.Content += e.Text
		case Reasoning:
			c.m.Reasoning += e.Text
		case Begin:
			c.m.ToolCalls = append(c.m.ToolCalls, chat.ToolCall{ID: e.ID, Name: e.Name})
		case Arguments:
			c.m.ToolCalls[n].Arguments = append(c.m.ToolCalls[n].Arguments, e.Text...)
		case Malformed:
			if n >= 0 && !json.Valid(c.m.ToolCalls[n].Arguments) {
				c.m.ToolCalls = c.m.ToolCalls[:n]
			}
			c.m.Content += e.Text
		}
	}
}

// Message returns the answer so far.
func (c *Collector) Message() chat.Message {
	c.m.Role = "assistant"
	return c.m
}

// Parse reads a whole answer.
func Parse(f *Format, text string, o Options) chat.Message {
	var c Collector
	p := New(f, o)
	c.Add(p.Feed(text)...)
	c.Add(p.Close()...)
	return c.Message()
}
