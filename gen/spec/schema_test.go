package spec_test

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/specs"
)

// compileSchema returns the schema of a kind of file, ready to validate.
func compileSchema(t *testing.T, kind string) *jsonschema.Schema {
	text, err := spec.Schema(kind)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(kind+".json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(kind + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validateYAML(t *testing.T, s *jsonschema.Schema, text string) error {
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return s.Validate(wordKeys(v))
}

// wordKeys makes words of keys that YAML takes for something else, as null.
func wordKeys(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := map[string]any{}
		for k, x := range v {
			name, ok := k.(string)
			if !ok {
				name = map[any]string{nil: "null", true: "true", false: "false"}[k]
			}
			out[name] = wordKeys(x)
		}
		return out
	case map[string]any:
		for k, x := range v {
			v[k] = wordKeys(x)
		}
	case []any:
		for i, x := range v {
			v[i] = wordKeys(x)
		}
	}
	return v
}

// TestSchemaAcceptsBuiltIn validates all specifications and library files.
func TestSchemaAcceptsBuiltIn(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{}
	for _, kind := range spec.SchemaFiles {
		schemas[kind] = compileSchema(t, kind)
	}
	for _, pattern := range []string{"*.yaml", "lib/*.yaml"} {
		names, err := fs.Glob(specs.Files, pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(specs.Files, name)
			if err != nil {
				t.Fatal(err)
			}
			kind := "spec"
			if path.Dir(name) == "lib" {
				kind, _, _ = strings.Cut(strings.TrimSpace(stripComments(string(text))), ":")
			}
			if err := validateYAML(t, schemas[kind], string(text)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func stripComments(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestSchemaRefuses changes one line of a valid specification.
func TestSchemaRefuses(t *testing.T) {
	text, err := fs.ReadFile(specs.Files, "llama.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := compileSchema(t, "spec")
	for _, c := range []struct{ what, old, new string }{
		{"an unknown key", "arch: llama", "arch: llama\narchh: llama"},
		{"a missing key", "arch: llama\n", ""},
		{"an unknown operation", "- rmsnorm:", "- rmsnrom:"},
		{"a missing attribute", "rmsnorm: {w: input_layernorm, eps: $eps}", "rmsnorm: {w: input_layernorm}"},
		{"an unknown attribute", "rmsnorm: {w: input_layernorm,", "rmsnorm: {w: input_layernorm, epsilon: 1,"},
		{"a number for a name", "embed: {w: embed_tokens,", "embed: {w: [embed_tokens],"},
	} {
		changed := strings.Replace(string(text), c.old, c.new, 1)
		if changed == string(text) {
			t.Fatalf("%s: %q is not in the specification", c.what, c.old)
		}
		if validateYAML(t, s, changed) == nil {
			t.Errorf("%s is accepted", c.what)
		}
	}
	if _, err := spec.Schema("spek"); err == nil || !strings.Contains(err.Error(), `did you mean "spec"`) {
		t.Errorf("schema of an unknown kind: %v", err)
	}
}
