package goemit

import (
	"fmt"
	"go/format"
	"sort"
	"strconv"
	"strings"
)

// ChatTemplate is one of a model's chat templates.
type ChatTemplate struct {
	Name   string // "default", "tool_use", …
	Source string
	Code   string // the template as Go: the body of a func(t *template.State); "" leaves it to the interpreter

	Filters []string // the variables of package template with the filters that Code uses
}

// chatFiles emits chat.go, and the templates that are interpreted as files beside it.
func (e *emitter) chatFiles() ([]File, error) {
	if !e.Causal || !e.Tokens {
		return nil, nil
	}
	var body, funcs strings.Builder
	var files []File
	used := map[string]bool{}
	for i, t := range e.Chat {
		name := "chat_template"
		if i > 0 {
			name += fmt.Sprint("_", i+1)
		}
		if t.Code != "" {
			used["template"] = true
			render := camel("render_" + name)
			parts := strings.Join(append([]string{render}, t.Filters...), ", ")
			fmt.Fprintf(&body, "\tt.Add(%q, %s, template.Compiled(%s))\n", t.Name, quotedSource(t.Source), parts)
			fmt.Fprintf(&funcs, "\n// %s is the chat template %q.\nfunc %s(t *template.State) {\n%s}\n", render, t.Name, render, t.Code)
			continue
		}
		used["embed"] = true
		files = append(files, File{Name: name + ".jinja", Data: []byte(t.Source)})
		fmt.Fprintf(&body, "\tt.Parse(%q, %sSource)\n", t.Name, camel(name))
		fmt.Fprintf(&funcs, "\n// %sSource is the chat template %q; it is read when it is first used.\n//\n//go:embed %s.jinja\nvar %sSource string\n", camel(name), t.Name, name, camel(name))
	}
	text := e.header() + "\n\npackage " + e.Package + "\n\n" + chatImports(used) + e.chatText(body.String()) + funcs.String()
	data, err := format.Source([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("chat.go: %w", err)
	}
	return append(files, File{Name: "chat.go", Data: data}), nil
}

// quotedSource is what continuing a message needs of a compiled template: whether it reads the content.
func quotedSource(src string) string {
	if strings.Contains(src, "content") {
		return `"content"`
	}
	return `"no message field"`
}

func chatImports(used map[string]bool) string {
	lines := []string{strconv.Quote(runtimePath + "chat"), strconv.Quote(runtimePath + "toolcall")}
	if used["template"] {
		lines = append(lines, strconv.Quote(runtimePath+"template"))
	}
	if used["embed"] {
		lines = append(lines, `_ "embed"`)
	}
	return "import (\n\t\"sync\"\n\t" + strings.Join(lines, "\n\t") + "\n)\n"
}

// plainAnswers is the format of models that write neither reasoning nor tool calls.
const plainAnswers = "plain"

// chatText is the API around a model's templates.
func (e *emitter) chatText(templates string) string {
	var tokens []string
	for name, text := range e.ChatTokens {
		tokens = append(tokens, fmt.Sprintf("%q: %q", name, text))
	}
	sort.Strings(tokens)
	if e.Answers == "" {
		e.Answers = plainAnswers
	}
	list := "nil"
	if len(tokens) > 0 {
		list = "map[string]string{" + strings.Join(tokens, ", ") + "}"
	}
	return strings.NewReplacer("$tokens", list, "$templates", templates, "$answers", e.Answers).Replace(chatAPI)
}

const chatAPI = `
// chatTemplate makes the chat template with the special tokens that it prints.
var chatTemplate = sync.OnceValue(func() *chat.Template {
	t := chat.New($tokens)
$templates	return t
})

// ChatTemplate returns the model's chat template. Without one its methods return chat.ErrNoTemplate.
func ChatTemplate() *chat.Template { return chatTemplate() }

// ApplyChatTemplate renders a conversation as the text that the model was trained on.
func ApplyChatTemplate(messages []chat.Message, o chat.Options) (string, error) {
	r, err := chatTemplate().Apply(messages, o)
	return r.Text, err
}

// ChatTokens returns the tokens of a conversation: what a session goes on from. Special tokens come from the template.
func (m *Model) ChatTokens(messages []chat.Message, o chat.Options) ([]int32, error) {
	text, err := ApplyChatTemplate(messages, o)
	if err != nil {
		return nil, err
	}
	return m.tokens.Encode(text, false), nil
}

// AnswerFormat is how the model writes reasoning and tool calls: a format of package toolcall.
const AnswerFormat = "$answers"

// NewAnswerParser returns a parser that finds text, reasoning and tool calls in an answer as it is generated. prompt is the
// text that is answered, tools are those that the model was offered.
func NewAnswerParser(prompt string, tools []chat.Tool) (*toolcall.Parser, error) {
	f, err := toolcall.Lookup(AnswerFormat)
	if err != nil {
		return nil, err
	}
	return toolcall.New(f, toolcall.Options{Reasoning: f.InReasoning(prompt), Tools: tools}), nil
}
`
