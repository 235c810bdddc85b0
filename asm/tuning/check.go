package tuning

import "fmt"

// maxSize bounds numbers of columns, outputs and k, as package kernel does.
const maxSize = 1 << 20

// check bounds what a table says.
func (t *Table) check() error {
	if len(t.Rows) > maxRows {
		return fmt.Errorf("a tuning table of %d rows, at most %d are allowed", len(t.Rows), maxRows)
	}
	seen := map[string]bool{}
	for i, r := range t.Rows {
		if err := r.check(); err != nil {
			return fmt.Errorf("tuning table, row %d: %w", i+1, err)
		}
		if seen[r.key()] {
			return fmt.Errorf("tuning table, row %d: a second row for level %q, format %q, k %d, n %d", i+1, r.Level, r.Format, r.K, r.N)
		}
		seen[r.key()] = true
	}
	return nil
}

// check bounds the numbers of a row.
func (r Row) check() error {
	if r.Format == "" || len(r.Format) > 16 || len(r.Level) > 16 {
		return fmt.Errorf("expected a format and a level of at most 16 letters, found %.20q and %.20q", r.Format, r.Level)
	}
	for _, v := range []struct {
		name             string
		value, low, high int
	}{
		{"k", r.K, 0, maxSize}, {"n", r.N, 0, maxSize},
		{"rows", r.Blocking.Rows, 0, 16}, {"tiles", r.Blocking.Tiles, 0, 8}, {"depth", r.Depth, 0, maxSize},
		{"unroll", r.Unroll, 0, 16}, {"stream", r.Stream, 0, 12}, {"ahead", r.Ahead, Off, 1 << 16}, {"prefetch", r.Prefetch, Off, 1 << 16},
		{"call_rows", r.Sweep.Rows, 0, 1 << 14}, {"call_tiles", r.Sweep.Tiles, 0, 1 << 12},
	} {
		if v.value < v.low || v.value > v.high {
			return fmt.Errorf("%s is %d, expected %d to %d", v.name, v.value, v.low, v.high)
		}
	}
	switch {
	case r.Unroll&(r.Unroll-1) != 0 || r.Depth > 0 && r.Depth < 16:
		return fmt.Errorf("unroll %d and depth %d: expected a power of two, and at least 16", r.Unroll, r.Depth)
	case r.Level == "" && r.Blocking != Blocking{}:
		return fmt.Errorf("a blocking of kernels (%s) without a level", r.Blocking)
	case r.Level != "" && (r.Sweep != Sweep{} || r.N != 0):
		return fmt.Errorf("a row for kernels of level %s with n or a sweep (%s), which belong to generated Go code of all levels", r.Level, r.Sweep)
	case r.Gain < 0 || r.OneRow < 0: // JSON has no other numbers that are none
		return fmt.Errorf("gains %v and %v, expected numbers above 0", r.Gain, r.OneRow)
	}
	return nil
}
