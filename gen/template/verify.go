// Package template is the compiler's side of chat templates: it finds a model's template, writes it as Go, and checks the
// engine against recorded results.
package template

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/template"
	"github.com/tfgen/tfgen/runtime/template/py"
)

// Report is the result of checking one file of cases.
type Report struct {
	File      string     `json:"file"`
	Cases     int        `json:"cases"`
	Passed    int        `json:"passed"`
	Failed    int        `json:"failed"`
	First     *Failure   `json:"first_failure,omitempty"`
	Templates int        `json:"templates"` // that appear
	Whole     int        `json:"templates_without_failure"`
	Failures  []*Failure `json:"-"` // all of them
}

// Failure is a case whose result differs.
type Failure struct {
	Line     int    `json:"line"`
	Case     string `json:"case"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
}

func (f *Failure) Error() string {
	return fmt.Sprintf("line %d: %s: %s", f.Line, f.Case, difference(f.Expected, f.Got))
}

// difference shows two texts from where they part.
func difference(want, got string) string {
	i := 0
	for i < len(want) && i < len(got) && want[i] == got[i] {
		i++
	}
	for i > 0 && !utf8.RuneStart(want[min(i, len(want)-1)]) {
		i--
	}
	cut := func(s string) string {
		from := max(0, i-40)
		for from > 0 && !utf8.RuneStart(s[from]) {
			from--
		}
		return fmt.Sprintf("%q", s[min(from, len(s)):min(len(s), i+80)])
	}
	return fmt.Sprintf("differs at byte %d\n  expected …%s\n  got      …%s", i, cut(want), cut(got))
}

// row is one recorded case, of either kind.
type row struct {
	Context json.RawMessage `json:"context"` // the first row of small templates
	Now     string          `json:"now"`

	Template     string `json:"template"`
	Variant      int    `json:"variant"`
	Conversation string `json:"conversation"`
	Spans        bool   `json:"assistant_spans"`

	Expected *string  `json:"expected"`
	Want     [][2]int `json:"spans"`
	Failure  *struct {
		Type, Message string
	} `json:"expected_error"`
}

// Verify checks a file of cases: small templates over one context, or conversations through published templates, whose
// templates.jsonl.gz and conversations.json lie beside it.
func Verify(path string, parse func(id, src string) (*template.Template, error)) (*Report, error) {
	if parse == nil {
		parse = func(_, src string) (*template.Template, error) { return template.Parse(src) }
	}
	v := &verifier{parse: parse, dir: filepath.Dir(path), report: &Report{File: path}, failed: map[string]bool{}, cache: map[string]parsed{}}
	err := eachLine(path, func(n int, line []byte) error {
		var r row
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		return v.row(n, &r)
	})
	if err != nil {
		return nil, err
	}
	v.report.Templates = len(v.failed)
	for _, bad := range v.failed {
		if !bad {
			v.report.Whole++
		}
	}
	return v.report, nil
}

// eachLine calls f for the lines of a file that may be compressed.
func eachLine(path string, f func(n int, line []byte) error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var in io.Reader = bytes.NewReader(data)
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		if in, err = gzip.NewReader(in); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	r := bufio.NewReaderSize(in, 1<<16)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := f(n, line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
}

type parsed struct {
	t   *template.Template
	err error
}

type verifier struct {
	parse   func(id, src string) (*template.Template, error)
	dir     string
	report  *Report
	failed  map[string]bool // per template
	context *py.Dict
	now     time.Time
	corpus  *corpus
	cache   map[string]parsed
}

func (v *verifier) template(id, src string) (*template.Template, error) {
	p, ok := v.cache[id]
	if !ok {
		p.t, p.err = v.parse(id, src)
		v.cache[id] = p
	}
	return p.t, p.err
}

func (v *verifier) row(n int, r *row) error {
	if r.Context != nil {
		x, err := py.Decode(r.Context)
		if err != nil {
			return err
		}
		d, ok := x.(*py.Dict)
		if !ok {
			return fmt.Errorf("the context is a %s, expected an object", py.TypeName(x))
		}
		v.context = d
		v.now, err = time.Parse("2006-01-02T15:04:05", r.Now)
		return err
	}
	var out template.Result
	var err error
	name := r.Template
	if v.context != nil {
		out, err = v.small(r)
	} else {
		if v.corpus == nil {
			if v.corpus, err = openCorpus(v.dir); err != nil {
				return err
			}
		}
		name = fmt.Sprintf("%s variant %d (%s)", r.Template, r.Variant, r.Conversation)
		out, err = v.conversation(r)
	}
	v.judge(n, name, r, out, err)
	return nil
}

func (v *verifier) small(r *row) (template.Result, error) {
	t, err := v.template(r.Template, r.Template)
	if err != nil {
		return template.Result{}, err
	}
	return t.Render(v.context, template.Options{Now: v.now})
}

// judge compares a result with what is expected. Of errors only the fact counts; raise_exception's message must match.
func (v *verifier) judge(n int, name string, r *row, out template.Result, err error) {
	v.report.Cases++
	f := &Failure{Line: n, Case: name, Got: out.Text}
	if err != nil {
		f.Got = "error: " + err.Error()
	}
	ok := false
	switch {
	case r.Expected != nil:
		f.Expected = *r.Expected
		ok = err == nil && out.Text == *r.Expected
		if ok && r.Spans {
			want, got := fmt.Sprint(r.Want), fmt.Sprint(pairs(out.Spans))
			f.Expected, f.Got, ok = want, got, want == got
		}
	case r.Failure != nil:
		f.Expected = "error: " + r.Failure.Type + ": " + r.Failure.Message
		ok = err != nil
		var e *template.Error
		if ok && r.Failure.Type == "TemplateError" {
			ok = errors.As(err, &e) && e.Type == "TemplateError" && strings.HasPrefix(e.Message, r.Failure.Message)
		}
	}
	bad := v.failed[r.Template]
	v.failed[r.Template] = bad || !ok
	if ok {
		v.report.Passed++
		return
	}
	v.report.Failed++
	v.report.Failures = append(v.report.Failures, f)
	if v.report.First == nil {
		v.report.First = f
	}
}

func pairs(spans []template.Span) [][2]int {
	out := [][2]int{}
	for _, s := range spans {
		out = append(out, [2]int{s.Start, s.End})
	}
	return out
}

// corpus are published templates and the conversations that go through them.
type corpus struct {
	now           time.Time
	templates     map[string]published
	conversations map[string]*py.Dict
	variants      []variant
}

type published struct {
	ID       string `json:"id"`
	Template string `json:"template"`
	BOS      string `json:"bos_token"`
	EOS      string `json:"eos_token"`
}

type variant struct {
	Conversation     string            `json:"conversation"`
	GenerationPrompt bool              `json:"add_generation_prompt"`
	Continue         bool              `json:"continue_final_message"`
	Kwargs           json.RawMessage   `json:"kwargs"`
	Documents        json.RawMessage   `json:"documents"`
	Tokens           map[string]string `json:"tokens"`
}

func openCorpus(dir string) (*corpus, error) {
	c := &corpus{templates: map[string]published{}, conversations: map[string]*py.Dict{}}
	path := filepath.Join(dir, "templates.jsonl.gz")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join(dir, "templates.jsonl")
	}
	err := eachLine(path, func(_ int, line []byte) error {
		var p published
		err := json.Unmarshal(line, &p)
		c.templates[p.ID] = p
		return err
	})
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, "conversations.json"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Now           string                     `json:"now"`
		Conversations map[string]json.RawMessage `json:"conversations"`
		Variants      []variant                  `json:"variants"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("conversations.json: %w", err)
	}
	c.variants = file.Variants
	for name, raw := range file.Conversations {
		x, err := py.Decode(raw)
		d, ok := x.(*py.Dict)
		if err != nil || !ok {
			return nil, fmt.Errorf("conversations.json: %s is not an object: %w", name, err)
		}
		c.conversations[name] = d
	}
	c.now, err = time.Parse("2006-01-02T15:04:05", file.Now)
	return c, err
}

func (v *verifier) conversation(r *row) (template.Result, error) {
	p := v.corpus.templates[r.Template]
	t, err := v.template(p.ID, p.Template)
	if err != nil {
		return template.Result{}, err
	}
	tokens := map[string]string{"bos_token": p.BOS, "eos_token": p.EOS}
	a := chat.Rendering{Now: v.corpus.now}
	if !r.Spans {
		if r.Variant < 0 || r.Variant >= len(v.corpus.variants) {
			return template.Result{}, fmt.Errorf("there is no variant %d", r.Variant)
		}
		s := v.corpus.variants[r.Variant]
		a.GenerationPrompt, a.Continue = s.GenerationPrompt, s.Continue
		if s.Tokens != nil {
			tokens = s.Tokens
		}
		if a.Documents, err = decodeAs[*py.List](s.Documents); err == nil {
			a.Variables, err = decodeAs[*py.Dict](s.Kwargs)
		}
		if err != nil {
			return template.Result{}, err
		}
	}
	conv := v.corpus.conversations[r.Conversation]
	if conv == nil {
		return template.Result{}, fmt.Errorf("there is no conversation %q", r.Conversation)
	}
	messages, _ := conv.Get("messages")
	a.Messages, _ = messages.(*py.List)
	tools, _ := conv.Get("tools")
	a.Tools, _ = tools.(*py.List)
	return chat.New(tokens).Add("default", p.Template, t).Render(a)
}

// decodeAs decodes JSON that must have a certain type; nothing and null give none.
func decodeAs[T any](data json.RawMessage) (out T, err error) {
	if len(data) == 0 {
		return out, nil
	}
	v, err := py.Decode(data)
	if err != nil || v == py.Value(py.None) {
		return out, err
	}
	out, ok := v.(T)
	if !ok {
		return out, fmt.Errorf("JSON: a %s, expected a %T", py.TypeName(v), out)
	}
	return out, nil
}
