package template

import (
	"sort"
	"strings"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// Filters of sequences.
var (
	FilterFirst    = &Filter{names: "first", title: "do_first", params: "seq", call: first}
	FilterLast     = &Filter{names: "last", title: "do_last", params: "seq", call: last}
	FilterJoin     = &Filter{names: "join", title: "do_join", params: "value d? attribute?", call: join}
	FilterReverse  = &Filter{names: "reverse", title: "do_reverse", params: "value", call: reverse}
	FilterBatch    = &Filter{names: "batch", title: "do_batch", params: "value linecount fill_with?", call: batch}
	FilterSlice    = &Filter{names: "slice", title: "do_slice", params: "value slices fill_with?", call: slice}
	FilterItems    = &Filter{names: "items", title: "do_items", params: "value", call: items}
	FilterDictsort = &Filter{names: "dictsort", title: "do_dictsort", params: "value case_sensitive? by? reverse?", call: dictsort}
	FilterSort     = &Filter{names: "sort", title: "do_sort", params: "value reverse? case_sensitive? attribute?", call: sortFilter}
	FilterUnique   = &Filter{names: "unique", title: "do_unique", params: "value case_sensitive? attribute?", call: unique}
	FilterGroupby  = &Filter{names: "groupby", title: "do_groupby", params: "value attribute default? case_sensitive?", call: groupby}
	FilterMin      = &Filter{names: "min", title: "do_min", params: "value case_sensitive? attribute?", call: func(s *State, a []Value) Value { return extreme(s, a, "<") }}
	FilterMax      = &Filter{names: "max", title: "do_max", params: "value case_sensitive? attribute?", call: func(s *State, a []Value) Value { return extreme(s, a, ">") }}
)

// attribute returns the function that follows a dotted path; None returns the value itself.
func (s *State) attribute(attr, absent Value, post func(Value) Value) func(Value) Value {
	parts := attributeParts(attr)
	return func(v Value) Value {
		for _, p := range parts {
			v = s.GetItem(v, p)
			if absent != nil && absent != Value(py.None) && py.IsUndefined(v) {
				v = absent
			}
		}
		if post != nil {
			v = post(v)
		}
		return v
	}
}

func attributeParts(attr Value) []Value {
	if attr == Value(py.None) || attr == nil {
		return nil
	}
	text, ok := py.Text(attr)
	if !ok {
		return []Value{attr}
	}
	var parts []Value
	for _, p := range strings.Split(text, ".") {
		if v, ok := attempt(func() Value { return new(State).ToInt(p, 10) }, "ValueError"); ok && strings.Trim(p, "0123456789") == "" {
			parts = append(parts, v)
		} else {
			parts = append(parts, p)
		}
	}
	return parts
}

// ignoreCase is the key of values that are compared without case, unless they are to be compared with.
func ignoreCase(sensitive bool) func(Value) Value {
	if sensitive {
		return nil
	}
	return func(v Value) Value {
		if text, ok := py.Text(v); ok {
			return py.Lower(text)
		}
		return v
	}
}

func first(s *State, a []Value) Value {
	if v, ok := s.Iter(a[0])(); ok {
		return v
	}
	return &py.Undefined{Hint: "No first item, sequence was empty."}
}

func last(s *State, a []Value) Value {
	r := s.Reversed(a[0])
	if r == nil {
		py.Throw("TypeError", "'%s' object is not reversible", py.TypeName(a[0]))
	}
	if v, ok := r.Next(); ok {
		return v
	}
	return &py.Undefined{Hint: "No last item, sequence was empty."}
}

func join(s *State, a []Value) Value {
	get := s.attribute(given(a[2], py.None), nil, nil)
	sep := given(a[1], "")
	next := s.Iter(a[0])
	var parts []Value
	n, marked := 0, false
	for x, ok := next(); ok; x, ok = next() {
		v := get(x)
		_, is := v.(py.Markup)
		marked = marked || is
		text := s.Str(v)
		n += len(text)
		s.Alloc(16 + len(text))
		parts = append(parts, v)
	}
	_, sepMarked := sep.(py.Markup)
	if s.escape && (marked || sepMarked) {
		return s.joinMarkup(sep, parts)
	}
	texts := make([]string, len(parts))
	for i, v := range parts {
		texts[i] = s.Str(v)
	}
	s.AllocTimes(len(s.Str(sep)), int64(len(texts)))
	return strings.Join(texts, s.Str(sep))
}

func (s *State) joinMarkup(sep Value, parts []Value) Value {
	texts := make([]string, len(parts))
	for i, v := range parts {
		texts[i] = string(s.EscapeValue(v))
	}
	glue := string(s.EscapeValue(sep))
	s.AllocTimes(len(glue), int64(len(texts)))
	return py.Markup(strings.Join(texts, glue))
}

func reverse(s *State, a []Value) Value {
	if _, ok := py.Text(a[0]); ok {
		return s.Slice(a[0], nil, nil, int64(-1))
	}
	if r := s.Reversed(a[0]); r != nil {
		return r
	}
	if !s.IsIterable(a[0]) {
		py.Throw("FilterArgumentError", "argument must be iterable")
	}
	items := s.Items(a[0])
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
	return &py.List{Items: items}
}

func batch(s *State, a []Value) Value {
	fill := given(a[2], py.None)
	return py.Generate(func() py.Iterator {
		next := s.Iter(a[0])
		done := false
		var held []Value
		return func() (Value, bool) {
			row := held
			held = nil
			for !done {
				x, ok := next()
				if !ok {
					done = true
					break
				}
				s.Alloc(16)
				if s.Eq(int64(len(row)), a[1]) {
					held = []Value{x}
					return &py.List{Items: row}, true
				}
				row = append(row, x)
			}
			if len(row) == 0 {
				return nil, false
			}
			if fill != Value(py.None) && s.Compare("<", int64(len(row)), a[1]) {
				missing := py.WantInt(a[1], 0) - len(row)
				s.AllocTimes(16, int64(missing))
				for range missing {
					row = append(row, fill)
				}
			}
			return &py.List{Items: row}, true
		}
	})
}

func slice(s *State, a []Value) Value {
	fill := given(a[2], py.None)
	return py.Generate(func() py.Iterator {
		all := s.Items(a[0])
		n := py.WantInt(s.FloorDiv(a[1], int64(1)), 0)
		if n == 0 {
			py.Throw("ZeroDivisionError", "integer division or modulo by zero")
		}
		per, extra, offset, i := floorDiv(len(all), n), 0, 0, 0
		extra = len(all) - per*n
		return func() (Value, bool) {
			if i >= n {
				return nil, false
			}
			start := offset + i*per
			if i < extra {
				offset++
			}
			end := offset + (i+1)*per
			row := append([]Value{}, all[start:end]...)
			if fill != Value(py.None) && i >= extra {
				row = append(row, fill)
			}
			s.Alloc(16 * (1 + len(row)))
			i++
			return &py.List{Items: row}, true
		}
	})
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func items(s *State, a []Value) Value {
	return py.Generate(func() py.Iterator {
		if py.IsUndefined(a[0]) {
			return py.Each(nil)
		}
		d, ok := a[0].(*py.Dict)
		if !ok {
			py.Throw("TypeError", "Can only get item pairs from a mapping.")
		}
		return s.Iter(&py.View{Dict: d, Kind: "items"})
	})
}

// sorted sorts values by their keys, stably, as Python's sorted does.
func (s *State) sorted(items []Value, key func(Value) Value, reverse bool) []Value {
	s.Alloc(32 * len(items))
	type keyed struct{ key, value Value }
	rows := make([]keyed, len(items))
	for i, v := range items {
		rows[i] = keyed{key(v), v}
	}
	if reverse {
		for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
			rows[i], rows[j] = rows[j], rows[i]
		}
	}
	sort.SliceStable(rows, func(i, j int) bool { return s.Compare("<", rows[i].key, rows[j].key) })
	out := make([]Value, len(rows))
	for i, r := range rows {
		if reverse {
			i = len(rows) - 1 - i
		}
		out[i] = r.value
	}
	return out
}

func dictsort(s *State, a []Value) Value {
	at := 0
	switch by, _ := py.Text(given(a[2], "key")); by {
	case "key":
	case "value":
		at = 1
	default:
		py.Throw("FilterArgumentError", `You can only sort by either "key" or "value"`)
	}
	fold := ignoreCase(s.truth(a[1]))
	rows := s.Items(s.method(a[0], "items"))
	return &py.List{Items: s.sorted(rows, func(v Value) Value {
		k := v.(*py.Tuple).Items[at]
		if fold != nil {
			k = fold(k)
		}
		return k
	}, s.truth(a[3]))}
}

func sortFilter(s *State, a []Value) Value {
	post := ignoreCase(s.truth(a[2]))
	attrs := []Value{given(a[3], py.None)}
	if text, ok := py.Text(attrs[0]); ok {
		attrs = nil
		for _, p := range strings.Split(text, ",") {
			attrs = append(attrs, p)
		}
	}
	var gets []func(Value) Value
	for _, attr := range attrs {
		gets = append(gets, s.attribute(attr, nil, post))
	}
	return &py.List{Items: s.sorted(s.Items(a[0]), func(v Value) Value {
		keys := &py.List{Items: make([]Value, len(gets))}
		for i, get := range gets {
			keys.Items[i] = get(v)
		}
		return keys
	}, s.truth(a[1]))}
}

func unique(s *State, a []Value) Value {
	return py.Generate(func() py.Iterator {
		get := s.attribute(given(a[2], py.None), nil, ignoreCase(s.truth(a[1])))
		seen := new(py.Dict)
		next := s.Iter(a[0])
		return func() (Value, bool) {
			for {
				x, ok := next()
				if !ok {
					return nil, false
				}
				key := get(x)
				if _, ok := seen.Get(key); !ok {
					s.Alloc(32)
					seen.Set(key, true)
					return x, true
				}
			}
		}
	})
}

func groupby(s *State, a []Value) Value {
	get := s.attribute(a[1], a[2], ignoreCase(s.truth(a[3])))
	shown := s.attribute(a[1], a[2], nil)
	out := &py.List{Items: []Value{}}
	var group *py.List
	var key Value
	for _, v := range s.sorted(s.Items(a[0]), get, false) {
		k := get(v)
		if group == nil || !s.Eq(k, key) {
			group, key = &py.List{}, k
			out.Items = append(out.Items, &py.Tuple{Items: []Value{shown(v), group}, Names: []string{"grouper", "list"}})
		}
		group.Items = append(group.Items, v)
	}
	return out
}

func extreme(s *State, a []Value, op string) Value {
	next := s.Iter(a[0])
	best, ok := next()
	if !ok {
		return &py.Undefined{Hint: "No aggregated item, sequence was empty."}
	}
	get := s.attribute(given(a[2], py.None), nil, ignoreCase(s.truth(a[1])))
	key := get(best)
	for x, ok := next(); ok; x, ok = next() {
		if k := get(x); s.Compare(op, k, key) {
			best, key = x, k
		}
	}
	return best
}
