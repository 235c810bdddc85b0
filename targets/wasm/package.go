package wasm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	"github.com/tfgen/tfgen/gen/file"
	chat "github.com/tfgen/tfgen/gen/template"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// Model is what a package is made of.
type Model struct {
	Name         string // of the npm package
	Title        string // for readers
	Architecture string
	Task         string
	Spec         string // the specification's file and digest
	SpecSHA256   string
	Parameters   int64
	Format       string // of the weights
	Weights      string // name of the weights file
	WeightsSize  int64
	Generation   generate.Options // that generation begins with
	Start        []int32          // of encoder–decoders: what every text of the decoder begins with
	MaxTokens    int              // tokens of a text that an encoder uses
	Modules      []file.File
	Description  *wasmemit.Description
	Tokenizer    []byte      // packed; nil: none
	Chat         *chat.Found // templates; nil or empty: none
}

// Entry is a file of the package with its digest.
type Entry struct {
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Manifest is model.json, which the JavaScript reads first.
type Manifest struct {
	Format        int                   `json:"format"` // of the manifest: 1
	Title         string                `json:"title"`
	Architecture  string                `json:"architecture"`
	Task          string                `json:"task"`
	Spec          string                `json:"spec"`
	Parameters    int64                 `json:"parameters"`
	WeightsFormat string                `json:"weightsFormat"`
	EOS           []int32               `json:"eos"`
	Generation    map[string]any        `json:"generation,omitempty"` // options of a generation, by the names of index.d.ts
	Lacks         []string              `json:"lacks,omitempty"`      // settings of generation_config.json that JavaScript does not have
	Start         []int32               `json:"start"`
	MaxTokens     int                   `json:"maxTokens"`
	Variants      map[string]Entry      `json:"variants"`
	Tokenizer     *Entry                `json:"tokenizer,omitempty"`
	Unicode       *Entry                `json:"unicode,omitempty"`
	Weights       WeightsEntry          `json:"weights"`
	Pieces        string                `json:"pieces"`
	Chat          string                `json:"chat,omitempty"` // digest of the chat templates, which chat.js repeats
	Model         *wasmemit.Description `json:"model"`
}

// WeightsEntry is the weights file. The digests of its pieces are in a file of their own.
type WeightsEntry struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

// PiecesName is the name of the file with the digests of the weights.
const PiecesName = "pieces.json"

// PieceBytes is the size of a piece of the weights: what is checked, stored and downloaded again at a time.
const PieceBytes = 4 << 20

// Pieces are the digests of the pieces of the weights file.
type Pieces struct {
	Piece  int64    `json:"piece"`
	SHA256 []string `json:"sha256"`
}

// Digests reads a weights file and returns pieces.json.
func Digests(r io.Reader) ([]byte, error) {
	p := Pieces{Piece: PieceBytes}
	for {
		h := sha256.New()
		n, err := io.CopyN(h, r, PieceBytes)
		if n > 0 {
			p.SHA256 = append(p.SHA256, hex.EncodeToString(h.Sum(nil)))
		}
		if err == io.EOF {
			data, err := json.Marshal(p)
			return append(data, '\n'), err
		}
		if err != nil {
			return nil, err
		}
	}
}

// Package returns the files of the npm package but the weights and their digests.
func Package(m *Model) ([]file.File, error) {
	manifest := &Manifest{Format: 1, Title: m.Title, Architecture: m.Architecture, Task: m.Task,
		Spec: fmt.Sprintf("%s (sha256:%.12s)", m.Spec, m.SpecSHA256), Parameters: m.Parameters, WeightsFormat: m.Format,
		EOS: append([]int32{}, m.Generation.EOS...), Start: append([]int32{}, m.Start...), MaxTokens: m.MaxTokens, Variants: map[string]Entry{},
		Weights: WeightsEntry{m.Weights, m.WeightsSize}, Pieces: PiecesName, Model: m.Description}
	manifest.Generation, manifest.Lacks = Generation(m.Generation)
	script, needs, err := m.chat(manifest)
	if err != nil {
		return nil, err
	}
	list, err := sources(needs)
	if err != nil {
		return nil, err
	}
	add := func(name string, data []byte) *Entry {
		list = append(list, file.File{Name: name, Data: data})
		digest := sha256.Sum256(data)
		return &Entry{name, int64(len(data)), hex.EncodeToString(digest[:])}
	}
	for _, f := range m.Modules {
		manifest.Variants[strings.TrimSuffix(f.Name, ".wasm")] = *add(f.Name, f.Data)
	}
	if m.Tokenizer != nil {
		manifest.Tokenizer = add("tokenizer.bin", m.Tokenizer)
		manifest.Unicode = add("unicode.bin", tokenizer.PackClasses())
	}
	if script != nil {
		add("chat.js", script)
	}
	data, err := json.MarshalIndent(manifest, "", " ")
	if err != nil {
		return nil, err
	}
	add("model.json", append(data, '\n'))
	readme, err := m.readme()
	if err != nil {
		return nil, err
	}
	add("README.md", readme)
	data, err = m.npm(list)
	add("package.json", data)
	return list, err
}

// sources are the JavaScript files; of those of chat templates only the ones that are needed.
func sources(templates []string) (list []file.File, err error) {
	err = fs.WalkDir(files, "js", func(source string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(source, "js/")
		if err != nil || d.IsDir() || path.Dir(name) == "template" && !slices.Contains(templates, name) {
			return err
		}
		data, err := files.ReadFile(source)
		if path.Ext(source) == ".js" {
			data = withoutComments(source, data)
		}
		list = append(list, file.File{Name: name, Data: data})
		return err
	})
	return list, err
}

// withoutComments leaves out the lines of a source that are comments, a tenth of its compressed size, and says where they are. No
// text of the sources begins a line like one.
func withoutComments(name string, data []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// tfgen: targets/wasm/%s without its comments.\n", name)
	for line := range bytes.Lines(data) {
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("//")) {
			b.Write(line)
		}
	}
	return b.Bytes()
}

// readme fills the template of the package's README.
func (m *Model) readme() ([]byte, error) {
	t, err := template.ParseFS(files, "template/README.md")
	if err != nil {
		return nil, err
	}
	var outputs []string
	for _, o := range m.Description.Outputs {
		outputs = append(outputs, o.Name)
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{"Title": m.Title, "Name": m.Name, "Parameters": m.Parameters, "Format": m.Format, "Causal": m.Description.Causal,
		"Embeds": slices.Contains(outputs, "embedding"), "Outputs": strings.Join(outputs, ", "), "Prompt": "Once upon a time"})
	return b.Bytes(), err
}

// npm returns package.json.
func (m *Model) npm(list []file.File) ([]byte, error) {
	names := []string{m.Weights, PiecesName}
	for _, f := range list {
		if path.Ext(f.Name) != ".md" {
			names = append(names, f.Name)
		}
	}
	data, err := json.MarshalIndent(map[string]any{
		"name": m.Name, "version": "1.0.0", "description": m.Title + ", compiled to WebAssembly", "type": "module",
		"exports": map[string]any{".": map[string]string{"types": "./index.d.ts", "default": "./index.js"}, "./*": "./*"},
		"types":   "./index.d.ts", "files": names, "sideEffects": false, "engines": map[string]string{"node": ">=20"},
	}, "", "  ")
	return append(data, '\n'), err
}
