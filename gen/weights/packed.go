package weights

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// Packed is one tensor of the container.
type Packed struct {
	Name    string       // name in the container
	Layout  string       // a row of the layout table
	Weights []*ir.Weight // their rows one below another: a fused projection, or vectors one behind another
	Rows    int          // of all weights together, with the zeros behind groups
	Group   int          // rows of a group, padded by zeros to whole tiles: experts, heads; 0: no groups
	Cols    int          // 1 for vectors
	Offset  int64        // in the file, set by Place
	Size    int64        // bytes in the file, zeros up to the next tensor included, set by Place
	SHA256  [32]byte     // of these bytes, set by Write
	weighed []weighed    // how much columns count when rows are quantised, set by Weigh
	Sources []string     // checkpoint tensors that it is made from, in order of use
	data    []byte       // of a tensor that Data made, instead of weights
}

// Alignments of tensors in the container: a cache line; a page from largeTensor bytes on.
const (
	alignSmall  = 64
	alignLarge  = 4096
	largeTensor = 64 << 10
)

// New makes a packed tensor from weights whose rows lie one below another; see Zeros for gaps.
func New(name, layout string, ws ...*ir.Weight) (*Packed, error) {
	if _, err := Lookup(layout); err != nil {
		return nil, fmt.Errorf("packed tensor %s: %w", name, err)
	}
	if len(ws) == 0 {
		return nil, fmt.Errorf("packed tensor %s has no weights", name)
	}
	p := &Packed{Name: name, Layout: layout, Weights: ws}
	seen := map[string]bool{}
	for i, w := range ws {
		rows, cols := Dims(w)
		if i == 0 {
			p.Cols = cols
		}
		if cols != p.Cols {
			return nil, fmt.Errorf("packed tensor %s: weight %s has %d columns, %s has %d", name, w.Name, cols, ws[0].Name, p.Cols)
		}
		p.Rows += rows
		for _, part := range w.Parts {
			if part.Zeros == 0 && !seen[part.Tensor] {
				seen[part.Tensor] = true
				p.Sources = append(p.Sources, part.Tensor)
			}
		}
	}
	return p, nil
}

// Bytes is the size of the packed data without the zeros that align the next tensor.
func (p *Packed) Bytes() int64 {
	l, err := Lookup(p.Layout)
	if err != nil {
		return 0
	}
	return l.Bytes(p.Rows, p.Cols)
}

// group divides the rows into n groups that begin at a tile of their own each; 0 is none.
func (p *Packed) group(n int) error {
	if n == 0 {
		return nil
	}
	if p.Rows%n != 0 {
		return fmt.Errorf("packed tensor %s: %d rows are no %d groups", p.Name, p.Rows, n)
	}
	p.Group = p.Rows / n
	p.Rows = n * tiles(p.Group) * Tile
	return nil
}

// read writes rows first … first+count-1, zeros behind groups included, to dst.
func (p *Packed) read(src Source, first, count int, dst []float32) error {
	if p.Group == 0 {
		return p.stack(src, first, count, dst)
	}
	padded := tiles(p.Group) * Tile
	for row := first; row < first+count; {
		at := row % padded
		n := min(padded-at, first+count-row)
		rows := dst[(row-first)*p.Cols:][:n*p.Cols]
		real := min(max(p.Group-at, 0), n)
		if real > 0 {
			if err := p.stack(src, row/padded*p.Group+at, real, rows); err != nil {
				return err
			}
		}
		clear(rows[real*p.Cols:])
		row += n
	}
	return nil
}

// stack writes rows first … first+count-1 of the weights, one below another, to dst.
func (p *Packed) stack(src Source, first, count int, dst []float32) error {
	at := 0
	for _, w := range p.Weights {
		n, _ := Dims(w)
		from, to := max(first, at), min(first+count, at+n)
		if from < to {
			if err := Rows(src, w, from-at, to-from, dst[(from-first)*p.Cols:(to-first)*p.Cols]); err != nil {
				return err
			}
		}
		at += n
	}
	return nil
}

// Place sets the offset and size of every tensor, in the given order, and returns the size of the header and of the
// whole file. Data begins at a page; tensors follow each other without holes, as safetensors demands: the zeros that
// align the next one belong to the tensor before.
func Place(packed []*Packed) (headerSize, total int64, err error) {
	names := map[string]bool{"__metadata__": true, "format": true} // taken in the header
	var at int64
	for i, p := range packed {
		if names[p.Name] {
			return 0, 0, fmt.Errorf("the name %q of a packed tensor is taken", p.Name)
		}
		names[p.Name] = true
		l, err := Lookup(p.Layout)
		if err != nil {
			return 0, 0, fmt.Errorf("packed tensor %s: %w", p.Name, err)
		}
		if p.Rows <= 0 || p.Cols <= 0 || p.Rows > math.MaxInt/64/p.Cols {
			return 0, 0, fmt.Errorf("packed tensor %s has %d × %d elements", p.Name, p.Rows, p.Cols)
		}
		end := at + l.Bytes(p.Rows, p.Cols)
		next := int64(alignSmall)
		if i+1 < len(packed) && packed[i+1].Bytes() >= largeTensor {
			next = alignLarge
		}
		end = roundUp(end, next)
		p.Offset, p.Size = at, end-at
		at = end
	}
	if headerSize, err = fixHeader(packed); err != nil {
		return 0, 0, err
	}
	for _, p := range packed {
		p.Offset += headerSize
	}
	return headerSize, headerSize + at, nil
}

func fixHeader(packed []*Packed) (int64, error) {
	h, err := header(packed, 0)
	return int64(len(h)), err
}

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }

// entry is a tensor in the header of a safetensors file.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// header returns the head of the container: the length, the JSON and spaces up to a page. Tensors are vectors of
// their packed elements; the metadata gives layout, rows, columns and digest of each. Its length does not depend on
// the digests.
func header(packed []*Packed, start int64) ([]byte, error) {
	meta := map[string]string{"format": "tfgen"}
	tensors := map[string]any{"__metadata__": meta}
	for _, p := range packed {
		l, err := Lookup(p.Layout)
		if err != nil {
			return nil, err
		}
		meta[p.Name] = fmt.Sprintf("%s %d×%d sha256:%s", p.Layout, p.Rows, p.Cols, hex.EncodeToString(p.SHA256[:]))
		at := p.Offset - start
		tensors[p.Name] = entry{l.DType, []int64{p.Size / elementSize[l.DType]}, [2]int64{at, at + p.Size}}
	}
	text, err := json.Marshal(tensors) // sorts the names
	if err != nil {
		return nil, err
	}
	size := roundUp(int64(8+len(text)), alignLarge)
	h := make([]byte, size)
	for i := range h {
		h[i] = ' '
	}
	putUint64(h, uint64(size-8))
	copy(h[8:], text)
	return h, nil
}

// elementSize is the number of bytes of a container element.
var elementSize = map[string]int64{"F32": 4, "BF16": 2, "F16": 2, "U8": 1}
