package conform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	source "github.com/tfgen/tfgen/gen/tokenizer"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// Options say where things are. All of them may be empty.
type Options struct {
	Tokenizer string // file in place of the one that the expectations name
	Corpus    string // corpus.jsonl
	Long      string // long.jsonl.gz
	Models    string // where published tokenizers are
	AnyCorpus bool   // do not check the corpus' digest: it is an extract
	Workers   int    // goroutines that encode at once, 1 if 0
}

// Difference is a result that is not the recorded one.
type Difference struct {
	Line      int // of the expectations, from 1
	What      string
	Text      string
	Got, Want any
}

func (d Difference) String() string {
	return fmt.Sprintf("line %d, %s of %.300q\n got %.2000s\nwant %.2000s", d.Line, d.What, d.Text, show(d.Got), show(d.Want))
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// Report says how many comparisons of each kind were made, and lists the differences in order.
type Report struct {
	Name        string
	Compared    map[string]int
	Differences []Difference
}

// String lists what was compared.
func (r *Report) String() string {
	var s []string
	for _, what := range slices.Sorted(maps.Keys(r.Compared)) {
		s = append(s, fmt.Sprintf("%s %d", what, r.Compared[what]))
	}
	return fmt.Sprintf("%s: %s; %d differences", r.Name, strings.Join(s, ", "), len(r.Differences))
}

// job is a line and what became of it.
type job struct {
	number   int
	raw      []byte
	compared map[string]int
	diffs    []Difference
	err      error
}

// checker compares lines of one file. Each method of it may run on many lines at once.
type checker struct {
	tok    *tokenizer.Tokenizer
	corpus *corpus
	lines  []int // of components
}

// Verify compares a tokenizer, or components, with a file of expectations.
func Verify(path string, o Options) (*Report, error) {
	e, err := open(path)
	if err != nil {
		return nil, err
	}
	c := &checker{}
	if c.corpus, err = e.texts(&o); err != nil {
		return nil, err
	}
	check := c.line
	name := e.Family
	if list, ok := e.Lines.([]any); ok {
		name, check = "components", c.component
		for _, n := range list {
			f, _ := n.(float64)
			c.lines = append(c.lines, int(f))
		}
	} else if c.tok, err = e.load(&o); err != nil {
		return nil, err
	}
	jobs, err := e.run(check, max(o.Workers, 1))
	if err != nil {
		return nil, err
	}
	r := &Report{Name: name, Compared: map[string]int{}}
	for _, j := range jobs {
		for what, n := range j.compared {
			r.Compared[what] += n
		}
		r.Differences = append(r.Differences, j.diffs...)
	}
	return r, nil
}

func (e *expectation) load(o *Options) (*tokenizer.Tokenizer, error) {
	path, err := e.tokenizerFile(o)
	if err != nil {
		return nil, err
	}
	packed, err := source.FromFile(path)
	if err != nil {
		return nil, err
	}
	return tokenizer.Load(packed)
}

// run checks all lines with a number of workers.
func (e *expectation) run(check func(*job), workers int) ([]*job, error) {
	var jobs []*job
	for n := 2; ; n++ {
		raw, err := e.body.ReadBytes('\n')
		if len(raw) > 1 {
			jobs = append(jobs, &job{number: n, raw: raw, compared: map[string]int{}})
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	todo := make(chan *job)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for j := range todo {
				check(j)
			}
		})
	}
	for _, j := range jobs {
		todo <- j
	}
	close(todo)
	wg.Wait()
	for _, j := range jobs {
		if j.err != nil {
			return nil, fmt.Errorf("%s:%d: %w", e.path, j.number, j.err)
		}
	}
	return jobs, nil
}

// compare notes a result and what was recorded.
func (j *job) compare(what, text string, got, want any) {
	j.compared[what]++
	if !same(got, want) {
		j.diffs = append(j.diffs, Difference{j.number, what, text, got, want})
	}
}

// same compares lists and texts; an empty list is as good as none.
func same(got, want any) bool {
	switch g := got.(type) {
	case []int32:
		return slices.Equal(g, want.([]int32))
	case []int:
		return slices.Equal(g, want.([]int))
	case []string:
		return slices.Equal(g, want.([]string))
	}
	return show(got) == show(want)
}
