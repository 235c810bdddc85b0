package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/generate"
)

// letters is a tokenizer of bytes; token 1 begins a text.
type letters struct{}

type letterStream struct{ skip bool }

func (letters) AppendEncode(dst []int32, text string, special bool) []int32 {
	if special {
		dst = append(dst, 1)
	}
	for _, b := range []byte(text) {
		dst = append(dst, int32(b))
	}
	return dst
}

func (letters) NewStream(skipSpecial bool) letterStream { return letterStream{skipSpecial} }

func (s letterStream) Next(id int32) string {
	if id == 1 {
		if s.skip {
			return ""
		}
		return "<s>"
	}
	return string(rune(id))
}

// alphabet is a model that continues with the next letter; '{', which follows z,
// is its end of text.
type alphabet struct {
	given   int
	context int
	logits  [128]float32
	log     *[]string
	step    func() error // called by Decode
}

func (a *alphabet) Prefill(ctx context.Context, tokens []int32) ([]float32, error) {
	a.given += len(tokens)
	clear(a.logits[:])
	a.logits[tokens[len(tokens)-1]+1] = 20
	return a.logits[:], ctx.Err()
}

func (a *alphabet) Decode(ctx context.Context, token int32) ([]float32, error) {
	if a.step != nil {
		if err := a.step(); err != nil {
			return nil, err
		}
	}
	return a.Prefill(ctx, []int32{token})
}

func (a *alphabet) Len() int     { return a.given }
func (a *alphabet) Context() int { return a.context }

func (a *alphabet) Close() error {
	*a.log = append(*a.log, "close session")
	return nil
}

// fake describes a model that is a decoder and an encoder. It writes what happens
// to log. Step is called at every decode step.
func fake(log *[]string, step func() error) Model {
	return Model{
		Name: "alphabet", Doc: "Alphabet knows which letter comes next.", Arch: "toy",
		Parameters: 1234, WeightBytes: 5678, Layers: 2, Width: 8, Vocabulary: 128, Context: 64,
		Facts:        []Fact{{"peak", "1 B"}},
		SessionBytes: func(context int) int64 { return int64(100 + context) },
		Generates:    true, Embeds: true,
		Defaults: generate.Options{EOS: []int32{'{'}},
		Open: func(path string, o OpenOptions) (*Instance, error) {
			*log = append(*log, fmt.Sprintf("open %q %+v", path, o))
			return &Instance{
				Tokenizer: generate.Wrap(letters{}),
				Close: func() error {
					*log = append(*log, "close")
					return nil
				},
				NewSession: func(context int) (Session, error) {
					*log = append(*log, fmt.Sprint("session ", context))
					return &alphabet{context: context, log: log, step: step}, nil
				},
				Embed: func(ctx context.Context, texts []string) (v [][]float32, err error) {
					for _, t := range texts {
						v = append(v, []float32{float32(len(t)), 0.1})
					}
					return v, ctx.Err()
				},
			}, nil
		},
	}
}

// run runs a program and returns its exit code and output.
func run(m Model, in string, args ...string) (code int, out, log string) {
	var o, l bytes.Buffer
	code = Run(context.Background(), m, args, strings.NewReader(in), &o, &l)
	return code, o.String(), l.String()
}

func TestGenerate(t *testing.T) {
	for _, c := range []struct {
		in   string
		args []string
		out  string
		log  string // part of the summary
	}{
		{"", []string{"-p", "abc", "-n", "4"}, "defg\n", "prompt 4 tokens"},
		{"", []string{"generate", "-p", "abc", "-n", "4"}, "defg\n", "generated 4 tokens"},
		{"", []string{"--p=abc", "--n=4", "--echo"}, "abcdefg\n", "max tokens"},
		{"abc\n", []string{"-n", "2"}, "de\n", "session 106 B"},
		{"x\ny\r\n", []string{"-n", "1"}, "z\n", "prompt 4 tokens"},
		{"", []string{"-p", "x"}, "yz\n", "end of text"},
		{"", []string{"-p", "a", "-stop", "e", "-stop", "de"}, "bc\n", "stop text"},
		{"", []string{"-p", "a", "-ctx", "5"}, "bcde\n", "context full"},
		{"", []string{"-p", "", "-n", "1"}, "\x02\n", "prompt 1 tokens"},
		{"", []string{"-p", "a", "-n", "3", "-temp", "0.01", "-top-p", "0.9", "-top-k", "3", "-seed", "5", "-min-p", "0.1"}, "bcd\n", "weights 5.7 kB"},
	} {
		var log []string
		code, out, errs := run(fake(&log, nil), c.in, c.args...)
		if code != 0 || out != c.out || !strings.Contains(errs, c.log) {
			t.Errorf("%q: exit %d, %q, %q; want %q and %q", c.args, code, out, errs, c.out, c.log)
		}
		if n := len(log); n < 4 || log[n-2] != "close session" || log[n-1] != "close" {
			t.Errorf("%q: %q", c.args, log)
		}
	}
}

func TestGenerateOpensWhatIsNeeded(t *testing.T) {
	var log []string
	run(fake(&log, nil), "", "-p", "abc", "-n", "4", "-threads", "3")
	if log[0] != fmt.Sprintf(`open "" {Threads:%d Verify:false}`, min(3, runtime.NumCPU())) || log[1] != "session 8" {
		t.Errorf("%q", log)
	}
	log = nil
	run(fake(&log, nil), "", "-p", "abc", "-n", "0")
	if log[1] != "session 64" {
		t.Errorf("%q", log)
	}
}

func TestGenerateJSON(t *testing.T) {
	var log []string
	code, out, _ := run(fake(&log, nil), "", "-p", "<w>", "-n", "2", "-json", "-seed", "7")
	var r map[string]any
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("exit %d: %v in %s", code, err, out)
	}
	for key, want := range map[string]any{
		"text": "?@", "prompt": "<w>", "reason": "max tokens", "tokens": 2.0, "prompt_tokens": 4.0,
		"seed": 7.0, "context": 6.0, "session_bytes": 106.0, "weight_bytes": 5678.0, "model": "alphabet",
	} {
		if r[key] != want {
			t.Errorf("%s = %v, want %v", key, r[key], want)
		}
	}
	if !strings.Contains(out, "<w>") {
		t.Errorf("HTML is escaped: %s", out)
	}
}

// TestInterrupt cancels during the third step: text and summary are printed, the
// session is closed, the exit code tells.
func TestInterrupt(t *testing.T) {
	for _, flag := range []string{"-echo=false", "-json"} {
		ctx, cancel := context.WithCancel(context.Background())
		steps := 0
		var log []string
		m := fake(&log, func() error {
			if steps++; steps == 3 {
				cancel()
			}
			return nil
		})
		var out, errs bytes.Buffer
		code := Run(ctx, m, []string{"-p", "a", flag}, strings.NewReader(""), &out, &errs)
		if code != 130 || !strings.Contains(out.String(), "bcd") || !strings.HasSuffix(out.String(), "\n") {
			t.Errorf("exit %d, %q", code, out.String())
		}
		if !strings.Contains(errs.String(), "generated 3 tokens") || !strings.Contains(errs.String(), "cancelled\nalphabet: interrupted\n") {
			t.Errorf("%q", errs.String())
		}
		if log[len(log)-1] != "close" {
			t.Errorf("%q", log)
		}
	}
}

func TestFailure(t *testing.T) {
	var log []string
	code, _, errs := run(fake(&log, func() error { return errors.New("worker 3 panicked") }), "", "-p", "a")
	if code != 1 || errs != "alphabet: worker 3 panicked\n" || log[len(log)-1] != "close" {
		t.Errorf("exit %d, %q, %q", code, errs, log)
	}
	m := fake(&log, nil)
	m.Open = func(string, OpenOptions) (*Instance, error) { return nil, errors.New("no memory") }
	for _, command := range []string{"generate", "embed", "tokens", "bench"} {
		if code, _, errs := run(m, "a", command); code != 1 || errs != "alphabet: no memory\n" {
			t.Errorf("%s: exit %d, %q", command, code, errs)
		}
	}
}

func TestPromptTooLong(t *testing.T) {
	var log []string
	code, _, errs := run(fake(&log, nil), "", "-p", strings.Repeat("a", 64))
	if code != 1 || !strings.Contains(errs, "context is full: the prompt has 65 tokens") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestUsageErrors(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"tell", `unknown command "tell": the commands are generate, embed, tokens, info, bench`},
		{"-p a -regex a -choice b", "give one of json-schema, grammar, regex and choice"},
		{"-nonsense", "generate: there is no flag --nonsense"},
		{"--tmep 1", "there is no flag --tmep, did you mean --temp?"},
		{"tokesn", `unknown command "tokesn", did you mean "tokens"?`},
		{"-n x", `invalid value "x" for flag -n`},
		{"-n -1 -p a", "n -1"},
		{"generate -p a b", `unexpected argument "b"`},
		{"-p a -top-p 1.5", "top-p 1.5"},
		{"-p a -temp -1", "temperature -1"},
		{"-p a -ctx 65", "ctx 65: the model takes up to 64"},
		{"-p a -threads -2", "threads -2"},
		{"info -ctx 0", "ctx 0"},
		{"bench -prompt 65", "prompt must be 1 to 64"},
		{"bench -prompt 3,x", `"x" is not a number`},
		{"bench -n 8 -depth 0,57", "depth 57 and n 8"},
		{"bench -prompt 60 -n 5", "depth 60 and n 5 are more than the model's 64 tokens"},
		{"embed", "no text given"},
		{"-p a -weights x", "there is no flag --weights"},
	} {
		var log []string
		code, out, errs := run(fake(&log, nil), "", strings.Fields(c.args)...)
		if code != 2 || out != "" || !strings.Contains(errs, c.says) || !strings.Contains(errs, "alphabet help") {
			t.Errorf("%s: exit %d, %q, %q; want %q", c.args, code, out, errs, c.says)
		}
	}
}

func TestHelp(t *testing.T) {
	var log []string
	m := fake(&log, nil)
	for _, flag := range []string{"help", "-h", "--help"} {
		code, out, errs := run(m, "", flag)
		for _, want := range []string{"Alphabet knows", "generate   continue a prompt (the default)", "embed", "tokens", "info", "bench"} {
			if code != 0 || errs != "" || !strings.Contains(out, want) {
				t.Errorf("%s: exit %d, %q, %q; want %q", flag, code, out, errs, want)
			}
		}
	}
	for command, want := range map[string]string{"generate": "-top-p sum", "embed": "-similarity", "tokens": "-plain", "info": "-ctx tokens", "bench": "-repeat times"} {
		if code, out, _ := run(m, "", command, "-h"); code != 0 || !strings.Contains(out, want) || !strings.Contains(out, "usage: alphabet "+command+" [flags]") {
			t.Errorf("%s -h: exit %d, %q; want %q", command, code, out, want)
		}
	}
	m.Generates = false
	if _, out, _ := run(m, "", "help"); strings.Contains(out, "generate") || !strings.Contains(out, "(the default)") {
		t.Errorf("help of an encoder: %q", out)
	}
}

func TestEmbed(t *testing.T) {
	for _, c := range []struct {
		in, args, out string
	}{
		{"", "embed a bbb", "1 0.1\n3 0.1\n"},
		{"a\n\nccc\r\n", "embed", "1 0.1\n0 0.1\n3 0.1\n"},
		{"", "embed -json a", `{"embeddings":[[1,0.1]],"model":"alphabet","texts":["a"]}` + "\n"},
		{"", "embed -similarity a a", " 1.0000  1.0000  a\n 1.0000  1.0000  a\n"},
	} {
		var log []string
		code, out, errs := run(fake(&log, nil), c.in, strings.Fields(c.args)...)
		if code != 0 || out != c.out || errs != "" {
			t.Errorf("%s: exit %d, %q, %q; want %q", c.args, code, out, errs, c.out)
		}
	}
}

func TestSimilarity(t *testing.T) {
	m := similarity([][]float32{{1, 0}, {0, 3}, {-2, 0}, {1, 1}, {0, 0}})
	for i, want := range [][]float64{{1, 0, -1, math.Sqrt2 / 2, 0}, {0, 1, 0, math.Sqrt2 / 2, 0}} {
		for j, w := range want {
			if math.Abs(m[i][j]-w) > 1e-15 {
				t.Errorf("similarity[%d][%d] = %v, want %v", i, j, m[i][j], w)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ in, args, out string }{
		{"", "tokens a b", "       1  \"<s>\"\n      97  \"a\"\n      32  \" \"\n      98  \"b\"\n"},
		{"a\n", "tokens -plain", "      97  \"a\"\n"},
		{"a\n", "tokens -json", `[{"id":1,"text":"<s>"},{"id":97,"text":"a"}]` + "\n"},
		{"", "tokens -json -plain", "[]\n"},
	} {
		var log []string
		if code, out, errs := run(fake(&log, nil), c.in, strings.Fields(c.args)...); code != 0 || out != c.out || errs != "" {
			t.Errorf("%s: exit %d, %q, %q; want %q", c.args, code, out, errs, c.out)
		}
	}
}

func TestInfo(t *testing.T) {
	var log []string
	code, out, _ := run(fake(&log, nil), "", "info", "-ctx", "7")
	for _, want := range []string{"parameters     1,234\n", "weights        5,678 B, in the program\n", "session        107 B at context 7\n", "peak           1 B\n"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, %q; want %q", code, out, want)
		}
	}
	if len(log) != 0 {
		t.Errorf("info opened the model: %q", log)
	}
	code, out, _ = run(fake(&log, nil), "", "info", "-json")
	var f facts
	if err := json.Unmarshal([]byte(out), &f); err != nil || code != 0 || f.SessionBytes != 164 || f.Parameters != 1234 || f.Facts["peak"] != "1 B" {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
}

func TestBench(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
	}{
		{"-repeat 2 -prompt 10 -n 5 -batch 3", []string{"prefill                10 tokens", "decode                  5 tokens", "embed 1 × 10", "embed 3 × 10", "peak memory"}},
		{"-repeat 1 -prompt 10,20 -n 5 -depth 0,30", []string{"prefill                10 tokens", "prefill                20 tokens", "decode at 0", "decode at 30", "embed 1 × 20"}},
		{"-repeat 9 -prompt 4 -n 60 -depth 0 -threads 3", []string{"decode                 60 tokens", fmt.Sprintf("threads %d, ", min(3, runtime.NumCPU()))}},
		{"-repeat 1 -benchstat -threads 1 -prompt 7", []string{"Benchmark/alphabet/prefill/tokens=7-1 1 ", " ns/op ", " tok/s\n"}},
	} {
		var log []string
		code, out, errs := run(fake(&log, nil), "", append([]string{"bench"}, strings.Fields(c.args)...)...)
		for _, want := range c.want {
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("%s: exit %d, %q, %q; want %q", c.args, code, out, errs, want)
			}
		}
	}
	var log []string
	code, out, _ := run(fake(&log, nil), "", "bench", "-repeat", "3", "-json", "-threads", "1")
	var r benchReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || len(r.Results) != 4 || r.Results[1].Tokens != 32 ||
		!(r.Results[0].Best > 0) || len(r.Results[0].Seconds) != 3 || r.Threads != 1 || r.Kernels == "" || r.Results[1].Depth != 32 {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
}

func TestWeights(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "alphabet.weights")
	var log []string
	m := fake(&log, nil)
	m.Weights = "alphabet.weights"
	code, _, errs := run(m, "", "-p", "a")
	if code != 1 || !strings.Contains(errs, "was not found; looked for") || !strings.Contains(errs, "--weights") {
		t.Errorf("exit %d, %q", code, errs)
	}
	m.Source = dir
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(m, "", "-p", "a"); code != 0 || log[0] != fmt.Sprintf("open %q {Threads:0 Verify:false}", path) {
		t.Errorf("exit %d, %q, %q", code, errs, log)
	}
	log = nil
	if code, _, errs := run(m, "", "-p", "a", "--weights", "other", "--verify"); code != 0 || log[0] != `open "other" {Threads:0 Verify:true}` {
		t.Errorf("exit %d, %q, %q", code, errs, log)
	}
}

// full is a writer to a full disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestOutputFails(t *testing.T) {
	for _, args := range []string{"-p a", "-p a -json", "embed a", "embed -json a", "embed -similarity a", "tokens a", "tokens -json a", "info", "info -json", "bench -repeat 1", "bench -repeat 1 -json"} {
		var log []string
		var errs bytes.Buffer
		code := Run(context.Background(), fake(&log, nil), strings.Fields(args), strings.NewReader(""), full{}, &errs)
		if code != 1 || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%s: exit %d, %q", args, code, errs.String())
		}
		if len(log) > 0 && log[len(log)-1] != "close" {
			t.Errorf("%s: the model was not closed: %q", args, log)
		}
	}
}

func TestInputTooLong(t *testing.T) {
	var log []string
	code, _, errs := run(fake(&log, nil), strings.Repeat("a", maxInput+1))
	if code != 1 || !strings.Contains(errs, "longer than 67.1 MB") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 284_213_248: "284.2 MB", 3_000_000_000_000_000: "3000.0 TB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 12: "12", 123: "123", 1234: "1,234", -123: "-123", -1234567: "-1,234,567"} {
		if got := digits(n); got != want {
			t.Errorf("digits(%d) = %s, want %s", n, got, want)
		}
	}
}
