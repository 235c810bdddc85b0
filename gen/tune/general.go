package tune

import "github.com/tfgen/tfgen/asm/tuning"

// generalise adds, for each level and format, a row for all numbers of columns that have not been measured: what the rows of
// at least two measured ones agree on, when all measured ones have a row. What it says is dropped from them.
func generalise(rows []tuning.Row, measured []*tuned) []tuning.Row {
	type group struct{ level, format string }
	count := map[group]int{}
	for _, v := range measured {
		count[group{v.isa.Level(), v.shape.Format}]++
	}
	members := map[group][]int{}
	for i, r := range rows {
		if r.Level != "" {
			g := group{r.Level, r.Format}
			members[g] = append(members[g], i)
		}
	}
	out := rows
	for _, v := range measured { // in their order, not that of a map
		g := group{v.isa.Level(), v.shape.Format}
		list := members[g]
		delete(members, g)
		if len(list) < 2 || len(list) != count[g] {
			continue
		}
		common := rows[list[0]].Blocking
		for _, i := range list {
			common = agreed(common, rows[i].Blocking)
		}
		if common == (tuning.Blocking{}) {
			continue
		}
		for _, i := range list {
			rows[i].Blocking = without(rows[i].Blocking, common)
		}
		out = append(out, tuning.Row{Level: g.level, Format: g.format, Blocking: common})
	}
	return compact(out)
}

// agreed returns what both blockings say.
func agreed(a, b tuning.Blocking) tuning.Blocking {
	return without(a, without(a, b))
}

// compact drops rows for a number of columns that say nothing more.
func compact(rows []tuning.Row) (out []tuning.Row) {
	for _, r := range rows {
		if r.Blocking != (tuning.Blocking{}) || r.Sweep != (tuning.Sweep{}) {
			out = append(out, r)
		}
	}
	return out
}
