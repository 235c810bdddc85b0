package wasm

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/generation"
	"github.com/tfgen/tfgen/generated/gocode"
	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/sample"
)

// demo builds the package of the model that ships with the repository.
func demo(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("go", "run", "../../cmd/tfgen", "build", "../../tests/demo-model", "--target", "wasm", "-o", dir,
		"--package", "gocode", "--title", "gocode-4m", "--weights", "bf16", "--no-progress").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// choice is what a sampler of the Go package makes of logits.
type choice struct {
	Options map[string]any `json:"options"`
	Logits  []float32      `json:"logits"`
	History []int32        `json:"history"`
	Tokens  []int32        `json:"tokens"`
}

// settings are what is sampled with, by the names that JavaScript has for them.
var settings = []struct {
	names map[string]any
	sample.Options
}{
	{nil, sample.Options{}},
	{nil, sample.Options{Temperature: 1}},
	{nil, sample.Options{Temperature: 0.7, Seed: 1}},
	{map[string]any{"topK": 5}, sample.Options{Temperature: 1.3, TopK: 5, Seed: 1<<63 + 12345}},
	{map[string]any{"topP": 0.9}, sample.Options{Temperature: 1, TopP: 0.9, Seed: 3}},
	{map[string]any{"topP": 0.1, "sequence": 7}, sample.Options{Temperature: 1, TopP: 0.1, Sequence: 7}},
	{map[string]any{"minP": 0.05}, sample.Options{Temperature: 2, MinP: 0.05, Seed: 9}},
	{map[string]any{"topK": 40, "topP": 0.95, "minP": 0.02}, sample.Options{Temperature: 1, TopK: 40, TopP: 0.95, MinP: 0.02, Seed: 4}},
	{map[string]any{"repetitionPenalty": 1.3}, sample.Options{RepetitionPenalty: 1.3}},
	{map[string]any{"repetitionPenalty": 1.2, "topP": 0.8}, sample.Options{Temperature: 0.9, RepetitionPenalty: 1.2, TopP: 0.8, Seed: 11}},
	{map[string]any{"topK": 1 << 20}, sample.Options{Temperature: 1, TopK: 1 << 20, Seed: 5}},
	{map[string]any{"topH": 0.6}, sample.Options{Temperature: 1.5, TopH: 0.6, Seed: 6}},
	{map[string]any{"typicalP": 0.5}, sample.Options{Temperature: 1.1, TypicalP: 0.5, Seed: 7}},
	{map[string]any{"typicalP": 0.05, "keep": 4}, sample.Options{Temperature: 1, TypicalP: 0.05, Keep: 4, Seed: 8}},
	{map[string]any{"epsilonCutoff": 0.01}, sample.Options{Temperature: 1, EpsilonCutoff: 0.01, Seed: 12}},
	{map[string]any{"etaCutoff": 0.02, "keep": 3}, sample.Options{Temperature: 1, EtaCutoff: 0.02, Keep: 3, Seed: 13}},
	{map[string]any{"topNSigma": 1.2}, sample.Options{Temperature: 1.4, TopNSigma: 1.2, Seed: 14}},
	{map[string]any{"xtcProbability": 0.5, "xtcThreshold": 0.05}, sample.Options{Temperature: 1, XTCProbability: 0.5, XTCThreshold: 0.05, Seed: 15}},
	{map[string]any{"mirostat": 2, "mirostatTau": 3}, sample.Options{Temperature: 1, Mirostat: 2, MirostatTau: 3, Seed: 16}},
	{map[string]any{"mirostat": 1, "mirostatEta": 0.3}, sample.Options{Temperature: 1.2, Mirostat: 1, MirostatEta: 0.3, Seed: 17}},
	{map[string]any{"topP": 0.05, "keep": 6}, sample.Options{Temperature: 1, TopP: 0.05, Keep: 6, Seed: 18}},
	{map[string]any{"encoderRepetitionPenalty": 1.4}, sample.Options{Temperature: 0.8, EncoderRepetitionPenalty: 1.4, Seed: 19}},
	{map[string]any{"frequencyPenalty": 0.7, "presencePenalty": 0.3, "penaltyWindow": 9}, sample.Options{FrequencyPenalty: 0.7, PresencePenalty: 0.3, PenaltyWindow: 9}},
	{map[string]any{"dry": map[string]any{"multiplier": 0.8, "breakers": [][]int32{{1}, {2, 3}}}},
		sample.Options{Temperature: 0.6, DRY: sample.DRY{Multiplier: 0.8, Breakers: [][]int32{{1}, {2, 3}}}, Seed: 20}},
	{map[string]any{"dry": map[string]any{"multiplier": 3, "base": 1.1, "allowedLength": 1, "window": 11}},
		sample.Options{DRY: sample.DRY{Multiplier: 3, Base: 1.1, AllowedLength: 1, Window: 11}}},
	{map[string]any{"noRepeatNGram": 2}, sample.Options{NoRepeatNGram: 2}},
	{map[string]any{"encoderNoRepeatNGram": 1}, sample.Options{Temperature: 1, EncoderNoRepeatNGram: 1, Seed: 21}},
	{map[string]any{"sequenceBias": []any{map[string]any{"tokens": []int32{1}, "bias": 2.5}, map[string]any{"tokens": []int32{2, 1}, "bias": -4}}},
		sample.Options{Temperature: 1, SequenceBias: []sample.Bias{{Tokens: []int32{1}, Bias: 2.5}, {Tokens: []int32{2, 1}, Bias: -4}}, Seed: 22}},
	{map[string]any{"badWords": [][]int32{{0}, {3, 1}}, "ends": []int32{0}}, sample.Options{Temperature: 1, BadWords: [][]int32{{0}, {3, 1}}, Ends: []int32{0}, Seed: 23}},
	{map[string]any{"minLength": 20, "minNewTokens": 3, "ends": []int32{1, 2}}, sample.Options{MinLength: 20, MinNewTokens: 3, Ends: []int32{1, 2}}},
	{map[string]any{"decayStart": 2, "decayFactor": 1.3, "ends": []int32{1}}, sample.Options{Temperature: 1, DecayStart: 2, DecayFactor: 1.3, Ends: []int32{1}, Seed: 24}},
	{map[string]any{"suppress": []int32{1, 3}, "suppressFirst": []int32{2}}, sample.Options{Suppress: []int32{1, 3}, SuppressFirst: []int32{2}}},
	{map[string]any{"forcedBOS": []int32{2}, "forcedTokens": map[string]int32{"9": 1}}, sample.Options{ForcedBOS: []int32{2}, ForcedTokens: map[int]int32{9: 1}}},
	{map[string]any{"forcedEOS": []int32{2, 1}, "length": 14, "renormalize": true}, sample.Options{Temperature: 1, ForcedEOS: []int32{2, 1}, Length: 14, Renormalize: true, Seed: 25}},
	{map[string]any{"removeInvalid": true, "topK": 9}, sample.Options{Temperature: 1, RemoveInvalid: true, TopK: 9, Seed: 26}},
}

// choices samples with all settings; each token becomes a part of the history.
func choices(t *testing.T) (list []choice) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i, set := range settings {
		for _, n := range []int{4, 7, 500, 4000} {
			c := choice{Logits: make([]float32, n), History: []int32{}, Tokens: []int32{},
				Options: map[string]any{"temperature": set.Temperature, "seed": jsonUint(set.Seed)}}
			maps.Copy(c.Options, set.names)
			for j := range c.Logits {
				c.Logits[j] = float32(random.NormFloat64() * 3)
				if i%2 == 1 { // many equal ones
					c.Logits[j] = float32(int(c.Logits[j]))
				}
			}
			for range 1 + 5*(n/7) {
				c.History = append(c.History, int32(random.IntN(min(n, 5))))
			}
			s, err := sample.New(set.Options)
			if err != nil {
				t.Fatal(err)
			}
			history := slices.Clone(c.History)
			for range 20 {
				id, err := s.Next(c.Logits, history, len(c.History))
				if err != nil {
					id = -1
				} else {
					history = append(history, id)
				}
				c.Tokens = append(c.Tokens, id)
			}
			list = append(list, c)
		}
	}
	return list
}

// talk is a conversation and what the Go package makes of it.
type talk struct {
	Messages []chat.Message `json:"messages"`
	Options  map[string]any `json:"options"`
	Text     string         `json:"text"`
}

// talks are conversations through the chat template of the demo model.
func talks(t *testing.T) (list []talk) {
	t.Helper()
	source, err := os.ReadFile("../../tests/demo-model/chat_template.jinja")
	if err != nil {
		t.Fatal(err)
	}
	model := chat.New(map[string]string{"bos_token": "<|begin|>"}).Parse("default", string(source))
	user, answer := chat.Message{Role: "user", Content: " Write it: \"ä\" <b> \n"}, chat.Message{Role: "assistant", Content: "func main() {"}
	for _, c := range []struct {
		messages []chat.Message
		names    map[string]any
		chat.Options
	}{
		{[]chat.Message{user}, map[string]any{}, chat.Options{}},
		{[]chat.Message{{Role: "system", Content: "Be brief."}, user}, map[string]any{"addGenerationPrompt": false}, chat.Options{NoGenerationPrompt: true}},
		{[]chat.Message{user, answer}, map[string]any{"continueFinalMessage": true}, chat.Options{Continue: true}},
		{[]chat.Message{user, answer, user}, map[string]any{"thinking": false, "variables": map[string]any{"x": 1.5}}, chat.Options{Thinking: new(bool), Variables: map[string]any{"x": 1.5}}},
	} {
		r, err := model.Apply(c.messages, c.Options)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, talk{c.messages, c.names, r.Text})
	}
	return list
}

// jsonUint writes a number that JavaScript cannot hold as a text.
func jsonUint(v uint64) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// seeded are the tokens that the Go package samples with a seed and else the model's own settings.
type seeded struct {
	Seed   uint64  `json:"seed"`
	Tokens []int32 `json:"tokens"`
}

// sampled runs the Go package with the weights of the WebAssembly one, which are the same, on the first prompt of golden.json.
func sampled(t *testing.T, dir string) (list []seeded) {
	t.Helper()
	var golden []struct {
		IDs []int32 `json:"input_ids"`
	}
	text, err := os.ReadFile("../../tests/demo-model/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	m, err := gocode.Open(filepath.Join(dir, "gocode.weights"), gocode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for seed := range uint64(4) {
		s, err := m.NewSession(256)
		if err != nil {
			t.Fatal(err)
		}
		one := seeded{Seed: seed}
		for token, err := range s.Stream(t.Context(), golden[0].IDs, generate.Seed(seed), generate.MaxTokens(24), generate.EndAt(-1)) {
			if err != nil {
				t.Fatal(err)
			}
			one.Tokens = append(one.Tokens, token.ID)
		}
		list = append(list, one)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// TestGeneration holds what JavaScript learns of a generation_config.json.
func TestGeneration(t *testing.T) {
	for _, c := range []struct{ config, want, lacks string }{
		{`{}`, `{}`, ""},
		{`{"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.1, "eos_token_id": [3, 5]}`,
			`{"minP":0.1,"temperature":0.6,"topK":20,"topP":0.95}`, ""},
		{`{"do_sample": true}`, `{"temperature":1,"topK":50}`, ""},
		{`{"temperature": 0.6, "repetition_penalty": 1.1, "no_repeat_ngram_size": 3, "max_new_tokens": 40, "num_beams": 4}`,
			`{"maxTokens":40,"noRepeatNGram":3,"repetitionPenalty":1.1}`, ""},
		{`{"suppress_tokens": [1, 2], "begin_suppress_tokens": [7], "forced_decoder_ids": [[1, 4], [2, null]], "sequence_bias": [[[3, 4], -1.5]],
"bad_words_ids": [[9]], "stop_strings": "END", "max_time": 1.5, "max_length": 20, "min_new_tokens": 2, "exponential_decay_length_penalty": [5, 1.5]}`,
			`{"badWords":[[9]],"decayFactor":1.5,"decayStart":5,"forcedTokens":{"1":4},"maxTime":1500,"minNewTokens":2,"sequenceBias":[{"bias":-1.5,"tokens":[3,4]}],"stop":["END"],"suppress":[1,2],"suppressFirst":[7]}`, ""},
		{`{"guidance_scale": 1.5, "watermarking_config": {"greenlist_ratio": 0.3}}`, `{}`, "guidance_scale watermarking_config"},
	} {
		_, o, _, err := generation.Compiled([]byte(c.config), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		options, lacks := Generation(o)
		got, err := json.Marshal(options)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != c.want || strings.Join(lacks, " ") != c.lacks {
			t.Errorf("%s\n gives %s, lacks %v\nwant %s, %s", c.config, got, lacks, c.want, c.lacks)
		}
	}
}

// TestPackage uses the package of the demo model in Node.
func TestPackage(t *testing.T) {
	node(t)
	dir := filepath.Join(t.TempDir(), "gocode")
	demo(t, dir)
	t.Run("npm pack", func(t *testing.T) { pack(t, dir) })
	data, err := json.Marshal(map[string]any{"samples": choices(t), "talks": talks(t), "sampled": sampled(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	samples := filepath.Join(t.TempDir(), "samples.json")
	if err := os.WriteFile(samples, data, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{dir, "../../tests/demo-model/golden.json", samples}
	if os.Getenv("TFGEN_SHARED") != "" { // the exhaustive suites
		args = append(args, "100")
	}
	script(t, "package.mjs", args...)
}

// TestSource uses the package of an encoder–decoder in Node.
func TestSource(t *testing.T) {
	node(t)
	dir := filepath.Join(t.TempDir(), "t5")
	out, err := exec.Command("go", "run", "../../cmd/tfgen", "build", "../../gen/golden/testdata/t5", "--target", "wasm", "-o", dir, "--package", "t5",
		"--no-progress").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script(t, "source.mjs", dir)
}

// pack holds that `npm pack` gives a tarball that can be installed and used by name.
func pack(t *testing.T, dir string) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed")
	}
	project := t.TempDir()
	cmd := exec.Command(npm, "pack", "--silent", "--offline", "--pack-destination", project)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm pack: %v\n%s", err, out)
	}
	modules := filepath.Join(project, "node_modules")
	if err := os.Mkdir(modules, 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = project
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run("tar", "-xzf", "gocode-1.0.0.tgz")
	run("mv", "package", filepath.Join(modules, "gocode"))
	run("node", "--input-type=module", "-e", `
import { load } from "gocode";
const model = await load();
const text = await model.generate("package ", { maxTokens: 4 }).text();
model.close();
if (text === "") throw new Error("no text");`)
}
