package spec_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/specs"
)

// changed is a built-in specification with some of its text replaced.
func changed(t *testing.T, file string, pairs ...string) string {
	t.Helper()
	data, err := fs.ReadFile(specs.Files, file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s: %q is not in it", file, pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func fieldNames(s *spec.Spec) []string {
	var names []string
	for _, f := range s.Config {
		names = append(names, f.Name)
	}
	return names
}

// TestFieldsAreOrdered wants fields behind those that they need, wherever they are written.
func TestFieldsAreOrdered(t *testing.T) {
	s, err := spec.Decode("x.yaml", []byte(changed(t, "llama.yaml", "config:\n", "config:\n  half: {type: int, default: $d_model / 2}\n")))
	if err != nil {
		t.Fatal(err)
	}
	names := fieldNames(s)
	if slices.Index(names, "half") < slices.Index(names, "d_model") {
		t.Errorf("half stands before d_model, which it needs: %v", names)
	}
	if slices.Index(names, "layers") > slices.Index(names, "heads") {
		t.Errorf("fields that need each other's order changed: %v", names)
	}
}

// TestParts uses a field of a part, and one that differs from the part's in its default.
func TestParts(t *testing.T) {
	text := changed(t, "llama.yaml", "config:\n", "parts: [mamba_sizes]\nconfig:\n  state: {default: 9}\n  twice: {type: int, default: 2 * $state}\n")
	s, err := spec.Decode("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(s.Config, func(f *spec.Field) bool { return f.Name == "state" })
	f := s.Config[at]
	if x, err := f.Default.Eval(&spec.Env{}); err != nil || x != 9 || f.Type != "size" || !slices.Equal(f.Keys, []string{"mamba_d_state"}) {
		t.Errorf("state is %s with the keys %v and the default %v (%v), expected the part's with 9", f.Type, f.Keys, x, err)
	}
	if names := fieldNames(s); !slices.Contains(names, "kernel") || slices.Index(names, "twice") < at {
		t.Errorf("the fields are %v: kernel of the part is not there, or twice stands before state", names)
	}
}

// TestHeads takes the task of a class from its name, and classes of the library for a family.
func TestHeads(t *testing.T) {
	s, err := spec.Decode("x.yaml", []byte(changed(t, "bert.yaml", "family: Bert", "family: [Ann, Bob, Bert]")))
	if err != nil {
		t.Fatal(err)
	}
	for class, task := range map[string]string{"AnnModel": "feature-extraction", "BobForMaskedLM": "masked-lm",
		"BobForMultipleChoice": "multiple-choice", "AnnForTokenClassification": "token-classification",
		"SentenceTransformer": "embedding", "AnnCrossEncoder": "text-classification"} {
		if h, err := s.Head(class); err != nil || h.Task != task {
			t.Errorf("%s: %v, %v, expected the task %s", class, h, err, task)
		}
	}
	if _, err := s.Head("CarlModel"); err == nil {
		t.Error("CarlModel is there, though it is no family")
	}
}

// TestMistakes wants errors that say where and what.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ what, file, old, new, want string }{
		{"fields in a circle", "llama.yaml", "config:\n", "config:\n  a: {type: int, default: $b}\n  b: {type: int, default: $a}\n",
			"x.yaml:6: a: the value needs itself: $a needs $b needs $a"},
		{"a field without a type", "llama.yaml", "config:\n", "config:\n  a: {default: 1}\n",
			`x.yaml:6: a: the key "type" is missing, and no part has a field of this name`},
		{"an unknown part", "llama.yaml", "config:\n", "parts: [mamba3]\nconfig:\n", `x.yaml:5: no part is called "mamba3"`},
		{"a mistyped part", "llama.yaml", "config:\n", "parts: [expert]\nconfig:\n", `did you mean "experts"?`},
		{"unknown classes", "llama.yaml", "classes: decoder", "classes: [decodr]", `no classes are called "decodr"; there are bert, `},
		{"unknown names", "llama.yaml", "like: [llama.cpp-llama,", "like: [llama.cpp-lama,", `did you mean "llama.cpp-llama"?`},
		{"a class whose task is not known", "llama.yaml", "  LlamaForCausalLM:", "  LlamaForNothing:",
			"LlamaForNothing: the name does not tell the task; add task: one of causal-lm, "},
		{"classes without a family", "linformer.yaml", ", family: Linformer", "", "need hf: {family: …}"},
		{"a field that classes need", "bert.yaml", "  tied:   ", "  tide:   ", "classes: specs/lib/bert_classes.yaml:"},
		{"a field that a part needs", "llama.yaml", "config:\n", "parts: [experts]\nconfig:\n", "x.yaml:5: parts: specs/lib/experts.yaml:"},
		{"no heads", "llama.yaml", "classes: decoder\nheads:\n", "inner:\n", `unknown key "inner"`},
	} {
		_, err := spec.Decode("x.yaml", []byte(changed(t, c.file, c.old, c.new)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %s", c.what, err, c.want)
		}
	}
}
