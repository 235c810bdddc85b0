package tune

import (
	"context"

	"github.com/tfgen/tfgen/asm/tuning"
)

// rows compares what was found with the rules as a whole, and returns the rows that are faster beyond noise.
func (t *tuner) rows(ctx context.Context) ([]tuning.Row, error) {
	var parts []*tuned
	for _, v := range t.kernels {
		many, one := *v, *v
		many.best.blocking, one.best.blocking = parted(v.best.blocking, v.rule.blocking)
		parts = append(parts, &many, &one)
	}
	kernels, err := t.whole(ctx, "kernels", parts)
	if err != nil {
		return nil, err
	}
	var rows []tuning.Row
	for i, v := range t.kernels {
		row := tuning.Row{Level: v.isa.Level(), Format: v.shape.Format, K: v.shape.K}
		if g := kernels[2*i]; g.Kept {
			row.Blocking, row.Gain = without(parts[2*i].best.blocking, v.rule.blocking), rounded(g.Ratio)
		}
		if g := kernels[2*i+1]; g.Kept {
			row.Blocking, row.OneRow = row.Blocking.Over(without(parts[2*i+1].best.blocking, v.rule.blocking)), rounded(g.Ratio)
		}
		rows = append(rows, row)
	}
	rows = compact(rows)
	sweeps, err := t.whole(ctx, "calls", t.sweeps)
	for i, g := range sweeps {
		v := t.sweeps[i]
		if g.Kept {
			rows = append(rows, tuning.Row{Format: g.Format, K: g.K, N: v.shape.N, Sweep: v.best.sweep, Gain: rounded(g.Ratio)})
		}
	}
	if t.General {
		rows = generalise(rows, t.kernels)
	}
	return rows, err
}

// parted splits a blocking into what matters for many rows and for one; the other part follows the rule.
func parted(b, rule tuning.Blocking) (many, one tuning.Blocking) {
	many, one = b, rule
	many.Stream, many.Prefetch = rule.Stream, rule.Prefetch
	one.Stream, one.Prefetch = b.Stream, b.Prefetch
	return many, one
}

// rounded keeps three digits of a gain, all that can be measured.
func rounded(v float64) float64 { return float64(int(v*1000+0.5)) / 1000 }

// whole measures the best of each product against its rule. What differs for one row only is measured with one row.
func (t *tuner) whole(ctx context.Context, name string, list []*tuned) ([]Finding, error) {
	findings := make([]Finding, len(list))
	var contests []*contest
	var of []int
	for i, v := range list {
		findings[i] = Finding{Level: v.isa.Level(), Format: v.shape.Format, K: v.shape.K, Choice: name, Best: "rule", Tried: 1, Gain: Gain{1, 0}}
		if v.best == v.rule {
			continue
		}
		c := t.contest(v, []candidate{v.rule, v.best})
		if many, _ := parted(v.best.blocking, v.rule.blocking); many == v.rule.blocking && v.best.sweep == v.rule.sweep {
			c.rows, c.stream = 1, true
		}
		contests, of = append(contests, c), append(of, i)
	}
	gains, err := t.hold(ctx, name, contests)
	for j, g := range gains {
		v, f := list[of[j]], &findings[of[j]]
		f.Best, f.Tried, f.Gain = describe(v.rule, v.best), 2, g[1]
		f.Kept = g[1].sure(t.Rounds)
	}
	for i, f := range findings {
		t.found(f, list[i])
	}
	return findings, err
}
