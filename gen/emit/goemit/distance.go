package goemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// distanceWords say whose products with vectors of distances an attention adds to its scores.
var distanceWords = map[string]string{"query": "queries", "key": "keys", "both": "queries and keys"}

// distanceRows records the table that gives the row of each distance and returns its name.
func (e *emitter) distanceRows(o *ir.Op) string {
	reach := op.DistanceReach(o.Attrs)
	rows := make([]float64, 2*reach+1)
	for i := range rows {
		rows[i] = float64(op.DistanceRow(o.Attrs, reach-i))
	}
	return e.integers("distances", fmt.Sprintf("rows of the distances key - query from -%d to %d.", reach, reach), rows)
}

// distanceViews are the parameters with the products, or with marks; "" if there are none.
func (a *attention) distanceViews() string {
	if a.marks || a.marked {
		return "marks view"
	}
	return map[string]string{"query": "byQuery view", "key": "byKey view", "both": "byQuery, byKey view"}[a.by]
}

// distanceText writes what the distances add to a row's scores to where the sums of its scores start.
func (a *attention) distanceText() string {
	q, k := "nil", "nil, 0"
	if a.by != "key" {
		q = fmt.Sprintf("t.at(byQuery, first+pos+r)[head*%d:]", 2*a.span)
	}
	if a.by != "query" {
		k = fmt.Sprintf("t.at(byKey, first+b*64)[head*%d:], byKey.ld", 2*a.span)
	}
	return fmt.Sprintf("\nportable.DistanceScores(c.bias[r*64:][:min(length-b*64, 64)], %s, %s, %s[:], b*64-pos-r)", q, k, a.distanceRows)
}
