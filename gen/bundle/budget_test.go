package bundle

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint"
)

// shapes is a checkpoint without data: configuration and tensor shapes.
type shapes struct {
	config  map[string]any
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
	s := &shapes{config: map[string]any{
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

// Budgets of generated code. A Go function of 6,400 calls took 44 s to compile, 320 functions of 20 calls 1 s.
const (
	longestLayer    = 60   // lines of a layer's function
	longestFunction = 1400 // lines of the function that binds all weights
)

// TestBudgetOfTheLargestModel generates the code of a 405 B model from its shapes and bounds its functions.
func TestBudgetOfTheLargestModel(t *testing.T) {
	b, err := New(llama405(), nil, Options{Package: "llama405", Title: "Llama 3.1 405B", Weights: "bf16"})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Parameters(); got != 405853388800 {
		t.Errorf("%d parameters, expected 405,853,388,800", got)
	}
	files, err := b.Emit()
	if err != nil {
		t.Fatal(err)
	}
	layers := 0
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
	if layers != 126 {
		t.Errorf("%d layer functions, expected 126", layers)
	}
}
