package weights

import "errors"

// dataLayout is the layout of tensors that hold data.
const dataLayout = "bytes"

// Data makes a tensor of bytes that are stored as they are: what belongs to a model and is no weight, such as the tables of
// its tokenizer.
func Data(name string, data []byte) *Packed {
	return &Packed{Name: name, Layout: dataLayout, Rows: len(data), Cols: 1, data: data}
}

// packNothing reports that a weight was to be packed as data.
func packNothing([]byte, []float32, int, int) error {
	return errors.New("the layout " + dataLayout + " is for data, not for weights")
}
