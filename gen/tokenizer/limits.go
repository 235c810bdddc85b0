package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// limits reads what a tokenizer.json says of truncation and padding. They are defaults: encoding applies them only
// where it is asked to.
func (b *builder) limits(truncation, padding json.RawMessage) error {
	if present(truncation) {
		if err := b.truncation(truncation); err != nil {
			return fmt.Errorf("truncation: %w", err)
		}
	}
	if present(padding) {
		if err := b.padding(padding); err != nil {
			return fmt.Errorf("padding: %w", err)
		}
	}
	return nil
}

func present(raw json.RawMessage) bool {
	return len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

func (b *builder) truncation(raw json.RawMessage) error {
	var f struct {
		Direction string `json:"direction"`
		Max       int64  `json:"max_length"`
		Strategy  string `json:"strategy"`
		Stride    int64  `json:"stride"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	strategies := map[string]tokenizer.Strategy{"LongestFirst": tokenizer.LongestFirst, "OnlyFirst": tokenizer.OnlyFirst, "OnlySecond": tokenizer.OnlySecond}
	strategy, ok := strategies[f.Strategy]
	if !ok {
		return fmt.Errorf("strategy %q; known are LongestFirst, OnlyFirst, OnlySecond", f.Strategy)
	}
	left, err := direction(f.Direction)
	if err != nil {
		return err
	}
	if f.Max < 0 || f.Max > math.MaxInt32 || f.Stride < 0 || f.Stride > math.MaxInt32 {
		return fmt.Errorf("max_length %d with stride %d", f.Max, f.Stride)
	}
	b.step(tokenizer.DefaultTruncation, []int32{int32(f.Max), int32(f.Stride), int32(strategy), left})
	return nil
}

func (b *builder) padding(raw json.RawMessage) error {
	var f struct {
		Strategy  json.RawMessage `json:"strategy"`
		Direction string          `json:"direction"`
		Multiple  int64           `json:"pad_to_multiple_of"`
		ID        int64           `json:"pad_id"`
		TypeID    int64           `json:"pad_type_id"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	var fixed struct{ Fixed int64 }
	if !bytes.Equal(f.Strategy, []byte(`"BatchLongest"`)) {
		if err := json.Unmarshal(f.Strategy, &fixed); err != nil || fixed.Fixed <= 0 {
			return fmt.Errorf(`strategy %s; known are "BatchLongest" and {"Fixed": length}`, f.Strategy)
		}
	}
	left, err := direction(f.Direction)
	if err != nil {
		return err
	}
	args := []int32{}
	for _, v := range [...]int64{fixed.Fixed, f.Multiple, f.ID, f.TypeID} {
		if v < 0 || v > math.MaxInt32 {
			return fmt.Errorf("the number %d is out of range", v)
		}
		args = append(args, int32(v))
	}
	b.step(tokenizer.DefaultPadding, append(args, left))
	return nil
}

// direction returns 1 for the left.
func direction(name string) (int32, error) {
	switch name {
	case "Left":
		return 1, nil
	case "Right", "":
		return 0, nil
	}
	return 0, fmt.Errorf("direction %q; known are Left, Right", name)
}
