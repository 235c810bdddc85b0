package spec

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// maxInt bounds every integer of the language, so that sums and products of two cannot overflow unnoticed and
// every integer is exact as a float64.
const maxInt = 1 << 53

// Env holds what an expression can refer to. Values are int, float64, bool, string, nil, []any, map[string]any.
type Env struct {
	Vars   map[string]any                 // $name
	Locals map[string]any                 // counters of repeats
	Has    func(tensor string) bool       // has('tensor'); nil: every tensor is there
	Width  func(value string) (int, bool) // width('value'): elements in a row of a named value
}

func (n literal) eval(*Env) (any, error) { return n.v, nil }

func (n variable) eval(e *Env) (any, error) {
	v, ok := e.Vars[n.name]
	if !ok {
		return nil, fmt.Errorf("$%s is not defined%s", n.name, Suggest(n.name, sortedKeys(e.Vars)))
	}
	return v, nil
}

func (n local) eval(e *Env) (any, error) {
	v, ok := e.Locals[n.name]
	if !ok {
		return nil, fmt.Errorf("%s is not the counter of a repeat (write $%s for a configuration value, '%s' for a string)", n.name, n.name, n.name)
	}
	return v, nil
}

func (n unary) eval(e *Env) (any, error) {
	x, err := n.x.eval(e)
	if err != nil {
		return nil, err
	}
	if n.op == "not" {
		b, err := truth(x)
		return !b, err
	}
	switch v := x.(type) {
	case int:
		return -v, nil
	case float64:
		return -v, nil
	}
	return nil, fmt.Errorf("- needs a number, found %s", Describe(x))
}

func (n binary) eval(e *Env) (any, error) {
	x, err := n.x.eval(e)
	if err != nil {
		return nil, err
	}
	if n.op == "and" || n.op == "or" {
		b, err := truth(x)
		if err != nil || b == (n.op == "or") {
			return b, err
		}
		y, err := n.y.eval(e)
		if err != nil {
			return nil, err
		}
		return truthy(y)
	}
	y, err := n.y.eval(e)
	if err != nil {
		return nil, err
	}
	switch n.op {
	case "==":
		return equal(x, y), nil
	case "!=":
		return !equal(x, y), nil
	case "in":
		return contains(y, x)
	case "<", "<=", ">", ">=":
		return compare(n.op, x, y)
	}
	return arithmetic(n.op, x, y)
}

func truth(v any) (bool, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return false, fmt.Errorf("expected true or false, found %s", Describe(v))
}

func truthy(v any) (any, error) { return truth(v) }

// equal compares numbers by value, everything else by type and value.
func equal(x, y any) bool {
	if a, ok := toFloat(x); ok {
		if b, ok := toFloat(y); ok {
			return a == b
		}
	}
	return reflect.DeepEqual(x, y)
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func contains(in, x any) (any, error) {
	switch c := in.(type) {
	case []any:
		for _, v := range c {
			if equal(v, x) {
				return true, nil
			}
		}
		return false, nil
	case map[string]any:
		s, _ := x.(string)
		_, ok := c[s]
		return ok, nil
	}
	return nil, fmt.Errorf("in needs a list or a map, found %s", Describe(in))
}

func compare(op string, x, y any) (any, error) {
	a, ok := toFloat(x)
	b, ok2 := toFloat(y)
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s needs two numbers, found %s and %s", op, Describe(x), Describe(y))
	}
	switch op {
	case "<":
		return a < b, nil
	case "<=":
		return a <= b, nil
	case ">":
		return a > b, nil
	}
	return a >= b, nil
}

// arithmetic computes on integers exactly where the result is an integer (6 / 2 is 3) and in float64 elsewhere.
func arithmetic(op string, x, y any) (any, error) {
	a, ok := toFloat(x)
	b, ok2 := toFloat(y)
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s needs two numbers, found %s and %s", op, Describe(x), Describe(y))
	}
	if b == 0 && (op == "/" || op == "//" || op == "%") {
		return nil, fmt.Errorf("division by zero: %v %s %v", x, op, y)
	}
	_, isInt := x.(int)
	_, isInt2 := y.(int)
	var f float64
	switch op {
	case "+":
		f = a + b
	case "-":
		f = a - b
	case "*":
		f = a * b
	case "/":
		f = a / b
	case "//":
		f = math.Floor(a / b)
	case "%":
		f = a - b*math.Floor(a/b)
	case "**":
		f = math.Pow(a, b)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%v %s %v is not a finite number", x, op, y)
	}
	if !isInt || !isInt2 || op == "**" && b < 0 || f != math.Trunc(f) {
		return f, nil
	}
	if math.Abs(f) > maxInt {
		return nil, fmt.Errorf("%v %s %v is larger than 2^53", x, op, y)
	}
	return int(f), nil
}

func (n choice) eval(e *Env) (any, error) {
	c, err := n.cond.eval(e)
	if err != nil {
		return nil, err
	}
	b, err := truth(c)
	if err != nil {
		return nil, fmt.Errorf("the condition of if: %w", err)
	}
	if b {
		return n.then.eval(e)
	}
	return n.other.eval(e)
}

func (n index) eval(e *Env) (any, error) {
	x, err := n.x.eval(e)
	if err != nil {
		return nil, err
	}
	i, err := n.i.eval(e)
	if err != nil {
		return nil, err
	}
	switch c := x.(type) {
	case []any:
		k, ok := i.(int)
		if !ok {
			return nil, fmt.Errorf("a list is indexed by an integer, found %s", Describe(i))
		}
		if k < 0 || k >= len(c) {
			return nil, fmt.Errorf("index %d of a list of %d", k, len(c))
		}
		return c[k], nil
	case string: // of letters
		k, ok := i.(int)
		if !ok || k < 0 || k >= len(c) {
			return nil, fmt.Errorf("index %s of a string of %d letters", Describe(i), len(c))
		}
		return c[k : k+1], nil
	case map[string]any:
		k, _ := i.(string)
		v, ok := c[k]
		if !ok {
			return nil, fmt.Errorf("the map has no %s%s", Describe(i), Suggest(k, sortedKeys(c)))
		}
		return v, nil
	}
	return nil, fmt.Errorf("only lists, strings and maps can be indexed, found %s", Describe(x))
}

// search returns the places of a value in a list (where), or the first of them (index).
func search(fn string, list, value any) (any, error) {
	items, ok := list.([]any)
	if !ok {
		return nil, fmt.Errorf("%s needs a list, found %s", fn, Describe(list))
	}
	places := []any{}
	for i, x := range items {
		if equal(x, value) {
			places = append(places, i)
		}
	}
	if fn == "where" {
		return places, nil
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("the list has no %s", Describe(value))
	}
	return places[0], nil
}

func (n call) eval(e *Env) (any, error) {
	args := make([]any, len(n.args))
	for i, a := range n.args {
		v, err := a.eval(e)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	switch n.fn {
	case "min", "max":
		return extreme(n.fn, args)
	case "len":
		return length(args[0])
	case "has", "width":
		return n.query(e, args[0])
	case "expand":
		return expand(args[0])
	case "where", "index":
		return search(n.fn, args[0], args[1])
	case "starts":
		text, ok := args[0].(string)
		prefix, ok2 := args[1].(string)
		if !ok || !ok2 {
			return nil, fmt.Errorf("starts needs a text and its beginning, found %s and %s", Describe(args[0]), Describe(args[1]))
		}
		return strings.HasPrefix(text, prefix), nil
	}
	f, ok := toFloat(args[0])
	if !ok {
		return nil, fmt.Errorf("%s needs a number, found %s", n.fn, Describe(args[0]))
	}
	switch n.fn {
	case "float":
		return f, nil
	case "bf16": // rounded to bfloat16, ties to even
		bits := math.Float32bits(float32(f))
		return float64(math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)), nil
	case "ln":
		if !(f > 0) {
			return nil, fmt.Errorf("ln(%v) is not a finite number", f)
		}
		return math.Log(f), nil
	}
	if math.Abs(f) > maxInt {
		return nil, fmt.Errorf("int(%v) is larger than 2^53", f)
	}
	return int(f), nil
}

// query answers has('tensor') and width('value').
func (n call) query(e *Env, arg any) (any, error) {
	s, ok := arg.(string)
	if !ok {
		return nil, fmt.Errorf("%s needs a name in quotes, found %s", n.fn, Describe(arg))
	}
	if n.fn == "has" {
		return e.Has == nil || e.Has(s), nil
	}
	if e.Width != nil {
		if w, ok := e.Width(s); ok {
			return w, nil
		}
	}
	return nil, fmt.Errorf("width: no value is called %q here", s)
}

func extreme(fn string, args []any) (any, error) {
	if list, ok := args[0].([]any); ok && len(args) == 1 && len(list) > 0 {
		args = list
	}
	best := args[0]
	for _, a := range args {
		less, err := compare("<", a, best)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fn, err)
		}
		if less == (fn == "min") && !equal(a, best) {
			best = a
		}
	}
	return best, nil
}

// maxExpanded bounds the list that expand makes.
const maxExpanded = 10000

// expand makes one list of pairs [list, times]: [[[a, b], 2], [[c], 1]] is [a, b, a, b, c].
func expand(v any) (any, error) {
	pairs, ok := v.([]any)
	out := []any{}
	for _, p := range pairs {
		pair, _ := p.([]any)
		if len(pair) != 2 {
			ok = false
			break
		}
		items, isList := pair[0].([]any)
		times, isInt := pair[1].(int)
		if ok = isList && isInt && times >= 0; !ok {
			break
		}
		if times*len(items) > maxExpanded || times > maxExpanded {
			return nil, fmt.Errorf("expand makes more than %d elements", maxExpanded)
		}
		for range times {
			out = append(out, items...)
		}
	}
	if !ok {
		return nil, fmt.Errorf("expand needs a list of pairs [list, times], found %s", Describe(v))
	}
	return out, nil
}

func length(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	case string:
		return len(v), nil
	}
	return nil, fmt.Errorf("len needs a list, a string or a map, found %s", Describe(v))
}

func (n list) eval(e *Env) (any, error) {
	out := make([]any, len(n.items))
	for i, x := range n.items {
		v, err := x.eval(e)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (n mapping) eval(e *Env) (any, error) {
	out := make(map[string]any, len(n.keys))
	for i := range n.keys {
		k, err := n.keys[i].eval(e)
		if err != nil {
			return nil, err
		}
		v, err := n.values[i].eval(e)
		if err != nil {
			return nil, err
		}
		out[k.(string)] = v
	}
	return out, nil
}

func (n template) eval(e *Env) (any, error) {
	var b strings.Builder
	for _, p := range n.parts {
		v, err := p.eval(e)
		if err != nil {
			return nil, err
		}
		switch v.(type) {
		case string, int:
			fmt.Fprint(&b, v)
		default:
			return nil, fmt.Errorf("a template takes strings and integers, found %s", Describe(v))
		}
	}
	return b.String(), nil
}

// Describe names a value and its type for error messages.
func Describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%q", v)
	case int:
		return fmt.Sprintf("the integer %d", v)
	case float64:
		return fmt.Sprintf("the number %v", v)
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	case map[string]any:
		return fmt.Sprintf("a map of %d", len(v))
	}
	return fmt.Sprint(v)
}
