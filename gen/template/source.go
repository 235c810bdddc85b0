package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/template"
	"github.com/tfgen/tfgen/runtime/template/syntax"
	"github.com/tfgen/tfgen/runtime/toolcall"
)

// Source is a checkpoint as far as its chat template goes.
type Source interface {
	Metadata() map[string]any             // of a GGUF file, nil for a directory
	ReadFile(name string) ([]byte, error) // of a directory
}

// Named is one of a model's templates.
type Named struct{ Name, Text string }

// Found is what a checkpoint says about chat.
type Found struct {
	Templates []Named           // "default" first; none if the model has no chat template
	Tokens    map[string]string // "bos_token" and the like, and their texts
}

// Find returns the chat templates and special tokens of a checkpoint: of chat_template.jinja, tokenizer_config.json,
// chat_template.json, or of a GGUF file's metadata.
func Find(src Source) (*Found, error) {
	f := &Found{Tokens: map[string]string{}}
	if meta := src.Metadata(); meta != nil {
		return f, f.fromGGUF(meta)
	}
	if err := f.fromDirectory(src); err != nil {
		return nil, err
	}
	return f, nil
}

// Replace takes the template in a file instead of what was found. It must be one that parses.
func (f *Found) Replace(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f.Templates = nil
	if err := f.add("default", string(data)); err != nil {
		return err
	}
	if _, err := template.Tree(string(data)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (f *Found) add(name, text string) error {
	if len(text) > syntax.MaxSource {
		return fmt.Errorf("the chat template %q has %d bytes, at most %d are supported", name, len(text), syntax.MaxSource)
	}
	for i := range f.Templates {
		if f.Templates[i].Name == name {
			f.Templates[i].Text = text
			return nil
		}
	}
	f.Templates = append(f.Templates, Named{name, text})
	sort.SliceStable(f.Templates, func(i, j int) bool { return f.Templates[i].Name == "default" && f.Templates[j].Name != "default" })
	return nil
}

// read returns a file of the directory, nil if there is none.
func read(src Source, name string) ([]byte, error) {
	data, err := src.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (f *Found) fromDirectory(src Source) error {
	for _, name := range []string{"special_tokens_map.json", "tokenizer_config.json", "chat_template.json"} {
		data, err := read(src, name)
		if err != nil || data == nil {
			if err != nil {
				return err
			}
			continue
		}
		var m map[string]json.RawMessage
		if err := json.Unmarshal(data, &m); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f.readTokens(m)
		if err := f.readTemplates(m["chat_template"]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	files := [][2]string{{"default", "chat_template.jinja"}}
	for _, name := range []string{"tool_use", "rag"} {
		files = append(files, [2]string{name, "additional_chat_templates/" + name + ".jinja"})
	}
	for _, row := range files {
		data, err := read(src, row[1])
		if err != nil {
			return err
		}
		if data != nil {
			if err := f.add(row[0], string(data)); err != nil {
				return err
			}
		}
	}
	return nil
}

// readTokens takes the special tokens of a tokenizer's configuration: strings, or objects with their content.
func (f *Found) readTokens(m map[string]json.RawMessage) {
	for name, raw := range m {
		if strings.HasSuffix(name, "_token") {
			f.setToken(name, raw)
		}
	}
	var extra map[string]json.RawMessage
	if json.Unmarshal(m["extra_special_tokens"], &extra) == nil {
		for name, raw := range extra {
			f.setToken(name, raw)
		}
	}
}

func (f *Found) setToken(name string, raw json.RawMessage) {
	var text string
	var object struct {
		Content string `json:"content"`
	}
	if json.Unmarshal(raw, &text) != nil && json.Unmarshal(raw, &object) == nil {
		text = object.Content
	}
	if text != "" {
		f.Tokens[name] = text
	}
}

// readTemplates reads one template, or a list of named ones.
func (f *Found) readTemplates(raw json.RawMessage) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return f.add("default", text)
	}
	var list []struct{ Name, Template string }
	if err := json.Unmarshal(raw, &list); err != nil {
		return errors.New("chat_template is neither a text nor a list of named templates")
	}
	for _, t := range list {
		if err := f.add(t.Name, t.Template); err != nil {
			return err
		}
	}
	return nil
}

// ggufTokens are the special tokens of GGUF files by the names that templates know.
var ggufTokens = map[string]string{
	"bos_token": "bos_token_id", "eos_token": "eos_token_id", "unk_token": "unknown_token_id", "sep_token": "seperator_token_id",
	"pad_token": "padding_token_id", "cls_token": "cls_token_id", "mask_token": "mask_token_id",
}

const ggufTemplate = "tokenizer.chat_template"

func (f *Found) fromGGUF(meta map[string]any) error {
	var names []string
	for key := range meta {
		if key == ggufTemplate || strings.HasPrefix(key, ggufTemplate+".") {
			names = append(names, key)
		}
	}
	sort.Strings(names)
	for _, key := range names {
		text, ok := meta[key].(string)
		if !ok {
			return fmt.Errorf("gguf: %s is a %T, expected a string", key, meta[key])
		}
		name := strings.TrimPrefix(strings.TrimPrefix(key, ggufTemplate), ".")
		if name == "" {
			name = "default"
		}
		if err := f.add(name, text); err != nil {
			return err
		}
	}
	tokens := reflect.ValueOf(meta["tokenizer.ggml.tokens"])
	for name, key := range ggufTokens {
		id := reflect.ValueOf(meta["tokenizer.ggml."+key])
		if !id.IsValid() || !tokens.IsValid() || tokens.Kind() != reflect.Slice {
			continue
		}
		i := -1
		switch {
		case id.CanUint() && id.Uint() < uint64(tokens.Len()):
			i = int(id.Uint())
		case id.CanInt() && id.Int() >= 0 && id.Int() < int64(tokens.Len()):
			i = int(id.Int())
		}
		if i >= 0 {
			if text, ok := tokens.Index(i).Interface().(string); ok {
				f.Tokens[name] = text
			}
		}
	}
	return nil
}

// Directory is a Hugging Face directory.
type Directory string

// Metadata is nil: only GGUF files have some.
func (Directory) Metadata() map[string]any { return nil }

// ReadFile returns a file of the directory.
func (d Directory) ReadFile(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(d), filepath.FromSlash(name)))
}

// Answers is the name of the format that the model writes reasoning and tool calls in.
func (f *Found) Answers() string {
	text := ""
	for _, t := range f.Templates {
		text += t.Text
	}
	return toolcall.Detect(text).Name
}

// Template returns what was found, ready to render.
func (f *Found) Template() *chat.Template {
	t := chat.New(f.Tokens)
	for _, n := range f.Templates {
		t.Parse(n.Name, n.Text)
	}
	return t
}
