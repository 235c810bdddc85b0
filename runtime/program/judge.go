package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/runtime/heads"
)

// Judge is what a model that judges texts can do; a function that its head does
// not have is nil.
type Judge struct {
	Classify     func(ctx context.Context, texts []string) ([][]heads.Class, error)
	ClassifyPair func(ctx context.Context, a, b string) ([]heads.Class, error)
	Rank         func(ctx context.Context, query string, documents []string) ([]heads.Ranked, error)
	Tag          func(ctx context.Context, text string) ([]heads.Tag, error)
	Answer       func(ctx context.Context, question, text string, n int) ([]heads.Span, error)
	FillMask     func(ctx context.Context, text string, n int) ([][]heads.Fill, error)
}

// judges returns whether a model has a command of judges.
func judges(name string) func(Model) bool {
	return func(m Model) bool {
		for _, j := range m.Judges {
			if j == name {
				return true
			}
		}
		return false
	}
}

// judging holds the flags of the commands.
type judging struct {
	*opening
	json  bool
	n     int
	query string
}

func (e *env) judgeFlags(f *flag.FlagSet) *judging {
	o := &judging{opening: e.openingFlags(f)}
	f.BoolVar(&o.json, "json", false, "print one JSON object a text")
	return o
}

// action opens the model and calls do for each text: the arguments, or the lines
// of standard input.
func (e *env) action(o *judging, do func(*Instance, []string) error) func([]string) error {
	return func(texts []string) (err error) {
		if texts, err = e.texts(texts); err != nil {
			return err
		}
		model, err := e.open(o.opening)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, model.Close()) }()
		return do(model, texts)
	}
}

// texts returns the arguments or, if there are none, the lines of standard input.
func (e *env) texts(args []string) ([]string, error) {
	if len(args) > 0 {
		return args, nil
	}
	input, err := e.readInput("texts, one a line,")
	if err != nil {
		return nil, err
	}
	if input == "" {
		return nil, misuse("no text given")
	}
	for line := range strings.Lines(input) {
		args = append(args, strings.TrimRight(line, "\r\n"))
	}
	return args, nil
}

// classifyCommand adds the flags of classify and returns its action.
func classifyCommand(e *env, f *flag.FlagSet) func([]string) error {
	o := e.judgeFlags(f)
	f.StringVar(&o.query, "pair", "", "`text` that each text is paired with: it comes first, as a premise does")
	return e.action(o, func(m *Instance, texts []string) error {
		var results [][]heads.Class
		if o.query == "" {
			var err error
			if results, err = m.Judge.Classify(e.ctx, texts); err != nil {
				return err
			}
		}
		for i, text := range texts {
			if o.query != "" {
				classes, err := m.Judge.ClassifyPair(e.ctx, o.query, text)
				if err != nil {
					return err
				}
				results = append(results, classes)
			}
			if err := e.printClasses(o, text, results[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *env) printClasses(o *judging, text string, classes []heads.Class) error {
	if o.json {
		return e.printJSON(map[string]any{"text": text, "classes": classes})
	}
	var list []string
	for _, c := range classes {
		list = append(list, fmt.Sprintf("%s %.4f", c.Label, c.Score))
	}
	_, err := fmt.Fprintf(e.out, "%s  %s\n", strings.Join(list, ", "), text)
	return err
}

// rankCommand adds the flags of rank and returns its action.
func rankCommand(e *env, f *flag.FlagSet) func([]string) error {
	o := e.judgeFlags(f)
	f.StringVar(&o.query, "query", "", "`text` that the documents are judged for (required)")
	f.IntVar(&o.n, "n", 0, "print so many documents; 0: all")
	return func(args []string) error {
		if o.query == "" {
			return misuse("rank: --query is missing")
		}
		return e.action(o, func(m *Instance, documents []string) error { return e.rank(o, m, documents) })(args)
	}
}

func (e *env) rank(o *judging, m *Instance, documents []string) error {
	list, err := m.Judge.Rank(e.ctx, o.query, documents)
	if err != nil {
		return err
	}
	if o.n > 0 {
		list = list[:min(o.n, len(list))]
	}
	for _, r := range list {
		if o.json {
			err = e.printJSON(map[string]any{"index": r.Index, "score": r.Score, "text": documents[r.Index]})
		} else {
			_, err = fmt.Fprintf(e.out, "%8.4f  %s\n", r.Score, documents[r.Index])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tagCommand adds the flags of tag and returns its action.
func tagCommand(e *env, f *flag.FlagSet) func([]string) error {
	o := e.judgeFlags(f)
	return e.action(o, func(m *Instance, texts []string) error {
		for _, text := range texts {
			tags, err := m.Judge.Tag(e.ctx, text)
			if err != nil {
				return err
			}
			if o.json {
				err = e.printJSON(map[string]any{"text": text, "tags": tags})
			}
			for _, t := range tags {
				if err == nil && !o.json {
					_, err = fmt.Fprintf(e.out, "%s %.4f %d-%d  %s\n", t.Label, t.Score, t.Start, t.End, t.Text)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// answerCommand adds the flags of answer and returns its action.
func answerCommand(e *env, f *flag.FlagSet) func([]string) error {
	o := e.judgeFlags(f)
	f.StringVar(&o.query, "question", "", "the `question` (required)")
	f.IntVar(&o.n, "n", 1, "number of answers for a text")
	return func(args []string) error {
		if o.query == "" {
			return misuse("answer: --question is missing")
		}
		return e.action(o, func(m *Instance, texts []string) error { return e.answers(o, m, texts) })(args)
	}
}

func (e *env) answers(o *judging, m *Instance, texts []string) error {
	for _, text := range texts {
		spans, err := m.Judge.Answer(e.ctx, o.query, text, o.n)
		if err != nil {
			return err
		}
		if o.json {
			err = e.printJSON(map[string]any{"question": o.query, "answers": spans})
		}
		for _, s := range spans {
			if err == nil && !o.json {
				_, err = fmt.Fprintf(e.out, "%.4f %d-%d  %s\n", s.Score, s.Start, s.End, s.Text)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fillCommand adds the flags of fill and returns its action.
func fillCommand(e *env, f *flag.FlagSet) func([]string) error {
	o := e.judgeFlags(f)
	f.IntVar(&o.n, "n", 5, "number of tokens for each mask")
	return e.action(o, func(m *Instance, texts []string) error {
		for _, text := range texts {
			fills, err := m.Judge.FillMask(e.ctx, text, o.n)
			if err != nil {
				return err
			}
			if o.json {
				err = e.printJSON(map[string]any{"text": text, "masks": fills})
			} else {
				err = e.printFills(fills)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// printFills prints a line for each mask.
func (e *env) printFills(fills [][]heads.Fill) error {
	for _, mask := range fills {
		var list []string
		for _, f := range mask {
			list = append(list, fmt.Sprintf("%q %.4f", f.Text, f.Score))
		}
		if _, err := fmt.Fprintln(e.out, strings.Join(list, ", ")); err != nil {
			return err
		}
	}
	return nil
}
