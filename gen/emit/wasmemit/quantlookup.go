package wasmemit

import (
	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/runtime/quant"
)

// quantLookup reads rows of a table in tiles of a quantised format, one weight at a time: a lookup is a small part of a
// pass. The address of a row is that of its tile, whose low four bits are zero, and the number of the row.
func quantLookup(q *quant.Format) lookup {
	return lookup{
		row: func(f *code, table, id wasm.Local, dim int) {
			f.Get(table).Get(id).I32(4).Do(wasm.I32ShrU).I32(q.TileBytes(dim)).Do(wasm.I32Mul, wasm.I32Add)
			f.Get(id).I32(15).Do(wasm.I32And, wasm.I32Or)
		},
		element: func(f *code, from, i wasm.Local) {
			l := f.integers("lookup", 4)
			w := &quantWeight{code: f, q: q, row: l[0], unit: l[1], column: l[2], group: l[3]}
			w.place(from, i)
			w.scale()
			w.integer()
			f.Do(wasm.F32ConvertI32S, wasm.F32Mul)
			if q.Min {
				w.offset()
				f.Do(wasm.F32Sub)
			}
		},
	}
}

// quantWeight emits the reading of one weight: its row of the tile, its unit, and its column and group in the unit.
type quantWeight struct {
	*code
	q                        *quant.Format
	row, unit, column, group wasm.Local
}

// place finds the weight of column i.
func (w *quantWeight) place(from, i wasm.Local) {
	w.Get(from).I32(15).Do(wasm.I32And).Set(w.row)
	w.Get(from).Get(w.row).Do(wasm.I32Sub)
	w.Get(i).I32(w.q.Unit()).Do(wasm.I32DivU).I32(w.q.UnitBytes()).Do(wasm.I32Mul, wasm.I32Add).Set(w.unit)
	w.Get(i).I32(w.q.Unit()).Do(wasm.I32RemU).Tee(w.column).I32(w.q.Group).Do(wasm.I32DivU).Set(w.group)
}

// factor pushes the number of 16 bits that lies at bytes behind the unit, 2 bytes for each row.
func (w *quantWeight) factor(at int) {
	w.Get(w.unit).Get(w.row).I32(1).Do(wasm.I32Shl, wasm.I32Add).I32(at).Do(wasm.I32Add)
	w.short()
}

// short loads the scale of 16 bits whose address is on the stack.
func (w *quantWeight) short() {
	if w.q.Wide {
		w.widened()
	} else {
		w.half1()
	}
}

// grouped pushes the number of the weight's group in a list that begins at bytes behind the unit; factorAt is where the
// factors of its 8-bit numbers are.
func (w *quantWeight) grouped(at, factorAt int, load wasm.Op) {
	size := 1
	if w.q.Super == 0 {
		size = 2
	} else {
		w.factor(factorAt)
	}
	w.Get(w.unit).Get(w.group).I32(quant.Rows).Do(wasm.I32Mul).Get(w.row).Do(wasm.I32Add).I32(size).Do(wasm.I32Mul, wasm.I32Add)
	w.I32(at).Do(wasm.I32Add)
	if w.q.Super == 0 {
		w.short()
	} else {
		w.Mem(load, 0).Do(wasm.F32ConvertI32S, wasm.F32Mul)
	}
}

func (w *quantWeight) scale() {
	load := wasm.I32Load8U
	if w.q.Signed {
		load = wasm.I32Load8S
	}
	w.grouped(w.q.ScaleAt(0), 0, load)
}

func (w *quantWeight) offset() { w.grouped(w.q.OffsetAt(0), 2*quant.Rows, wasm.I32Load8U) }

// integer pushes the integer that the weight's code stands for.
func (w *quantWeight) integer() {
	for i, p := range w.q.Planes() {
		lines := p.Bits // 8 quads in lines of 64 bytes
		quad := func() { w.Get(w.column).I32(quant.Block - 1).Do(wasm.I32And).I32(2).Do(wasm.I32ShrU) }
		w.Get(w.unit).Get(w.column).I32(quant.Block).Do(wasm.I32DivU).I32(w.q.BlockBytes()).Do(wasm.I32Mul, wasm.I32Add)
		quad()
		w.I32(lines).Do(wasm.I32RemU).I32(64).Do(wasm.I32Mul, wasm.I32Add)
		w.Get(w.row).I32(2).Do(wasm.I32Shl, wasm.I32Add).Get(w.column).I32(3).Do(wasm.I32And, wasm.I32Add)
		w.I32(w.q.HeaderBytes()+p.At).Do(wasm.I32Add).Mem(wasm.I32Load8U, 0)
		quad()
		w.I32(lines).Do(wasm.I32DivU).I32(p.Bits).Do(wasm.I32Mul, wasm.I32ShrU).I32(1<<p.Bits - 1).Do(wasm.I32And).I32(p.Shift).Do(wasm.I32Shl)
		if i > 0 {
			w.Do(wasm.I32Or)
		}
	}
	if w.q.Values == nil {
		w.I32(w.q.Zero).Do(wasm.I32Sub)
		return
	}
	table := make([]float64, len(w.q.Values))
	for i, v := range w.q.Values {
		table[i] = float64(v)
	}
	w.I32(3).Do(wasm.I32Shl).Mem(wasm.F64Load, w.e.table(table)).Do(wasm.I32TruncSatF64)
}
