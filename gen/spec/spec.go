// Package spec reads specifications of architectures: YAML files that say how a model is computed from its
// configuration and its checkpoint. Decoding is strict; every error carries the file and line.
package spec

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// Spec is one architecture.
type Spec struct {
	Arch       string
	File       string // as shown in positions, e.g. "specs/llama.yaml"
	Text       []byte // of the file
	SHA256     string // of the file, hexadecimal
	Digest     string // of the file and the macro library, hexadecimal
	ModelTypes []string
	Family     []string // what names of classes begin with; nil: as those of Heads do
	Config     []*Field
	Require    []*Requirement
	Tiny       map[string]*Value
	Inputs     []string
	Tensors    Tensors
	GGUF       *GGUF
	Embed      *Section
	Encoder    *Encoder // nil: the model has one tower
	Blocks     *Blocks
	End        []*Step // between the last block and every head
	Heads      []*Head
	Library    *Library

	parts   []*part
	classes []*classes // whose heads stand behind its own
}

// Field is one value of the configuration.
type Field struct {
	Pos     ir.Pos
	Name    string
	Keys    []string // configuration keys, the first that is present wins; dotted; "file.json:key" reads another file
	Type    string   // a row of fieldTypes
	Default *Value   // when no key is present; nil: required
	Null    *Value   // when the key is present and null; nil: as if absent
	Values  map[string]any
	Len     *Value            // length that a list must have
	Fields  map[string]string // GGUF: a map put together from metadata keys, absent ones left out
	Tensors map[string]string // GGUF: entries of this map that are read from small tensors
	Doc     string
}

// Requirement lists the values of a configuration key that the specification computes; others are errors.
type Requirement struct {
	Pos     ir.Pos
	Key     string
	Allowed []any
}

// Tensors says how weights are stored in a Hugging Face checkpoint.
type Tensors struct {
	Pos    ir.Pos
	Prefix []string // one of these stands before every name that does not begin with "/"
	Map    []*Rule
	Ignore []*Ignore
}

// Rule maps the names of weights that match Pattern to stored tensors. "*" matches any text, which replaces the "*" in
// the stored names. Of several ways in which a weight may be stored, the first that the checkpoint has wins.
type Rule struct {
	Pos     ir.Pos
	Pattern string
	Stored  []*Stored
}

// Stored is one way in which a weight is stored: a tensor after weight-only arithmetic, or one part for each value of a
// counter, one below another (an expert's matrix each, a head's rows each).
type Stored struct {
	Pos  ir.Pos
	From []*Value // alternative names; templates that can use the counter
	Each *Value   // number of parts; nil: one part without a counter
	As   string   // name of the counter
	// Constant is the value of every element of a weight that is not stored; nil, or null when computed: it is stored.
	Constant *Value
	Steps    []TensorStep
}

// TensorStep is weight-only arithmetic on a stored tensor.
type TensorStep struct {
	Pos  ir.Pos
	Kind string   // a row of tensorSteps
	Args []*Value // as the table says
}

// Ignore is a pattern of stored tensors that the model does not use.
type Ignore struct {
	Pos     ir.Pos
	Pattern string
	When    *Value // nil: always
}

// GGUF says how the architecture is stored in GGUF files.
type GGUF struct {
	Pos           ir.Pos
	Architectures []string
	Class         *Value   // the head that such files have; the expression may use $architecture, values of config and has
	Config        []*Field // those of the specification with metadata keys; without one, they have their default
	Require       []*Requirement
	Tensors       Tensors
	Refuse        []*Refusal
}

// Refusal is a tensor whose presence means something that is not supported.
type Refusal struct {
	Pos     ir.Pos
	Pattern string
	Because string
}

// Section is a part of the computation.
type Section struct {
	Pos   ir.Pos
	Steps []*Step
}

// Encoder is the tower in front of a decoder.
type Encoder struct {
	Pos    ir.Pos
	Embed  *Section
	Blocks *Blocks
	End    []*Step
	Shift  *Value // nil: no head shifts the sequence
}

// Blocks are the repeated layers.
type Blocks struct {
	Pos    ir.Pos
	Repeat *Value
	Prefix *Value
	Let    []*Binding
	Steps  []*Step
}

// Binding names the value of an expression.
type Binding struct {
	Pos   ir.Pos
	Name  string
	Value *Value
}

// Head is what follows the last block for one class of models.
type Head struct {
	Pos    ir.Pos
	Class  string // as in "architectures" of config.json
	Task   string
	Steps  []*Step
	Alone  bool // the class has no decoder
	Ignore []*Ignore
}

// Step is one operation, macro or form.
type Step struct {
	Pos      ir.Pos
	Kind     string
	Op       *op.Row           // an operation
	Macro    *Macro            // a macro
	Form     string            // a row of forms
	Args     map[string]*Value // attributes, weights, macro arguments, form arguments
	Inputs   map[string]string // values by the names of the operation's inputs
	Out      []string
	Steps    []*Step   // body of a form
	Branches [][]*Step // parallel
	Else     []*Step   // when
}

// Macro is a named sequence of steps with parameters, from specs/lib.
type Macro struct {
	Pos    ir.Pos
	Name   string
	Doc    string
	Params []*Param
	Steps  []*Step
}

// Param is a parameter of a macro.
type Param struct {
	Pos     ir.Pos
	Name    string
	Type    string // a row of paramTypes
	Default *Value // nil: required
	Doc     string
}

func (m *Macro) param(name string) *Param {
	for _, p := range m.Params {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Head returns the head of a class, or an error that lists the known ones.
func (s *Spec) Head(class string) (*Head, error) {
	var known []string
	for _, h := range s.Heads {
		if h.Class == class {
			return h, nil
		}
		known = append(known, h.Class)
	}
	return nil, fmt.Errorf("%s has no head for the class %q; it has %s%s", s.File, class, join(known), Suggest(class, known))
}

// Error is a mistake in a specification or in what it is applied to, with its place.
type Error struct {
	Pos ir.Pos
	Msg string
	Err error
}

// Error formats the error as "file:line: message".
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s%v", e.Pos, e.Msg, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Pos, e.Msg)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error at a place.
func Errorf(pos ir.Pos, format string, args ...any) error {
	return &Error{Pos: pos, Msg: fmt.Sprintf(format, args...)}
}
