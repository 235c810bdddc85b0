package build

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/config"
	"github.com/tfgen/tfgen/gen/spec"
)

// fromDirectory builds the model of a Hugging Face directory.
func fromDirectory(s *spec.Spec, src Source) (*Result, error) {
	class, sentence, err := classOf(src)
	if err != nil {
		return nil, err
	}
	head, err := s.Head(class)
	if err != nil {
		return nil, err
	}
	st, err := newStore(&s.Tensors, false, src.Tensors())
	if err != nil {
		return nil, err
	}
	in := config.Input{Name: "config.json", Keys: src.Config(), Has: st.has}
	in.File = func(name string) (map[string]any, error) {
		if name == sentenceFile {
			return sentence, nil
		}
		return jsonMap(src, name)
	}
	values, err := config.Resolve(s.Config, s.Require, in)
	if err != nil {
		return nil, err
	}
	values.Unused = config.Unused(src.Config(), s.Config, s.Require, s.Library.Keys["harmless"])
	p := &plan{spec: s, head: head, values: values, store: st}
	p.ignores = append(append(p.ignores, s.Tensors.Ignore...), head.Ignore...)
	return p.model()
}

// classOf is the class of a directory's head: SentenceTransformer if it has a modules.json, otherwise the one that
// config.json names.
func classOf(src Source) (string, map[string]any, error) {
	sentence, err := readSentence(src)
	if err != nil {
		return "", nil, err
	}
	if sentence != nil {
		return "SentenceTransformer", sentence, nil
	}
	classes := classesOf(src.Config())
	if len(classes) != 1 {
		return "", nil, fmt.Errorf("config.json: architectures names %d classes, expected one", len(classes))
	}
	return classes[0], nil, nil
}
