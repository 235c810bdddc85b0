package constrain

import (
	"fmt"
	"regexp/syntax"
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

// parseRegexp parses a pattern and bounds its size.
func parseRegexp(pattern string) (*syntax.Regexp, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	return re, nil
}

// regexpNode is the expression of a pattern that matches a whole text.
func regexpNode(pattern string) (node, error) {
	re, err := parseRegexp(pattern)
	if err != nil {
		return nil, err
	}
	return regexpTop(re, false)
}

// searchNode is the expression of the texts in which a pattern is found somewhere.
func searchNode(pattern string) (node, error) {
	re, err := parseRegexp(pattern)
	if err != nil {
		return nil, err
	}
	return regexpTop(re, true)
}

// regexpTop makes the expression of a whole pattern, whose anchors are at its ends.
func regexpTop(re *syntax.Regexp, search bool) (node, error) {
	switch re.Op {
	case syntax.OpCapture:
		return regexpTop(re.Sub[0], search)
	case syntax.OpAlternate:
		var list choice
		for _, sub := range re.Sub {
			n, err := regexpTop(sub, search)
			if err != nil {
				return nil, err
			}
			list = append(list, n)
		}
		return list, nil
	}
	parts, begins, ends := []*syntax.Regexp{re}, false, false
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	for len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		parts, begins = parts[1:], true
	}
	for n := len(parts); n > 0 && parts[n-1].Op == syntax.OpEndText; n = len(parts) {
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
func regexpPart(re *syntax.Regexp) (node, error) {
	switch re.Op {
	case syntax.OpNoMatch:
		return nothing, nil
	case syntax.OpEmptyMatch:
		return empty, nil
	case syntax.OpLiteral:
		var list seq
		for _, r := range re.Rune {
			list = append(list, folded(r, re.Flags&syntax.FoldCase != 0))
		}
		return list, nil
	case syntax.OpCharClass:
		var spans []span
		for i := 0; i < len(re.Rune); i += 2 {
			spans = append(spans, span{re.Rune[i], re.Rune[i+1]})
		}
		return set(spans...), nil
	case syntax.OpAnyCharNotNL:
		return chars{{'\n', '\n'}}.not(), nil
	case syntax.OpAnyChar:
		return anyChar, nil
	}
	return regexpGroup(re)
}

// regexpGroup makes the expression of a pattern made of others.
func regexpGroup(re *syntax.Regexp) (node, error) {
	var subs []node
	for _, sub := range re.Sub {
		n, err := regexpPart(sub)
		if err != nil {
			return nil, err
		}
		subs = append(subs, n)
	}
	switch re.Op {
	case syntax.OpCapture:
		return subs[0], nil
	case syntax.OpStar:
		return many(subs[0]), nil
	case syntax.OpPlus:
		return repeat{subs[0], 1, -1}, nil
	case syntax.OpQuest:
		return opt(subs[0]), nil
	case syntax.OpRepeat:
		return repeat{subs[0], re.Min, re.Max}, nil
	case syntax.OpConcat:
		return seq(subs), nil
	case syntax.OpAlternate:
		return choice(subs), nil
	}
	return nil, fmt.Errorf("regular expression: %s is not supported here; anchors may stand at the ends of the expression", re)
}

// folded is a character, or all that equal it but for case.
func folded(r rune, fold bool) chars {
	spans := []span{{r, r}}
	for f := unicode.SimpleFold(r); fold && f != r; f = unicode.SimpleFold(f) {
		spans = append(spans, span{f, f})
	}
	return set(slices.Clip(spans)...)
}
