package wasm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/template"
	"github.com/tfgen/tfgen/tests/testfile"
)

// renderCase is a recorded rendering, as testjs/template.mjs reads it. JSON is kept as text, for its order and its numbers.
type renderCase struct {
	Name      string            `json:"name"`
	Template  string            `json:"template"`
	Expected  *string           `json:"expected,omitempty"`
	Raised    *string           `json:"raised,omitempty"` // message of raise_exception
	Fails     string            `json:"fails,omitempty"`  // class of another error
	Now       string            `json:"now"`
	Context   string            `json:"context,omitempty"` // of a small template, or
	Messages  string            `json:"messages,omitempty"`
	Tools     string            `json:"tools,omitempty"`
	Documents string            `json:"documents,omitempty"`
	Variables string            `json:"variables,omitempty"`
	Tokens    map[string]string `json:"tokens,omitempty"`
	Prompt    bool              `json:"prompt"`
	Continue  bool              `json:"continue"`
	Uses      bool              `json:"uses"` // the template uses the content of messages
}

// recorded is a line of a file of cases.
type recorded struct {
	Context  json.RawMessage `json:"context"`
	Now      string          `json:"now"`
	Template string          `json:"template"`
	Variant  int             `json:"variant"`
	Talk     string          `json:"conversation"`
	Spans    bool            `json:"assistant_spans"`
	Expected *string         `json:"expected"`
	Failure  *struct {
		Type, Message string
	} `json:"expected_error"`
}

func (r *recorded) into(c *renderCase) {
	c.Template, c.Expected = r.Template, r.Expected
	if r.Failure != nil && r.Failure.Type == "TemplateError" {
		c.Raised = &r.Failure.Message
	}
}

// maybeZipped reads a file, or its compressed form beside it.
func maybeZipped(t *testing.T, path string) []byte {
	t.Helper()
	if data, err := os.ReadFile(path); err == nil {
		return data
	}
	return testfile.Bytes(t, path+".gz")
}

func decodeLines[T any](t *testing.T, path string) (list []T) {
	t.Helper()
	for _, line := range bytes.Split(maybeZipped(t, path), []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(path, err)
		}
		list = append(list, v)
	}
	return list
}

// smallCases are those over one context.
func smallCases(t *testing.T, dir string, sources map[string]string) (list []renderCase) {
	lines := decodeLines[recorded](t, filepath.Join(dir, "jinja.jsonl"))
	for _, r := range lines[1:] {
		c := renderCase{Name: r.Template, Context: string(lines[0].Context), Now: lines[0].Now}
		r.into(&c)
		sources[r.Template] = r.Template
		list = append(list, c)
	}
	return list
}

// conversationCases are those of conversations through published templates.
func conversationCases(t *testing.T, dir string, sources map[string]string) (list []renderCase) {
	var file struct {
		Now           string
		Conversations map[string]struct{ Messages, Tools json.RawMessage }
		Variants      []struct {
			Prompt    bool              `json:"add_generation_prompt"`
			Continue  bool              `json:"continue_final_message"`
			Kwargs    json.RawMessage   `json:"kwargs"`
			Documents json.RawMessage   `json:"documents"`
			Tokens    map[string]string `json:"tokens"`
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "conversations.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	tokens := map[string]map[string]string{}
	type published struct{ ID, Template, BOS_token, EOS_token string }
	for _, p := range decodeLines[published](t, filepath.Join(dir, "templates.jsonl")) {
		sources[p.ID], tokens[p.ID] = p.Template, map[string]string{"bos_token": p.BOS_token, "eos_token": p.EOS_token}
	}
	for _, r := range decodeLines[recorded](t, filepath.Join(dir, "cases.jsonl")) {
		talk := file.Conversations[r.Talk]
		c := renderCase{Name: fmt.Sprintf("%s variant %d (%s)", r.Template, r.Variant, r.Talk), Now: file.Now, Tokens: tokens[r.Template],
			Messages: string(talk.Messages), Tools: some(talk.Tools), Uses: strings.Contains(sources[r.Template], "content")}
		if !r.Spans {
			v := file.Variants[r.Variant]
			c.Prompt, c.Continue, c.Documents, c.Variables = v.Prompt, v.Continue, some(v.Documents), some(v.Kwargs)
			if v.Tokens != nil {
				c.Tokens = v.Tokens
			}
		}
		r.into(&c)
		list = append(list, c)
	}
	return list
}

// some is JSON that is there and not null.
func some(data json.RawMessage) string {
	if string(data) == "null" {
		return ""
	}
	return string(data)
}

// TestTemplates holds chat templates in JavaScript against recorded results of transformers.
func TestTemplates(t *testing.T) {
	renderAll(t, "../../gen/template/testdata")
}

// TestPublishedTemplates does so with all published templates.
func TestPublishedTemplates(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set: published templates are not part of the project")
	}
	renderAll(t, filepath.Join(shared, "golden", "templates"))
}

func renderAll(t *testing.T, data string) {
	sources := map[string]string{}
	runCases(t, append(smallCases(t, data, sources), conversationCases(t, data, sources)...), sources)
}

// runCases renders cases with the compiled templates of their sources.
func runCases(t *testing.T, cases []renderCase, sources map[string]string) {
	t.Helper()
	node(t)
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("export const templates = {\n")
	var names []string
	for name := range sources {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		key, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		script, _, err := template.Script(sources[name])
		if err != nil {
			quoted, _ := json.Marshal(err.Error())
			script = string(quoted)
		}
		fmt.Fprintf(&text, "%s: %s,\n", key, script)
	}
	text.WriteString("};\n")
	write(t, dir, "templates.mjs", []byte(text.String()))
	list, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cases.json", list)
	script(t, "template.mjs", dir)
}
