package bundle

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/emit/goemit"
)

// shapes is a checkpoint without data: configuration and tensor shapes.
type shapes struct {
	config  map[string]any
	width   int // of hidden states
	tensors []checkpoint.Tensor
}

func (s *shapes) Config() map[string]any          { return s.config }
func (s *shapes) Metadata() map[string]any        { return nil }
func (s *shapes) Tensors() []checkpoint.Tensor    { return s.tensors }
func (s *shapes) ReadFile(string) ([]byte, error) { return nil, fs.ErrNotExist }
func (s *shapes) ReadF32(string, int, int, []float32) error {
	return errors.New("there is no data")
}

func (s *shapes) Tensor(name string) (checkpoint.Tensor, bool) {
	for _, t := range s.tensors {
		if t.Name == name {
			return t, true
		}
	}
	return checkpoint.Tensor{}, false
}

// llama405 is the shape of Llama 3.1 405B: 126 layers, 16,384 wide.
func llama405() *shapes {
	const d, ff, layers, heads, kv, vocab = 16384, 53248, 126, 128, 8, 128256
	s := &shapes{width: d, config: map[string]any{
		"model_type": "llama", "architectures": []any{"LlamaForCausalLM"}, "hidden_size": float64(d), "intermediate_size": float64(ff),
		"num_hidden_layers": float64(layers), "num_attention_heads": float64(heads), "num_key_value_heads": float64(kv),
		"vocab_size": float64(vocab), "max_position_embeddings": 131072.0, "rope_theta": 500000.0, "rms_norm_eps": 1e-5,
		"rope_scaling": map[string]any{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
			"original_max_position_embeddings": 8192.0},
	}}
	add := func(name string, shape ...int) {
		s.tensors = append(s.tensors, checkpoint.Tensor{Name: name, Shape: shape})
	}
	add("model.embed_tokens.weight", vocab, d)
	add("lm_head.weight", vocab, d)
	add("model.norm.weight", d)
	for i := range layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		add(p+"input_layernorm.weight", d)
		add(p+"post_attention_layernorm.weight", d)
		add(p+"self_attn.q_proj.weight", d, d)
		add(p+"self_attn.k_proj.weight", d/heads*kv, d)
		add(p+"self_attn.v_proj.weight", d/heads*kv, d)
		add(p+"self_attn.o_proj.weight", d, d)
		add(p+"mlp.gate_proj.weight", ff, d)
		add(p+"mlp.up_proj.weight", ff, d)
		add(p+"mlp.down_proj.weight", d, ff)
	}
	return s
}

// deepseek671 is the shape of DeepSeek-V3: 61 layers, of which 58 have 256 experts.
func deepseek671() *shapes {
	const d, layers, heads, rank, vocab = 7168, 61, 128, 512, 129280
	s := &shapes{width: d, config: map[string]any{
		"model_type": "deepseek_v3", "architectures": []any{"DeepseekV3ForCausalLM"}, "num_hidden_layers": float64(layers),
		"max_position_embeddings": 163840.0, "rope_theta": 10000.0, "rope_scaling": map[string]any{"type": "yarn", "factor": 40.0,
			"original_max_position_embeddings": 4096.0, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0},
	}}
	add := func(name string, shape ...int) {
		s.tensors = append(s.tensors, checkpoint.Tensor{Name: name, Shape: shape})
	}
	mlp := func(prefix string, ff int) {
		add(prefix+"gate_proj.weight", ff, d)
		add(prefix+"up_proj.weight", ff, d)
		add(prefix+"down_proj.weight", d, ff)
	}
	add("model.embed_tokens.weight", vocab, d)
	add("lm_head.weight", vocab, d)
	add("model.norm.weight", d)
	for i := range layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		add(p+"input_layernorm.weight", d)
		add(p+"post_attention_layernorm.weight", d)
		add(p+"self_attn.q_a_proj.weight", 1536, d)
		add(p+"self_attn.q_a_layernorm.weight", 1536)
		add(p+"self_attn.q_b_proj.weight", heads*192, 1536)
		add(p+"self_attn.kv_a_proj_with_mqa.weight", rank+64, d)
		add(p+"self_attn.kv_a_layernorm.weight", rank)
		add(p+"self_attn.kv_b_proj.weight", heads*256, rank)
		add(p+"self_attn.o_proj.weight", d, heads*128)
		if i < 3 {
			mlp(p+"mlp.", 18432)
			continue
		}
		add(p+"mlp.gate.weight", 256, d)
		add(p+"mlp.gate.e_score_correction_bias", 256)
		mlp(p+"mlp.shared_experts.", 2048)
		for e := range 256 {
			mlp(fmt.Sprintf("%smlp.experts.%d.", p, e), 2048)
		}
	}
	return s
}

// Budgets of generated code. A Go function of 6,400 calls took 44 s to compile, 320 functions of 20 calls 1 s.
const (
	longestLayer    = 60   // lines of a layer's function
	longestFunction = 1400 // lines of the function that binds all weights
)

// TestBudgetOfTheLargestModels generates the code of models of 405 B and 671 B parameters from their shapes and bounds its
// functions. A session of DeepSeek-V3 keeps 576 numbers a token and layer.
func TestBudgetOfTheLargestModels(t *testing.T) {
	for _, c := range []struct {
		name    string
		shapes  *shapes
		layers  int
		session int64  // bytes of a session of 4,096 tokens without logits, up to alignment
		formula string // a line that describes the last block
	}{
		{"llama405", llama405(), 126, 126 * 4096 * 2 * 1024 * 4, "//	x ← x + downProj(silu·glu(gateUpProj(rmsnorm(x))))\nfunc (t *thread) layer125("},
		{"deepseek671", deepseek671(), 61, 61 * 4096 * 576 * 4,
			"\troutes ← route("},
	} {
		t.Run(c.name, func(t *testing.T) { budget(t, c.name, c.shapes, c.layers, c.session, c.formula) })
	}
}

func budget(t *testing.T, name string, src *shapes, want int, session int64, formula string) {
	b, err := New(src, nil, Options{Package: name, Title: name, Weights: "bf16", Context: 4096})
	if err != nil {
		t.Fatal(err)
	}
	stored := int64(0)
	for _, s := range src.tensors {
		stored += int64(s.Elements())
	}
	if got := b.Parameters(); got != stored {
		t.Errorf("%d parameters, the checkpoint stores %d", got, stored)
	}
	g := b.Plan.Graph
	rest := 4*int64(g.Vocab+b.Result.Context+src.width) + 64*int64(2*len(g.States)+4) // logits, tokens, hidden state, alignment
	if got := b.Memory().Session; got < session || got > session+rest {
		t.Errorf("a session takes %d bytes, expected %d and at most %d for the rest", got, session, rest)
	}
	files, err := b.Emit()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(files, func(f goemit.File) bool { return strings.Contains(string(f.Data), formula) }) {
		t.Errorf("no function is described as %q", formula)
	}
	if layers := longFunctions(t, files); layers != want {
		t.Errorf("%d layer functions, expected %d", layers, want)
	}
}

// longFunctions reports functions over their budget and returns the number of those of layers.
func longFunctions(t *testing.T, files []goemit.File) (layers int) {
	t.Helper()
	for _, f := range files {
		if !strings.HasSuffix(f.Name, ".go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, f.Name, f.Data, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines, limit := set.Position(fn.End()).Line-set.Position(fn.Pos()).Line, longestFunction
			if strings.HasPrefix(fn.Name.Name, "layer") {
				layers++
				limit = longestLayer
			}
			if lines > limit {
				t.Errorf("%s: %s has %d lines, the budget is %d", f.Name, fn.Name.Name, lines, limit)
			}
		}
	}
	return layers
}
