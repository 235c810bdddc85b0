package template

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tfgen/tfgen/runtime/template/py"
)

func render(t *testing.T, src string, vars *py.Dict) (string, error) {
	t.Helper()
	p, err := Parse(src)
	if err != nil {
		return "", err
	}
	r, err := p.Render(vars, Options{Now: time.Date(2025, 7, 26, 14, 5, 9, 0, time.UTC)})
	return r.Text, err
}

// TestLimits holds templates that would take for ever, or all memory, to an error within a second or two.
func TestLimits(t *testing.T) {
	deep := strings.Repeat("[", 5000)
	for name, src := range map[string]string{
		"nested loops":       "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
		"endless macro":      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
		"endless block":      "{% block b %}{{ self.b() }}{% endblock %}",
		"endless recursion":  "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
		"long text":          "{{ 'x' * 10 ** 10 }}",
		"doubling text":      "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"doubling list":      "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"doubling output":    "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s %}{{ ns.s }}{{ ns.s }}{% endset %}{% endfor %}",
		"nesting list":       "{% set ns = namespace(s=[]) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
		"nesting JSON":       "{% set ns = namespace(s=[]) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s|tojson }}",
		"power":              "{{ 9 ** (9 ** 9) }}",
		"squares":            "{% set ns = namespace(s=3) %}{% for i in range(99) %}{% set ns.s = ns.s * ns.s %}{% endfor %}",
		"digits":             "{{ 10 ** 5000 }}",
		"width":              "{{ '%999999999d' % 1 }}",
		"format width":       "{{ '{:>999999999}'.format(1) }}",
		"precision":          "{{ '%.999999999f' % 1 }}",
		"centre":             "{{ 'x'.center(10 ** 11) }}",
		"indent":             "{{ ('\n' * 100000)|indent(100000, true, true) }}",
		"join":               "{{ range(100000)|join('x' * 100000) }}",
		"replace":            "{{ ('x' * 100000).replace('', 'y' * 100000) }}",
		"wrap":               "{{ ('x ' * 1000000)|wordwrap(1, wrapstring='y' * 100000) }}",
		"brackets":           "{{ " + deep + strings.Repeat("]", 5000) + " }}",
		"parentheses":        "{{ " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000) + " }}",
		"statements":         strings.Repeat("{% if 1 %}", 5000) + strings.Repeat("{% endif %}", 5000),
		"chain":              "{{ 1" + strings.Repeat(" + 1", 5000) + " }}",
		"attributes":         "{{ x" + strings.Repeat(".y", 5000) + " }}",
		"nots":               "{{ " + strings.Repeat("not ", 5000) + "1 }}",
		"too large a source": strings.Repeat("x", 5<<20),
		"tokens":             strings.Repeat("{{x}}", 1<<17),
		"names and branches": branches(20_000),
		"loops and nodes":    strings.Repeat("{% for x in y %}", 150) + strings.Repeat("{{ x + x }}", 30_000) + strings.Repeat("{% endfor %}", 150),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p, err := Parse(src)
			if err == nil {
				_, err = p.Render(new(py.Dict), Options{Limits: py.Limits{Steps: 1_000_000, Bytes: 16 << 20}})
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Errorf("no error, %v", err)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

// branches has n conditions that each set another variable.
func branches(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{%% if a %%}{%% set v%d = 1 %%}{%% endif %%}", i)
	}
	return b.String()
}

// TestErrorsNameLines checks that an error says where it is.
func TestErrorsNameLines(t *testing.T) {
	for src, line := range map[string]int{"a\n{% if %}": 2, "\n\n{{ 1 // 0 }}": 3, "{% for x in [1] %}\n{{ x }}\n{{ x.y.z }}{% endfor %}": 3} {
		_, err := render(t, src, new(py.Dict))
		var e *Error
		if !errors.As(err, &e) || e.Line != line {
			t.Errorf("%q: %v, expected line %d", src, err, line)
		}
	}
}

// TestVariablesStay checks that rendering leaves its variables alone and can be repeated at the same time.
func TestVariablesStay(t *testing.T) {
	p, err := Parse("{% set x = x + 1 %}{% set ns = namespace(l=l) %}{% set ns.l = ns.l + [2] %}{{ x }}{{ ns.l }}")
	if err != nil {
		t.Fatal(err)
	}
	vars := py.NewDict("x", int64(1), "l", &py.List{Items: []py.Value{int64(1)}})
	done := make(chan string)
	for range 8 {
		go func() {
			r, err := p.Render(vars, Options{})
			if err != nil {
				r.Text = err.Error()
			}
			done <- r.Text
		}()
	}
	for range 8 {
		if got := <-done; got != "2[1, 2]" {
			t.Errorf("got %s", got)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		"{{ a.b[1:]|join(',')|upper }}", "{% for x in a if x recursive %}{{ loop(x) }}{% else %}{% endfor %}", "{% macro m(a, b=1) %}{{ varargs }}{% endmacro %}{{ m(1, *a, **b) }}",
		"{%- set ns = namespace(a=1) -%}{% set ns.a = 2 %}{% raw %}{{ {% endraw %}", "{{ '%-5.2f' % a }}{{ '{:>5}'.format(a) }}{{ -2.5 ** a }}", "{% call m() %}{% endcall %}{% filter upper %}{% endfilter %}{% generation %}{% endgeneration %}",
		"{% block b scoped %}{{ super() }}{% endblock %}{{ self.b() }}{% autoescape a %}{{ '<' }}{% endautoescape %}", "{{ a|tojson(indent=2)|pprint|wordwrap(3)|urlize }}{% with a = 1 %}{% break %}{% endwith %}",
		"{{ {'a': [1, 2.5e3, none]} }}{{ 0x1f ~ 1_0 }}{# c -#}\n{%+ if a is divisibleby 2 %}{% elif not a in b %}{% endif +%}",
	} {
		f.Add(s)
	}
	vars := py.NewDict("a", &py.List{Items: []py.Value{int64(1), "zwei", 2.5, py.None}}, "b", py.NewDict("k", "v", "n", py.NewDict("x", true)), "s", "text\nof <lines>")
	f.Fuzz(func(t *testing.T, src string) {
		p, err := Parse(src)
		if err != nil {
			return
		}
		first, err := p.Render(vars, Options{Now: time.Unix(0, 0), Limits: py.Limits{Steps: 200_000, Bytes: 8 << 20}})
		if err != nil || strings.Contains(src, "random") || strings.Contains(src, "lipsum") {
			return
		}
		again, err := p.Render(vars, Options{Now: time.Unix(0, 0), Limits: py.Limits{Steps: 200_000, Bytes: 8 << 20}})
		if err != nil || again.Text != first.Text {
			t.Errorf("%q renders %q, then %q (%v)", src, first.Text, again.Text, err)
		}
	})
}

// TestFilterNames holds the list of names that the test "filter" knows against the filters.
func TestFilterNames(t *testing.T) {
	all := byName(Filters())
	for _, name := range strings.Fields(filterNames) {
		if all[name] == nil {
			t.Errorf("there is no filter %s", name)
		}
		delete(all, name)
	}
	for name := range all {
		t.Errorf("the filter %s is not in filterNames", name)
	}
}
