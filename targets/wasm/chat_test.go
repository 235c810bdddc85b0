package wasm

import (
	"bytes"
	"compress/gzip"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	chat "github.com/tfgen/tfgen/gen/template"
)

// zipped is the size of data compressed as servers do it.
func zipped(t *testing.T, data []byte) int {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// TestJavaScriptIsSmall holds the size of what every model loads, with the tokenizer, and of what conversations load when they begin.
func TestJavaScriptIsSmall(t *testing.T) {
	list, err := sources(append([]string{rareFile}, chatFiles...))
	if err != nil {
		t.Fatal(err)
	}
	var always, chats, rare []byte
	for _, f := range list {
		switch {
		case path.Ext(f.Name) != ".js":
		case f.Name == rareFile:
			rare = f.Data
		case strings.HasPrefix(f.Name, "template/"):
			chats = append(chats, f.Data...)
		default:
			always = append(always, f.Data...)
		}
	}
	if n := zipped(t, always); n > 40_000 {
		t.Errorf("the JavaScript has %d bytes compressed, at most 40,000 are wanted", n)
	}
	if n := zipped(t, chats); n > 25_000 {
		t.Errorf("the JavaScript of chat templates has %d bytes compressed, at most 25,000 are wanted", n)
	}
	if n := zipped(t, rare); n == 0 || n > 3_500 {
		t.Errorf("the JavaScript of rare filters has %d bytes compressed, at most 3,500 are wanted", n)
	}
	t.Logf("%d bytes compressed, %d for chat templates, %d for rare filters", zipped(t, always), zipped(t, chats), zipped(t, rare))
}

// TestChatFile holds what becomes of templates with mistakes and of rare filters, and that models without templates carry none of it.
func TestChatFile(t *testing.T) {
	m := &Model{Title: "m", Tokenizer: []byte{1}, Description: &wasmemit.Description{Causal: true}, Chat: &chat.Found{
		Templates: []chat.Named{{Name: "default", Text: "{{ bos_token }}{% if %}"}, {Name: "x\"y", Text: "{{ messages[0].content }}"}},
		Tokens:    map[string]string{"bos_token": "</script>"},
	}}
	var manifest Manifest
	script, needs, err := m.chat(&manifest)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`error: "`, `name: "x\"y", content: true`, manifest.Chat} {
		if !strings.Contains(string(script), want) {
			t.Errorf("%q is not in\n%s", want, script)
		}
	}
	if slices.Contains(needs, rareFile) || strings.Contains(string(script), rareFile) {
		t.Errorf("rare filters are there: %v\n%s", needs, script)
	}
	m.Chat.Templates[1].Text = "{{ messages|pprint }}"
	if script, needs, err = m.chat(&manifest); err != nil || !slices.Contains(needs, rareFile) || !strings.Contains(string(script), `import "./template/rare.js"`) {
		t.Errorf("rare filters are not there: %v, %v\n%s", needs, err, script)
	}
	m.Chat.Templates = nil
	manifest = Manifest{}
	if script, needs, err := m.chat(&manifest); script != nil || needs != nil || err != nil || manifest.Chat != "" {
		t.Errorf("%s, %v, %v", script, needs, err)
	}
}
