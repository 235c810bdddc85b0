package op

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
)

// Marks of tokens that attend to all and are attended by all: the global attention of Longformer (Beltagy et al. 2020,
// arXiv:2004.05150).

func inferMarks(o *ir.Op) ([]ir.Type, error) {
	for _, v := range o.In {
		if v.Type.DType != ir.I32 || v.Type.Rows != ir.Tokens {
			return nil, fmt.Errorf("the input is %s, expected i32[N]", v.Type)
		}
	}
	if rule := o.Attrs.Str("rule"); (rule == "before" || rule == "after") && o.Attrs.Int("id") < 0 {
		return nil, fmt.Errorf("the rule %s needs a token id, found %d", rule, o.Attrs.Int("id"))
	}
	return []ir.Type{{DType: ir.F32, Rows: ir.Tokens, Dims: []int{1}}}, nil
}

func refMarks(x *Exec, o *ir.Op) error {
	given, tokens, y := x.in(o, 0), x.in(o, 1), x.out(o, 0)
	for _, s := range x.spans(ir.Tokens) {
		found := s.rows
		for r := s.rows - 1; r >= 0; r-- {
			if tokens.Data[s.at+r] == float64(o.Attrs.Int("id")) {
				found = r
			}
		}
		for r := range s.rows {
			mark := given.Data[s.at+r] > 0
			if given.Data[s.at+r] < 0 {
				switch o.Attrs.Str("rule") {
				case "first":
					mark = r == 0
				case "before":
					mark = r < found && found < s.rows
				case "after":
					mark = r > found+1
				}
			}
			if mark {
				y.Data[s.at+r] = 1
			}
		}
	}
	return nil
}

func inferAttendMarked(o *ir.Op) ([]ir.Type, error) {
	heads, kv, dim := o.Attrs.Int("heads"), o.Attrs.Int("kv_heads"), o.Attrs.Int("head_dim")
	if heads < 1 || kv < 1 || heads%kv != 0 || dim < 1 {
		return nil, fmt.Errorf("%d heads of %d share %d kv_heads", heads, dim, kv)
	}
	for _, v := range o.In {
		if v.Type.Rows != ir.Tokens {
			return nil, fmt.Errorf("the input is %s, expected one row a token", v.Type)
		}
	}
	return []ir.Type{o.In[0].Type}, wantWidths(o, []string{"base", "q", "k", "v", "marks"}, heads*dim, heads*dim, kv*dim, kv*dim, 1)
}

func refAttendMarked(x *Exec, o *ir.Op) error {
	base, q, k, v, marks, y := x.in(o, 0), x.in(o, 1), x.in(o, 2), x.in(o, 3), x.in(o, 4), x.out(o, 0)
	copy(y.Data, base.Data)
	for _, s := range x.spans(ir.Tokens) {
		cache := &KV{}
		for r := s.at; r < s.at+s.rows; r++ {
			cache.K, cache.V = append(cache.K, k.Row(r)), append(cache.V, v.Row(r))
		}
		for r := s.at; r < s.at+s.rows; r++ {
			if marks.Data[r] != 0 {
				clear(y.Row(r))
				attendRow(o, q.Row(r), cache, nil, func(int, int) float64 { return 0 }, 0, s.rows, y.Row(r))
			}
		}
	}
	return nil
}
