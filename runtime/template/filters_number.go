package template

import (
	"math"
	"math/big"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// Filters of numbers.
var (
	FilterInt            = &Filter{names: "int", title: "do_int", params: "value default? base?", call: toInt}
	FilterFloat          = &Filter{names: "float", title: "do_float", params: "value default?", call: toFloat}
	FilterRound          = &Filter{names: "round", title: "do_round", params: "value precision? method?", call: round}
	FilterSum            = &Filter{names: "sum", title: "do_sum", params: "iterable attribute? start?", call: sum}
	FilterFilesizeformat = &Filter{names: "filesizeformat", title: "do_filesizeformat", params: "value binary?", call: fileSize}
)

// attempt runs f; if it throws an error of one of the classes, ok is false.
func attempt(f func() Value, classes ...string) (v Value, ok bool) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		e, thrown := r.(*Error)
		for _, c := range classes {
			if thrown && e.Type == c {
				v, ok = nil, false
				return
			}
		}
		panic(r)
	}()
	return f(), true
}

func toInt(s *State, a []Value) Value {
	v, ok := attempt(func() Value {
		if _, isText := py.Text(a[0]); isText {
			return s.ToInt(a[0], py.WantInt(a[2], 10))
		}
		return s.ToInt(a[0], 10)
	}, "TypeError", "ValueError")
	if ok {
		return v
	}
	v, ok = attempt(func() Value { return s.ToInt(s.ToFloat(a[0]), 10) }, "TypeError", "ValueError", "OverflowError")
	if ok {
		return v
	}
	return given(a[1], int64(0))
}

func toFloat(s *State, a []Value) Value {
	v, ok := attempt(func() Value { return s.ToFloat(a[0]) }, "TypeError", "ValueError")
	if ok {
		return v
	}
	return given(a[1], 0.0)
}

func round(s *State, a []Value) Value {
	method, _ := py.Text(given(a[2], "common"))
	switch method {
	case "common":
		return s.Round(a[0], given(a[1], int64(0)))
	case "ceil", "floor":
		return s.roundTo(method, a[0], given(a[1], int64(0)))
	}
	py.Throw("FilterArgumentError", "method must be common, ceil or floor")
	return nil
}

func (s *State) roundTo(method string, v, precision Value) Value {
	unit := s.Pow(int64(10), precision)
	x := s.Mul(v, unit)
	f, ok := x.(float64)
	if !ok {
		if _, isText := py.Text(x); isText {
			py.Throw("TypeError", "must be real number, not str")
		}
		return s.Div(x, unit)
	}
	if method == "ceil" {
		f = math.Ceil(f)
	} else {
		f = math.Floor(f)
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		py.Throw("OverflowError", "cannot convert float infinity to integer")
	}
	whole, _ := big.NewFloat(f).Int(nil)
	return s.Div(py.Int(whole), unit)
}

func sum(s *State, a []Value) Value {
	total := given(a[2], int64(0))
	if _, isText := py.Text(total); isText {
		py.Throw("TypeError", "sum() can't sum strings [use ''.join(seq) instead]")
	}
	next := s.Iter(a[0])
	get := s.attribute(given(a[1], py.None), nil, nil)
	for x, ok := next(); ok; x, ok = next() {
		total = s.Add(total, get(x))
	}
	return total
}

func fileSize(s *State, a []Value) Value {
	size, base, unit := s.ToFloat(a[0]), 1000.0, "B"
	if s.truth(a[1]) {
		base, unit = 1024, "iB"
	}
	switch {
	case size == 1:
		return "1 Byte"
	case size < base:
		return s.Str(s.ToInt(size, 10)) + " Bytes"
	}
	limit := base
	prefixes := "kMGTPEZY"
	if base == 1024 {
		prefixes = "KMGTPEZY"
	}
	for i := range prefixes {
		limit = math.Pow(base, float64(i+2))
		if size < limit || i == len(prefixes)-1 {
			return s.FormatValue(base*size/limit, ".1f") + " " + prefixes[i:i+1] + unit
		}
	}
	return ""
}
