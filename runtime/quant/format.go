// Package quant describes quantised weights as kernels read them: a table of formats, where the bytes of a tile are,
// and what a weight is worth. Compiler, assembly and portable kernels share it.
//
// A tile is 16 rows (outputs). Along k it is a sequence of units; a unit is a header with the scales of its rows, then
// blocks of 32 columns with the codes. A code stands for an integer v, and the weight is s·v, or s·v − m in formats with
// offsets, where s and m belong to a group of 16 or 32 columns of one row. The values are exactly those of the GGML type
// that the format was made for (ggml-quants.c).
package quant

import (
	"fmt"
	"slices"
	"strings"
)

// Rows is the number of rows in a tile, Block the number of columns whose codes lie together.
const (
	Rows  = 16
	Block = 32
)

// Format is one row of the table.
type Format struct {
	Name   string
	Bits   int       // of a code: planes of 8, of 4, of 2 and of 1 bit
	Group  int       // columns of a row that share a scale: 16 or 32
	Super  int       // columns of a row that share an f16 factor of their scales, or 0: every group has its own f16
	Min    bool      // the weight is s·v − m
	Signed bool      // the scales of groups under an f16 factor are signed
	Zero   int       // v = code − Zero
	Values *[16]int8 // v = Values[code]; nil: codes are numbers
	Wide   bool      // scales are bfloat16, because f16 has not their range
	Whole  bool      // one float32 scale for a whole row; rows of x are quantised as a whole too
	Doc    string
	planes []Plane
}

// The formats.
var (
	INT8  = &Format{Name: "int8", Bits: 8, Group: 32, Zero: 64, Whole: true, Doc: "7 bits in a byte, a float32 scale for a row; inputs of 8 bits, a scale for a token"}
	Q2K   = &Format{Name: "q2k", Bits: 2, Group: 16, Super: 256, Min: true, Doc: "Q2_K: 2 bits, 16 columns a scale and offset of 4 bits"}
	Q3K   = &Format{Name: "q3k", Bits: 3, Group: 16, Super: 256, Signed: true, Zero: 4, Doc: "Q3_K: 3 bits, 16 columns a scale of 6 bits"}
	MXFP4 = &Format{Name: "mxfp4", Bits: 4, Group: 32, Values: &fp4Values, Wide: true, Doc: "MXFP4: floats of 4 bits, doubled, 32 columns a power of two"}
	IQ4NL = &Format{Name: "iq4nl", Bits: 4, Group: 32, Values: &nonlinear, Doc: "IQ4_NL: 16 levels, 32 columns an f16 scale"}
	IQ4XS = &Format{Name: "iq4xs", Bits: 4, Group: 32, Super: 256, Signed: true, Values: &nonlinear, Doc: "IQ4_XS: 16 levels, 32 columns a scale of 6 bits"}
	Q4    = &Format{Name: "q4", Bits: 4, Group: 32, Zero: 8, Doc: "Q4_0: 4 bits, 32 columns an f16 scale"}
	Q4K   = &Format{Name: "q4k", Bits: 4, Group: 32, Super: 256, Min: true, Doc: "Q4_K: 4 bits, 32 columns a scale and offset of 6 bits"}
	Q4M   = &Format{Name: "q4m", Bits: 4, Group: 32, Min: true, Doc: "Q4_1: 4 bits, 32 columns an f16 scale and offset"}
	Q5    = &Format{Name: "q5", Bits: 5, Group: 32, Zero: 16, Doc: "Q5_0: 5 bits, 32 columns an f16 scale"}
	Q5K   = &Format{Name: "q5k", Bits: 5, Group: 32, Super: 256, Min: true, Doc: "Q5_K: 5 bits, 32 columns a scale and offset of 6 bits"}
	Q5M   = &Format{Name: "q5m", Bits: 5, Group: 32, Min: true, Doc: "Q5_1: 5 bits, 32 columns an f16 scale and offset"}
	Q6K   = &Format{Name: "q6k", Bits: 6, Group: 16, Super: 256, Signed: true, Zero: 32, Doc: "Q6_K: 6 bits, 16 columns a scale of 8 bits"}
	Q8    = &Format{Name: "q8", Bits: 8, Group: 32, Zero: 128, Doc: "Q8_0: 8 bits, 32 columns an f16 scale"}
)

// table has the formats in the order of their sizes.
var table = []*Format{Q2K, Q3K, MXFP4, IQ4NL, IQ4XS, Q4, Q4K, Q4M, Q5, Q5K, Q5M, Q6K, INT8, Q8}

func init() {
	for _, f := range table {
		f.planes = planes(f.Bits)
	}
}

// nonlinear are the levels of IQ4_NL and IQ4_XS, fp4Values those of MXFP4 doubled.
var (
	nonlinear = [16]int8{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}
	fp4Values = [16]int8{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}
)

// Lookup returns the format of this name.
func Lookup(name string) (*Format, error) {
	for _, f := range table {
		if f.Name == name {
			return f, nil
		}
	}
	return nil, fmt.Errorf("no quantised format is called %q; there are %v", name, Names())
}

// Names returns the names of all formats in the order of the table.
func Names() []string {
	names := make([]string, len(table))
	for i, f := range table {
		names[i] = f.Name
	}
	return names
}

// Ident is the Go identifier of the format in this package.
func (f *Format) Ident() string { return strings.ToUpper(f.Name) }

// Known reports whether there is a format of this name.
func Known(name string) bool { return slices.Contains(Names(), name) }

// Unit is the number of columns under one header: 64, so that two f16 scales of 16 rows fill a cache line, or the
// columns that share a factor.
func (f *Format) Unit() int { return max(f.Super, 2*Block) }

// Columns is k rounded up to whole units; the weights of the columns that fill up are zero.
func (f *Format) Columns(k int) int { return (k + f.Unit() - 1) / f.Unit() * f.Unit() }

// Places in a unit, in bytes from its begin. Each list has one entry a row, for all 16 rows.
//
//	Super = 0: [2][16] f16 scales, then [2][16] f16 offsets in formats with offsets
//	otherwise: [16] f16 factors of scales, [16] f16 factors of offsets, [groups][16] scales and, in formats with
//	offsets, [groups][16] offsets of 8 bits

// ScaleAt is where the scales of a group are: f16 when Super is 0, else 8 bits each.
func (f *Format) ScaleAt(group int) int {
	if f.Super == 0 {
		return 2 * Rows * group
	}
	return 4*Rows + Rows*group
}

// OffsetAt is where the offsets of a group are.
func (f *Format) OffsetAt(group int) int {
	if f.Super == 0 {
		return 4*Rows + 2*Rows*group
	}
	return 4*Rows + Rows*(f.groups()+group)
}

// groups is the number of groups in a unit.
func (f *Format) groups() int { return f.Unit() / f.Group }

// HeaderBytes is the size of a unit's header; formats with a scale for a row have none.
func (f *Format) HeaderBytes() int {
	if f.Whole {
		return 0
	}
	if f.Min {
		return f.OffsetAt(f.groups())
	}
	return f.ScaleAt(f.groups())
}

// BlockBytes is the size of the codes of a block: 32 columns of 16 rows.
func (f *Format) BlockBytes() int { return Block * Rows * f.Bits / 8 }

// UnitBytes is the size of a unit.
func (f *Format) UnitBytes() int { return f.HeaderBytes() + f.Unit()/Block*f.BlockBytes() }

// TileBytes is the size of a tile of 16 rows of k columns.
func (f *Format) TileBytes(k int) int {
	n := f.RowScalesAt(k)
	if f.Whole {
		n += 4 * Rows
	}
	return n
}

// RowScalesAt is where, behind the units of a tile, formats with a scale for a row have these: [16] float32.
func (f *Format) RowScalesAt(k int) int { return f.Columns(k) / f.Unit() * f.UnitBytes() }

// Value is the integer that a code stands for.
func (f *Format) Value(code uint8) int {
	if f.Values != nil {
		return int(f.Values[code])
	}
	return int(code) - f.Zero
}

// A Plane holds some bits of every code of a block, in lines of 64 bytes: [16 rows][4 columns]. A quad is 4 columns next
// to each other; a block has 8.
type Plane struct {
	Bits  int // of a code in this plane
	Shift int // of these bits in the code
	At    int // where the plane begins in the codes of a block
}

// Planes returns the planes of the format, the low bits first.
func (f *Format) Planes() []Plane { return f.planes }

func planes(bits int) []Plane {
	var list []Plane
	shift, at := 0, 0
	for _, n := range []int{8, 4, 2, 1} {
		if bits-shift >= n {
			list = append(list, Plane{n, shift, at})
			shift += n
			at += Block * Rows * n / 8
		}
	}
	return list
}

// Line returns in which line of the plane the bits of a quad are, and how far left they stand in each byte.
func (p Plane) Line(quad int) (line, shift int) {
	lines := p.Bits // 8 quads · bits / 8
	return quad % lines, quad / lines * p.Bits
}
