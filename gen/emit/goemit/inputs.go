package goemit

import (
	"fmt"
	"strings"
)

// extraInput is an input of encoders beside the tokens, which callers may leave out.
type extraInput struct {
	name  string // in the graph
	field string // of Sequence
	param string // of run.add
	doc   string
	blank string // what stands for it when it is left out
	check string // of a given one; $kinds is the number of token types
}

var extraInputs = []extraInput{
	{"token_types", "Types", "types", "", "zeroTypes", typeCheck},
	{"global_attention", "Global", "global", "1 for tokens that attend to all and are attended by all, 0 for others; nil: as the model's class has it", "notGiven", globalCheck},
}

// extras are the extra inputs that the graph has.
func (e *emitter) extras() (list []extraInput) {
	for _, x := range extraInputs {
		if e.Plan.Graph.Input(x.name) != nil {
			list = append(list, x)
		}
	}
	return list
}

// extraArgs are arguments with the extra inputs of a sequence, each behind a comma.
func (e *emitter) extraArgs(sequence string) string {
	var b strings.Builder
	for _, x := range e.extras() {
		fmt.Fprintf(&b, ", %s.%s", sequence, x.field)
	}
	return b.String()
}

// sessionArgs are the arguments of run.add behind a session's caches: what the encoder has read, and the extra inputs, which
// sessions leave out.
func (e *emitter) sessionArgs() string {
	return pick(e.encodes(), ", s.source", "") + strings.Repeat(", nil", len(e.extras()))
}

// extraFields are fields of Sequence beside Tokens and Types.
func (e *emitter) extraFields() string {
	var b strings.Builder
	for _, x := range e.extras() {
		if x.doc != "" {
			fmt.Fprintf(&b, "%s []int32 // %s\n", x.field, x.doc)
		}
	}
	return b.String()
}

// extraChecks are the checks of extra inputs.
func (e *emitter) extraChecks() string {
	var b strings.Builder
	for _, x := range e.extras() {
		b.WriteString(x.check)
	}
	return strings.ReplaceAll(b.String(), "$kinds", fmt.Sprint(e.tokenTypes()))
}

// extraRun are fields of a run, the code that empties them, and the code that appends the inputs of a sequence.
func (e *emitter) extraRun() (fields, reset, add string) {
	for _, x := range e.extras() {
		run := inputField(x.name)
		fields += run + " []int32\n"
		reset += fmt.Sprintf("r.%s = r.%[1]s[:0]\n", run)
		add += fmt.Sprintf("if %[1]s == nil {\nr.%[2]s = append(r.%[2]s, %[3]s[:len(tokens)]...)\n} else {\nr.%[2]s = append(r.%[2]s, %[1]s...)\n}\n", x.param, run, x.blank)
	}
	return fields, reset, add
}

// extraParams are the parameters of run.add for extra inputs.
func (e *emitter) extraParams() string {
	var names []string
	for _, x := range e.extras() {
		names = append(names, x.param)
	}
	if len(names) == 0 {
		return ""
	}
	return ", " + strings.Join(names, ", ") + " []int32"
}

// extraBlanks declares what stands for inputs that are left out.
func (e *emitter) extraBlanks() string {
	text := ""
	for _, x := range e.extras() {
		text += fmt.Sprintf("\nvar %s [maxRows]int32\n", x.blank)
		if x.name == "global_attention" {
			text += "\nfunc init() {\nfor i := range notGiven {\nnotGiven[i] = -1\n}\n}\n"
		}
	}
	return text
}

// typeCheck is the check of token types; $kinds is their number.
const typeCheck = `if q.Types != nil && len(q.Types) != len(q.Tokens) {
	return fmt.Errorf("$package: sequence %d has %d tokens and %d token types", i, len(q.Tokens), len(q.Types))
}
for _, kind := range q.Types {
	if kind < 0 || kind >= $kinds {
		return fmt.Errorf("$package: sequence %d has the token type %d, the model has %d", i, kind, $kinds)
	}
}
`

const globalCheck = `if q.Global != nil && len(q.Global) != len(q.Tokens) {
	return fmt.Errorf("$package: sequence %d has %d tokens and %d marks of global attention", i, len(q.Tokens), len(q.Global))
}
for _, mark := range q.Global {
	if mark != 0 && mark != 1 {
		return fmt.Errorf("$package: sequence %d has the mark %d of global attention, expected 0 or 1", i, mark)
	}
}
`
