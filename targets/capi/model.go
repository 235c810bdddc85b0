// Package capi is the C library around a generated model: it is the same for every model. The main package of a library
// registers its model; tfgen.h is the interface, shim.c the C side of it, which calls the exported functions here.
//
// Handles are numbers that are looked up, never pointers, so that closed and foreign ones are found. Every exported
// function turns errors and panics into a status.
package capi

import (
	"context"
	"io"

	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/heads"
	"github.com/tfgen/tfgen/runtime/json"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// Model describes a generated model: what it is, what it costs and how to open it.
type Model struct {
	Name, Title, Architecture, WeightFormat, WeightsFile string

	Parameters      int64
	WeightsBytes    int64
	ActivationBytes int64
	WorkerBytes     int64
	SessionBytes    func(context int) int64 // nil for encoders

	Layers, Width, Vocabulary, MaxContext int

	MaxBatch      int     // of decoders
	EOS           []int32 // of decoders
	Encodes       bool    // an encoder–decoder: sessions read a source first
	Start         []int32 // of encoder–decoders: what every text of the decoder begins with
	Defaults      func() generate.Options
	MaxTokens     int      // encoders: tokens of a text that are used
	EmbeddingSize int      // encoders with an embedding
	Outputs       []Output // of encoders
	Labels        []string // of classifiers
	TokenTypes    bool     // it tells the texts of a pair apart by token types
	Classifies    bool     // the output logits has one row a sequence

	// Embed and Classify are those of this package where an output needs them. Libraries of other models do not link them.
	Embed    func(i *Instance, ctx context.Context, texts []string) ([][]float32, error)
	Classify func(i *Instance, ctx context.Context, texts, pairs []string) ([][]float32, error)

	// Scores makes of the logits of classes what people read; nil: they are it.
	Scores func(logits []float32) []float64

	Tokenizes bool // instances have a tokenizer
	Ranks     bool // instances have Rank
	Tags      bool // instances have Tag
	Answers   bool // instances have Answer
	Fills     bool // instances have FillMask

	ErrClosed, ErrContext, ErrToken error

	Open func(path string, threads int) (*Instance, error)
	// OpenEmbedded opens weights that are compiled in; nil: there are none.
	OpenEmbedded func(threads int) (*Instance, error)

	Chat   func(request []byte) (string, error) // renders JSON, see package conversation; nil: no chat template
	Traces bool                                 // it was built with --trace: instances have Trace
}

// Output is a result of an encoder.
type Output struct {
	Name    string
	Width   int
	ByToken bool // one row a token, else one a sequence
}

// Instance is an open model. Functions that its kind of model does not have are nil.
type Instance struct {
	Close     func() error
	Verify    func(ctx context.Context) error
	Threads   int
	Tokenizer *tokenizer.Tokenizer

	NewSession  func(context int) (Session, error)
	Fork        func(s Session) (Session, error)
	DecodeBatch func(ctx context.Context, sessions []Session, ids []int32) ([][]float32, error)

	// Encode lets a session of an encoder–decoder read a source, which empties it.
	Encode func(ctx context.Context, s Session, source []int32) error
	// Search continues a prompt, or a source, with several sequences at once.
	Search func(ctx context.Context, prompt []int32, o generate.Options) ([]generate.Sequence, error)
	// Follow makes a constraint of a grammar; kind is json_schema, grammar, regex, choices or json.
	Follow func(kind string, value json.RawMessage) (generate.Constraint, error)

	Rank     func(ctx context.Context, query string, texts []string) ([]heads.Ranked, error)
	Tag      func(ctx context.Context, text string) ([]heads.Tag, error)
	Answer   func(ctx context.Context, question, text string, n int) ([]heads.Span, error)
	FillMask func(ctx context.Context, text string, n int) ([][]heads.Fill, error)

	// Run computes a batch and returns one output of every sequence.
	Run func(ctx context.Context, batch []Sequence, output string) ([][]float32, error)

	// Trace computes a sequence and returns hidden states and outputs by name.
	Trace func(q Sequence) (map[string][][]float32, error)
}

// Sequence is one input of an encoder, or of the decoder of an encoder–decoder with what its encoder reads.
type Sequence struct{ Tokens, Types, Source []int32 }

// Session is the state of one sequence of a decoder.
type Session interface {
	generate.Stepper
	Reset()
	Truncate(n int) error
	Score(ctx context.Context, tokens []int32, each func(i int, logits []float32) error) error
	Save(w io.Writer) error
	Restore(r io.Reader) error
	Close() error
}

// model is what Register was given.
var model Model

// Register sets the library's model; generated code calls it before anything else runs.
func Register(m Model) { model = m }

// features as in tfgen.h.
const (
	canGenerate = 1 << iota
	canEmbed
	canClassify
	canTokenize
	canChat
	canRun
	canTrace
	canEncode
	canTag
	canAnswer
	canFill
	canRank
)

// features are the TFGEN_CAN_ bits of the model.
func (m *Model) features() (bits uint32) {
	for bit, has := range map[uint32]bool{
		canGenerate: m.SessionBytes != nil, canEmbed: m.Embed != nil, canClassify: m.Classify != nil,
		canTokenize: m.Tokenizes, canRun: m.SessionBytes == nil, canTrace: m.Traces, canChat: m.Chat != nil,
		canEncode: m.Encodes, canTag: m.Tags, canAnswer: m.Answers, canFill: m.Fills, canRank: m.Ranks,
	} {
		if has {
			bits |= bit
		}
	}
	return bits
}

// output finds an output by name.
func (m *Model) output(name string) (Output, error) {
	for _, o := range m.Outputs {
		if o.Name == name {
			return o, nil
		}
	}
	return Output{}, unsupported("%s has no output %q; it has %s", m.Name, name, m.outputNames())
}

// outputNames lists the outputs of an encoder.
func (m *Model) outputNames() string {
	names := ""
	for i, o := range m.Outputs {
		if i > 0 {
			names += ","
		}
		names += o.Name
	}
	return names
}
