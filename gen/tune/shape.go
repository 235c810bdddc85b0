// Package tune finds blockings of matrix products by measuring them: it compiles the kernels of some shapes in all blockings
// that are worth trying, runs them alternately, and keeps what is faster than the rule by more than the noise.
package tune

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/weights"
)

// Shape is a product with weights of a format, K columns and N outputs.
type Shape struct {
	Format string `json:"format"`
	K      int    `json:"k"`
	N      int    `json:"n"`
}

// String is the form that ParseShapes reads: f32:384x1536.
func (s Shape) String() string { return fmt.Sprintf("%s:%dx%d", s.Format, s.K, s.N) }

// maxShapes bounds the shapes of one tuning: each takes some seconds.
const maxShapes = 64

// ParseShapes reads a list such as f32:384x1536,q4:2048x8192, the columns before the outputs.
func ParseShapes(text string) ([]Shape, error) {
	var list []Shape
	for _, field := range strings.Split(text, ",") {
		format, size, _ := strings.Cut(strings.TrimSpace(field), ":")
		columns, outputs, _ := strings.Cut(size, "x")
		k, errK := strconv.Atoi(columns)
		n, errN := strconv.Atoi(outputs)
		if errK != nil || errN != nil {
			return nil, fmt.Errorf("shape %q: expected FORMAT:COLUMNSxOUTPUTS, such as f32:384x1536", field)
		}
		list = append(list, Shape{format, k, n})
	}
	return distinct(list)
}

// ModelShapes returns the shapes of the products of a model.
func ModelShapes(b *bundle.Bundle) ([]Shape, error) {
	var list []Shape
	for _, o := range b.Plan.Graph.Ops {
		if o.Kind != "linear" {
			continue
		}
		layout := b.Stored(o.Weights[0]).Layout
		format := strings.TrimPrefix(layout, "tile16_")
		if f := weights.Quantised(layout); f != nil {
			format = f.Name
		}
		list = append(list, Shape{format, o.In[0].Type.Width(), o.Attrs.Int("dim")})
	}
	return distinct(list)
}

// distinct checks, sorts and compacts shapes.
func distinct(list []Shape) ([]Shape, error) {
	const most = 1 << 20
	for _, s := range list {
		m, ok := kernel.MatrixOf(s.Format, s.K)
		if !ok {
			return nil, fmt.Errorf("shape %s: no product has weights of format %q", s, s.Format)
		}
		if err := m.Kernel.Validate(); err != nil {
			return nil, fmt.Errorf("shape %s: %w", s, err)
		}
		if s.N < 1 || s.N > most {
			return nil, fmt.Errorf("shape %s: expected 1 to %d outputs", s, most)
		}
	}
	slices.SortFunc(list, func(a, b Shape) int {
		return strings.Compare(fmt.Sprintf("%s %08d %08d", a.Format, a.K, a.N), fmt.Sprintf("%s %08d %08d", b.Format, b.K, b.N))
	})
	list = slices.Compact(list)
	if len(list) == 0 || len(list) > maxShapes {
		return nil, fmt.Errorf("%d shapes of products, expected 1 to %d", len(list), maxShapes)
	}
	return list, nil
}
