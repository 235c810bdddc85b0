package spec

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// heads decodes a map of heads; a * in the name of a class stands for name.
func (d *decoder) heads(n *yaml.Node, sc *scope, name string) ([]*Head, error) {
	entries, err := d.entries(n, "heads", nil)
	if err != nil {
		return nil, err
	}
	var out []*Head
	for _, e := range entries {
		h, err := d.head(e, sc)
		if err != nil {
			return nil, err
		}
		for _, class := range alternatives(e.key) {
			each := *h
			each.Class = strings.ReplaceAll(class, "*", name)
			out = append(out, &each)
		}
	}
	return out, nil
}

func (d *decoder) head(e entry, sc *scope) (*Head, error) {
	f, err := d.fields(e.value, "head", e.key)
	if err != nil {
		return nil, err
	}
	h := &Head{Pos: e.pos, Class: e.key}
	if h.Task, err = d.text(f["task"], "task"); err != nil {
		return nil, err
	}
	if !has(tasks, h.Task) {
		return nil, d.errorf(f["task"], "unknown task %q; expected one of %s%s", h.Task, join(tasks), Suggest(h.Task, tasks))
	}
	if h.Steps, err = d.steps(f["steps"], e.key, sc); err != nil {
		return nil, err
	}
	if n := f["encoder_only"]; n != nil {
		v, err := d.value(n, "bool", newScope())
		if err != nil {
			return nil, err
		}
		if h.Alone, err = v.Bool(&Env{}); err != nil {
			return nil, err
		}
	}
	h.Ignore, err = d.ignores(f["ignore"], sc)
	return h, err
}

// alternatives are the names that a key stands for: "{A,B}C" for AC and BC.
func alternatives(key string) []string {
	before, rest, open := strings.Cut(key, "{")
	list, after, closed := strings.Cut(rest, "}")
	if !open || !closed {
		return []string{key}
	}
	var out []string
	for _, name := range strings.Split(list, ",") {
		out = append(out, before+strings.TrimSpace(name)+after)
	}
	return out
}

// classes are heads that architectures share, and the values of the configuration that these need, as written: they are
// decoded for each.
type classes struct {
	d             *decoder
	config, heads *yaml.Node
}

// sharedClasses decodes the header of a file of classes.
func (d *decoder) sharedClasses(n *yaml.Node) error {
	f, err := d.fields(n, "classes", "classes")
	if err != nil {
		return err
	}
	name, err := d.text(f["classes"], "classes")
	d.lib.heads[name] = &classes{d, f["config"], f["heads"]}
	return err
}

// sharedFields adds the values that the classes which n names need to those of the specification.
func (d *decoder) sharedFields(s *Spec, n *yaml.Node) error {
	if n == nil {
		return nil
	}
	name, err := d.text(n, "classes")
	if err != nil {
		return err
	}
	c, ok := d.lib.heads[name]
	if !ok {
		return d.errorf(n, "no classes are called %q; there are %s%s", name, join(sortedKeys(d.lib.heads)), Suggest(name, sortedKeys(d.lib.heads)))
	}
	s.Classes = c
	fields, err := c.d.configFields(c.config, s.scope())
	if err != nil {
		return err
	}
	for _, f := range fields {
		if s.field(f.Name) == nil {
			s.Config = append(s.Config, f)
		}
	}
	return nil
}

// sharedHeads adds the heads of the library's classes that the specification does not have itself, once for every name that
// its own classes begin with.
func (d *decoder) sharedHeads(s *Spec) error {
	if s.Classes == nil {
		return nil
	}
	has := map[string]bool{}
	for _, h := range s.Heads {
		has[h.Class] = true
	}
	for _, own := range slices.Clone(s.Heads) {
		name, found := cutClass(own.Class)
		if !found {
			return Errorf(own.Pos, "%s: the library's classes need classes with For or LMHead in their names", own.Class)
		}
		more, err := s.Classes.d.heads(s.Classes.heads, s.scope(), name)
		if err != nil {
			return err
		}
		for _, h := range more {
			if !has[h.Class] {
				has[h.Class] = true
				s.Heads = append(s.Heads, h)
			}
		}
	}
	return nil
}

var classTail = regexp.MustCompile(`(For|LMHead)[A-Z]`)

// cutClass cuts the name of a class before For or LMHead.
func cutClass(class string) (name string, found bool) {
	at := classTail.FindStringIndex(class)
	if at == nil {
		return "", false
	}
	return class[:at[0]], true
}
