package constrain

import (
	"fmt"
	"slices"
	"unicode"
)

// Regexp returns the grammar of the texts that a regular expression in Go's
// syntax matches as a whole. Word boundaries, and anchors other than around the
// whole expression, are errors, as are lookaround and back references.
func Regexp(pattern string) (*Grammar, error) {
	n, err := regexpNode(pattern)
	if err != nil {
		return nil, err
	}
	return compile([]node{n}, []string{"regular expression"}, 0)
}

// regexpNode is the expression of a pattern that matches a whole text.
func regexpNode(text string) (node, error) {
	re, err := parsePattern(text)
	if err != nil {
		return nil, err
	}
	return regexpTop(re, false)
}

// searchNode is the expression of the texts in which a pattern is found somewhere.
func searchNode(text string) (node, error) {
	re, err := parsePattern(text)
	if err != nil {
		return nil, err
	}
	return regexpTop(re, true)
}

// regexpTop makes the expression of a whole pattern, whose anchors are at its ends.
func regexpTop(re *pattern, search bool) (node, error) {
	switch re.op {
	case isGroup:
		return regexpTop(re.subs[0], search)
	case isChoice:
		var list choice
		for _, sub := range re.subs {
			n, err := regexpTop(sub, search)
			if err != nil {
				return nil, err
			}
			list = append(list, n)
		}
		return list, nil
	}
	parts, begins, ends := []*pattern{re}, false, false
	if re.op == isSeq {
		parts = re.subs
	}
	for len(parts) > 0 && parts[0].op == isBegin {
		parts, begins = parts[1:], true
	}
	for n := len(parts); n > 0 && parts[n-1].op == isEnd; n = len(parts) {
		parts, ends = parts[:n-1], true
	}
	var list seq
	if search && !begins {
		list = append(list, many(anyChar))
	}
	for _, part := range parts {
		n, err := regexpPart(part)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	if search && !ends {
		list = append(list, many(anyChar))
	}
	return list, nil
}

// regexpPart makes the expression of a part of a pattern.
func regexpPart(re *pattern) (node, error) {
	if re.op == isSet {
		return re.set, nil
	}
	var subs []node
	for _, sub := range re.subs {
		n, err := regexpPart(sub)
		if err != nil {
			return nil, err
		}
		subs = append(subs, n)
	}
	switch re.op {
	case isGroup:
		return subs[0], nil
	case isRepeat:
		return repeat{subs[0], re.min, re.max}, nil
	case isSeq:
		return seq(subs), nil
	case isChoice:
		return choice(subs), nil
	}
	return nil, fmt.Errorf("regular expression: %s is not supported here; anchors may stand at the ends of the expression", re.text)
}

// folded is a character, or all that equal it but for case.
func folded(r rune, fold bool) chars {
	spans := []span{{r, r}}
	for f := unicode.SimpleFold(r); fold && f != r; f = unicode.SimpleFold(f) {
		spans = append(spans, span{f, f})
	}
	return set(slices.Clip(spans)...)
}
