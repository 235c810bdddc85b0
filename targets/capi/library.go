package capi

import (
	"fmt"
	"runtime"
)

// maxThreads bounds what a caller can ask for by mistake.
const maxThreads = 4096

// use is the memory of a model in bytes.
type use struct{ weights, activations, worker, session, total int64 }

// memory is the memory of an open model; 0 threads are one a processor, a context of 0 is the longest.
func (m *Model) memory(threads, sessions, context int) (u use, err error) {
	if context == 0 {
		context = m.MaxContext
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	if threads < 0 || threads > maxThreads || sessions < 0 || context < 1 || context > m.MaxContext {
		return u, argument("%d threads, %d sessions, a context of %d: expected at most %d threads and a context of 1 to %d",
			threads, sessions, context, maxThreads, m.MaxContext)
	}
	u = use{weights: m.WeightsBytes, activations: m.ActivationBytes, worker: m.WorkerBytes}
	if m.SessionBytes != nil {
		u.session = m.SessionBytes(context)
	}
	u.total = u.weights + u.activations + int64(threads)*u.worker + int64(sessions)*u.session
	return u, nil
}

// classes is the number of scores of a classifier, 0 for other models.
func (m *Model) classes() int {
	if !m.Classifies {
		return 0
	}
	o, err := m.output("logits")
	if err != nil {
		return 0
	}
	return o.Width
}

// label is the name of a class.
func (m *Model) label(i int) (string, error) {
	switch n := m.classes(); {
	case n == 0:
		return "", unsupported("%s is not a classifier", m.Name)
	case i < 0 || i >= n:
		return "", argument("class %d of %d", i, n)
	case i >= len(m.Labels):
		return "", unsupported("the classes of %s have no names", m.Name)
	}
	return m.Labels[i], nil
}

// open opens the model from a file or from the weights that are compiled in.
func (m *Model) open(path string, file bool, threads int) (*Instance, error) {
	switch {
	case m.Open == nil:
		return nil, unsupported("no model is registered")
	case file:
		return m.Open(path, threads)
	case m.OpenEmbedded == nil:
		return nil, argument("the path of the weights file is NULL, and no weights are compiled in")
	}
	return m.OpenEmbedded(threads)
}

// trace returns what the model remembers of one sequence under a name.
func (i *Instance) trace(q Sequence, name string) ([][]float32, error) {
	if i.Trace == nil {
		return nil, unsupported("the library was not built with --trace")
	}
	rows, err := i.Trace(q)
	if err != nil {
		return nil, err
	}
	if rows[name] == nil {
		return nil, argument("the trace has no %q", name)
	}
	return rows[name], nil
}

// known reports a token id outside the vocabulary.
func known(id int32) error {
	if id < 0 || int(id) >= model.Vocabulary {
		return &coded{codeToken, fmt.Sprintf("token id %d, the vocabulary has %d", id, model.Vocabulary)}
	}
	return nil
}

// at names a place in a list.
func at(i int) string { return fmt.Sprintf(" (at index %d)", i) }

// sequenceLength is the message for a sequence of an impossible length.
func sequenceLength(i int, n uint64) string {
	return fmt.Sprintf("sequence %d has %d tokens, expected 1 to %d", i, n, model.MaxContext)
}
