package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tfgen/tfgen/gen/op"
)

// A section of the reference is a table of the language.
type section struct {
	title, doc string
	table      func(b *strings.Builder, lib *Library) error
}

// sections are those of the reference, in their order.
var sections = []section{
	{"Sections of a specification", "", keysOf("spec")},
	{"hf", "", keysOf("hf")},
	{"config", "Each value has a name of ours, used as `$name`, and these keys.", keysOf("field")},
	{"Types of values", "", kindTable(fieldTypes)},
	{"tensors", "", keysOf("tensors")},
	{"Rules of tensors", "The short form is the stored name, or alternatives.", keysOf("rule")},
	{"gguf", "", keysOf("gguf")},
	{"Values in gguf", "The short form is the metadata key.", keysOf("ggufField")},
	{"inputs", "", kindTable(inputs)},
	{"encoder", "", keysOf("encoder")},
	{"blocks", "", keysOf("blocks")},
	{"heads", "The short form is the steps.", keysOf("head")},
	{"Expressions", "Numbers, `'texts'`, lists, `$name` for values, the counter `i` of a repeat, `+ - * / // % **`, comparisons, `and`, `or`, `not`, `in`, " +
		"`x if c else y`, `list[i]`, `map.key`. In names, `{…}` holds an expression. Functions:", functionTable},
	{"Steps: forms", "", formTable},
	{"Steps: macros", "Made of other steps, in specs/lib. `in` and `out` name inputs and results, as in every step; without `in` a step takes the current value.", macroTable},
	{"Steps: operations", "Rows of gen/op/table.go. `w` and other weights are names of tensors without their suffix.", operationTable},
	{"Parts", "`parts: [name]` brings values of the configuration and the places of weights.", libraryTable("part")},
	{"Classes", "`classes: [name]` brings heads.", libraryTable("classes")},
	{"Names in GGUF files", "`like: [name]` in gguf.", libraryTable("names")},
}

// Reference describes the language in Markdown, from the tables that the decoder reads, the op table and the library.
func Reference() (string, error) {
	lib, err := builtinLibrary()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&b, "## %s\n\n", s.title)
		if s.doc != "" {
			fmt.Fprintf(&b, "%s\n\n", s.doc)
		}
		if err := s.table(&b, lib); err != nil {
			return "", err
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// row writes a row of a Markdown table.
func row(b *strings.Builder, cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.ReplaceAll(c, "|", "\\|"), "\n", " ")
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// head writes the head of a table.
func head(b *strings.Builder, titles ...string) {
	row(b, slices.Clone(titles)...)
	for i := range titles {
		titles[i] = "---"
	}
	row(b, titles...)
}

func keysOf(object string) func(*strings.Builder, *Library) error {
	return func(b *strings.Builder, _ *Library) error {
		head(b, "key", "", "what")
		for _, k := range objects[object] {
			row(b, "`"+k.name+"`", pick(k.required, "required", ""), k.doc)
		}
		return nil
	}
}

func pick(c bool, yes, no string) string {
	if c {
		return yes
	}
	return no
}

func kindTable(kinds map[string]string) func(*strings.Builder, *Library) error {
	return func(b *strings.Builder, _ *Library) error {
		head(b, "name", "what")
		for _, name := range sortedKeys(kinds) {
			row(b, "`"+name+"`", kinds[name])
		}
		return nil
	}
}

func functionTable(b *strings.Builder, _ *Library) error {
	head(b, "function", "what")
	for _, name := range sortedKeys(functions) {
		row(b, "`"+functions[name].use+"`", functions[name].doc)
	}
	return nil
}

func formTable(b *strings.Builder, _ *Library) error {
	head(b, "form", "what")
	for _, name := range sortedKeys(forms) {
		row(b, "`"+name+"`", forms[name])
	}
	return nil
}

func macroTable(b *strings.Builder, lib *Library) error {
	head(b, "macro", "what it computes", "arguments (those with a default in parentheses)")
	for _, name := range sortedKeys(lib.Macros) {
		m := lib.Macros[name]
		var needed, optional []string
		for _, p := range m.Params {
			if p.Default == nil {
				needed = append(needed, p.Name)
			} else {
				optional = append(optional, p.Name)
			}
		}
		row(b, fmt.Sprintf("[%s](../%s)", name, m.Pos.File), m.Doc, arguments(needed, optional))
	}
	return nil
}

func operationTable(b *strings.Builder, _ *Library) error {
	head(b, "operation", "what it computes", "inputs", "arguments (those that may be left out in parentheses)")
	for _, kind := range op.Kinds() {
		r, _ := op.Lookup(kind)
		var needed, optional []string
		for _, w := range r.Weights {
			if w.Optional {
				optional = append(optional, RoleKey(w))
			} else {
				needed = append(needed, RoleKey(w))
			}
		}
		for _, a := range r.Attrs {
			if a.Default == nil {
				needed = append(needed, a.Name)
			} else {
				optional = append(optional, a.Name)
			}
		}
		if r.State != "" {
			optional = append(optional, "state")
		}
		row(b, "`"+kind+"`", r.Doc, strings.Join(r.In, ", "), arguments(needed, optional))
	}
	return nil
}

func arguments(needed, optional []string) string {
	text := strings.Join(needed, ", ")
	if len(optional) > 0 {
		text = strings.TrimSpace(text + " (" + strings.Join(optional, ", ") + ")")
	}
	return text
}

// docs are the files of the library of one kind, by the name that they give, with what they say of themselves.
func docs(lib *Library, kind string) (map[string]string, error) {
	list := map[string]string{}
	for file, data := range lib.files {
		var top map[string]yaml.Node
		if err := yaml.Unmarshal(data, &top); err != nil {
			return nil, fmt.Errorf("specs/lib/%s: %w", file, err)
		}
		if name, ok := top[kind]; ok && name.Kind == yaml.ScalarNode {
			doc := top["doc"]
			list[name.Value+"\x00"+file] = doc.Value
		}
	}
	return list, nil
}

func libraryTable(kind string) func(*strings.Builder, *Library) error {
	return func(b *strings.Builder, lib *Library) error {
		list, err := docs(lib, kind)
		head(b, "name", "what")
		for _, key := range slices.Sorted(maps.Keys(list)) {
			name, file, _ := strings.Cut(key, "\x00")
			row(b, fmt.Sprintf("[%s](../specs/lib/%s)", name, file), list[key])
		}
		return err
	}
}
