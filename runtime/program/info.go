package program

import (
	"flag"
	"fmt"
	"runtime"
	"strconv"

	"github.com/tfgen/tfgen/runtime/cpu"
)

// infoCommand adds the flags of info and returns its action.
func infoCommand(e *env, f *flag.FlagSet) func([]string) error {
	context := f.Int("ctx", e.model.Context, "`tokens` to state the memory for")
	asJSON := f.Bool("json", false, "print one JSON object")
	return func([]string) error { return e.info(*context, *asJSON) }
}

// info prints what the model is and costs. It does not open it.
func (e *env) info(context int, asJSON bool) error {
	m := e.model
	if context < 1 || context > m.Context {
		return misuse("info: ctx %d: the model takes 1 to %d tokens", context, m.Context)
	}
	if asJSON {
		return e.printJSON(newFacts(m, context))
	}
	where := m.Weights
	if where == "" {
		where = "in the program"
	}
	rows := []Fact{
		{"model", m.Name},
		{"architecture", m.Arch},
		{"parameters", digits(m.Parameters)},
		{"layers", strconv.Itoa(m.Layers)},
		{"width", strconv.Itoa(m.Width)},
		{"vocabulary", digits(int64(m.Vocabulary))},
		{"context", digits(int64(m.Context))},
		{"weights", digits(m.WeightBytes) + " B, " + where},
	}
	if m.SessionBytes != nil {
		rows = append(rows, Fact{"session", fmt.Sprintf("%s B at context %s", digits(m.SessionBytes(context)), digits(int64(context)))})
	}
	rows = append(rows, m.Facts...)
	rows = append(rows, Fact{"kernels", fmt.Sprintf("%v (this machine: %v)", cpu.Current(), cpu.Available())})
	fmt.Fprintf(e.out, "%s\n\n", m.Doc)
	for _, r := range rows {
		if _, err := fmt.Fprintf(e.out, "%-14s %s\n", r.Name, r.Value); err != nil {
			return err
		}
	}
	return cpu.Err()
}

// facts is the output of info --json.
type facts struct {
	Model        string            `json:"model"`
	Doc          string            `json:"doc"`
	Arch         string            `json:"architecture"`
	Parameters   int64             `json:"parameters"`
	Layers       int               `json:"layers"`
	Width        int               `json:"width"`
	Vocabulary   int               `json:"vocabulary"`
	MaxContext   int               `json:"max_context"`
	WeightsFile  string            `json:"weights_file,omitempty"`
	WeightBytes  int64             `json:"weight_bytes"`
	Context      int               `json:"context"`
	SessionBytes int64             `json:"session_bytes,omitempty"`
	Facts        map[string]string `json:"facts,omitempty"`
	Kernels      string            `json:"kernels"`
	Platform     string            `json:"platform"`
}

// newFacts returns the facts of a model.
func newFacts(m Model, context int) facts {
	f := facts{
		Model: m.Name, Doc: m.Doc, Arch: m.Arch, Parameters: m.Parameters, Layers: m.Layers, Width: m.Width,
		Vocabulary: m.Vocabulary, MaxContext: m.Context, WeightsFile: m.Weights, WeightBytes: m.WeightBytes,
		Context: context, Kernels: cpu.Current().String(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if m.SessionBytes != nil {
		f.SessionBytes = m.SessionBytes(context)
	}
	for _, row := range m.Facts {
		if f.Facts == nil {
			f.Facts = map[string]string{}
		}
		f.Facts[row.Name] = row.Value
	}
	return f
}

// digits returns n with commas between groups of three digits.
func digits(n int64) string {
	s := strconv.FormatInt(n, 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
