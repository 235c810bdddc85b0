package golden

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
)

// readArrays reads all tensors of a safetensors file: F32 as numbers, I64 as token ids.
func readArrays(path string) (map[string]*Array, error) {
	file, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	arrays := map[string]*Array{}
	for _, t := range file.Tensors() {
		a := &Array{Shape: t.Shape, Data: make([]float32, t.Elements())}
		rows, _ := t.Row()
		if err := file.ReadF32(t.Name, 0, rows, a.Data); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		switch t.DType {
		case dtype.F32:
		case dtype.I64:
			a.Ints = make([]int32, len(a.Data))
			for i, v := range a.Data {
				a.Ints[i] = int32(v) // exact: token ids are below 2²⁴
			}
			a.Data = nil
		default:
			return nil, fmt.Errorf("%s: %s is %v, expected F32 or I64", path, t.Name, t.DType)
		}
		arrays[t.Name] = a
	}
	return arrays, nil
}
