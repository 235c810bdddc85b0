package constrain

import "errors"

// Choices returns the grammar of exactly the given texts.
func Choices(texts ...string) (*Grammar, error) {
	if len(texts) == 0 {
		return nil, errors.New("no choices given")
	}
	var list choice
	for _, s := range texts {
		list = append(list, literal(s))
	}
	return compile([]node{list}, []string{"choices"}, 0)
}
