package template

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tfgen/tfgen/runtime/template"
)

func result(text string) template.Result { return template.Result{Text: text} }

type ggufFile map[string]any

func (g ggufFile) Metadata() map[string]any      { return g }
func (ggufFile) ReadFile(string) ([]byte, error) { return nil, os.ErrNotExist }

func write(t *testing.T, files map[string]string) Directory {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Directory(dir)
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name   string
		src    Source
		texts  map[string]string
		tokens map[string]string
	}{
		{"none", write(t, map[string]string{"tokenizer_config.json": `{"bos_token": "<s>"}`}), nil, map[string]string{"bos_token": "<s>"}},
		{"string", write(t, map[string]string{"tokenizer_config.json": `{"chat_template": "T", "eos_token": {"content": "</s>"}, "pad_token": null}`}), map[string]string{"default": "T"}, map[string]string{"eos_token": "</s>"}},
		{"list", write(t, map[string]string{"tokenizer_config.json": `{"chat_template": [{"name": "tool_use", "template": "U"}, {"name": "default", "template": "T"}]}`}), map[string]string{"default": "T", "tool_use": "U"}, nil},
		{"file", write(t, map[string]string{"tokenizer_config.json": `{"chat_template": "old"}`, "chat_template.jinja": "new", "additional_chat_templates/rag.jinja": "R",
			"special_tokens_map.json": `{"unk_token": "<unk>"}`}), map[string]string{"default": "new", "rag": "R"}, map[string]string{"unk_token": "<unk>"}},
		{"gguf", ggufFile{"tokenizer.chat_template": "T", "tokenizer.chat_template.tool_use": "U", "tokenizer.ggml.tokens": []string{"a", "<s>"}, "tokenizer.ggml.bos_token_id": uint32(1),
			"tokenizer.ggml.eos_token_id": uint32(9)}, map[string]string{"default": "T", "tool_use": "U"}, map[string]string{"bos_token": "<s>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Find(c.src)
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Templates) != len(c.texts) || len(f.Tokens) != len(c.tokens) {
				t.Fatalf("%+v", f)
			}
			for i, n := range f.Templates {
				if c.texts[n.Name] != n.Text || (i == 0) != (n.Name == "default") {
					t.Errorf("template %d: %+v", i, n)
				}
			}
			for name, text := range c.tokens {
				if f.Tokens[name] != text {
					t.Errorf("%s is %q", name, f.Tokens[name])
				}
			}
		})
	}
}

func TestFindErrors(t *testing.T) {
	for _, src := range []Source{write(t, map[string]string{"tokenizer_config.json": `{"chat_template": 3}`}), write(t, map[string]string{"tokenizer_config.json": `{`}), ggufFile{"tokenizer.chat_template": 7}} {
		if _, err := Find(src); err == nil {
			t.Errorf("%v: no error", src)
		}
	}
}

func TestReplace(t *testing.T) {
	dir := write(t, map[string]string{"good.jinja": "{{ messages }}", "bad.jinja": "{% if %}"})
	f := &Found{Templates: []Named{{"default", "old"}, {"tool_use", "old"}}}
	if err := f.Replace(filepath.Join(string(dir), "good.jinja")); err != nil || len(f.Templates) != 1 || f.Templates[0].Text != "{{ messages }}" {
		t.Errorf("%+v, %v", f, err)
	}
	for _, name := range []string{"bad.jinja", "missing.jinja"} {
		if err := f.Replace(filepath.Join(string(dir), name)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
