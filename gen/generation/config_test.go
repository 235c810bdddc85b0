package generation

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tfgen/tfgen/runtime/generate"
)

func TestOptions(t *testing.T) {
	c, unknown, err := Parse([]byte(`{"do_sample": true, "top_p": 0.0, "temperature": 0.6, "eos_token_id": [2, 7], "stop_strings": "END",
		"max_time": 1.5, "num_beams": 4, "early_stopping": "never", "length_penalty": 0.0, "num_return_sequences": 2, "forced_decoder_ids": [[1, 50], [2, null]],
		"watermarking_config": {"greenlist_ratio": 0.3, "seeding_scheme": "selfhash"}, "sequence_bias": [[[1, 2], 3.5], [[1, 2], 4]], "transformers_version": "5", "house_key": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.Options()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(unknown, []string{"house_key"}) {
		t.Errorf("unknown %v", unknown)
	}
	if o.TopP <= 0 || o.TopP > 1e-300 || o.Temperature != 0.6 || o.TopK != 0 || o.Keep != 3 || o.Deadline != 1500*time.Millisecond {
		t.Errorf("%+v", o)
	}
	if !reflect.DeepEqual(o.Beam, generate.Beam{Width: 4, Groups: 1, Early: generate.StopNever}) || o.Return != 2 {
		t.Errorf("%+v", o.Beam)
	}
	if len(o.SequenceBias) != 1 || o.SequenceBias[0].Bias != 4 || len(o.ForcedTokens) != 1 || o.ForcedTokens[1] != 50 || !o.Watermark.SelfHash {
		t.Errorf("%+v", o.Options)
	}
	if c.Defaults(); *c.TopK != 50 {
		t.Error("transformers' top-k 50 is missing")
	}
}

// TestForceWords reads words that are phrases, and words that are lists of phrases.
func TestForceWords(t *testing.T) {
	c, _, err := Parse([]byte(`{"num_beams": 2, "force_words_ids": [[1, 2], [[3], [4, 5]]]}`))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := c.Options(); err != nil || !reflect.DeepEqual(o.Beam.Words, [][][]int32{{{1, 2}}, {{3}, {4, 5}}}) {
		t.Errorf("%v, %v", o.Beam.Words, err)
	}
}

// TestGreedyConfig checks that sampling options do not count without do_sample.
func TestGreedyConfig(t *testing.T) {
	c, _, err := Parse([]byte(`{"temperature": 0.6, "top_k": 5, "repetition_penalty": 1.2}`))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := c.Options(); err != nil || o.Temperature != 0 || o.TopK != 0 || o.RepetitionPenalty != 1.2 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestConfigErrors(t *testing.T) {
	for text, says := range map[string]string{
		`{"token_healing": true}`:                                       "token_healing is not supported",
		`{"force_words_ids": [[1]]}`:                                    "num_beams",
		`{"force_words_ids": [1], "num_beams": 2}`:                      "neither tokens nor",
		`{"early_stopping": 3, "num_beams": 2}`:                         "early_stopping",
		`{"sequence_bias": [[1]]}`:                                      "sequence_bias",
		`{"exponential_decay_length_penalty": [1]}`:                     "exponential_decay",
		`{"watermarking_config": {"seeding_scheme": "x"}}`:              "seeding_scheme",
		`{"do_sample": true, "temperature": -1}`:                        "temperature -1",
		`{"top_k": "many"}`:                                             "top_k",
		`[1]`:                                                           "generation config",
		`{"watermarking_config": {"keys": [1], "ngram_len": 1}}`:        "SynthID",
		`{"do_sample": true, "bad_words_ids": [[]]}`:                    "bad words",
		`{"watermarking_config": {"greenlist_ratio": 1.5}, "top_k": 1}`: "ratio",
	} {
		c, _, err := Parse([]byte(text))
		if err == nil {
			_, err = c.Options()
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

func TestCompiled(t *testing.T) {
	got, o, unknown, err := Compiled([]byte(`{"do_sample": true, "temperature": 0.7, "top_p": 0.9, "max_length": 20, "eos_token_id": [1, 5], "bad_words_ids": [[3], [4, 5]],
		"watermarking_config": {"bias": 2.5}, "max_time": 2, "stop_strings": ["a\"b"], "odd": 1, "forced_decoder_ids": [[2, 9], [1, 8]], "dola_layers": "low"}`), []int32{3}, []int{0, 2})
	want := `generate.Options{Options: sample.Options{Temperature: 0.7, TopK: 50, TopP: 0.9, BadWords: [][]int32{{3}, {4, 5}}, ` +
		`ForcedTokens: map[int]int32{1: 8, 2: 9}, Watermark: &sample.Watermark{Bias: 2.5}}, Deadline: 2000000000, EOS: []int32{1, 5}, Stop: []string{"a\"b"}, DoLa: []int{0, 2}}`
	if err != nil || got != want || !slices.Equal(unknown, []string{"odd"}) || o.MaxLength != 0 {
		t.Errorf("%s\nwant %s\n%v, %v", got, want, unknown, err)
	}
	if got, _, _, err := Compiled(nil, []int32{3}, []int{1}); err != nil || got != "generate.Options{EOS: []int32{3}}" {
		t.Error(got, err)
	}
	if _, _, _, err := Compiled([]byte(`{"token_healing": true}`), nil, nil); err == nil {
		t.Error("token healing is accepted")
	}
}
