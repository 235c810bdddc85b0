package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// earlyOutputs are the outputs that pass.AddEarly has made, which DoLa reads.
func earlyOutputs(g *ir.Graph) (list []ir.Output) {
	for _, o := range g.Outputs {
		if strings.HasPrefix(o.Name, "early/") {
			list = append(list, o)
		}
	}
	return list
}

// early are those of the emitted model.
func (e *emitter) early() []ir.Output { return earlyOutputs(e.Plan.Graph) }

// earlyField is the field of a session that keeps the logits of early layers.
func (e *emitter) earlyField() string {
	return pick(len(e.early()) > 0, fmt.Sprintf("early [%d][]float32 // logits that the output layer makes of states between layers\n", len(e.early())), "")
}

// newEarly allocates them.
func (e *emitter) newEarly() string {
	return pick(len(e.early()) > 0, "for i := range s.early {\ns.early[i] = arena.New(Vocabulary)\n}\n", "")
}

// earlyRows lists them among the rows that belong to a session's state.
func (e *emitter) earlyRows() (text string) {
	for i := range e.early() {
		text += fmt.Sprintf(", s.early[%d]", i)
	}
	return text
}

// earlyBytes is what they add to the size of a session.
func (e *emitter) earlyBytes() string {
	return pick(len(e.early()) > 0, fmt.Sprintf(" + %d*arena.Bytes(Vocabulary)", len(e.early())), "")
}

// copyEarly emits the copies of row i to its session.
func (e *emitter) copyEarly(i string) (text string) {
	for k, o := range e.early() {
		text += fmt.Sprintf("copy(s.early[%d], r.row(%s, %s, Vocabulary))\n", k, e.viewOf[o.Value].name, i)
	}
	return text
}

// earlyText emits what generate.Layered asks for.
func (e *emitter) earlyText() string {
	if len(e.early()) == 0 {
		return ""
	}
	var layers []string
	for _, o := range e.early() {
		layers = append(layers, strings.TrimPrefix(o.Name, "early/"))
	}
	return fmt.Sprintf(`
// EarlyLayers are the layers whose states the output layer reads too, as the number of blocks before them. DoLa contrasts
// them with the last one (generate.Options.DoLa).
func (s *Session) EarlyLayers() []int { return []int{%s} }

// Early returns what the output layer makes of the state of EarlyLayers()[i], behind the token whose logits were returned
// last. The slice is valid until the session's next call.
func (s *Session) Early(i int) []float32 { return s.early[i] }
`, strings.Join(layers, ", "))
}
