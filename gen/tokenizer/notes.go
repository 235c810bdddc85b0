package tokenizer

import (
	"fmt"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// Notes says what is worth knowing of a packed tokenizer: which regular expressions have no scanner.
func Notes(packed []byte) ([]string, error) {
	p, err := tokenizer.ReadPipeline(packed)
	if err != nil {
		return nil, err
	}
	var notes []string
	for _, s := range p.Steps {
		switch s.Kind {
		case tokenizer.NormProgram, tokenizer.PreProgram, tokenizer.DecodeProgram:
			program, err := tokenizer.ReadProgram(s.Strs[0])
			if err != nil {
				return nil, err
			}
			notes = append(notes, fmt.Sprintf("no scanner for the regular expression %q: it runs as a program of %d instructions, which is slower", s.Strs[1], len(program.Insts)))
		}
	}
	return notes, nil
}
