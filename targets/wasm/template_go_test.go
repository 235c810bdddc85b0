package wasm

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tfgen/tfgen/runtime/template"
	"github.com/tfgen/tfgen/runtime/template/py"
)

// rareTemplates use what chat templates hardly do: blocks, escaping, loading, and rare filters. Their context is that of jinja.jsonl.
var rareTemplates = []string{
	"a{% block b %}[{{ title }}{% block inner %}({{ n }}){% endblock %}]{% endblock %}{{ self.b() }}{{ self.inner() }}{{ self['b'] }}",
	"{% set x = 1 %}{% set y, z = 2, 3 %}{% macro m(v) %}<{{ v }}{{ n }}>{% endmacro %}{% block b %}{{ x }}{{ y }}{{ z }}{{ m(4) }}{% endblock %}{{ self.b() }}",
	"{% set x %}t{{ n }}{% endset %}{% block b %}{{ x }}{% set x = 'in' %}{{ x }}{% endblock %}{{ x }}{% if yes %}{% set x = 'w' %}{% endif %}{{ self.b() }}",
	"{% for w in words %}{% block b scoped %}{{ loop.index }}{{ w }}{% block c %}{{ w }}{% endblock %}{% endblock %}{% endfor %}",
	"{% for w in words %}{% block b %}{{ w }}-{{ n }}{% endblock %}{% endfor %}",
	"{% set n = none %}{% block b scoped %}{{ n }}{{ title }}{% endblock %}{% block c %}{{ n }}{% endblock %}",
	"{% with q = 5 %}{% block b scoped %}{{ q }}{{ super is defined }}{% endblock %}{% endwith %}", "{% block b %}{{ super.x }}{{ super }}{% endblock %}",
	"{% block b required %}{% endblock %}", "{{ self.none() }}", "{{ self.nothing }}{% block b %}{% endblock %}{{ self }}{{ self.b.name }}{{ self.b.super }}",
	"{% block b %}{{ self.b() }}{% endblock %}", "{% for i in [1, 2, 3] %}{% autoescape true %}{% if i == 2 %}{% break %}{% endif %}{{ '<' }}{% endautoescape %}{{ '<' }}{% endfor %}{{ '>' }}",
	"{% block b %}{% for i in [1, 2, 3] %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{% endfor %}{% endblock %}",
	"{{ html }}{% autoescape true %}{{ html }}{{ html|safe }}{{ html ~ title }}{{ html|safe ~ html }}{{ 1 ~ '<' ~ html|e }}{% endautoescape %}{{ html ~ '<' }}",
	"{% autoescape yes %}{{ html }}{{ html|safe }}{{ html ~ '<' }}{{ '<b>' }}<i>{{ [html] }}{{ words }}{% endautoescape %}{% autoescape none %}{{ html }}{{ '<' }}{% endautoescape %}",
	"{% autoescape true %}{% set x %}<b>{{ html }}{% endset %}{{ x }}{% set y %}{{ '<' }}{% endset %}{{ y is escaped }}{{ x|upper }}{% filter upper %}<i>{{ html }}{% endfilter %}{% endautoescape %}",
	"{% autoescape yes %}{% filter e %}<i>{{ html }}{% endfilter %}{% set x | upper %}<b>{{ html }}{% endset %}{{ x }}{% endautoescape %}",
	"{% macro m(x) %}<{{ x }}>{{ caller() if x == 'a' }}{% endmacro %}{{ m(html) }}{% autoescape true %}{{ m(html) }}{{ m(html) is escaped }}{% call m('a') %}<x>{{ html }}{% endcall %}{% endautoescape %}",
	"{% autoescape true %}{% macro m(x) %}<{{ x }}>{{ caller() if x == '&' }}{% endmacro %}{{ m(html) }}{% call m('&') %}<y>{{ html }}{% endcall %}{% set k = m %}{{ k('<') }}{% endautoescape %}",
	"{% autoescape true %}{{ words|join('<') }}{{ [html, '<b>'|safe]|join(', ') }}{{ [1, '<b>']|join('<br>'|safe) }}{{ html|replace('<', '[') }}{{ html|replace('a', '<i>'|safe) }}{{ html|safe|replace('<'|safe, '&', 1) }}{% endautoescape %}",
	"{% autoescape true %}{{ {'a': '<', 'b': none, 'c': 1}|xmlattr }}{{ {'a': '<'}|xmlattr(false) }}{{ {'a': '<'}|xmlattr is escaped }}{{ html|tojson }}{{ html|title }}{{ html|indent }}{{ html|truncate(9) }}{{ html|striptags }}{% endautoescape %}",
	"{% autoescape true %}{% for x in tree recursive %}<{{ x.name }}{{ loop(x.kids) }}>{% endfor %}{{ '%s <b>'|safe % html }}{{ '%s'|format(html) }}{{ '<%s>'|safe|format(html) }}{% endautoescape %}",
	"{{ '<b>{}</b>{:>4}'|safe|string }}{{ ('<b>'|safe).format(html) }}{{ ('{} {x}'|safe).format(html, x='<'|safe) }}{{ ('%s %d %(k)s'|safe) }}{{ ('%(k)s'|safe) % {'k': '<'} }}{{ ('%s,%s'|safe) % (1, '<') }}",
	"{{ ('a<'|safe).join(['<', '&'|safe, 1]) }}{{ ('<'|safe).replace('<', '>') }}{{ ('<'|safe).center(5, '-') }}", "{{ ('<'|safe).center(5, '&') }}", "{{ ('<'|safe).ljust(3, '-') }}{{ ('a<b'|safe).split('<') }}{{ ('a<b'|safe).partition('<') }}",
	"{{ ('<b>x</b> &amp; y'|safe).striptags() }}|{{ ('&lt;&#39;'|safe).unescape() }}|{{ ('&lt;'|safe).unescape() is escaped }}{{ ('<'|safe) + '<' }}{{ '<' + ('<'|safe) }}{{ ('<'|safe) * 2 }}{{ '<'|e|e }}{{ '<'|safe|forceescape }}",
	"{{ '<'|e == '&lt;' }}{{ ['<'|safe] }}{{ ('<'|safe)[0] is escaped }}{{ ('<b'|safe)|first is escaped }}{{ ('ab'|safe)|reverse }}{{ ('ab'|safe).upper() is escaped }}",
	"{% include 'x' %}", "{% if not yes %}{% extends title %}{% endif %}{% if false %}{% import 'm' as m %}{% from 'm' import a %}{% endif %}ok", "{% include undefined_thing ignore missing %}",
	"{{ 'see http://example.org/a?b=c&d, (www.example.com/x_y). and mail me@example.org <https://[::1]:80/> example.gov.'|urlize }}",
	"{{ 'http://example.org/long/path'|urlize(10) }}{{ 'http://a.org'|urlize(target='_blank', rel='me x', nofollow=true) }}{{ 'tel:123 ftp://x mailto:a@b.co'|urlize(extra_schemes=['tel:', 'ftp:']) }}",
	"{{ 'x'|urlize(extra_schemes=['!']) }}", "{% autoescape true %}{{ 'http://a.org <b> (http://b.org))'|urlize }}{{ '<a> www.x.net'|safe|urlize }}{% endautoescape %}", "{{ 7|urlize }}{{ none|urlize }}{{ ''|urlize }}{{ ' \n http://ä.de/ü\t'|urlize }}",
	"{{ map|pprint }}|{{ rows|pprint }}|{{ text|pprint }}|{{ 1.5|pprint }}|{{ none|pprint }}|{{ html|safe|pprint }}|{{ [undefined_thing]|pprint }}",
	"{{ (rows * 4)|pprint }}", "{{ {'k' * 30: ['v' * 40, 'w' * 50, {'deep': words * 3}], 2: (1,), 'a': {}, none: ('x' * 90,)}|pprint }}",
	"{{ ('word ' * 40)|pprint }}", "{{ ['word ' * 30, 'line\nbreaks\n' * 9, 'y' * 100]|pprint }}", "{{ {'text': ('it\\'s ' * 30)}|pprint }}", "{{ ('x' * 100)|pprint }}{{ ('ab\n' * 2)|pprint }}", "{{ range(60)|list|pprint }}{{ ((1, 2) * 40)|pprint }}",
	"{{ {1: 2, 'a': 3, 2.5: 4}|pprint }}{{ [{'b': 1, 'a': {'d': 1, 'c': 2}}]|pprint }}{{ words|map('pprint')|join(' ') }}", "{{ tree|pprint }}{{ (tree * 3)|pprint }}",
	"{{ lipsum(0) }}{{ lipsum(2, false, 3, 4)|wordcount }} {{ lipsum(n=3, min=5, max=6).split('</p>')|length }}{{ lipsum() is escaped }}{{ lipsum(html=false) is escaped }}{{ lipsum(1, false, 2, 3)[-1] }}", "{{ lipsum(1, true, 5, 5) }}", "{{ lipsum }}",
	"{{ 'a b c d e f'|truncate(4, true, '…', 0.5) }}{{ 'abcdef'|truncate(3.5) }}", "{{ 'a'|truncate(1) }}", "{{ 'abc def'|truncate(4, leeway=0) }}", "{{ 'abc def'|truncate(5, leeway=-1) }}",
}

// TestTemplatesAsGo holds that JavaScript prints of rare templates what the Go package prints, and fails where that does.
func TestTemplatesAsGo(t *testing.T) {
	head := decodeLines[recorded](t, filepath.Join("../../gen/template/testdata", "jinja.jsonl"))[0]
	variables, err := py.Decode(head.Context)
	if err != nil {
		t.Fatal(err)
	}
	now, err := time.Parse("2006-01-02T15:04:05", head.Now)
	if err != nil {
		t.Fatal(err)
	}
	sources, failed := map[string]string{}, 0
	var cases []renderCase
	for _, src := range rareTemplates {
		c := renderCase{Name: src, Template: src, Context: string(head.Context), Now: head.Now}
		sources[src] = src
		text, err := renderGo(src, variables.(*py.Dict), now)
		if err != nil {
			failed++
			t.Logf("%s: %v", src, err)
			var e *template.Error
			if errors.As(err, &e) {
				c.Fails = e.Type
			}
		} else {
			c.Expected = &text
		}
		cases = append(cases, c)
	}
	if failed == 0 || failed > len(cases)/4 {
		t.Errorf("%d of %d templates fail in Go", failed, len(cases))
	}
	runCases(t, cases, sources)
}

func renderGo(src string, variables *py.Dict, now time.Time) (string, error) {
	p, err := template.Parse(src)
	if err != nil {
		return "", fmt.Errorf("parse: %w", err)
	}
	r, err := p.Render(variables, template.Options{Now: now})
	return r.Text, err
}
