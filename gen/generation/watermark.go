package generation

import (
	"encoding/json"
	"fmt"

	"github.com/tfgen/tfgen/runtime/sample"
)

// Watermarking is watermarking_config: the keys of WatermarkingConfig and of SynthIDTextWatermarkingConfig.
type Watermarking struct {
	Ratio  float64 `json:"greenlist_ratio"`
	Bias   float64 `json:"bias"`
	Key    int64   `json:"hashing_key"`
	Scheme string  `json:"seeding_scheme"`
	Width  int     `json:"context_width"`

	NGram     int     `json:"ngram_len"`
	Keys      []int64 `json:"keys"`
	TableSize int     `json:"sampling_table_size"`
	TableSeed uint64  `json:"sampling_table_seed"`
	History   int     `json:"context_history_size"`
	SkipFirst bool    `json:"skip_first_ngram_calls"`
}

// SynthID returns the tournament watermark.
func (w *Watermarking) SynthID() *sample.SynthID {
	return &sample.SynthID{NGram: w.NGram, Keys: w.Keys, TableSize: w.TableSize, TableSeed: w.TableSeed, History: w.History, SkipFirst: w.SkipFirst}
}

// Greenlist returns the watermark of favoured tokens.
func (w *Watermarking) Greenlist() *sample.Watermark {
	return &sample.Watermark{Ratio: w.Ratio, Bias: w.Bias, Key: w.Key, SelfHash: w.Scheme == "selfhash", Width: w.Width}
}

// watermark sets the watermark of the options.
func (c *Config) watermark(o *sample.Options) error {
	if len(c.Watermarking) == 0 || string(c.Watermarking) == "null" {
		return nil
	}
	var w Watermarking
	if err := json.Unmarshal(c.Watermarking, &w); err != nil {
		return fmt.Errorf("generation config: watermarking_config: %w", err)
	}
	if w.Scheme != "" && w.Scheme != "lefthash" && w.Scheme != "selfhash" {
		return fmt.Errorf("generation config: watermarking_config: seeding_scheme is %q, expected lefthash or selfhash", w.Scheme)
	}
	if w.Keys != nil {
		o.SynthID = w.SynthID()
	} else {
		o.Watermark = w.Greenlist()
	}
	return nil
}
