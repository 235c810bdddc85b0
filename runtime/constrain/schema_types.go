package constrain

import (
	"fmt"
	"slices"
)

// member is a property of an object.
type member struct {
	node     node
	required bool
}

// properties returns the objects of a schema: their properties in order, then
// others if the schema allows them.
func (s *schemas) properties(o *object, path string) (node, error) {
	members, names, err := s.members(o, path)
	if err != nil {
		return nil, err
	}
	var more node
	if extra, given := o.values["additionalProperties"]; given && extra != false || !given && len(names) == 0 {
		if !given {
			extra = true
		}
		v, err := s.schema(extra, path+"/additionalProperties")
		if err != nil {
			return nil, err
		}
		more = s.member(quoted(other(names)), v)
	}
	comma := seq{literal(","), s.space}
	rest := node(empty) // what follows a member
	first := node(empty)
	if more != nil {
		m := s.rule(path+" others", more)
		rest = many(seq{comma, m})
		first = opt(seq{m, rest})
	}
	for i := len(members) - 1; i >= 0; i-- {
		m := s.rule(fmt.Sprintf("%s member %d", path, i), members[i].node)
		after := s.rule(fmt.Sprintf("%s after %d", path, i), rest)
		if members[i].required {
			first, rest = seq{m, after}, seq{comma, m, after}
		} else {
			first, rest = choice{seq{m, after}, first}, seq{opt(seq{comma, m}), after}
		}
		first = s.rule(fmt.Sprintf("%s from %d", path, i), first)
	}
	return seq{literal("{"), s.space, first, literal("}")}, nil
}

// member returns a key and its value.
func (s *schemas) member(key, value node) node {
	return seq{key, s.space, literal(":"), s.space, value, s.space}
}

// members returns the properties that a schema names, and their names.
func (s *schemas) members(o *object, path string) (list []member, names []string, err error) {
	required, err := texts(o, "required", path)
	if err != nil {
		return nil, nil, err
	}
	props, ok := o.values["properties"].(*object)
	if !ok && o.has("properties") {
		return nil, nil, fmt.Errorf("%s: properties is an object", path)
	}
	if props == nil {
		props = &object{}
	}
	add := func(name string, v any) error {
		n, err := s.schema(v, path+"/properties/"+name)
		if err == nil {
			list = append(list, member{s.member(quoted(escaped(literal(name))), n), slices.Contains(required, name)})
			names = append(names, name)
		}
		return err
	}
	for _, name := range props.keys {
		if err := add(name, props.values[name]); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range required {
		if slices.Contains(names, name) {
			continue
		}
		v, given := o.values["additionalProperties"]
		if !given {
			v = true
		}
		if err := add(name, v); err != nil {
			return nil, nil, err
		}
	}
	return list, names, nil
}

// texts reads a list of strings.
func texts(o *object, key, path string) (list []string, err error) {
	if !o.has(key) {
		return nil, nil
	}
	all, ok := o.values[key].([]any)
	for _, v := range all {
		text, isText := v.(string)
		ok = ok && isText
		list = append(list, text)
	}
	if !ok {
		return nil, fmt.Errorf("%s: %s is a list of strings", path, key)
	}
	return list, nil
}

// array returns the arrays of a schema.
func (s *schemas) array(o *object, path string) (node, error) {
	if unique, _ := o.values["uniqueItems"].(bool); unique {
		return nil, fmt.Errorf("%s: uniqueItems is not supported", path)
	}
	least, err := count(o, "minItems", path)
	if err != nil {
		return nil, err
	}
	most, err := count(o, "maxItems", path)
	if err != nil {
		return nil, err
	}
	first, item, err := s.items(o, path)
	if err != nil {
		return nil, err
	}
	if item == nil && (most < 0 || most > len(first)) {
		most = len(first)
	}
	least = max(least, 0)
	if most >= 0 && least > most {
		return nothing, nil
	}
	close := seq{literal("]")}
	if most == 0 {
		return seq{literal("["), s.space, close}, nil
	}
	element := func(i int) node {
		if i < len(first) {
			return seq{first[i], s.space}
		}
		return seq{item, s.space}
	}
	comma := seq{literal(","), s.space}
	n := len(first)
	if most >= 0 {
		n = min(n, most)
	}
	rest := node(empty)
	if from := max(n, 1); item != nil && (most < 0 || most > from) { // elements behind the first n
		r := repeat{seq{comma, element(from)}, max(least-from, 0), -1}
		if most >= 0 {
			r.max = most - from
		}
		rest = r
	}
	for i := n - 1; i > 0; i-- {
		rest = seq{comma, element(i), s.rule(fmt.Sprintf("%s after %d", path, i), rest)}
		if i >= least {
			rest = opt(rest)
		}
	}
	all := node(seq{element(0), rest})
	if least == 0 {
		all = opt(all)
	}
	return seq{literal("["), s.space, all, close}, nil
}

// items returns the elements that a schema describes one by one, and what the
// others are; nil is that there are none.
func (s *schemas) items(o *object, path string) (first []node, item node, err error) {
	list, ok := o.values["prefixItems"].([]any)
	other, given := o.values["items"]
	if old, isList := other.([]any); isList && !ok {
		list = old
		other, given = o.values["additionalItems"]
	} else if o.has("prefixItems") && !ok {
		return nil, nil, fmt.Errorf("%s: prefixItems is a list of schemas", path)
	}
	for i, v := range list {
		n, err := s.schema(v, fmt.Sprintf("%s/prefixItems/%d", path, i))
		if err != nil {
			return nil, nil, err
		}
		first = append(first, s.rule(fmt.Sprintf("%s item %d", path, i), n))
	}
	if !given {
		if list != nil { // further elements are valid, but nobody asked for them
			return first, nil, nil
		}
		other = true
	}
	if other == false {
		return first, nil, nil
	}
	n, err := s.schema(other, path+"/items")
	if err != nil {
		return nil, nil, err
	}
	return first, s.rule(path+" items", n), nil
}

// formats are the strings of the supported formats, as patterns.
var formats = map[string]string{
	"date":      `^[0-9]{4}-` + monthDay + `$`,
	"time":      `^` + clock + `$`,
	"date-time": `^[0-9]{4}-` + monthDay + `T` + clock + `$`,
	"uuid":      `^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`,
	"ipv4":      `^(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}$`,
	"hostname":  `^` + host + `$`,
	"email":     `^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@` + host + `$`,
	"uri":       `^[a-z][a-z0-9+.-]*:(//` + host + `(:[0-9]{1,5})?)?(/[A-Za-z0-9._~!$&'()*+,;=:@-]*)*(\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?(#[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?$`,
}

const (
	monthDay = `((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))`
	clock    = `([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])`
	host     = `[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*`
)

// string returns the strings of a schema.
func (s *schemas) string(o *object, path string) (node, error) {
	least, err := count(o, "minLength", path)
	if err != nil {
		return nil, err
	}
	most, err := count(o, "maxLength", path)
	if err != nil {
		return nil, err
	}
	pattern, ok := o.values["pattern"].(string)
	if o.has("pattern") && !ok {
		return nil, fmt.Errorf("%s: pattern is a string", path)
	}
	if o.has("format") {
		name, _ := o.values["format"].(string)
		if pattern != "" || formats[name] == "" {
			return nil, fmt.Errorf("%s: format %v is not supported, or not beside a pattern; supported are date, time, date-time, uuid, ipv4, hostname, email, uri", path, o.values["format"])
		}
		pattern, ok = formats[name], true
	}
	if !ok {
		if least <= 0 && most < 0 {
			return s.text, nil
		}
		return s.rule(path, quoted(repeat{s.char, max(least, 0), most})), nil
	}
	if least > 0 || most >= 0 {
		return nil, fmt.Errorf("%s: minLength and maxLength beside a pattern or format are not supported: write them in the pattern", path)
	}
	n, err := searchNode(ecma(pattern))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s.rule(path, quoted(escaped(n))), nil
}

// ecma turns what ECMAScript writes differently into Go's syntax: \uXXXX.
func ecma(pattern string) string {
	out := make([]byte, 0, len(pattern))
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			if pattern[i+1] == 'u' && i+6 <= len(pattern) {
				out = append(out, `\x{`+pattern[i+2:i+6]+`}`...)
				i += 5
				continue
			}
			out = append(out, pattern[i], pattern[i+1])
			i++
			continue
		}
		out = append(out, pattern[i])
	}
	return string(out)
}
