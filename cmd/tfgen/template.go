package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint"
	gentemplate "github.com/tfgen/tfgen/gen/template"
	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/template"
	"github.com/tfgen/tfgen/runtime/template/py"
)

const templateHelp = `usage: tfgen template verify [--json] CASES…
       tfgen template render [flags] TEMPLATE

verify   renders recorded cases and compares every byte; errors must be errors. CASES are files of lines of JSON, compressed
         or not, or directories with such files. The exit status is 1 if a result differs; the first difference is shown.
render   renders a template with variables, or a conversation through the chat template of a model. TEMPLATE is a file, "-"
         for standard input, a Hugging Face directory or a GGUF file.

`

// templateCommands are the commands of the template command.
var templateCommands = group{"template", templateHelp, map[string]action{"verify": templateVerify, "render": templateRender}}

func templateVerify(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlags("template verify", templateHelp, stderr)
	asJSON := f.Bool("json", false, "print the report as JSON")
	show := f.Int("show", 1, "the `number` of differences to show for each file")
	files, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if files, err = caseFiles(files); err != nil {
		return err
	}
	if len(files) == 0 {
		f.Usage()
		return errUsage
	}
	var reports []*gentemplate.Report
	ok := true
	for _, path := range files {
		r, err := gentemplate.Verify(path, nil)
		if err != nil {
			return err
		}
		reports = append(reports, r)
		ok = ok && r.Failed == 0
		if !*asJSON {
			fmt.Fprintf(stdout, "%s: %d of %d cases equal, %d of %d templates without a difference\n", r.File, r.Passed, r.Cases, r.Whole, r.Templates)
			for _, failure := range r.Failures[:min(max(*show, 0), len(r.Failures))] {
				fmt.Fprintln(stdout, failure.Error())
			}
		}
	}
	if *asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(reports); err != nil {
			return err
		}
	}
	if !ok {
		return errors.New("some templates render differently")
	}
	return nil
}

// caseFiles replaces directories by the files of cases in them.
func caseFiles(args []string) ([]string, error) {
	var out []string
	for _, path := range args {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, path)
			continue
		}
		n := len(out)
		for _, name := range []string{"jinja.jsonl.gz", "cases.jsonl.gz", "jinja.jsonl", "cases.jsonl"} {
			if _, err := os.Stat(filepath.Join(path, name)); err == nil {
				out = append(out, filepath.Join(path, name))
			}
		}
		if len(out) == n {
			return nil, fmt.Errorf("%s has no jinja.jsonl.gz and no cases.jsonl.gz", path)
		}
	}
	return out, nil
}

// rendering are the flags of template render.
type rendering struct {
	vars, conversation, now, name string
	prompt, spans                 bool
}

func templateRender(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlags("template render", templateHelp, stderr)
	var r rendering
	f.StringVar(&r.vars, "vars", "", "JSON `file` with the variables, - for standard input")
	f.StringVar(&r.conversation, "chat", "", "JSON `file` with a conversation: a list of messages, or an object with messages, tools and documents; - for standard input")
	f.BoolVar(&r.prompt, "prompt", true, "with --chat: add what begins the model's answer")
	f.StringVar(&r.name, "template", "", "with --chat: the `name` of one of several templates")
	f.StringVar(&r.now, "now", "", "the `time` that strftime_now tells, as 2025-07-26T14:05:09 (default: now)")
	f.BoolVar(&r.spans, "spans", false, "print the spans of generation blocks, in code points, to standard error")
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || r.vars != "" && r.conversation != "" {
		f.Usage()
		return errUsage
	}
	out, err := r.render(rest[0])
	if err != nil {
		return err
	}
	if r.spans {
		for _, s := range out.Spans {
			fmt.Fprintln(stderr, s.Start, s.End)
		}
	}
	_, err = io.WriteString(stdout, out.Text)
	return err
}

func (r *rendering) render(path string) (template.Result, error) {
	found, err := templateOf(path)
	if err != nil {
		return template.Result{}, err
	}
	now := time.Now()
	if r.now != "" {
		if now, err = time.Parse("2006-01-02T15:04:05", r.now); err != nil {
			return template.Result{}, err
		}
	}
	if r.conversation != "" {
		return r.chat(found, now)
	}
	if len(found.Templates) == 0 {
		return template.Result{}, chat.ErrNoTemplate
	}
	t, err := template.Parse(found.Templates[0].Text)
	if err != nil {
		return template.Result{}, err
	}
	vars := new(py.Dict)
	for name, text := range found.Tokens {
		vars.Set(name, text)
	}
	if r.vars != "" {
		v, err := readJSONFile(r.vars)
		if err != nil {
			return template.Result{}, err
		}
		d, ok := v.(*py.Dict)
		if !ok {
			return template.Result{}, fmt.Errorf("%s holds a %s, expected an object", r.vars, py.TypeName(v))
		}
		for i := range d.Len() {
			vars.Set(d.At(i))
		}
	}
	return t.Render(vars, template.Options{Now: now})
}

// chat renders a conversation.
func (r *rendering) chat(found *gentemplate.Found, now time.Time) (template.Result, error) {
	v, err := readJSONFile(r.conversation)
	if err != nil {
		return template.Result{}, err
	}
	a := chat.Rendering{GenerationPrompt: r.prompt, Template: r.name, Now: now}
	switch v := v.(type) {
	case *py.List:
		a.Messages = v
	case *py.Dict:
		a.Variables = new(py.Dict)
		for i := range v.Len() {
			key, x := v.At(i)
			l, _ := x.(*py.List)
			switch key {
			case "messages":
				a.Messages = l
			case "tools":
				a.Tools = l
			case "documents":
				a.Documents = l
			default:
				a.Variables.Set(key, x)
			}
		}
	default:
		return template.Result{}, fmt.Errorf("%s holds a %s, expected messages", r.conversation, py.TypeName(v))
	}
	return found.Template().Render(a)
}

func readJSONFile(path string) (py.Value, error) {
	data, err := readInput(path)
	if err != nil {
		return nil, err
	}
	v, err := py.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

func readInput(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(path)
}

// templateOf finds the templates of a model, or takes a file as one.
func templateOf(path string) (*gentemplate.Found, error) {
	info, err := os.Stat(path)
	if path != "-" && err != nil {
		return nil, err
	}
	if path != "-" && info.IsDir() {
		return gentemplate.Find(gentemplate.Directory(path))
	}
	if strings.HasSuffix(path, ".gguf") {
		c, err := checkpoint.Open(path)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		return gentemplate.Find(bundle.FromCheckpoint(c))
	}
	data, err := readInput(path)
	if err != nil {
		return nil, err
	}
	return &gentemplate.Found{Templates: []gentemplate.Named{{Name: "default", Text: string(data)}}}, nil
}
