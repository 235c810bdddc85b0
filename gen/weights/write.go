package weights

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"
)

// piece is about how many float32 values a worker packs at a time. Of a transposed tensor each piece needs all rows,
// so that larger ones save reading. workers is the number of workers.
const (
	piece           = 1 << 20
	pieceTransposed = 1 << 22
	workers         = 2
)

// Write packs all tensors into w at the places that Place gave them, sets their digests and returns the digest of the
// header. It holds a few MiB whatever the size of the model. Progress (may be nil) is called after every piece, never
// twice at once. A value that a layout cannot hold is an error that names tensor and row. After an error, w contains
// nothing of use.
func Write(ctx context.Context, w io.WriterAt, packed []*Packed, src Source, progress func(done, total int64, name string)) ([32]byte, error) {
	return write(ctx, w, packed, src, progress, workers)
}

func write(ctx context.Context, w io.WriterAt, packed []*Packed, src Source, progress func(done, total int64, name string), workers int) ([32]byte, error) {
	headerSize, size, err := Place(packed)
	if err != nil {
		return [32]byte{}, err
	}
	w = inHugeBlocks(w, size)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m := &meter{report: progress}
	for _, p := range packed {
		m.total += p.Size
	}
	jobs := make(chan *Packed)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for p := range jobs {
				if err := p.write(ctx, w, src, m); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, p := range largestFirst(packed) {
		jobs <- p
	}
	close(jobs)
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return [32]byte{}, err
	}
	h, err := header(packed, headerSize)
	if err != nil {
		return [32]byte{}, err
	}
	if _, err := w.WriteAt(h, 0); err != nil {
		return [32]byte{}, fmt.Errorf("writing the header: %w", err)
	}
	return sha256.Sum256(h), nil
}

// largestFirst orders the work so that workers finish together.
func largestFirst(packed []*Packed) []*Packed {
	order := append([]*Packed(nil), packed...)
	sort.SliceStable(order, func(i, j int) bool { return order[i].Size > order[j].Size })
	return order
}

// write packs one tensor piece by piece and sets its digest.
func (p *Packed) write(ctx context.Context, w io.WriterAt, src Source, m *meter) error {
	l, err := Lookup(p.Layout)
	if err != nil {
		return err
	}
	step := p.step()
	rows := make([]float32, min(step, p.Rows)*p.Cols)
	buf := make([]byte, l.Bytes(min(step, p.Rows), p.Cols))
	digest := sha256.New()
	at := p.Offset
	emit := func(b []byte) error {
		digest.Write(b)
		if _, err := w.WriteAt(b, at); err != nil {
			return fmt.Errorf("writing %s: %w", p.Name, err)
		}
		at += int64(len(b))
		m.add(int64(len(b)), p.Name)
		return nil
	}
	for first := 0; first < p.Rows; first += step {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(step, p.Rows-first)
		b := buf[:l.Bytes(n, p.Cols)]
		if err := p.packRows(src, l, first, n, rows, b); err != nil {
			return err
		}
		if err := emit(b); err != nil {
			return err
		}
	}
	if gap := p.Offset + p.Size - at; gap > 0 {
		if err := emit(make([]byte, gap)); err != nil {
			return err
		}
	}
	digest.Sum(p.SHA256[:0])
	return nil
}

// step is the number of rows packed at a time, a multiple of a tile.
func (p *Packed) step() int {
	elements := piece
	for _, w := range p.Weights {
		for _, part := range w.Parts {
			for _, s := range part.Steps {
				if s.Kind == "transpose" {
					elements = pieceTransposed
				}
			}
		}
	}
	return max(elements/p.Cols/Tile*Tile, Tile)
}

// locate names the weight and row of a value that the layout cannot hold.
func (p *Packed) locate(err error, first int) error {
	var bad *valueError
	if !errors.As(err, &bad) {
		return fmt.Errorf("packing %s: %w", p.Name, err)
	}
	row := first + bad.Row
	if p.Group > 0 {
		padded := tiles(p.Group) * Tile
		row = row/padded*p.Group + row%padded
	}
	for _, w := range p.Weights {
		n, _ := Dims(w)
		if row < n {
			return fmt.Errorf("packing %s: weight %s: %w", p.Name, w.Name, &valueError{row, bad.Value, bad.Type})
		}
		row -= n
	}
	return fmt.Errorf("packing %s: %w", p.Name, err)
}

// meter adds up the bytes written.
type meter struct {
	sync.Mutex
	done, total int64
	report      func(done, total int64, name string)
}

func (m *meter) add(n int64, name string) {
	m.Lock()
	defer m.Unlock()
	m.done += n
	if m.report != nil {
		m.report(m.done, m.total, name)
	}
}

func putUint64(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }
