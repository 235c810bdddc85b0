package spec

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// fields decodes a mapping with the keys of an object; missing required keys are errors.
func (d *decoder) fields(n *yaml.Node, object, what string) (map[string]*yaml.Node, error) {
	return d.keyed(n, objects[object], what)
}

func (d *decoder) keyed(n *yaml.Node, keys []key, what string) (map[string]*yaml.Node, error) {
	entries, err := d.entries(n, what, namesOf(keys))
	if err != nil {
		return nil, err
	}
	out := map[string]*yaml.Node{}
	for _, e := range entries {
		out[e.key] = e.value
	}
	for _, k := range keys {
		if k.required && out[k.name] == nil {
			return nil, d.errorf(n, "%s: the key %q is missing (%s)", what, k.name, k.doc)
		}
	}
	return out, nil
}

// spec decodes a whole specification.
func (d *decoder) spec(data []byte) (*Spec, error) {
	top, err := d.parse(data)
	if err != nil {
		return nil, err
	}
	f, err := d.fields(top, "spec", "specification")
	if err != nil {
		return nil, err
	}
	s := &Spec{File: d.file, Library: d.lib}
	for _, part := range []func(*Spec, map[string]*yaml.Node) error{d.identity, d.configuration, d.storage, d.computation} {
		if err := part(s, f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// identity decodes arch, hf and inputs.
func (d *decoder) identity(s *Spec, f map[string]*yaml.Node) (err error) {
	if s.Arch, err = d.text(f["arch"], "arch"); err != nil {
		return err
	}
	hf, err := d.fields(f["hf"], "hf", "hf")
	if err != nil {
		return err
	}
	if s.ModelTypes, err = d.texts(hf["model_type"], "model_type"); err != nil {
		return err
	}
	if hf["family"] != nil {
		if s.Family, err = d.texts(hf["family"], "family"); err != nil {
			return err
		}
	}
	if s.Inputs, err = d.texts(f["inputs"], "inputs"); err != nil {
		return err
	}
	for _, in := range s.Inputs {
		if _, ok := inputs[in]; !ok {
			return d.errorf(f["inputs"], "unknown input %q; expected one of %s%s", in, join(sortedKeys(inputs)), Suggest(in, sortedKeys(inputs)))
		}
	}
	return nil
}

// configuration decodes config, require and tiny.
func (d *decoder) configuration(s *Spec, f map[string]*yaml.Node) (err error) {
	if s.parts, err = found(d, f["parts"], d.lib.parts, "parts", "part is"); err != nil {
		return err
	}
	if s.classes, err = found(d, f["classes"], d.lib.heads, "classes", "classes are"); err != nil {
		return err
	}
	if s.Config, err = d.configFields(s, f["config"]); err != nil {
		return err
	}
	for _, name := range []string{"vocab", "max_pos", "layers"} {
		if s.field(name) == nil {
			return d.errorf(f["config"], "config: %q is missing; every specification needs it", name)
		}
	}
	if s.Require, err = d.requirements(f["require"]); err != nil {
		return err
	}
	entries, err := d.entries(f["tiny"], "tiny", s.fieldNames())
	if err != nil {
		return err
	}
	s.Tiny = map[string]*Value{}
	for _, e := range entries {
		if s.Tiny[e.key], err = d.value(e.value, "any", newScope()); err != nil {
			return err
		}
	}
	return nil
}

// storage decodes tensors and gguf.
func (d *decoder) storage(s *Spec, f map[string]*yaml.Node) error {
	t, err := d.fields(f["tensors"], "tensors", "tensors")
	if err != nil {
		return err
	}
	s.Tensors = Tensors{Pos: d.pos(f["tensors"]), Prefix: []string{""}}
	if n := t["prefix"]; n != nil {
		if s.Tensors.Prefix, err = d.texts(n, "prefix"); err != nil {
			return err
		}
		if len(s.Tensors.Prefix) == 0 {
			return d.errorf(n, "prefix: the list is empty")
		}
	}
	sc := s.scope()
	if s.Tensors.Map, err = d.rules(t["map"], sc); err != nil {
		return err
	}
	if s.Tensors.Ignore, err = d.ignores(t["ignore"], sc); err != nil {
		return err
	}
	if err = s.partTensors(); err != nil {
		return d.in(f["parts"], "parts", err)
	}
	if f["gguf"] == nil {
		return nil
	}
	s.GGUF, err = d.gguf(f["gguf"], s)
	return err
}

// computation decodes embed, blocks and heads.
func (d *decoder) computation(s *Spec, f map[string]*yaml.Node) error {
	sc := s.scope()
	steps, err := d.steps(f["embed"], "embed", sc)
	if err != nil {
		return err
	}
	s.Embed = &Section{Pos: d.pos(f["embed"]), Steps: steps}
	if s.Blocks, err = d.blocks(f["blocks"], sc); err != nil {
		return err
	}
	if n := f["encoder"]; n != nil {
		if s.Encoder, err = d.encoder(n, sc); err != nil {
			return err
		}
	}
	if n := f["end"]; n != nil {
		if s.End, err = d.steps(n, "end", sc); err != nil {
			return err
		}
	}
	if f["heads"] != nil {
		if s.Heads, err = d.heads(f["heads"], sc, ""); err != nil {
			return err
		}
	}
	if err = s.sharedHeads(); err != nil {
		return d.in(f["classes"], "classes", err)
	}
	if len(s.Heads) == 0 {
		return Errorf(s.Blocks.Pos, "heads: at least one class is needed, here or in classes of the library")
	}
	if s.GGUF != nil {
		if class, err := s.GGUF.Class.Eval(&Env{}); err == nil { // it is not an expression
			name, _ := class.(string)
			if _, err := s.Head(name); err != nil {
				return &Error{Pos: s.GGUF.Pos, Msg: "gguf: ", Err: err}
			}
		}
	}
	return nil
}

// encoder decodes the tower in front of a decoder.
func (d *decoder) encoder(n *yaml.Node, sc *scope) (*Encoder, error) {
	f, err := d.fields(n, "encoder", "encoder")
	if err != nil {
		return nil, err
	}
	enc := &Encoder{Pos: d.pos(n), Embed: &Section{Pos: d.pos(f["embed"])}}
	if enc.Embed.Steps, err = d.steps(f["embed"], "embed", sc); err != nil {
		return nil, err
	}
	if enc.Blocks, err = d.blocks(f["blocks"], sc); err != nil {
		return nil, err
	}
	if end := f["end"]; end != nil {
		if enc.End, err = d.steps(end, "end", sc); err != nil {
			return nil, err
		}
	}
	if shift := f["shift"]; shift != nil {
		enc.Shift, err = d.value(shift, "int", sc)
	}
	return enc, err
}

func (d *decoder) blocks(n *yaml.Node, sc *scope) (*Blocks, error) {
	f, err := d.fields(n, "blocks", "blocks")
	if err != nil {
		return nil, err
	}
	b := &Blocks{Pos: d.pos(n)}
	if b.Repeat, err = d.value(f["repeat"], "int", sc); err != nil {
		return nil, err
	}
	inner := sc.with(nil, []string{"i"})
	if b.Prefix, err = d.value(f["prefix"], "name", inner); err != nil {
		return nil, err
	}
	if let := f["let"]; let != nil {
		entries, err := d.entries(let, "let", nil)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if inner.vars[e.key] {
				return nil, Errorf(e.pos, "let: $%s is already defined", e.key)
			}
			v, err := d.value(e.value, "bool", inner)
			if err != nil {
				return nil, err
			}
			b.Let = append(b.Let, &Binding{e.pos, e.key, v})
			inner = inner.with([]string{e.key}, nil)
		}
	}
	b.Steps, err = d.steps(f["body"], "body", inner)
	return b, err
}

// scope is what expressions may use: the fields, and task, that of the head which is built.
func (s *Spec) scope() *scope { return newScope(append(s.fieldNames(), "task")...) }

func (s *Spec) fieldNames() []string {
	names := make([]string, len(s.Config))
	for i, f := range s.Config {
		names[i] = f.Name
	}
	return names
}

func (s *Spec) field(name string) *Field {
	for _, f := range s.Config {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func describeKinds(m map[string]string) string {
	out := ""
	for i, k := range sortedKeys(m) {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprintf("%s (%s)", k, m[k])
	}
	return out
}
