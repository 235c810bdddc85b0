package build

import (
	"fmt"
	"sort"
	"strings"
)

// sentenceFile is the name under which specifications read what readSentence found, as in
// "sentence-transformers:pooling".
const sentenceFile = "sentence-transformers"

// readSentence reads how a sentence-transformers directory makes one vector of a text (modules.json and what it leads
// to). The result has pooling ("mean" or "cls"), normalize and, if it is limited, max_seq_length; it is nil without a
// modules.json.
func readSentence(src Source) (map[string]any, error) {
	var modules []struct {
		Type string `json:"type"`
		Path string `json:"path"`
	}
	found, err := readJSON(src, "modules.json", &modules)
	if err != nil || !found {
		return nil, err
	}
	out := map[string]any{"normalize": false}
	for i, m := range modules {
		kind := m.Type[strings.LastIndexByte(m.Type, '.')+1:]
		switch {
		case i == 0 && kind == "Transformer":
			err = readLength(src, m.Path, out)
		case i > 0 && kind == "Pooling" && out["pooling"] == nil:
			err = readPooling(src, m.Path, out)
		case i > 0 && kind == "Normalize" && i == len(modules)-1:
			out["normalize"] = true
		default:
			err = fmt.Errorf("modules.json: module %d is %q, which is not supported; supported are Transformer, Pooling and Normalize, in this order", i, m.Type)
		}
		if err != nil {
			return nil, err
		}
	}
	if out["pooling"] == nil {
		return nil, fmt.Errorf("modules.json has no Pooling module, so that a text has no single vector")
	}
	return out, nil
}

func readLength(src Source, dir string, out map[string]any) error {
	if dir != "" {
		return fmt.Errorf("modules.json: the transformer lies in %q, expected the directory itself", dir)
	}
	m, err := jsonMap(src, "sentence_bert_config.json")
	if n, ok := m["max_seq_length"]; ok && n != nil {
		out["max_seq_length"] = n
	}
	return err
}

// pooling maps the flags of a pooling module to ours.
var pooling = map[string]string{"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "pooling_mode_lasttoken": "last"}

func readPooling(src Source, dir string, out map[string]any) error {
	if dir == "" || strings.ContainsAny(dir, `/\`) || strings.HasPrefix(dir, ".") {
		return fmt.Errorf("modules.json: the path %q of the pooling module is not a folder of the directory", dir)
	}
	name := dir + "/config.json"
	m, err := jsonMap(src, name)
	if err != nil {
		return err
	}
	var on []string
	for k, v := range m {
		if v == true && strings.HasPrefix(k, "pooling_mode_") {
			on = append(on, k)
		}
	}
	sort.Strings(on)
	if len(on) == 0 {
		on = []string{"pooling_mode_mean_tokens"}
	}
	if mode, ok := pooling[on[0]]; ok && len(on) == 1 {
		out["pooling"] = mode
		return nil
	}
	return fmt.Errorf("%s: %s is not supported; supported is one of pooling_mode_mean_tokens, pooling_mode_cls_token and pooling_mode_lasttoken", name, strings.Join(on, " with "))
}
