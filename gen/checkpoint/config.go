package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/strictjson"
)

// Limits of a configuration file.
const (
	maxConfig       = 4 << 20
	maxConfigValues = 50_000
)

// DecodeConfig decodes the text of a config.json: an object with numbers as json.Number. An object
// {"__float__": "Infinity"}, "-Infinity" or "NaN", as transformers writes them, becomes that float64; so do the bare words.
// A name that appears twice in an object is an error.
func DecodeConfig(text string) (map[string]any, error) {
	if len(text) > maxConfig {
		return nil, fmt.Errorf("it has %d bytes, at most %d are supported", len(text), maxConfig)
	}
	v, err := strictjson.Decode(text, maxConfigValues)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("expected an object")
	}
	_, err = floats(m)
	return m, err
}

// words are what __float__ may say.
var words = map[string]float64{"Infinity": math.Inf(1), "-Infinity": math.Inf(-1), "NaN": math.NaN()}

// floats replaces {"__float__": word} everywhere in v.
func floats(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case []any:
		for i := range v {
			if v[i], err = floats(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if word, ok := v["__float__"]; ok {
			s, _ := word.(string)
			f, ok := words[s]
			if !ok || len(v) != 1 {
				return nil, fmt.Errorf("__float__ is %.40v, expected it alone and Infinity, -Infinity or NaN", word)
			}
			return f, nil
		}
		for key := range v {
			if v[key], err = floats(v[key]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// ReadConfig reads a configuration file of a folder; a file that does not exist is nil if optional.
func ReadConfig(dir, name string, optional bool) (map[string]any, error) {
	path := filepath.Join(dir, name)
	text, err := readText(path, maxConfig)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := DecodeConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// readText reads a file of at most limit bytes.
func readText(path string, limit int64) (string, error) {
	f, size, err := openFile(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if size > limit {
		return "", fmt.Errorf("%s: it has %d bytes, at most %d are supported", path, size, limit)
	}
	var b strings.Builder
	b.Grow(int(size))
	if _, err := io.Copy(&b, io.LimitReader(f, size)); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return b.String(), nil
}
