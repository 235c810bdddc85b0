package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/op"
)

// A schema is one node of a JSON Schema; encoding/json sorts its keys.
type schema map[string]any

// SchemaFiles lists the kinds of files that Schema describes: a specification, and the files of the library.
var SchemaFiles = []string{"spec", "macro", "part", "table", "names", "classes", "keys"}

// Schema returns the JSON Schema (draft 2020-12) of a kind of file, made from the tables that the decoder reads, the
// op table and the macros of the built-in library. Editors complete and check by it; the decoder checks more: names,
// expressions, types and shapes.
func Schema(file string) ([]byte, error) {
	if !has(SchemaFiles, file) {
		return nil, fmt.Errorf("no schema is called %q; there are %s%s", file, join(SchemaFiles), Suggest(file, SchemaFiles))
	}
	lib, err := builtinLibrary()
	if err != nil {
		return nil, err
	}
	defs := schema{
		"word":   schema{"type": []string{"string", "number", "boolean"}},
		"words":  oneOrMore(ref("word")),
		"value":  schema{"description": "a literal, or an expression with $names"},
		"values": schema{"type": []string{"array", "object", "string"}},
		"steps":  listOf(ref("step")),
		"step":   stepSchema(lib),
		"ignores": listOf(schema{"anyOf": []schema{
			ref("word"), keyedSchema(objects["ignore"]),
		}}),
	}
	for name, keys := range objects {
		defs[name] = keyedSchema(keys)
	}
	for _, name := range []string{"rule", "ggufField"} { // the short form is the stored name or key
		defs[name] = schema{"anyOf": []schema{ref("words"), keyedSchema(objects[name])}}
	}
	defs["head"] = schema{"anyOf": []schema{ref("steps"), keyedSchema(objects["head"])}} // the short form is its steps
	ways := listOf(schema{"anyOf": []schema{ref("word"), keyedSchema(objects["rule"])}}) // alternatives
	defs["rule"] = schema{"anyOf": []schema{ref("words"), keyedSchema(objects["rule"]), ways}}
	top := schema{"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/" + file, "$defs": defs,
		"title": "tfgen " + file}
	text, err := json.MarshalIndent(top, "", "  ")
	return append(text, '\n'), err
}

func ref(name string) schema { return schema{"$ref": "#/$defs/" + name} }

func listOf(item schema) schema { return schema{"type": "array", "items": item} }

func oneOrMore(item schema) schema { return schema{"anyOf": []schema{item, listOf(item)}} }

// keyedSchema describes a mapping with a fixed set of keys.
func keyedSchema(keys []key) schema {
	properties, required := schema{}, []string{}
	for _, k := range keys {
		properties[k.name] = described(kindSchema(k.kind), k.doc)
		if k.required {
			required = append(required, k.name)
		}
	}
	return object(properties, required)
}

// object describes a mapping that has no other keys than these.
func object(properties schema, required []string) schema {
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		slices.Sort(required)
		s["required"] = required
	}
	return s
}

// kindSchema describes a value of the kind of a key.
func kindSchema(kind string) schema {
	if item, ok := strings.CutPrefix(kind, "map of "); ok {
		return schema{"type": "object", "additionalProperties": ref(item)}
	}
	return ref(kind)
}

// described adds a description; s is not changed.
func described(s schema, doc string) schema {
	if doc == "" {
		return s
	}
	s = maps.Clone(s)
	s["description"] = doc
	return s
}

// stepSchema describes a step: an operation, macro or form with its arguments, or the bare word of one that needs none.
func stepSchema(lib *Library) schema {
	steps, bare := schema{}, []string{}
	for _, kind := range op.Kinds() {
		row, _ := op.Lookup(kind)
		s := operationSchema(row)
		if s["required"] == nil {
			bare = append(bare, kind)
		}
		steps[kind] = s
	}
	for name, m := range lib.Macros {
		s := macroSchema(m)
		if s["required"] == nil {
			bare = append(bare, name)
		}
		steps[name] = s
	}
	for name, doc := range forms {
		s := ref("steps")
		if keys, ok := formKeys[name]; ok {
			s = keyedSchema(keys)
		} else if name == "output" {
			s = ref("word")
		} else if name == "parallel" {
			s = listOf(ref("steps"))
		}
		steps[name] = described(s, doc)
	}
	slices.Sort(bare)
	single := object(steps, nil)
	single["minProperties"], single["maxProperties"] = 1, 1
	return schema{"anyOf": []schema{{"enum": bare}, single}}
}

// operationSchema describes the arguments of a row of the op table.
func operationSchema(row *op.Row) schema {
	properties, required := schema{}, []string{}
	for name, kind := range operationKeys(row) {
		properties[name] = argumentSchema(kind, nil)
	}
	for _, r := range row.Weights {
		properties[RoleKey(r)] = described(argumentSchema("name", nil), "name of the weight"+r.Suffix)
		if r.Optional {
			properties[RoleKey(r)] = schema{"type": []string{"boolean", "string"}, "description": "whether there is one, or its name"}
		} else {
			required = append(required, r.Name)
		}
	}
	for _, a := range row.Attrs {
		properties[a.Name] = described(argumentSchema(a.Kind, a.Enum), a.Doc)
		if a.Default == nil {
			required = append(required, a.Name)
		}
	}
	return described(object(properties, required), row.Doc)
}

// macroSchema describes the arguments of a macro.
func macroSchema(m *Macro) schema {
	properties := schema{"in": ref("word"), "out": ref("words")}
	required := []string{}
	for _, p := range m.Params {
		properties[p.Name] = described(argumentSchema(p.Type, nil), p.Doc)
		if p.Default == nil {
			required = append(required, p.Name)
		}
	}
	return described(object(properties, required), m.Doc)
}

// argumentSchema describes an argument: a literal of its kind, or text, which is an expression or a name.
func argumentSchema(kind string, enum []string) schema {
	switch kind {
	case "int":
		return schema{"type": []string{"integer", "string"}}
	case "float":
		return schema{"type": []string{"number", "string"}}
	case "bool":
		return schema{"type": []string{"boolean", "string"}}
	case "string":
		if len(enum) > 0 {
			return schema{"anyOf": []schema{{"enum": enum}, {"type": "string", "pattern": `\$`}}}
		}
	case "map":
		return schema{"type": []string{"object", "string"}}
	case "words":
		return ref("words")
	case "tie":
		return keyedSchema(tieKeys)
	case "floats", "any":
		return schema{}
	}
	return ref("word")
}
