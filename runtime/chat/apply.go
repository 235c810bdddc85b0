package chat

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tfgen/tfgen/runtime/template"
	"github.com/tfgen/tfgen/runtime/template/py"
)

// ErrNoTemplate is returned for models without a chat template.
var ErrNoTemplate = errors.New("the model has no chat template: its tokenizer configuration names none; write the prompt yourself, or build with a template")

// Template is the chat template of a model with the special tokens that it prints.
type Template struct {
	named  []named           // "default" first
	tokens map[string]string // "bos_token" and so on
}

type named struct {
	name, source string // source is searched for the field that continues; "" skips that
	get          func() (*template.Template, error)
}

// New returns a template with the special tokens of a model: names like "bos_token" and their text. Templates are added.
func New(tokens map[string]string) *Template { return &Template{tokens: tokens} }

// Add adds a template and returns t. The first one, or that called "default", is the usual one; "tool_use" is taken when
// there are tools. The source, if known, is searched for the field of a message that is to be continued.
func (t *Template) Add(name, source string, more *template.Template) *Template {
	return t.add(named{name, source, func() (*template.Template, error) { return more, nil }})
}

// Parse adds a template that is read when it is first used; what is wrong with it is an error then.
func (t *Template) Parse(name, source string) *Template {
	return t.add(named{name, source, sync.OnceValues(func() (*template.Template, error) {
		p, err := template.Parse(source)
		if err != nil {
			return nil, fmt.Errorf("the chat template %q: %w", name, err)
		}
		return p, nil
	})})
}

func (t *Template) add(n named) *Template {
	if n.name == "default" {
		t.named = append([]named{n}, t.named...)
	} else {
		t.named = append(t.named, n)
	}
	return t
}

// choose returns the template of a name; without one "tool_use" if there are tools, else the default.
func (t *Template) choose(name string, tools bool) (named, error) {
	if t == nil || len(t.named) == 0 {
		return named{}, ErrNoTemplate
	}
	var have []string
	for _, n := range t.named {
		if n.name == name || name == "" && tools && n.name == "tool_use" {
			return n, nil
		}
		have = append(have, n.name)
	}
	if name != "" {
		return named{}, fmt.Errorf("the model has no chat template %q; it has %s", name, strings.Join(have, ", "))
	}
	return t.named[0], nil
}

// Options are what a template is told beside the messages.
type Options struct {
	Tools     []Tool
	Documents []Document

	// NoGenerationPrompt leaves out what begins the model's answer.
	NoGenerationPrompt bool
	// Continue leaves the last message open, for the model to go on with. It implies NoGenerationPrompt.
	Continue bool
	// Thinking switches reasoning on or off in templates that know enable_thinking or thinking; nil is the template's default.
	Thinking *bool
	// Template is the name of one of several templates, "" for the usual choice.
	Template string
	// Variables are further variables of the template, e.g. "reasoning_effort". They win over all others.
	Variables map[string]any
	// Now is what strftime_now tells; zero is the current time.
	Now time.Time
}

// Result is a conversation as the model reads it.
type Result = template.Result

// Apply renders a conversation as apply_chat_template of transformers does.
func (t *Template) Apply(messages []Message, o Options) (Result, error) {
	r := Rendering{GenerationPrompt: !o.NoGenerationPrompt && !o.Continue, Continue: o.Continue, Template: o.Template, Now: o.Now}
	if o.Tools != nil {
		r.Tools = list(o.Tools, Tool.value)
	}
	if o.Documents != nil {
		r.Documents = list(o.Documents, Document.value)
	}
	r.Messages = list(messages, Message.value)
	r.Variables = new(py.Dict)
	if o.Thinking != nil {
		r.Variables.Set("enable_thinking", *o.Thinking)
		r.Variables.Set("thinking", *o.Thinking)
	}
	if err := setAll(r.Variables, o.Variables); err != nil {
		return Result{}, err
	}
	return t.Render(r)
}

func list[T any](items []T, value func(T) py.Value) *py.List {
	l := &py.List{Items: make([]py.Value, len(items))}
	for i, x := range items {
		l.Items[i] = value(x)
	}
	return l
}

// Rendering is a conversation in the values of templates: what apply_chat_template is called with.
type Rendering struct {
	Messages         *py.List // of dictionaries
	Tools, Documents *py.List // nil: none
	GenerationPrompt bool
	Continue         bool
	Variables        *py.Dict // may be nil
	Template         string
	Now              time.Time
}

// continueTag marks where a message that is continued ends.
const continueTag = "CONTINUE_FINAL_MESSAGE_TAG "

// Render renders a conversation.
func (t *Template) Render(r Rendering) (Result, error) {
	n, err := t.choose(r.Template, r.Tools != nil)
	if err != nil {
		return Result{}, err
	}
	messages, err := prepare(r.Messages)
	if err != nil {
		return Result{}, err
	}
	final := ""
	if r.Continue {
		if r.GenerationPrompt {
			return Result{}, errors.New("continuing the last message and a generation prompt exclude each other")
		}
		if final, err = openFinal(messages, n.source); err != nil {
			return Result{}, err
		}
	}
	compiled, err := n.get()
	if err != nil {
		return Result{}, err
	}
	out, err := compiled.Render(t.variables(r, messages), template.Options{Now: r.Now})
	if err != nil || !r.Continue {
		return out, err
	}
	out.Text, err = cutFinal(out.Text, final)
	return out, err
}

func (t *Template) variables(r Rendering, messages *py.List) *py.Dict {
	vars := new(py.Dict)
	for name, text := range t.tokens {
		vars.Set(name, text)
	}
	or := func(l *py.List) py.Value {
		if l == nil {
			return py.None
		}
		return l
	}
	vars.Set("messages", messages)
	vars.Set("tools", or(r.Tools))
	vars.Set("documents", or(r.Documents))
	vars.Set("add_generation_prompt", r.GenerationPrompt)
	if r.Variables != nil {
		for i := range r.Variables.Len() {
			vars.Set(r.Variables.At(i))
		}
	}
	return vars
}

// reasoning are the names that messages keep their reasoning under; the first is what templates read.
var reasoning = []string{"reasoning_content", "thinking", "reasoning"}

// prepare copies messages as transformers does: without keys whose value is None, reasoning under all its names.
func prepare(messages *py.List) (*py.List, error) {
	if messages == nil || len(messages.Items) == 0 {
		return nil, errors.New("the conversation is empty: a chat template needs at least one message")
	}
	out := &py.List{}
	for i, m := range messages.Items {
		d, ok := m.(*py.Dict)
		if !ok {
			return nil, fmt.Errorf("message %d is a %s, expected a dictionary", i, py.TypeName(m))
		}
		c := new(py.Dict)
		var thought py.Value
		for _, name := range reasoning {
			if v, ok := d.Get(name); ok && thought == nil && v != py.Value(py.None) {
				thought = v
			}
		}
		if thought != nil {
			c.Set("thinking", thought)
		}
		for k := range d.Len() {
			if name, v := d.At(k); v != py.Value(py.None) {
				c.Set(name, v)
			}
		}
		if thought != nil {
			c.Set("reasoning_content", thought)
		}
		out.Items = append(out.Items, c)
	}
	return out, nil
}

// openFinal puts the tag at the end of the last message's text and returns that text without it.
func openFinal(messages *py.List, source string) (string, error) {
	last := messages.Items[len(messages.Items)-1].(*py.Dict)
	content, ok := last.Get("content")
	if !ok {
		return "", errors.New("the last message has no content to continue")
	}
	if source != "" && !strings.Contains(source, "content") {
		return "", errors.New("the chat template does not use the content of messages, so that the last one cannot be continued")
	}
	if text, ok := py.Text(content); ok {
		last.Set("content", text+continueTag)
		return text, nil
	}
	parts, ok := content.(*py.List)
	if !ok {
		return "", fmt.Errorf("the content of the last message is a %s, which cannot be continued", py.TypeName(content))
	}
	copied := &py.List{Items: append([]py.Value{}, parts.Items...)}
	for i := len(copied.Items) - 1; i >= 0; i-- {
		d, ok := copied.Items[i].(*py.Dict)
		if !ok {
			continue
		}
		v, _ := d.Get("text")
		if text, ok := py.Text(v); ok {
			d = d.Copy()
			d.Set("text", text+continueTag)
			copied.Items[i] = d
			last.Set("content", copied)
			return text, nil
		}
	}
	return "", errors.New("the last message has no text to continue")
}

// cutFinal ends the rendered text where the continued message ends.
func cutFinal(text, final string) (string, error) {
	at := strings.LastIndex(text, strings.TrimSpace(continueTag))
	if at < 0 || !strings.Contains(text, strings.TrimFunc(final, py.IsSpace)) {
		return "", errors.New("the last message cannot be continued: the chat template does not print it whole")
	}
	if strings.HasPrefix(text[at:], continueTag) {
		return text[:at], nil
	}
	return strings.TrimRightFunc(text[:at], py.IsSpace), nil
}
