package template

import (
	"regexp"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// patterns are the expressions of addresses.
type patterns struct{ httpURL, mailAddress, urlHead, urlTail, uriScheme *regexp.Regexp }

// addresses holds the patterns once a text is searched: variables of their own would link regular expressions always.
var addresses struct {
	once sync.Once
	patterns
}

// find returns the patterns.
func find() *patterns {
	addresses.once.Do(func() {
		addresses.patterns = patterns{
			httpURL: regexp.MustCompile(`(?i)^(?:(?:https?://|www\.)(?:(?:[\p{L}\p{N}_%-]+\.)+)?(?:[a-z]{2,63}|xn--[\p{L}\p{N}_%]{2,59})|` +
				`(?:[\p{L}\p{N}_%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)|` +
				`https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]))(?::\d{1,5})?(?:[/?#]\S*)?\n?$`),
			mailAddress: regexp.MustCompile(`^\S+@[\p{L}\p{N}_][\p{L}\p{N}_.-]*\.[\p{L}\p{N}_]+\n?$`),
			urlHead:     regexp.MustCompile(`^(?:[(<]|&lt;)+`),
			urlTail:     regexp.MustCompile(`(?:[)>.,\n]|&gt;)+$`),
			uriScheme:   regexp.MustCompile(`^[\p{L}\p{N}_.+-]{2,}:/{0,2}$`),
		}
	})
	return &addresses.patterns
}

// linker makes links of words.
type linker struct {
	*State
	limit   Value // of the text of a link, None: none
	attrs   string
	schemes []string
}

// urlize makes links of the addresses in a text.
func urlize(s *State, a []Value) Value {
	l := linker{State: s, limit: given(a[1], py.None)}
	rel := map[string]bool{"noopener": true}
	if r := given(a[4], py.None); s.Truth(r) {
		for _, word := range py.Fields(textOf(r), -1) {
			rel[word] = true
		}
	}
	if s.truth(a[2]) {
		rel["nofollow"] = true
	}
	var words []string
	for w := range rel {
		words = append(words, w)
	}
	sort.Strings(words)
	l.attrs = ` rel="` + string(s.EscapeValue(strings.Join(words, " "))) + `"`
	if t := given(a[3], py.None); s.Truth(t) {
		l.attrs += ` target="` + string(s.EscapeValue(t)) + `"`
	}
	if e := given(a[5], py.None); e != Value(py.None) {
		for _, x := range s.Items(e) {
			if !find().uriScheme.MatchString(textOf(x)) {
				argumentError("%s is not a valid URI scheme prefix.", s.Repr(x))
			}
			l.schemes = append(l.schemes, textOf(x))
		}
	}
	text := string(s.EscapeValue(a[0]))
	s.Alloc(8 * len(text))
	var b strings.Builder
	for text != "" {
		n := strings.IndexFunc(text, py.IsSpace)
		if n < 0 {
			n = len(text)
		}
		s.Alloc(len(l.attrs) + 4*n)
		b.WriteString(l.word(text[:n]))
		text = text[n:]
		n = len(text) - len(strings.TrimLeftFunc(text, py.IsSpace))
		b.WriteString(text[:n])
		text = text[n:]
	}
	return s.Marked(b.String())
}

// word makes a link of a word that is an address; brackets and punctuation around it stay outside.
func (l *linker) word(word string) string {
	head := find().urlHead.FindString(word)
	middle := word[len(head):]
	tail := find().urlTail.FindString(middle)
	middle = middle[:len(middle)-len(tail)]
	for _, pair := range [][2]string{{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}} {
		starts := strings.Count(middle, pair[0])
		if starts <= strings.Count(middle, pair[1]) {
			continue
		}
		for range min(starts, strings.Count(tail, pair[1])) {
			n := strings.Index(tail, pair[1]) + len(pair[1])
			middle, tail = middle+tail[:n], tail[n:]
		}
	}
	return head + l.link(middle) + tail
}

func (l *linker) link(m string) string {
	switch {
	case find().httpURL.MatchString(m):
		href := m
		if !strings.HasPrefix(m, "https://") && !strings.HasPrefix(m, "http://") {
			href = "https://" + m
		}
		return `<a href="` + href + `"` + l.attrs + ">" + l.shorten(m) + "</a>"
	case strings.HasPrefix(m, "mailto:") && find().mailAddress.MatchString(m[7:]):
		return `<a href="` + m + `">` + m[7:] + "</a>"
	case strings.Contains(m, "@") && !strings.HasPrefix(m, "www.") && !strings.HasPrefix(m, "@") && !strings.Contains(m, ":") && find().mailAddress.MatchString(m):
		return `<a href="mailto:` + m + `">` + m + "</a>"
	}
	for _, scheme := range l.schemes {
		if m != scheme && strings.HasPrefix(m, scheme) {
			m = `<a href="` + m + `"` + l.attrs + ">" + m + "</a>"
		}
	}
	return m
}

func (l *linker) shorten(text string) string {
	if l.limit == Value(py.None) || !l.Compare(">", int64(utf8.RuneCountInString(text)), l.limit) {
		return text
	}
	return textOf(l.Slice(text, nil, l.limit, nil)) + "..."
}
