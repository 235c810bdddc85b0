package spec

import (
	"regexp"
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
			if each.Task == "" {
				if each.Task = taskOf(class); each.Task == "" {
					return nil, Errorf(e.pos, "%s: the name does not tell the task; add task: one of %s", class, join(tasks))
				}
			}
			out = append(out, &each)
		}
	}
	return out, nil
}

// classTasks tell the task of a class by what its name ends with, the first that fits.
var classTasks = []struct{ end, task string }{
	{"ForCausalLM", "causal-lm"}, {"LMHeadModel", "causal-lm"}, {"ForConditionalGeneration", "seq2seq-lm"}, {"ForMaskedLM", "masked-lm"},
	{"ForSequenceClassification", "text-classification"}, {"ForNextSentencePrediction", "text-classification"},
	{"ForTokenClassification", "token-classification"}, {"ForQuestionAnswering", "question-answering"},
	{"ForMultipleChoice", "multiple-choice"}, {"SentenceTransformer", "embedding"}, {"Model", "feature-extraction"},
}

// taskOf is the task of a class by its name, or "".
func taskOf(class string) string {
	for _, t := range classTasks {
		if strings.HasSuffix(class, t.end) {
			return t.task
		}
	}
	return ""
}

// head decodes one head: its steps, or a mapping with more than these. Its task is "" where it is not given.
func (d *decoder) head(e entry, sc *scope) (*Head, error) {
	h := &Head{Pos: e.pos, Class: e.key}
	if e.value.Kind == yaml.SequenceNode {
		var err error
		h.Steps, err = d.steps(e.value, e.key, sc)
		return h, err
	}
	f, err := d.fields(e.value, "head", e.key)
	if err != nil {
		return nil, err
	}
	if f["task"] != nil {
		if h.Task, err = d.text(f["task"], "task"); err != nil {
			return nil, err
		}
		if !has(tasks, h.Task) {
			return nil, d.errorf(f["task"], "unknown task %q; expected one of %s%s", h.Task, join(tasks), Suggest(h.Task, tasks))
		}
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

// sharedHeads adds the heads of the library's classes that the specification does not have itself, once for every family.
func (s *Spec) sharedHeads() error {
	known := map[string]bool{}
	for _, h := range s.Heads {
		known[h.Class] = true
	}
	families, err := s.families()
	if err != nil {
		return err
	}
	for _, name := range families {
		for _, c := range s.classes {
			more, err := c.d.heads(c.heads, s.scope(), name)
			if err != nil {
				return err
			}
			for _, h := range more {
				if !known[h.Class] {
					known[h.Class] = true
					s.Heads = append(s.Heads, h)
				}
			}
		}
	}
	return nil
}

// families are what the names of the classes begin with: those that the specification names, or those of its own heads.
func (s *Spec) families() ([]string, error) {
	if s.Family != nil || len(s.classes) == 0 {
		return s.Family, nil
	}
	var out []string
	for _, h := range s.Heads {
		if name, ok := cutClass(h.Class); ok && !has(out, name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, Errorf(s.Blocks.Pos, "classes: the library's classes need hf: {family: …}, or a class with For or LMHead in its name in heads")
	}
	return out, nil
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
