package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// modelFiles emits model.go, the API.
func (e *emitter) modelFiles() ([]File, error) {
	texts := []string{e.fill(openText), e.fill(acquireText)}
	switch {
	case e.encodes():
		texts = append(texts, e.kvText(), e.fill(sessionText), e.fill(encodeText), e.fill(stepText), e.fill(batchText), e.stateText(), e.fill(readerText))
		if e.Tokens {
			texts = append(texts, e.fill(translateText), e.fill(followText))
		}
	case e.Causal:
		texts = append(texts, e.kvText(), e.fill(sessionText), e.fill(stepText), e.fill(batchText), e.stateText(), e.fill(searchText))
		if e.Tokens {
			texts = append(texts, e.fill(generateText), e.fill(followText))
		}
	default:
		texts = append(texts, e.encoderText())
	}
	if e.Tokens {
		texts = append(texts, tokenizerText)
	}
	doc := e.packageDoc()
	f, err := e.file("model.go", doc, "", texts...)
	if err != nil || !e.Trace {
		return []File{f}, err
	}
	p, err := e.probeFile()
	return []File{f, p}, err
}

// packageDoc says what model this is and what it costs.
func (e *emitter) packageDoc() string {
	layers, width := 0, 0
	for _, r := range e.Plan.Graph.Regions {
		if r.Kind == ir.Layer && r.Tower == "" {
			layers++
			width = r.Result.Type.Width()
		}
	}
	doc := fmt.Sprintf("Package %s is %s (%s): %d layers, %d wide, %s tokens, %s parameters, weights in %s.\n\n", e.Package, e.Title,
		e.Plan.Graph.Name, layers, width, thousands(int64(e.Plan.Graph.Vocab)), thousands(e.Parameters), e.Format)
	doc += fmt.Sprintf("The weights file has %s bytes and is mapped; activations take %s bytes, and every worker %s.",
		thousands(e.FileSize), thousands(ActivationBytes(e.Plan)), thousands(WorkerBytes(e.Plan)))
	if e.Causal {
		doc += " A session takes SessionBytes(context)."
	}
	doc += " All of these are exact.\n\nA model may be used by several goroutines; passes through it follow each other, each on all workers. " +
		"Results are the same bits for every number of workers and whatever is computed beside them."
	return doc
}

// thousands formats a number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (e *emitter) fill(text string) string {
	r := strings.NewReplacer("$package", e.Package, "$title", e.Title, "$newrun", e.newRun(), "$opentok", e.openTokenizer(),
		"$tokfield", e.relativeFields()+e.tokenFields(), "$embedded", pick(e.Embed, embeddedText, ""),
		"$eos", int32s(e.EOS), "$sourcefield", pick(e.encodes(), sourceField, ""), "$sourcestate", pick(e.encodes(), ", Source: &s.source", ""), "$sourceread", pick(e.encodes(), "s.encoded = new(int)\n", ""),
		"$sourcearg", e.sessionArgs(),
		"$sourcecheck2", pick(e.encodes(), strings.Replace(sourceCheck, "return ", "return nil, ", 1), ""), "$sourcecheck", pick(e.encodes(), sourceCheck, ""), "$copysource", pick(e.encodes(), "if err := s.readSource(other); err != nil {\nreturn err\n}\n", ""), "$start", int32s(e.Start), "$defaults", e.Defaults, "$logits", e.logitsRef(), "$hiddenfield", pick(e.hidden() != nil, "hidden []float32\n", "")+e.earlyField(),
		"$newhidden", pick(e.hidden() != nil, fmt.Sprintf("s.hidden = arena.New(%d)\n", e.hiddenWidth()), "")+e.newEarly(), "$copyhidden0", e.copyHidden("0"), "$copyhiddeni", e.copyHidden("i"), "$hiddenrow", pick(e.hidden() != nil, ", s.hidden", "")+e.earlyRows(), "$hiddenwidth", fmt.Sprint(e.hiddenWidth()))
	return r.Replace(text)
}

// tokenFields are the fields of a model that has a tokenizer.
func (e *emitter) tokenFields() string {
	if !e.Tokens {
		return ""
	}
	return "tokens *tokenizer.Tokenizer\n" + pick(e.Causal, "vocabulary *constrain.Vocabulary // for Follow\nvocabularyOnce sync.Once\n", "")
}

func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

func int32s(ids []int32) string {
	var s []string
	for _, id := range ids {
		s = append(s, fmt.Sprint(id))
	}
	return strings.Join(s, ", ")
}

func (e *emitter) logitsRef() string {
	if v := e.outputView("logits"); v != nil {
		return v.name
	}
	return ""
}

func (e *emitter) openTokenizer() string {
	if !e.Tokens {
		return ""
	}
	return "if m.tokens, err = tokenizer.Load(" + pick(e.Tables == nil, "tokenizerData", "tokenizerTables.Bytes()") + "); err != nil {\nreturn nil, fmt.Errorf(\"" + e.Package + ": %w\", err)\n}\n"
}

func (e *emitter) newRun() string {
	s := e.relativeTables()
	if e.within() {
		keys, values := encoderWidths(e.Plan.Graph)
		blocks := encoderBlocks(e.Plan.Limits)
		s += fmt.Sprintf("r.k, r.v = arena.New(%d), arena.New(%d)\n", blocks*64*keys, blocks*64*values)
	}
	return s
}

const embeddedText = `
// New returns the model with the weights that are compiled into the program.
func New(o Options) (*Model, error) {
	f, err := weightfile.FromBytes(embeddedWeights, layout)
	if err != nil {
		return nil, err
	}
	return start(f, o)
}
`

const openText = `
// Options say how a model is opened. The zero value is right for most programs.
type Options struct {
	Threads int // workers; 0 is GOMAXPROCS, at most one a processor
}

// Model is an open model. It is safe for concurrent use.
type Model struct {
	file    *weightfile.File
	weights weights
	run     *run
	turn    chan struct{} // holds one token: whose pass it is
	$tokfield}

// Open maps the weights file at path, checks that it is the one this package was generated for, and starts the workers.
func Open(path string, o Options) (*Model, error) {
	f, err := weightfile.Open(path, layout)
	if err != nil {
		return nil, err
	}
	return start(f, o)
}
$embedded
// start makes a model of checked weights.
func start(f *weightfile.File, o Options) (m *Model, err error) {
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := cpu.Err(); err != nil {
		return nil, err
	}
	if o.Threads < 0 {
		return nil, fmt.Errorf("$package: %d threads, expected 0 or more", o.Threads)
	}
	m = &Model{file: f, turn: make(chan struct{}, 1)}
	$opentokm.weights.bind(f)
	p := pool.New(o.Threads)
	r := &run{model: m, pool: p, arena: arena.New(arenaSize), threads: make([]thread, p.Workers())}
	arena.Huge(r.arena)
	$newrunfor i := range r.threads {
		r.threads[i].run, r.threads[i].id = r, i
	}
	m.run = r
	m.turn <- struct{}{}
	return m, nil
}

// Close waits for the pass that is running, stops the workers and unmaps the weights. Later calls return ErrClosed.
func (m *Model) Close() error {
	if _, open := <-m.turn; !open {
		return nil
	}
	close(m.turn)
	m.run.pool.Close()
	return m.file.Close()
}

// Verify reads the whole weights file and compares the digest of every tensor. Open does this only for files of up to
// 64 MiB.
func (m *Model) Verify(ctx context.Context) error {
	if err := m.acquire(ctx); err != nil {
		return err
	}
	defer m.release()
	return m.file.Verify(ctx)
}

// Workers is the number of workers.
func (m *Model) Workers() int { return len(m.run.threads) }
`

const acquireText = `
// Errors that callers may test for.
var (
	ErrClosed  = errors.New("$package: the model is closed")
	ErrContext = errors.New("$package: the context is full")
	ErrToken   = errors.New("$package: no such token")
)

// acquire waits for the model's turn.
func (m *Model) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case _, open := <-m.turn:
		if !open {
			return ErrClosed
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *Model) release() { m.turn <- struct{}{} }

// checkTokens reports the first token id outside the vocabulary.
func checkTokens(tokens []int32) error {
	for i, id := range tokens {
		if id < 0 || id >= Vocabulary {
			return fmt.Errorf("%w: id %d at index %d, the vocabulary has %d", ErrToken, id, i, Vocabulary)
		}
	}
	return nil
}
`

const tokenizerText = `
// Tokenizer returns the model's tokenizer.
func (m *Model) Tokenizer() *tokenizer.Tokenizer { return m.tokens }
`
