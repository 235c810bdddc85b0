package tokenizer

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// vocabTable is the vocabulary of a model: an object of texts and ids. These lists make up nearly all of a
// tokenizer.json, so that they are read without a value per element. The bytes given to UnmarshalJSON are
// valid JSON.
type vocabTable struct {
	ids    map[string]int32
	scored []scoredToken // a Unigram model's, in order of their ids
	err    error
}

// scoredToken is a token of a Unigram model with its log probability.
type scoredToken struct {
	text  string
	score float64
}

// mergeList is a list of merges: pairs, or as older files have it texts with a space between.
type mergeList struct {
	present bool
	pairs   [][2]string
	err     error
}

// UnmarshalJSON keeps what is wrong for later, when the type of the model is known.
func (v *vocabTable) UnmarshalJSON(b []byte) error {
	v.ids, v.err = map[string]int32{}, nil
	s := &scan{rest: string(b)}
	if s.take('[') {
		v.err = v.list(s)
		return nil
	}
	if !s.take('{') {
		v.err = fmt.Errorf("vocab is no object of texts and ids")
		return nil
	}
	for !s.take('}') {
		text, err := s.text()
		if err != nil {
			v.err = fmt.Errorf("vocab: %w", err)
			return nil
		}
		s.take(':')
		id, err := s.number()
		if err != nil {
			v.err = fmt.Errorf("vocab: token %q: %w", text, err)
			return nil
		}
		v.ids[text] = id
		s.take(',')
	}
	return nil
}

// list reads pairs of texts and scores.
func (v *vocabTable) list(s *scan) error {
	v.ids = nil
	for !s.take(']') {
		open := s.take('[')
		text, err := s.text()
		if err != nil || !open {
			return fmt.Errorf("vocab: element %d is no pair of a text and a score", len(v.scored))
		}
		s.take(',')
		score, err := s.float()
		if err != nil || !s.take(']') {
			return fmt.Errorf("vocab: token %q has no score", text)
		}
		v.scored = append(v.scored, scoredToken{text, score})
		s.take(',')
	}
	return nil
}

// UnmarshalJSON keeps what is wrong for later, when the type of the model is known.
func (m *mergeList) UnmarshalJSON(b []byte) error {
	s := &scan{rest: string(b)}
	if s.rest == "null" {
		return nil
	}
	m.present = true
	if !s.take('[') {
		m.err = fmt.Errorf("merges is no list")
		return nil
	}
	for !s.take(']') {
		p, err := s.merge()
		if err != nil {
			m.err = fmt.Errorf("merge %d: %w", len(m.pairs), err)
			return nil
		}
		if p != versionLine {
			m.pairs = append(m.pairs, p)
		}
		s.take(',')
	}
	return nil
}

// scan walks over valid JSON.
type scan struct{ rest string }

// take skips white space and then c, if it is there.
func (s *scan) take(c byte) bool {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scan) text() (string, error) {
	if !s.take('"') {
		return "", fmt.Errorf("%.20q where a text belongs", s.rest)
	}
	i := strings.IndexAny(s.rest, `"\`)
	if i >= 0 && s.rest[i] == '"' {
		out := s.rest[:i]
		s.rest = s.rest[i+1:]
		return strings.ToValidUTF8(out, "\ufffd"), nil
	}
	for i = 0; i < len(s.rest) && s.rest[i] != '"'; i++ {
		if s.rest[i] == '\\' {
			i++
		}
	}
	if i >= len(s.rest) {
		return "", fmt.Errorf("a text without an end")
	}
	var out string
	err := json.Unmarshal([]byte(`"`+s.rest[:i+1]), &out)
	s.rest = s.rest[i+1:]
	return out, err
}

func (s *scan) number() (int32, error) {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	i := strings.IndexAny(s.rest, ",} \t\r\n")
	if i < 0 {
		i = len(s.rest)
	}
	n, err := strconv.ParseInt(s.rest[:i], 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("id %.20q is no number from 0 to 2147483647", s.rest[:i])
	}
	s.rest = s.rest[i:]
	return int32(n), nil
}

func (s *scan) float() (float64, error) {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	i := strings.IndexAny(s.rest, ",] \t\r\n")
	if i < 0 {
		i = len(s.rest)
	}
	v, err := strconv.ParseFloat(s.rest[:i], 64)
	s.rest = s.rest[i:]
	return v, err
}

func (s *scan) merge() (p [2]string, err error) {
	if !s.take('[') {
		line, err := s.text()
		if err != nil {
			return p, err
		}
		return splitMerge(line)
	}
	if p[0], err = s.text(); err != nil {
		return p, err
	}
	s.take(',')
	if p[1], err = s.text(); err != nil {
		return p, err
	}
	if !s.take(']') {
		return p, fmt.Errorf("more than two parts")
	}
	return p, nil
}

// versionLine stands for the line that merges.txt begins with.
var versionLine [2]string

func splitMerge(line string) ([2]string, error) {
	if strings.HasPrefix(line, "#version") {
		return versionLine, nil
	}
	left, right, ok := strings.Cut(line, " ")
	if !ok || strings.Contains(right, " ") {
		return [2]string{}, fmt.Errorf("%q is not two texts with a space between", line)
	}
	return [2]string{left, right}, nil
}

// splitMerges splits the lines of merges.txt and of GGUF.
func splitMerges(lines []string) ([][2]string, error) {
	out := make([][2]string, 0, len(lines))
	for i, l := range lines {
		p, err := splitMerge(l)
		if err != nil {
			return nil, fmt.Errorf("merge %d: %w", i, err)
		}
		if p != versionLine {
			out = append(out, p)
		}
	}
	return out, nil
}
