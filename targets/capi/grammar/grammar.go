// Package grammar makes constraints of the grammars that callers of a C library give. Only libraries of models that make text
// link it, and with it the compiler of grammars.
package grammar

import (
	"fmt"

	"github.com/tfgen/tfgen/runtime/constrain"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/json"
)

// kinds are the grammars by the name of their option, which gives a value in JSON.
var kinds = map[string]func(value json.RawMessage) (*constrain.Grammar, error){
	"json_schema": func(v json.RawMessage) (*constrain.Grammar, error) { return constrain.JSONSchema(v) },
	"grammar":     text(constrain.GBNF),
	"regex":       text(constrain.Regexp),
	"choices": func(v json.RawMessage) (*constrain.Grammar, error) {
		var list []string
		if err := json.Unmarshal(v, &list); err != nil {
			return nil, err
		}
		return constrain.Choices(list...)
	},
	"json": func(v json.RawMessage) (*constrain.Grammar, error) {
		if string(v) != "true" {
			return nil, fmt.Errorf("expected true")
		}
		return constrain.JSON(), nil
	},
}

// text reads a grammar that is a text.
func text(compile func(string) (*constrain.Grammar, error)) func(json.RawMessage) (*constrain.Grammar, error) {
	return func(v json.RawMessage) (*constrain.Grammar, error) {
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return nil, err
		}
		return compile(s)
	}
}

// Follow returns a function that makes constraints for one generation each. follow is the method of a generated model.
func Follow(follow func(*constrain.Grammar) generate.Option) func(kind string, value json.RawMessage) (generate.Constraint, error) {
	return func(kind string, value json.RawMessage) (generate.Constraint, error) {
		g, err := kinds[kind](value)
		if err != nil {
			return nil, err
		}
		return generate.Options{}.With(follow(g)).Constraint, nil
	}
}
