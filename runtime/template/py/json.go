package py

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
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
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	defer Catch(&err)
	v, err = decodeValue(d, 0)
	if err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("JSON: text after the value at byte %d", d.InputOffset())
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (Value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > Deepest-10 {
		return nil, fmt.Errorf("nested deeper than %d", Deepest-10)
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return decodeList(d, depth)
		}
		return decodeDict(d, depth)
	case json.Number:
		return jsonNumber(string(t))
	case nil:
		return None, nil
	default:
		return t, nil
	}
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

func decodeList(d *json.Decoder, depth int) (Value, error) {
	l := &List{Items: []Value{}}
	for d.More() {
		x, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, x)
	}
	_, err := d.Token()
	return l, err
}

func decodeDict(d *json.Decoder, depth int) (Value, error) {
	out := new(Dict)
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		x, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		out.Set(key, x)
	}
	_, err := d.Token()
	return out, err
}

// FromGo converts a Go value: JSON-like maps (in the order of their keys), slices, numbers, strings. Others go through
// encoding/json.
func FromGo(v any) (Value, error) {
	switch v := v.(type) {
	case nil:
		return None, nil
	case bool, int64, float64, *List, *Dict, *Tuple, NoneType:
		return v, nil
	case string:
		return strings.ToValidUTF8(v, "\uFFFD"), nil
	case int:
		return int64(v), nil
	case []any:
		l := &List{Items: make([]Value, len(v))}
		for i, x := range v {
			var err error
			if l.Items[i], err = FromGo(x); err != nil {
				return nil, err
			}
		}
		return l, nil
	case json.RawMessage:
		return Decode(v)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return Decode(data)
}
