package build_test

import (
	"testing"

	"github.com/tfgen/tfgen/gen/build"
)

// TestDecoderEmbedding builds a sentence-transformers directory around a decoder: the vector of its last token, without
// caches, as Qwen3-Embedding is published.
func TestDecoderEmbedding(t *testing.T) {
	c := readCase(t, "qwen3")
	s := c.source(c.Config)
	s.files = map[string]string{
		"modules.json": `[{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
			{"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
			{"idx": 2, "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]`,
		"1_Pooling/config.json": `{"pooling_mode_cls_token": false, "pooling_mode_lasttoken": true}`,
	}
	m, err := build.Model(s)
	if err != nil {
		t.Fatal(err)
	}
	v := m.Graph.Output("embedding")
	if v == nil || v.Def.Kind != "l2norm" || v.Def.In[0].Def.Kind != "last" || len(m.Graph.States) > 0 || m.Task != "embedding" {
		t.Errorf("embedding is %v, with %d states, task %s", v, len(m.Graph.States), m.Task)
	}
}
