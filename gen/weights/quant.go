package weights

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/quant"
	kernels "github.com/tfgen/tfgen/runtime/quant"
)

// quantLayouts are the layouts of quantised formats: tiles as package runtime/quant describes them.
func quantLayouts() []Layout {
	var list []Layout
	for _, name := range kernels.Names() {
		f, _ := kernels.Lookup(name)
		list = append(list, Layout{
			Name: "tile16_" + name, DType: "U8",
			Doc:    fmt.Sprintf("[⌈n/16⌉] tiles of 16 rows in units of %d columns: %s", f.Unit(), f.Doc),
			Bytes:  func(rows, cols int) int64 { return int64(tiles(rows)) * int64(f.TileBytes(cols)) },
			Pack:   func(dst []byte, src []float32, rows, cols int) error { return packQuant(f, dst, src, rows, cols, nil) },
			Unpack: func(dst []float32, src []byte, rows, cols int) { unpackQuant(f, dst, src, rows, cols) },
		})
	}
	return list
}

// Quantised returns the format of a quantised layout, nil for others.
func Quantised(layout string) *kernels.Format {
	f, err := kernels.Lookup(strings.TrimPrefix(layout, "tile16_"))
	if err != nil {
		return nil
	}
	return f
}

// packQuant quantises rows; importance gives what the columns of a row count, nil when all count the same.
func packQuant(f *kernels.Format, dst []byte, src []float32, rows, cols int, importance func(row int) []float32) error {
	clear(dst)
	size := f.TileBytes(cols)
	for r := range rows {
		var weight []float32
		if importance != nil {
			weight = importance(r)
		}
		if err := quant.For(f).Quantize(dst[r/Tile*size:][:size], r%Tile, src[r*cols:][:cols], weight); err != nil {
			return err
		}
	}
	return nil
}

func unpackQuant(f *kernels.Format, dst []float32, src []byte, rows, cols int) {
	size := f.TileBytes(cols)
	for r := range rows {
		f.Row(dst[r*cols:][:cols], src[r/Tile*size:][:size], r%Tile)
	}
}

// A BlockSource is a checkpoint that gives the blocks of quantised tensors as they are stored.
type BlockSource interface {
	// ReadBlocks writes the blocks of elements first … first+count-1 of the flattened tensor to dst, which holds exactly
	// these. Both numbers are multiples of the values in a block.
	ReadBlocks(name string, first, count int, dst []byte) error
}

// packRows packs rows first … first+count-1 into dst: blocks of the layout's own type are moved as they are, all else
// goes through float32.
func (p *Packed) packRows(src Source, l *Layout, first, count int, rows []float32, dst []byte) error {
	if p.data != nil {
		copy(dst, p.data[first:])
		return nil
	}
	f := Quantised(l.Name)
	blocks, ok := src.(BlockSource)
	if f == nil || !ok || !p.stored(src, quant.For(f)) {
		if err := p.read(src, first, count, rows); err != nil {
			return fmt.Errorf("packing %s: %w", p.Name, err)
		}
		pack := l.Pack
		if f != nil && p.weighed != nil {
			pack = func(dst []byte, src []float32, rows, cols int) error {
				return packQuant(f, dst, src, rows, cols, func(row int) []float32 { return p.importance(first + row) })
			}
		}
		if err := pack(dst, rows, count, p.Cols); err != nil {
			return p.locate(err, first)
		}
		return nil
	}
	clear(dst)
	typ, size := quant.For(f), f.TileBytes(p.Cols)
	raw := make([]byte, typ.RowBytes(p.Cols))
	for r := range count {
		tensor, element, ok := p.origin(src, first+r)
		if !ok {
			continue // a row of zeros
		}
		err := blocks.ReadBlocks(tensor, element, p.Cols, raw)
		if err == nil {
			err = typ.Pack(dst[r/Tile*size:][:size], r%Tile, raw, p.Cols)
		}
		if err != nil {
			return fmt.Errorf("packing %s: tensor %s: %w", p.Name, tensor, err)
		}
	}
	return nil
}

// stored reports whether all rows are rows of tensors of this type; a type of our own is in no checkpoint.
func (p *Packed) stored(src Source, typ *quant.Type) bool {
	for _, w := range p.Weights {
		for _, part := range w.Parts {
			if part.Zeros > 0 {
				continue
			}
			if t, ok := src.Tensor(part.Tensor); !ok || t.DType != typ.DType || !movesRows(part) {
				return false
			}
		}
	}
	return true
}

// movesRows reports whether the steps of a part only choose, reorder and count whole rows.
func movesRows(part ir.Part) bool {
	for _, s := range part.Steps {
		if steps[s.Kind].origin == nil {
			return false
		}
	}
	return true
}

// origin returns the tensor and the element of it, flattened, with which row i of the stack begins; false for a row of
// zeros.
func (p *Packed) origin(src Source, i int) (tensor string, element int, ok bool) {
	if p.Group > 0 {
		padded := tiles(p.Group) * Tile
		if i%padded >= p.Group {
			return "", 0, false
		}
		i = i/padded*p.Group + i%padded
	}
	for _, w := range p.Weights {
		n, cols := Dims(w)
		if i >= n {
			i -= n
			continue
		}
		for _, spec := range w.Parts {
			if spec.Zeros > 0 {
				if i < spec.Zeros {
					return "", 0, false
				}
				i -= spec.Zeros
				continue
			}
			part, err := openPart(src, spec)
			if err != nil {
				return "", 0, false
			}
			if n := part.size(cols); i >= n {
				i -= n
				continue
			}
			element = i * cols
			for s := len(spec.Steps) - 1; s >= 0; s-- {
				element = steps[spec.Steps[s].Kind].origin(part, s, element)
			}
			return spec.Tensor, element, true
		}
	}
	return "", 0, false
}
