package train

import "math"

// vocabulary is a Unigram model on its way: pieces with their log probabilities, found by a trie. Piece 0 is the
// unknown one.
type vocabulary struct {
	pieces []Token
	least  float64
	nodes  []trieNode
}

// trieNode is a node of a trie over bytes: children by byte, and the piece that ends here, −1 for none.
type trieNode struct {
	children map[byte]int32
	piece    int32
}

func newVocabulary(pieces []Token) *vocabulary {
	v := &vocabulary{pieces: pieces, least: math.Inf(1), nodes: []trieNode{{piece: -1}}}
	for i, p := range pieces {
		if i == 0 {
			continue // the unknown piece is no text
		}
		v.least = min(v.least, p.Score)
		at := int32(0)
		for k := range len(p.Text) {
			at = v.child(at, p.Text[k])
		}
		v.nodes[at].piece = int32(i)
	}
	return v
}

func (v *vocabulary) child(at int32, c byte) int32 {
	if v.nodes[at].children == nil {
		v.nodes[at].children = map[byte]int32{}
	}
	next, ok := v.nodes[at].children[c]
	if !ok {
		next = int32(len(v.nodes))
		v.nodes[at].children[c] = next
		v.nodes = append(v.nodes, trieNode{piece: -1})
	}
	return next
}

// edge is a piece at a place of a text. alpha and beta are log sums over the ways to and from it.
type edge struct {
	piece    int32
	from, to int32
	score    float64
	best     float64 // of the way to its end
	prev     int32
	alpha    float64
	beta     float64
}

// lattice is all ways to cut a text into pieces. Edge 0 is the beginning, edge 1 the end.
type lattice struct {
	text   string
	edges  []edge
	begins [][]int32 // edges by where they begin
	ends   [][]int32
}

const unknownPenalty = 10

func (l *lattice) reset(v *vocabulary, text string) {
	n := len(text)
	l.text, l.edges = text, l.edges[:0]
	for len(l.begins) <= n {
		l.begins, l.ends = append(l.begins, nil), append(l.ends, nil)
	}
	for i := range n + 1 {
		l.begins[i], l.ends[i] = l.begins[i][:0], l.ends[i][:0]
	}
	l.add(edge{piece: -1})
	l.ends[0] = append(l.ends[0], 0)
	l.add(edge{piece: -1, from: int32(n), to: int32(n)})
	l.begins[n] = append(l.begins[n], 1)
	for i, r := range text {
		size := len(string(r))
		single := false
		at := int32(0)
		for end := i; end < n; {
			next, ok := v.nodes[at].children[text[end]]
			if !ok {
				break
			}
			at = next
			end++
			if id := v.nodes[at].piece; id >= 0 {
				l.insert(i, end, id, v.pieces[id].Score)
				single = single || end-i == size
			}
		}
		if !single {
			l.insert(i, i+size, 0, v.least-unknownPenalty)
		}
	}
}

func (l *lattice) add(e edge) { l.edges = append(l.edges, e) }

func (l *lattice) insert(from, to int, piece int32, score float64) {
	id := int32(len(l.edges))
	l.add(edge{piece: piece, from: int32(from), to: int32(to), score: score})
	l.begins[from] = append(l.begins[from], id)
	l.ends[to] = append(l.ends[to], id)
}

// viterbi returns the edges of the best way, and notes for each edge how good the best way to it is.
func (l *lattice) viterbi() []int32 {
	for pos := range len(l.text) + 1 {
		for _, right := range l.begins[pos] {
			e := &l.edges[right]
			e.prev = -1
			for _, left := range l.ends[pos] {
				if s := l.edges[left].best + e.score; e.prev < 0 || s > e.best {
					e.prev, e.best = left, s
				}
			}
			if e.prev < 0 {
				return nil
			}
		}
	}
	var path []int32
	for id := l.edges[1].prev; id != 0; id = l.edges[id].prev {
		path = append(path, id)
	}
	for i, k := 0, len(path)-1; i < k; i, k = i+1, k-1 {
		path[i], path[k] = path[k], path[i]
	}
	return path
}

// logSum returns log(exp(x) + exp(y)), or y for the first of a sum.
func logSum(x, y float64, first bool) float64 {
	if first {
		return y
	}
	low, high := min(x, y), max(x, y)
	if high > low+50 {
		return high
	}
	return high + math.Log(math.Exp(low-high)+1)
}

// marginal adds to expected how often each piece occurs in expectation, freq times, and returns freq times the log
// probability of the text.
func (l *lattice) marginal(freq float64, expected []float64) float64 {
	n := len(l.text)
	for pos := range n + 1 {
		for _, right := range l.begins[pos] {
			for i, left := range l.ends[pos] {
				l.edges[right].alpha = logSum(l.edges[right].alpha, l.edges[left].score+l.edges[left].alpha, i == 0)
			}
		}
	}
	for pos := n; pos >= 0; pos-- {
		for _, left := range l.ends[pos] {
			for i, right := range l.begins[pos] {
				l.edges[left].beta = logSum(l.edges[left].beta, l.edges[right].score+l.edges[right].beta, i == 0)
			}
		}
	}
	z := l.edges[1].alpha
	for pos := range n {
		for _, id := range l.begins[pos] {
			e := &l.edges[id]
			expected[e.piece] += freq * math.Exp(e.alpha+e.score+e.beta-z)
		}
	}
	return freq * z
}

// nbest returns the n best ways, the best first (A* search from the end).
func (l *lattice) nbest(n int) [][]int32 {
	const most, kept = 100_000, 512
	var out [][]int32
	open := &agenda{{edge: 1, fx: l.edges[1].score, gx: l.edges[1].score}}
	l.viterbi()
	for len(*open) > 0 {
		top := open.pop()
		if top.edge == 0 {
			var path []int32
			for h := top.next; h.next != nil; h = h.next {
				path = append(path, h.edge)
			}
			if out = append(out, path); len(out) == n {
				break
			}
			continue
		}
		for _, left := range l.ends[l.edges[top.edge].from] {
			e := &l.edges[left]
			open.push(&hypothesis{left, top, e.best + top.gx, e.score + top.gx})
		}
		if len(*open) > most { // texts with many repetitions
			short := &agenda{}
			for range min(kept, n*10) {
				short.push(open.pop())
			}
			open = short
		}
	}
	return out
}
