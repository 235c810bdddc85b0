package spec

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tfgen/tfgen/gen/ir"
)

// maxFile bounds the size of a specification, maxNesting the depth of its YAML.
const (
	maxFile    = 1 << 20
	maxNesting = 40
)

// decoder turns the YAML of one file into the types of this package.
type decoder struct {
	file string
	lib  *Library
}

// entry is one key of a YAML mapping.
type entry struct {
	key   string
	pos   ir.Pos
	value *yaml.Node
}

func (d *decoder) pos(n *yaml.Node) ir.Pos { return ir.Pos{File: d.file, Line: n.Line} }

func (d *decoder) errorf(n *yaml.Node, format string, args ...any) error {
	return Errorf(d.pos(n), format, args...)
}

// in adds to an error in a file of the library which line of the specification asks for it; n may be nil.
func (d *decoder) in(n *yaml.Node, what string, err error) error {
	if n == nil {
		return err
	}
	return &Error{Pos: d.pos(n), Msg: what + ": ", Err: err}
}

// parse reads a file of one YAML document whose top is a mapping.
func (d *decoder) parse(data []byte) (*yaml.Node, error) {
	at := ir.Pos{File: d.file, Line: 1}
	if len(data) > maxFile {
		return nil, Errorf(at, "the file has %d bytes, more than %d", len(data), maxFile)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, yamlError(d.file, err)
	}
	if err := dec.Decode(&more); err != io.EOF {
		return nil, Errorf(at, "more than one YAML document")
	}
	if len(doc.Content) != 1 {
		return nil, Errorf(at, "the file is empty")
	}
	return doc.Content[0], d.plain(doc.Content[0], 0)
}

// yamlError takes the line out of an error of the YAML parser.
func yamlError(file string, err error) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	pos := ir.Pos{File: file, Line: 1}
	if rest, ok := strings.CutPrefix(msg, "line "); ok {
		if n, tail, ok := strings.Cut(rest, ": "); ok {
			if line, err := strconv.Atoi(n); err == nil {
				pos.Line, msg = line, tail
			}
		}
	}
	return Errorf(pos, "not valid YAML: %s", msg)
}

// plain rejects what the language does not use: anchors, aliases, custom tags, deep nesting.
func (d *decoder) plain(n *yaml.Node, depth int) error {
	if depth > maxNesting {
		return d.errorf(n, "nested more than %d deep", maxNesting)
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return d.errorf(n, "anchors and aliases are not part of the language; use a macro")
	}
	for _, c := range n.Content {
		if err := d.plain(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// entries returns the keys of a mapping in order. Keys outside of known (nil: any) are errors.
func (d *decoder) entries(n *yaml.Node, what string, known []string) ([]entry, error) {
	if n.Kind != yaml.MappingNode {
		return nil, d.errorf(n, "%s: expected a mapping, found %s", what, kindOf(n))
	}
	seen := map[string]bool{}
	var out []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			return nil, d.errorf(k, "%s: a key must be a plain word", what)
		}
		if seen[k.Value] {
			return nil, d.errorf(k, "%s: the key %q is given twice", what, k.Value)
		}
		seen[k.Value] = true
		if known != nil && !has(known, k.Value) {
			return nil, d.errorf(k, "%s: unknown key %q; expected one of %s%s", what, k.Value, join(known), Suggest(k.Value, known))
		}
		out = append(out, entry{k.Value, d.pos(k), v})
	}
	return out, nil
}

// sequence returns the elements of a YAML sequence.
func (d *decoder) sequence(n *yaml.Node, what string) ([]*yaml.Node, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, d.errorf(n, "%s: expected a list, found %s", what, kindOf(n))
	}
	return n.Content, nil
}

// text returns a scalar as a string.
func (d *decoder) text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return "", d.errorf(n, "%s: expected a word, found %s", what, kindOf(n))
	}
	return n.Value, nil
}

// texts returns a scalar or a list of scalars as strings.
func (d *decoder) texts(n *yaml.Node, what string) ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		s, err := d.text(n, what)
		return []string{s}, err
	}
	items, err := d.sequence(n, what)
	var out []string
	for _, item := range items {
		s, err := d.text(item, what)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, err
}

// value decodes a value whose scalars have the given kind: those of int, float and bool are expressions; those of
// other kinds are expressions if they contain "$", and literal text (with {…} templates) otherwise.
func (d *decoder) value(n *yaml.Node, kind string, s *scope) (*Value, error) {
	x, err := d.tree(n, kind)
	if err == nil && s != nil {
		err = s.check(x)
	}
	if err != nil {
		if _, ok := err.(*Error); ok {
			return nil, err
		}
		return nil, &Error{Pos: d.pos(n), Err: err}
	}
	return &Value{Pos: d.pos(n), Src: source(n), n: x}, nil
}

func (d *decoder) tree(n *yaml.Node, kind string) (node, error) {
	switch n.Kind {
	case yaml.SequenceNode:
		var l list
		for _, c := range n.Content {
			x, err := d.tree(c, "any")
			if err != nil {
				return nil, err
			}
			l.items = append(l.items, x)
		}
		return l, nil
	case yaml.MappingNode:
		entries, err := d.entries(n, "map", nil)
		var m mapping
		for _, e := range entries {
			x, err := d.tree(e.value, "any")
			if err != nil {
				return nil, err
			}
			m.keys, m.values = append(m.keys, literal{e.key}), append(m.values, x)
		}
		return m, err
	}
	return d.scalar(n, kind)
}

func (d *decoder) scalar(n *yaml.Node, kind string) (node, error) {
	switch n.ShortTag() {
	case "!!null":
		return literal{nil}, nil
	case "!!bool":
		return literal{n.Value == "true" || n.Value == "True" || n.Value == "TRUE"}, nil
	case "!!int", "!!float":
		x, err := numberOf(n)
		if err != nil {
			return nil, d.errorf(n, "%v", err)
		}
		return literal{x}, nil
	}
	asExpr := kind == "int" || kind == "float" || kind == "bool"
	if asExpr || strings.Contains(n.Value, "$") && !strings.Contains(n.Value, "{") {
		return ParseExpr(n.Value)
	}
	return parseTemplate(n.Value)
}

func numberOf(n *yaml.Node) (any, error) {
	var i int
	if n.ShortTag() == "!!int" && n.Decode(&i) == nil && i <= maxInt && i >= -maxInt {
		return i, nil
	}
	var f float64
	if err := n.Decode(&f); err != nil || f != f || f-f != 0 {
		return nil, fmt.Errorf("%s is not a finite number", n.Value)
	}
	return f, nil
}

// source returns a value as written, shortened, for messages.
func source(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "the list"
	case yaml.MappingNode:
		return "the map"
	}
	if len(n.Value) > 80 {
		return n.Value[:77] + "…"
	}
	return n.Value
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return strconv.Quote(source(n))
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func join(words []string) string { return strings.Join(words, ", ") }
