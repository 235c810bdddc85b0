package config

import (
	"math"
	"strings"
)

// ropeKeys are the parameters of rotary scaling: published names to those of transformers 5 (modeling_rope_utils.py).
// Parameters that are read by keys of their own map to "".
var ropeKeys = map[string]string{
	"rope_type": "rope_type", "type": "rope_type", "factor": "factor", "attention_factor": "attention_factor",
	"attn_factor": "attention_factor", "original_max_position_embeddings": "original_max_position_embeddings",
	"beta_fast": "beta_fast", "beta_slow": "beta_slow", "mscale": "mscale", "mscale_all_dim": "mscale_all_dim",
	"short_factor": "short_factor", "long_factor": "long_factor", "low_freq_factor": "low_freq_factor",
	"high_freq_factor": "high_freq_factor", "truncate": "truncate", "alpha": "alpha", "factors": "factors",
	"llama_4_scaling_beta": "llama_4_scaling_beta", "yarn_log_multiplier": "yarn_log_multiplier",
	"rope_theta": "", "partial_rotary_factor": "", "finetuned": "", "max_position_embeddings": "",
}

// ropeTypes are published names of rope types to those of transformers 5.
var ropeTypes = map[string]string{"su": "longrope", "none": "default"}

// rope renames the parameters of rotary scaling and makes their numbers float64. all is the whole configuration, whose
// original_max_position_embeddings counts when scaling depends on it (Phi-3).
func rope(m, all map[string]any) (any, string) {
	out := map[string]any{"rope_type": "default"}
	for _, k := range keysOf(m) {
		name, known := ropeKeys[k]
		if !known {
			return nil, "rotary parameters without " + k
		}
		if k == "type" && m["rope_type"] != nil {
			continue
		}
		if name != "" && m[k] != nil {
			x, ok := ropeValue(name, m[k])
			if !ok {
				return nil, "rotary parameters with another " + k
			}
			out[name] = x
		}
	}
	if m, ok := number(out["yarn_log_multiplier"]); ok { // llama.cpp stores mscale/10, the same for both
		out["mscale"], out["mscale_all_dim"] = 10*m, 10*m
		delete(out, "yarn_log_multiplier")
	}
	switch { // GGUF files have the numbers alone
	case (out["rope_type"] == "default" || out["rope_type"] == "yarn") && out["long_factor"] != nil: // Phi-3 said yarn
		out["rope_type"] = "longrope"
	case out["rope_type"] == "default" && out["factors"] != nil:
		out["rope_type"] = "factors"
	}
	original, ok := number(Normal(all["original_max_position_embeddings"]))
	if kind := out["rope_type"]; ok && (kind == "longrope" || kind == "yarn" || kind == "llama3") {
		out["original_max_position_embeddings"] = original
	}
	return out, ""
}

// ropeValue checks one parameter: the type is a word, truncate is true or false, the factors of longrope are lists,
// everything else is a finite number.
func ropeValue(name string, x any) (any, bool) {
	switch {
	case name == "rope_type":
		s, ok := x.(string)
		if r, renamed := ropeTypes[s]; renamed {
			s = r
		}
		return s, ok && s != ""
	case name == "truncate":
		b, ok := x.(bool)
		return b, ok
	case strings.HasSuffix(name, "short_factor") || strings.HasSuffix(name, "long_factor") || name == "factors":
		l, ok := x.([]any)
		out := make([]any, len(l))
		for i := range l {
			f, isNumber := number(l[i])
			ok = ok && isNumber && !math.IsInf(f, 0)
			out[i] = f
		}
		return out, ok
	}
	f, ok := number(x)
	return f, ok && !math.IsInf(f, 0)
}
