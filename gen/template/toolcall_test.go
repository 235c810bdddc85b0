package template

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/toolcall"
)

// answered are an assistant's calls, which templates print and the format they are written for reads back.
var answered = chat.Message{Role: "assistant", ToolCalls: []chat.ToolCall{
	{ID: "call00001", Name: "get_weather", Arguments: json.RawMessage(`{"location":"Zürich, CH","days":3,"exact":true,"tags":["a","<b>"]}`)},
	{ID: "call00002", Name: "now", Arguments: json.RawMessage(`{"zone":"UTC"}`)},
}}

// TestPublishedToolCalls prints calls through every published template that knows tools and reads them back.
func TestPublishedToolCalls(t *testing.T) {
	if os.Getenv("TFGEN_SHARED") == "" {
		t.Skip("TFGEN_SHARED is not set: published templates are not part of the project")
	}
	c, err := openCorpus(filepath.Join(os.Getenv("TFGEN_SHARED"), "golden", "templates"))
	if err != nil {
		t.Fatal(err)
	}
	var tools []chat.Tool
	for _, call := range answered.ToolCalls {
		tools = append(tools, chat.Tool{Name: call.Name, Description: "d", Parameters: json.RawMessage(
			`{"type":"object","properties":{"location":{"type":"string"},"days":{"type":"integer"},"exact":{"type":"boolean"},"tags":{"type":"array"},"zone":{"type":"string"}}}`)})
	}
	ask := []chat.Message{{Role: "user", Content: "Weather?"}}
	read, silent := 0, 0
	for id, p := range c.templates {
		set := chat.New(map[string]string{"bos_token": p.BOS, "eos_token": p.EOS}).Parse("default", p.Template)
		before, err := set.Apply(ask, chat.Options{Tools: tools, NoGenerationPrompt: true, Now: c.now})
		prompt, err2 := set.Apply(ask, chat.Options{Tools: tools, Now: c.now})
		if err != nil || err2 != nil {
			silent++
			continue
		}
		for _, n := range []int{2, 1} { // some templates print one call at most
			m := answered
			m.ToolCalls = m.ToolCalls[:n]
			after, err := set.Apply(append(ask[:1:1], m), chat.Options{Tools: tools, NoGenerationPrompt: true, Now: c.now})
			text, found := strings.CutPrefix(after.Text, prompt.Text)
			if !found {
				text, found = strings.CutPrefix(after.Text, before.Text)
			}
			if n == 2 && !strings.Contains(text, "now") {
				continue
			}
			if err != nil || !found || !strings.Contains(text, "get_weather") {
				if n == 1 {
					silent++
				}
				continue
			}
			f := toolcall.Detect(p.Template)
			got := toolcall.Parse(f, text, toolcall.Options{Tools: tools})
			if same(t, got.ToolCalls, m.ToolCalls) {
				read++
			} else {
				t.Errorf("%s (%s): %q\n read as %+v %q", id, f.Name, text, got.ToolCalls, got.Content)
			}
			break
		}
	}
	t.Logf("%d templates read back, %d print no calls", read, silent)
}

func same(t *testing.T, got, want []chat.ToolCall) bool {
	t.Helper()
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		var a, b any
		if json.Unmarshal(got[i].Arguments, &a) != nil || json.Unmarshal(want[i].Arguments, &b) != nil {
			return false
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if got[i].Name != want[i].Name || string(x) != string(y) {
			return false
		}
	}
	return true
}
