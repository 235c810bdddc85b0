package goemit

import (
	"cmp"
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
)

// A cacheFormat is one way to keep keys and values.
type cacheFormat struct {
	name    string // as --kv names it
	doc     string
	gemm    string // variant of the products' kernels
	element string // of the slices that attention works on
	store   string // behind StoreK and StoreV
	view    string // a cache as a slice of elements
	perWord int    // elements in a word
	scales  bool   // each key and value is rotated and has a scale, behind the codes of a block
}

// cacheFormats is the table; the first row is the default.
var cacheFormats = []cacheFormat{
	{name: "f32", doc: "float32", gemm: "f32", element: "float32", view: "kv.%s", perWord: 1},
	{name: "f16", doc: "float16", gemm: "f16", element: "uint16", store: "16", view: "portable.Halves(kv.%s)", perWord: 2},
	{name: "q8", doc: "8 bits, rotated, with a scale for each key and value of a head", gemm: "i8", element: "float32", store: "8", view: "kv.%s", perWord: 4, scales: true},
}

// cacheFormatOf is the format of a state's keys and values; what has no state keeps float32.
func cacheFormatOf(s *ir.State) cacheFormat {
	if s != nil {
		for _, f := range cacheFormats {
			if f.name == cmp.Or(s.Attrs.Str("format"), "f32") {
				return f
			}
		}
	}
	return cacheFormats[0]
}

// blockWords is the size of a block of 64 keys or values of a head, whose elements are so many, in words.
func (f cacheFormat) blockWords(width int) int {
	n := 64 * width / f.perWord
	if f.scales {
		n += 64
	}
	return n
}

// headSize is the expression for the size of a head's keys or values, in elements of the slice.
func (f cacheFormat) headSize(width int) string {
	if f.scales {
		return fmt.Sprintf("kv.keys/64*%d", f.blockWords(width))
	}
	return fmt.Sprintf("kv.keys*%d", width)
}

const scaledTileText = `c := &t.scratch
acc := c.acc[:rows*$pad]
clear(acc)
portable.Rotate(c.query[:], $dim, q, ldq, rows, $dim)
portable.$softmax
for b := $first; b <= $last; b++ {
	at := b * 64 % keys / 64
	for r := range rows {
		$mask
	}
	codes, scales := portable.Parts8(cacheK[at*$keyblock:], $dim*16)
	$kernel1(c.scores[:], 64, c.query[:], $dim, codes, 4, zeros[:], 0, rows)
	$kernel4(c.scores[:], 64, scales, 0, rows)$addbias
	$kernel0(c.scores[:], rows, c.lo[:], c.hi[:], c.m[:], c.l[:], c.alpha[:])
	$kernel3(acc, $pad, c.alpha[:], rows)
	codes, scales = portable.Parts8(cacheV[at*$valueblock:], $pad*16)
	$kernel4(c.scores[:], 64, scales, 0, rows)
	$kernel2(acc, $pad, c.scores[:], 64, codes, $tiles, acc, $pad, rows)
}
portable.FinishSoftmax(c.alpha[:rows], c.l[:rows])
$kernel3(acc, $pad, c.alpha[:], rows)
portable.Rotate(y, ldy, acc, $pad, rows, $dim)`
