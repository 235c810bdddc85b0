// Package config turns the configuration of a checkpoint (config.json, GGUF metadata) into the values that a
// specification names: types checked, older keys understood, defaults filled in.
package config

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/spec"
)

// Input is where values come from.
type Input struct {
	Name  string                                    // of the source, for messages: "config.json"
	Keys  map[string]any                            // the configuration
	File  func(name string) (map[string]any, error) // another JSON file of the checkpoint; nil map: it is absent
	Has   func(tensor string) bool                  // whether the checkpoint has a weight; nil: every one
	Small func(tensor string) ([]float64, error)    // numbers of a small stored tensor; nil without an error: it is absent
	Given map[string]any                            // values that are already known (sizes of tests)
}

// Value is one resolved value.
type Value struct {
	Name  string
	Value any    // int, float64, bool, string, nil, []any, map[string]any
	From  string // the key it was read from, or "default"
}

// Values are the resolved values of a model in the order of the specification.
type Values struct {
	List   []Value
	Map    map[string]any
	Unused []string // keys of the configuration that nothing reads and that are not known to be harmless
}

// Int returns an integer, 0 if there is none of that name.
func (v *Values) Int(name string) int { i, _ := v.Map[name].(int); return i }

// IDs returns a list of token ids, nil if there is none.
func (v *Values) IDs(name string) []int {
	items, _ := v.Map[name].([]any)
	var ids []int
	for _, x := range items {
		if id, ok := x.(int); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// Resolve computes every field and checks the requirements. Errors carry the place in the specification and the key.
func Resolve(fields []*spec.Field, require []*spec.Requirement, in Input) (*Values, error) {
	if in.Name == "" {
		in.Name = "the configuration"
	}
	v := &Values{Map: map[string]any{}}
	for _, f := range fields {
		x, from, err := resolve(f, in, v)
		if err != nil {
			return nil, err
		}
		v.Map[f.Name] = x
		v.List = append(v.List, Value{f.Name, x, from})
	}
	for _, r := range require {
		if err := checkRequirement(r, in); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Draft is Resolve for a configuration that the fields were not written for: it collects what is wrong and goes on with the
// default of a field, or with its test size. It fails where a field has neither.
func Draft(fields []*spec.Field, require []*spec.Requirement, in Input, sizes map[string]*spec.Value) (*Values, []error) {
	v := &Values{Map: map[string]any{}}
	var errs []error
	for _, f := range fields {
		x, from, err := resolve(f, in, v)
		if err != nil {
			errs = append(errs, err)
			x, from = substitute(f, in, v, sizes), "default"
		}
		v.Map[f.Name] = x
		v.List = append(v.List, Value{f.Name, x, from})
	}
	for _, r := range require {
		if err := checkRequirement(r, in); err != nil {
			errs = append(errs, err)
		}
	}
	return v, errs
}

// substitute is the value of a field whose own cannot be used; nil if there is none.
func substitute(f *spec.Field, in Input, v *Values, sizes map[string]*spec.Value) any {
	env := &spec.Env{Vars: v.Map, Has: in.Has}
	for _, value := range []*spec.Value{f.Default, sizes[f.Name]} {
		if value == nil {
			continue
		}
		if x, err := fallback(f, value, in, env); err == nil {
			return x
		}
	}
	return nil
}

func resolve(f *spec.Field, in Input, v *Values) (any, string, error) {
	env := &spec.Env{Vars: v.Map, Has: in.Has}
	if x, ok := in.Given[f.Name]; ok {
		y, err := typed(f, f.Name, x, in, env)
		return y, "given", err
	}
	x, key, found, err := lookup(f, in)
	if err != nil {
		return nil, "", err
	}
	if found && x == nil && f.Null != nil {
		y, err := fallback(f, f.Null, in, env)
		return y, key, err
	}
	if found && x != nil {
		y, err := typed(f, key, x, in, env)
		return y, key, err
	}
	if f.Default == nil {
		return nil, "", spec.Errorf(f.Pos, "%s: %s has no %s", f.Name, in.Name, strings.Join(f.Keys, " or "))
	}
	y, err := fallback(f, f.Default, in, env)
	return y, "default", err
}

// lookup finds the first key that is present. A null counts as present only if the field gives it a meaning.
func lookup(f *spec.Field, in Input) (x any, key string, found bool, err error) {
	if f.Fields != nil {
		m := map[string]any{}
		for name, key := range f.Fields {
			if x, ok := path(in.Keys, key); ok && x != nil {
				m[name] = Normal(x)
			}
		}
		for name, tensor := range f.Tensors {
			if in.Small == nil {
				break
			}
			list, err := in.Small(tensor)
			if err != nil {
				return nil, "", false, spec.Errorf(f.Pos, "%s: %v", f.Name, err)
			}
			if list != nil {
				m[name] = Normal(list)
			}
		}
		return m, f.Name, len(m) > 0, nil
	}
	for _, key := range f.Keys {
		keys, name := in.Keys, key
		if file, rest, ok := strings.Cut(key, ":"); ok {
			if in.File == nil {
				continue
			}
			if keys, err = in.File(file); err != nil {
				return nil, "", false, spec.Errorf(f.Pos, "%s: %v", f.Name, err)
			}
			name = rest
		}
		if x, ok := path(keys, name); ok && (x != nil || f.Null != nil) && !(f.Type == "auto" && x == "auto") {
			return x, key, true, nil
		}
	}
	return nil, "", false, nil
}

// path looks up a dotted key: as it is (GGUF) or through nested maps (JSON).
func path(keys map[string]any, key string) (any, bool) {
	if x, ok := keys[key]; ok {
		return x, true
	}
	head, rest, ok := strings.Cut(key, ".")
	if !ok {
		return nil, false
	}
	m, ok := keys[head].(map[string]any)
	if !ok {
		return nil, false
	}
	return path(m, rest)
}

// fallback computes a default. It is checked like a value of the configuration, except that null is allowed.
func fallback(f *spec.Field, v *spec.Value, in Input, env *spec.Env) (any, error) {
	x, err := v.Eval(env)
	if err != nil {
		return nil, fmt.Errorf("%w (default of %s)", err, f.Name)
	}
	if x == nil {
		return nil, nil
	}
	return typed(f, f.Name, x, in, env)
}

// Met is the number of requirements that a configuration meets, counting absent keys where null is allowed; -1 if it breaks one.
func Met(require []*spec.Requirement, keys map[string]any) int {
	met := 0
	for _, r := range require {
		x, ok := path(keys, r.Key)
		switch allowed := slices.ContainsFunc(r.Allowed, func(a any) bool { return spec.Equal(a, Normal(x)) }); {
		case allowed:
			met++
		case ok:
			return -1
		}
	}
	return met
}

func checkRequirement(r *spec.Requirement, in Input) error {
	x, ok := path(in.Keys, r.Key)
	if !ok {
		return nil
	}
	x = Normal(x)
	var allowed []string
	for _, a := range r.Allowed {
		if spec.Equal(a, x) {
			return nil
		}
		allowed = append(allowed, spec.Describe(a))
	}
	return spec.Errorf(r.Pos, "%s in %s is %s, which is not supported; supported: %s", r.Key, in.Name, spec.Describe(x), strings.Join(allowed, ", "))
}

// Unused lists the top-level keys of a configuration that neither the fields nor the requirements mention and that
// no harmless pattern matches.
func Unused(keys map[string]any, fields []*spec.Field, require []*spec.Requirement, harmless []string) []string {
	used := map[string]bool{}
	mention := func(key string) {
		head, _, _ := strings.Cut(key, ".")
		used[head] = true
	}
	for _, f := range fields {
		for _, k := range f.Keys {
			mention(k)
		}
		if f.Type == "rope" {
			mention("original_max_position_embeddings")
		}
	}
	for _, r := range require {
		mention(r.Key)
	}
	var out []string
	for k := range keys {
		if !used[k] && !matchesAny(harmless, k) {
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return out
}

func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if _, ok := spec.Match(p, name); ok {
			return true
		}
	}
	return false
}
