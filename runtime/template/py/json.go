package py

import (
	"errors"
	"fmt"
	"math/big"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/json"
)

// JSON are the options of json.dumps.
type JSON struct {
	ASCII    bool
	Indent   string // of one level
	Lines    bool   // every item on a line of its own
	Item     string // separator of items
	Key      string // separator of key and value
	SortKeys bool
}

// Dumps is json.dumps(v).
func (m *Machine) Dumps(v Value, o JSON) string {
	e := &jsonEncoder{m: m, JSON: o}
	e.value(v, "\n")
	return string(e.b)
}

type jsonEncoder struct {
	JSON
	m *Machine
	b []byte
}

func (e *jsonEncoder) value(v Value, newline string) {
	start := len(e.b)
	switch v := v.(type) {
	case NoneType:
		e.b = append(e.b, "null"...)
	case bool:
		e.b = strconv.AppendBool(e.b, v)
	case int64:
		e.b = strconv.AppendInt(e.b, v, 10)
	case *big.Int:
		e.b = append(e.b, e.m.bigText(v)...)
	case float64:
		e.b = append(e.b, jsonFloat(v)...)
	case string:
		e.text(v)
	case Markup:
		e.text(string(v))
	case *List:
		e.items(v.Items, newline)
		return
	case *Tuple:
		e.items(v.Items, newline)
		return
	case *Dict:
		e.dict(v, newline)
		return
	default:
		typeError("Object of type %s is not JSON serializable", TypeName(v))
	}
	e.m.Alloc(len(e.b) - start)
}

func jsonFloat(f float64) string {
	switch s := FloatRepr(f); s {
	case "inf":
		return "Infinity"
	case "-inf":
		return "-Infinity"
	case "nan":
		return "NaN"
	default:
		return s
	}
}

// open starts a level and returns the line break inside of it.
func (e *jsonEncoder) open(c byte, newline string) string {
	e.m.Enter()
	e.b = append(e.b, c)
	return newline + e.Indent
}

func (e *jsonEncoder) breakLine(newline string) {
	if e.Lines {
		e.m.Alloc(len(newline))
		e.b = append(e.b, newline...)
	}
}

func (e *jsonEncoder) items(items []Value, newline string) {
	if len(items) == 0 {
		e.b = append(e.b, "[]"...)
		return
	}
	inner := e.open('[', newline)
	for i, x := range items {
		if i > 0 {
			e.b = append(e.b, e.Item...)
		}
		e.breakLine(inner)
		e.value(x, inner)
	}
	e.breakLine(newline)
	e.b = append(e.b, ']')
	e.m.Leave()
}

func (e *jsonEncoder) dict(d *Dict, newline string) {
	if d.Len() == 0 {
		e.b = append(e.b, "{}"...)
		return
	}
	inner := e.open('{', newline)
	for n, i := range e.order(d) {
		if n > 0 {
			e.b = append(e.b, e.Item...)
		}
		e.breakLine(inner)
		e.text(e.key(d.keys[i]))
		e.b = append(e.b, e.Key...)
		e.value(d.vals[i], inner)
	}
	e.breakLine(newline)
	e.b = append(e.b, '}')
	e.m.Leave()
}

func (e *jsonEncoder) order(d *Dict) []int {
	at := make([]int, d.Len())
	for i := range at {
		at[i] = i
	}
	if e.SortKeys {
		sort.SliceStable(at, func(i, j int) bool { return e.m.Compare("<", d.keys[at[i]], d.keys[at[j]]) })
	}
	return at
}

func (e *jsonEncoder) key(k Value) string {
	switch k := k.(type) {
	case string:
		return k
	case Markup:
		return string(k)
	case float64:
		return jsonFloat(k)
	case bool:
		return strconv.FormatBool(k)
	case NoneType:
		return "null"
	case int64, *big.Int:
		return e.m.Repr(k)
	}
	typeError("keys must be str, int, float, bool or None, not %s", TypeName(k))
	return ""
}

func (e *jsonEncoder) text(s string) {
	const plain = "\"\\\n\r\t\b\f"
	e.m.Alloc(len(s))
	e.b = append(e.b, '"')
	for _, r := range s {
		switch i := strings.IndexRune(plain, r); {
		case i >= 0:
			e.b = append(e.b, '\\', `"\nrtbf`[i])
		case r < ' ':
			e.b = fmt.Appendf(e.b, `\u%04x`, r)
		case r < utf8.RuneSelf || !e.ASCII:
			e.b = utf8.AppendRune(e.b, r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			e.b = fmt.Appendf(e.b, `\u%04x\u%04x`, hi, lo)
		default:
			e.b = fmt.Appendf(e.b, `\u%04x`, r)
		}
	}
	e.b = append(e.b, '"')
}

// Decode reads one JSON value as json.loads does: objects keep their order, numbers lose nothing.
func Decode(data []byte) (v Value, err error) {
	r := json.NewReader(data)
	defer Catch(&err)
	if v, err = decodeValue(r, 0); err == nil {
		err = r.End()
	}
	if err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	return v, nil
}

func decodeValue(r *json.Reader, depth int) (Value, error) {
	if depth > Deepest-10 {
		return nil, fmt.Errorf("nested deeper than %d", Deepest-10)
	}
	switch r.Kind() {
	case json.Object:
		return decodeDict(r, depth)
	case json.List:
		return decodeList(r, depth)
	case json.Digits:
		n, err := r.Number()
		if err != nil {
			return nil, err
		}
		return jsonNumber(string(n))
	case json.True, json.False:
		return r.Bool()
	case json.Null:
		return None, r.Skip()
	}
	return r.Text()
}

// jsonNumber converts a number: one without point and exponent is an integer.
func jsonNumber(s string) (Value, error) {
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if errors.Is(err, strconv.ErrRange) {
			err = nil
		}
		return f, err
	}
	if len(s) > 4300 {
		return nil, fmt.Errorf("an integer of %d digits, at most 4300 are supported", len(s))
	}
	x, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, fmt.Errorf("the number %q", s)
	}
	return Int(x), nil
}

func decodeList(r *json.Reader, depth int) (Value, error) {
	l := &List{Items: []Value{}}
	err := r.List(func() error {
		x, err := decodeValue(r, depth+1)
		l.Items = append(l.Items, x)
		return err
	})
	return l, err
}

func decodeDict(r *json.Reader, depth int) (Value, error) {
	out := new(Dict)
	err := r.Object(func(name string) error {
		x, err := decodeValue(r, depth+1)
		if err == nil {
			out.Set(name, x)
		}
		return err
	})
	return out, err
}
