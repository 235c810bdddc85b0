package constrain

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/json"
)

// JSONSchema returns the grammar of JSON texts that are valid by a schema.
//
// Supported are the boolean schemas; type, enum, const; properties, required,
// additionalProperties; items, prefixItems (or items as a list with
// additionalItems), minItems, maxItems; minLength, maxLength, pattern, and the
// formats date, time, date-time, uuid, ipv4, email, hostname and uri; minimum,
// maximum and their exclusive forms for integers, and for numbers, which are
// then written without exponents; anyOf, allOf, $ref within the document,
// recursive ones included, $defs, definitions, and oneOf where the alternatives
// cannot both hold. Every other keyword that restricts values is an error.
//
// Not every valid text can be generated: properties come in the order of the
// schema; further ones, behind them, only if additionalProperties is given and
// not false, or if the schema names none; numbers have at most 16 digits before
// and behind the point; white space is limited so that texts end. What can be
// generated is always valid.
func JSONSchema(schema []byte) (*Grammar, error) {
	doc, err := document(schema)
	if err != nil {
		return nil, fmt.Errorf("JSON Schema: %w", err)
	}
	s := &schemas{root: doc, refs: map[string]int{}}
	s.space = s.rule("white space", jsonSpace)
	s.char = s.rule("character", jsonChar)
	s.text = s.rule("string", quoted(many(s.char)))
	root := int(s.rule("schema", empty))
	n, err := s.schema(doc, "#")
	if err != nil {
		return nil, fmt.Errorf("JSON Schema: %w", err)
	}
	s.rules[root] = n
	g, err := compile(s.rules, s.names, root)
	if err != nil {
		return nil, fmt.Errorf("JSON Schema: %w", err)
	}
	return g, nil
}

// JSON returns the grammar of all JSON texts.
func JSON() *Grammar {
	g, err := JSONSchema([]byte("true"))
	if err != nil {
		panic(err) // it has no input
	}
	return g
}

// schemas turns schemas into rules.
type schemas struct {
	root  any
	rules []node
	names []string
	refs  map[string]int // rules of what $ref names
	any   ref            // any value; 0 if it is not used
	space ref
	char  ref
	text  ref
	depth int
	steps int
}

// rule adds a rule.
func (s *schemas) rule(name string, n node) ref {
	s.rules, s.names = append(s.rules, n), append(s.names, name)
	return ref(len(s.rules) - 1)
}

// annotations are keywords that do not restrict values.
var annotations = strings.Fields("$schema $id $comment $defs $anchor definitions title description default examples example deprecated readOnly writeOnly contentEncoding contentMediaType nullable")

// keywords are those that the types have.
var keywords = map[string][]string{
	"object":  {"properties", "required", "additionalProperties"},
	"array":   {"items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems"},
	"string":  {"minLength", "maxLength", "pattern", "format"},
	"number":  {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
	"integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
	"boolean": {}, "null": {},
}

// kinds are the types in the order in which they are tried.
var kinds = []string{"object", "array", "string", "number", "integer", "boolean", "null"}

// combiners are keywords that are made of schemas.
var combiners = []string{"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"}

// schema returns the expression of the values of a schema. Path is for messages.
func (s *schemas) schema(v any, path string) (node, error) {
	if s.depth++; s.depth > 400 {
		return nil, fmt.Errorf("%s: schemas nest too deeply", path)
	}
	defer func() { s.depth-- }()
	if len(s.rules) > maxRules {
		return nil, errTooLarge
	}
	switch v := v.(type) {
	case bool:
		if !v {
			return nothing, nil
		}
		return s.value(), nil
	case *object:
		return s.object(v, path)
	}
	return nil, fmt.Errorf("%s: a schema is an object or a boolean, found %s", path, kindOf(v))
}

// object dispatches on what a schema consists of.
func (s *schemas) object(o *object, path string) (node, error) {
	if err := known(o, path); err != nil {
		return nil, err
	}
	if s.steps++; s.steps > 1<<16 {
		return nil, errTooLarge
	}
	switch {
	case o.has("$ref") && alone(o, "$ref"):
		return s.reference(o.values["$ref"], path)
	case o.has("$ref") || o.has("allOf"):
		merged, err := s.allOf(o, path, 0)
		if err != nil {
			return nil, err
		}
		return s.object(merged, path)
	case o.has("anyOf"):
		return s.anyOf(o, "anyOf", path)
	case o.has("oneOf"):
		return s.anyOf(o, "oneOf", path)
	case o.has("const"):
		return s.enum(o, []any{o.values["const"]}, path)
	case o.has("enum"):
		list, ok := o.values["enum"].([]any)
		if !ok {
			return nil, fmt.Errorf("%s: enum is a list, found %s", path, kindOf(o.values["enum"]))
		}
		return s.enum(o, list, path)
	}
	return s.typed(o, path)
}

// known reports a keyword that is not supported.
func known(o *object, path string) error {
	for _, k := range o.keys {
		ok := slices.Contains(annotations, k) || slices.Contains(combiners, k)
		for _, list := range keywords {
			ok = ok || slices.Contains(list, k)
		}
		if !ok {
			return fmt.Errorf("%s: the keyword %s is not supported", path, k)
		}
	}
	return nil
}

// alone reports whether a keyword is the only one that restricts values.
func alone(o *object, key string) bool {
	for _, k := range o.keys {
		if k != key && !slices.Contains(annotations, k) {
			return false
		}
	}
	return true
}

// resolve returns what a $ref names.
func (s *schemas) resolve(v any, path string) (target any, name string, err error) {
	name, ok := v.(string)
	if !ok || name != "#" && !strings.HasPrefix(name, "#/") {
		return nil, "", fmt.Errorf("%s: $ref %v: only references within the document (#/…) are supported", path, v)
	}
	target = s.root
	for _, part := range strings.Split(strings.TrimPrefix(name, "#"), "/")[1:] {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch t := target.(type) {
		case *object:
			if !t.has(part) {
				return nil, "", fmt.Errorf("%s: $ref %s names nothing: there is no %q", path, name, part)
			}
			target = t.values[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(t) {
				return nil, "", fmt.Errorf("%s: $ref %s names nothing: there is no element %q", path, name, part)
			}
			target = t[i]
		default:
			return nil, "", fmt.Errorf("%s: $ref %s names nothing", path, name)
		}
	}
	return target, name, nil
}

// reference returns the rule of what a $ref names, and makes it at its first use.
func (s *schemas) reference(v any, path string) (node, error) {
	target, name, err := s.resolve(v, path)
	if err != nil {
		return nil, err
	}
	if n, ok := s.refs[name]; ok {
		return ref(n), nil
	}
	n := s.rule(name, empty)
	s.refs[name] = int(n)
	body, err := s.schema(target, name)
	s.rules[n] = body
	return n, err
}

// anyOf returns the alternatives, each with the other keywords of the schema.
func (s *schemas) anyOf(o *object, key, path string) (node, error) {
	list, ok := o.values[key].([]any)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("%s: %s is a list of schemas", path, key)
	}
	rest := o.clone()
	delete(rest.values, key)
	rest.keys = slices.DeleteFunc(rest.keys, func(k string) bool { return k == key })
	var out choice
	for i, v := range list {
		at := fmt.Sprintf("%s/%s/%d", path, key, i)
		if !alone(o, key) {
			merged, err := s.merge(rest, v, at, 0)
			if err != nil {
				return nil, err
			}
			v = merged
		}
		n, err := s.schema(v, at)
		if err != nil {
			return nil, err
		}
		for j := 0; key == "oneOf" && j < i; j++ {
			if !s.disjoint(list[j], list[i], 0) {
				return nil, fmt.Errorf("%s: oneOf: alternatives %d and %d may both hold; supported are alternatives of different types, constants or constant properties; or write anyOf", path, j, i)
			}
		}
		out = append(out, n)
	}
	return out, nil
}

// enum returns the values of a list that have the type of the schema.
func (s *schemas) enum(o *object, list []any, path string) (node, error) {
	for _, k := range o.keys {
		if k != "enum" && k != "const" && k != "type" && !slices.Contains(annotations, k) {
			return nil, fmt.Errorf("%s: %s beside enum or const is not supported", path, k)
		}
	}
	allowed, err := types(o, path)
	if err != nil {
		return nil, err
	}
	if o.has("enum") && o.has("const") {
		all, _ := o.values["enum"].([]any)
		if !slices.ContainsFunc(all, func(v any) bool { return canonical(v) == canonical(list[0]) }) {
			return nothing, nil
		}
	}
	var out choice
	for _, v := range list {
		kind := kindOf(v)
		if allowed == nil || slices.Contains(allowed, kind) || kind == "integer" && slices.Contains(allowed, "number") {
			out = append(out, constant(v))
		}
	}
	return out, nil
}

// types returns the types that a schema allows, nil if it does not say.
func types(o *object, path string) (list []string, err error) {
	switch t := o.values["type"].(type) {
	case nil:
		if o.has("type") {
			return nil, fmt.Errorf("%s: type is null", path)
		}
		return nil, nil
	case string:
		list = []string{t}
	case []any:
		for _, v := range t {
			name, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("%s: type is a name or a list of names", path)
			}
			list = append(list, name)
		}
	default:
		return nil, fmt.Errorf("%s: type is a name or a list of names", path)
	}
	for _, name := range list {
		if !slices.Contains(kinds, name) {
			return nil, fmt.Errorf("%s: no such type: %q", path, name)
		}
	}
	if nullable, _ := o.values["nullable"].(bool); nullable && !slices.Contains(list, "null") {
		list = append(list, "null")
	}
	return list, nil
}

// typed returns the values of the types of a schema. One that does not say has
// the types that its keywords are about.
func (s *schemas) typed(o *object, path string) (node, error) {
	list, err := types(o, path)
	if err != nil {
		return nil, err
	}
	if list == nil {
		for _, kind := range kinds {
			if kind != "integer" && slices.ContainsFunc(keywords[kind], o.has) {
				list = append(list, kind)
			}
		}
		if list == nil {
			return s.value(), nil
		}
	}
	var out choice
	for _, kind := range list {
		if kind == "integer" && slices.Contains(list, "number") {
			continue
		}
		n, err := s.kind(kind, o, path)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// kind returns the values of one type.
func (s *schemas) kind(kind string, o *object, path string) (node, error) {
	switch kind {
	case "object":
		return s.properties(o, path)
	case "array":
		return s.array(o, path)
	case "string":
		return s.string(o, path)
	case "boolean":
		return choice{literal("true"), literal("false")}, nil
	case "null":
		return literal("null"), nil
	}
	lo, hi, err := bounds(o, path)
	if err != nil {
		return nil, err
	}
	var n node
	if kind == "integer" {
		n, err = integers(lo, hi)
	} else {
		n, err = numbers(lo, hi)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s.rule(path, n), nil
}

// bounds reads the limits of a number.
func bounds(o *object, path string) (lo, hi bound, err error) {
	for _, k := range []struct {
		name   string
		strict bool
		sign   int
		to     *bound
	}{{"minimum", false, 1, &lo}, {"exclusiveMinimum", true, 1, &lo}, {"maximum", false, -1, &hi}, {"exclusiveMaximum", true, -1, &hi}} {
		if !o.has(k.name) {
			continue
		}
		n, ok := o.values[k.name].(json.Number)
		v, ok2 := rational(n)
		if !ok || !ok2 {
			return lo, hi, fmt.Errorf("%s: %s is a number of a reasonable size, found %v", path, k.name, o.values[k.name])
		}
		*k.to = k.to.tighter(bound{v, k.strict}, k.sign)
	}
	return lo, hi, nil
}

// rational reads a number whose exponent is reasonable.
func rational(n json.Number) (*big.Rat, bool) {
	text := n.String()
	if len(text) > 100 {
		return nil, false
	}
	if _, e, ok := strings.Cut(strings.ToLower(text), "e"); ok {
		if x, err := strconv.Atoi(e); err != nil || x > 100 || x < -100 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}

// count reads a keyword that is a number of things; −1 is none.
func count(o *object, key, path string) (int, error) {
	if !o.has(key) {
		return -1, nil
	}
	n, ok := o.values[key].(json.Number)
	v, ok2 := rational(n)
	if !ok || !ok2 || !v.IsInt() || v.Sign() < 0 || v.Cmp(big.NewRat(maxRepeat, 1)) > 0 {
		return 0, fmt.Errorf("%s: %s is a number from 0 to %d, found %v", path, key, maxRepeat, o.values[key])
	}
	return int(v.Num().Int64()), nil
}

// value is the rule of any JSON value.
func (s *schemas) value() node {
	if s.any != 0 {
		return s.any
	}
	s.any = s.rule("value", empty)
	comma := seq{literal(","), s.space}
	member := seq{s.text, s.space, literal(":"), s.space, s.any, s.space}
	s.rules[s.any] = choice{
		seq{literal("{"), s.space, opt(seq{member, many(seq{comma, member})}), literal("}")},
		seq{literal("["), s.space, opt(seq{s.any, s.space, many(seq{comma, s.any, s.space})}), literal("]")},
		s.text, jsonNumber, literal("true"), literal("false"), literal("null"),
	}
	return s.any
}

var errEmpty = errors.New("no value is allowed")
