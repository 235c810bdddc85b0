// Package tuning is the table of blockings: how the loops of matrix products are cut, for an instruction set, a weight
// format and a number of columns. A blocking changes the order in which outputs are computed, never the order in which an
// output is summed, so that every table gives the same bits. `tfgen tune` measures tables; package amd64 and the emitter of
// Go code read them. What a table does not say follows from rules that look at no machine.
package tuning

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Version is the version of the file format.
const Version = 1

// Bounds of untrusted tables.
const (
	MaxBytes = 1 << 20
	maxRows  = 4096
)

// Off is the distance of a prefetch that is left out.
const Off = -1

// Blocking is how a kernel cuts a product. What is 0 follows the rule of the instruction set.
type Blocking struct {
	Rows     int `json:"rows,omitempty"`     // rows of x in a register block
	Tiles    int `json:"tiles,omitempty"`    // tiles of 16 outputs in a register block
	Depth    int `json:"depth,omitempty"`    // at most so many k in a pass over the tiles; sums go on in the next pass
	Unroll   int `json:"unroll,omitempty"`   // steps over k in a turn of a loop over several rows
	Ahead    int `json:"ahead,omitempty"`    // bytes of weights fetched before their use, with several rows; Off: none
	Stream   int `json:"stream,omitempty"`   // tiles that one row is multiplied with at a time
	Prefetch int `json:"prefetch,omitempty"` // bytes of weights fetched before their use, with one row; Off: none
}

// Sweep is how generated code cuts a product into calls of a kernel. What is 0 follows the rule.
type Sweep struct {
	Rows  int `json:"call_rows,omitempty"`  // rows of x in a call
	Tiles int `json:"call_tiles,omitempty"` // tiles of weights in a call
}

// Row is one row of a table: a blocking of kernels when it has a level, else a sweep.
type Row struct {
	Level  string `json:"level,omitempty"` // instruction set, such as avx2
	Format string `json:"format"`          // of the weights, such as f32 or q4k
	K      int    `json:"k,omitempty"`     // columns of x; 0: all numbers that no other row has
	N      int    `json:"n,omitempty"`     // outputs, in sweeps; 0: all numbers
	Blocking
	Sweep
	Gain   float64 `json:"gain,omitempty"`         // measured: how much faster than the rule, with many rows; 1.05 is 5 %
	OneRow float64 `json:"one_row_gain,omitempty"` // the same with one row
}

// Table is a tuning table.
type Table struct {
	Version int    `json:"version"`
	Machine string `json:"machine"` // where it was measured, for people
	Rows    []Row  `json:"-"`
}

// Kernel returns the blocking of a kernel: that of the row for exactly k columns, completed by the row for all numbers.
// A nil table has no rows.
func (t *Table) Kernel(level, format string, k int) Blocking {
	if t == nil {
		return Blocking{}
	}
	var b Blocking
	for _, want := range []int{k, 0} {
		for _, r := range t.Rows {
			if r.Level == level && r.Format == format && r.K == want {
				b = b.Over(r.Blocking)
			}
		}
	}
	return b
}

// Sweep returns the sweep of a product of k columns and n outputs. A nil table has no rows.
func (t *Table) Sweep(format string, k, n int) Sweep {
	var s Sweep
	if t == nil {
		return s
	}
	for _, want := range [][2]int{{k, n}, {k, 0}, {0, 0}} {
		for _, r := range t.Rows {
			if r.Level == "" && r.Format == format && r.K == want[0] && r.N == want[1] {
				s.Rows, s.Tiles = or(s.Rows, r.Sweep.Rows), or(s.Tiles, r.Sweep.Tiles)
			}
		}
	}
	return s
}

// Over returns b with what it leaves open taken from rule.
func (b Blocking) Over(rule Blocking) Blocking {
	return Blocking{or(b.Rows, rule.Rows), or(b.Tiles, rule.Tiles), or(b.Depth, rule.Depth), or(b.Unroll, rule.Unroll),
		or(b.Ahead, rule.Ahead), or(b.Stream, rule.Stream), or(b.Prefetch, rule.Prefetch)}
}

// or returns a, or b when a is 0.
func or(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

// String lists what the blocking says, such as "rows 6, tiles 1".
func (b Blocking) String() string {
	return list([]string{"rows", "tiles", "depth", "unroll", "ahead", "stream", "prefetch"},
		[]int{b.Rows, b.Tiles, b.Depth, b.Unroll, b.Ahead, b.Stream, b.Prefetch})
}

// String lists what the sweep says.
func (s Sweep) String() string {
	return list([]string{"rows a call", "tiles a call"}, []int{s.Rows, s.Tiles})
}

func list(names []string, values []int) string {
	var parts []string
	for i, v := range values {
		switch v {
		case 0:
		case Off:
			parts = append(parts, names[i]+" off")
		default:
			parts = append(parts, fmt.Sprintf("%s %d", names[i], v))
		}
	}
	if parts == nil {
		return "rule"
	}
	return strings.Join(parts, ", ")
}

// file is the table as it is stored.
type file struct {
	Table
	Rows []Row `json:"rows"`
}

// Parse reads a table. It bounds all numbers; whether a register block fits an instruction set is checked by the emitter.
func Parse(data []byte) (*Table, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("a tuning table of %d bytes, at most %d are allowed", len(data), MaxBytes)
	}
	var f file
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("tuning table: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("tuning table: text behind the end")
	}
	if f.Version != Version {
		return nil, fmt.Errorf("tuning table of version %d, expected %d", f.Version, Version)
	}
	t := &f.Table
	t.Rows = f.Rows
	return t, t.check()
}

// Format returns the file of a table: the same rows in any order give the same bytes, one line a row.
func (t *Table) Format() []byte {
	rows := slices.Clone(t.Rows)
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.key(), b.key()) })
	var out bytes.Buffer
	machine, _ := json.Marshal(t.Machine) // a string always has a form
	fmt.Fprintf(&out, "{\n  \"version\": %d,\n  \"machine\": %s,\n  \"rows\": [", Version, machine)
	for i, r := range rows {
		line, _ := json.Marshal(r) // numbers are finite: check
		out.WriteString(map[bool]string{true: "\n    ", false: ",\n    "}[i == 0])
		out.Write(line)
	}
	out.WriteString("\n  ]\n}\n")
	return out.Bytes()
}

// Replace puts rows in the place of those that are replaced.
func (t *Table) Replace(rows []Row, replaced func(Row) bool) {
	t.Rows = append(slices.DeleteFunc(slices.Clone(t.Rows), replaced), rows...)
}

// key orders rows, and equal keys are the same row.
func (r Row) key() string { return fmt.Sprintf("%s %s %08d %08d", r.Level, r.Format, r.K, r.N) }
