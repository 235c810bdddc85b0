package constrain

import (
	_ "embed"
	"encoding/binary"
	"strings"
	"unicode"
)

// perlClasses are the classes of one letter behind a backslash.
var perlClasses = map[byte]chars{
	'd': {{'0', '9'}}, 's': {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}, 'w': {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
}

// posixClasses are the classes of the form [:name:].
var posixClasses = map[string]chars{
	"alnum": {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, "alpha": {{'A', 'Z'}, {'a', 'z'}}, "ascii": {{0, 0x7f}}, "blank": {{'\t', '\t'}, {' ', ' '}},
	"cntrl": {{0, 0x1f}, {0x7f, 0x7f}}, "digit": {{'0', '9'}}, "graph": {{'!', '~'}}, "lower": {{'a', 'z'}}, "print": {{' ', '~'}},
	"punct": {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, "space": {{'\t', '\r'}, {' ', ' '}}, "upper": {{'A', 'Z'}},
	"word": {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, "xdigit": {{'0', '9'}, {'A', 'F'}, {'a', 'f'}},
}

// class reads a class in brackets.
func (p *patternParser) class(re *pattern) error {
	begin := p.rest
	p.rest = p.rest[1:]
	negated := p.skip("^")
	var spans []span
	for first := true; first || !strings.HasPrefix(p.rest, "]"); first = false {
		if p.rest == "" {
			return patternError("missing closing ]", begin)
		}
		more, is, err := p.namedClass()
		if err != nil {
			return err
		}
		if !is {
			if more, err = p.classRange(begin); err != nil {
				return err
			}
		}
		spans = append(spans, more...)
	}
	p.rest = p.rest[1:]
	set := set(spans...)
	if negated {
		set = set.not()
	}
	re.add(&pattern{set: set})
	return nil
}

// namedClass reads a class that has a name, if one is next: [:alpha:], \d or \pL.
func (p *patternParser) namedClass() (c chars, is bool, err error) {
	before := p.rest
	if name, rest, ok := strings.Cut(strings.TrimPrefix(before, "[:"), ":]"); ok && strings.HasPrefix(before, "[:") {
		positive, negated := strings.CutPrefix(name, "^")
		c, ok := posixClasses[positive]
		if !ok {
			return nil, false, patternError("invalid character class range", before[:len(before)-len(rest)])
		}
		p.rest = rest
		return p.foldedClass(c, negated), true, nil
	}
	if len(before) < 2 || before[0] != '\\' {
		return nil, false, nil
	}
	letter := before[1]
	if letter|0x20 == 'p' {
		return p.unicodeClass()
	}
	c, is = perlClasses[letter|0x20]
	if is {
		p.rest = before[2:]
		c = p.foldedClass(c, letter < 'a')
	}
	return c, is, nil
}

// foldedClass is a class as the flags want it.
func (p *patternParser) foldedClass(c chars, negated bool) chars {
	if p.fold {
		c = foldAll(c)
	}
	if negated {
		return c.not()
	}
	return c
}

// classRange reads a character or a range in a class.
func (p *patternParser) classRange(begin string) ([]span, error) {
	before := p.rest
	lo, err := p.classChar(begin)
	hi := lo
	if err == nil && len(p.rest) >= 2 && p.rest[0] == '-' && p.rest[1] != ']' {
		p.rest = p.rest[1:]
		if hi, err = p.classChar(begin); err == nil && hi < lo {
			err = patternError("invalid character class range", before[:len(before)-len(p.rest)])
		}
	}
	if err != nil {
		return nil, err
	}
	if c := (chars{{lo, hi}}); p.fold {
		return foldAll(c), nil
	}
	return []span{{lo, hi}}, nil
}

// classChar reads a character in a class.
func (p *patternParser) classChar(begin string) (rune, error) {
	if p.rest == "" {
		return 0, patternError("missing closing ]", begin)
	}
	if p.rest[0] == '\\' {
		return p.escape()
	}
	return p.next(), nil
}

// Characters outside of these have no others that equal them but for case.
const minFold, maxFold = 0x41, 0x1e943

// foldAll adds the characters that equal those of a set but for case.
func foldAll(c chars) chars {
	spans := append([]span{}, c...)
	for _, s := range c {
		if s.lo <= minFold && s.hi >= maxFold {
			continue
		}
		for r := max(s.lo, minFold); r <= min(s.hi, maxFold); r++ {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				spans = append(spans, span{f, f})
			}
		}
	}
	return set(spans...)
}

// unicodeClass reads \pL, \p{Greek} and their negations.
func (p *patternParser) unicodeClass() (chars, bool, error) {
	before := p.rest
	negated := before[1] == 'P'
	p.rest = before[2:]
	name, rest, ok := p.rest, "", p.rest != ""
	if braced, is := strings.CutPrefix(p.rest, "{"); is {
		name, rest, ok = strings.Cut(braced, "}")
	} else if ok {
		r := p.next()
		name, rest = string(r), p.rest
	}
	if !ok {
		return nil, false, patternError("invalid character class range", before)
	}
	p.rest = rest
	if positive, is := strings.CutPrefix(name, "^"); is {
		name, negated = positive, !negated
	}
	c, ok := unicodeSet(name)
	if !ok {
		return nil, false, patternError("invalid character class range", before[:len(before)-len(rest)])
	}
	return p.foldedClass(c, negated), true, nil
}

// unicodeData holds the general categories of two letters and the scripts: a byte with the length of a name, the name, the
// number of ranges, and for each its distance from the one before and its length, all as varints. The test TestUnicodeData
// writes it.
//
//go:embed unicode.bin
var unicodeData []byte

// plainName is a name without regard to case and separators.
func plainName(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
}

// unicodeSet returns the characters of a category or script. Categories of one letter are those of two that begin with it.
func unicodeSet(name string) (chars, bool) {
	name = plainName(name)
	if short := categoryNames[name]; short != "" {
		name = short
	}
	switch name {
	case "any":
		return anyChar, true
	case "ascii":
		return chars{{0, 0x7f}}, true
	case "assigned":
		c, _ := unicodeSet("cn")
		return c.not(), true
	}
	wanted := func(entry string) bool {
		return entry == name || len(name) == 1 && len(entry) == 2 && entry[:1] == name || name == "lc" && (entry == "lu" || entry == "ll" || entry == "lt")
	}
	var spans []span
	found := false
	for data := unicodeData; len(data) > 0; {
		n := int(data[0])
		entry := plainName(string(data[1 : 1+n]))
		data = data[1+n:]
		is := wanted(entry)
		found = found || is
		count, at := uvarint(&data), rune(0)
		for range count {
			lo := at + rune(uvarint(&data))
			at = lo + rune(uvarint(&data))
			if is {
				spans = append(spans, span{lo, at})
			}
		}
	}
	return set(spans...), found
}

// uvarint takes a number from the front of data.
func uvarint(data *[]byte) uint64 {
	v, n := binary.Uvarint(*data)
	*data = (*data)[n:]
	return v
}

// categoryNames are the long names of categories.
var categoryNames = map[string]string{
	"casedletter": "lc", "closepunctuation": "pe", "combiningmark": "m", "connectorpunctuation": "pc", "control": "cc", "currencysymbol": "sc",
	"dashpunctuation": "pd", "decimalnumber": "nd", "enclosingmark": "me", "finalpunctuation": "pf", "format": "cf", "initialpunctuation": "pi",
	"letter": "l", "letternumber": "nl", "lineseparator": "zl", "lowercaseletter": "ll", "mark": "m", "mathsymbol": "sm", "modifierletter": "lm",
	"modifiersymbol": "sk", "nonspacingmark": "mn", "number": "n", "openpunctuation": "ps", "other": "c", "otherletter": "lo", "othernumber": "no",
	"otherpunctuation": "po", "othersymbol": "so", "paragraphseparator": "zp", "privateuse": "co", "punctuation": "p", "separator": "z",
	"spaceseparator": "zs", "spacingmark": "mc", "surrogate": "cs", "symbol": "s", "titlecaseletter": "lt", "unassigned": "cn",
	"uppercaseletter": "lu", "cntrl": "cc", "digit": "nd", "punct": "p",
}
