package main

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelp asks each command, and each command below another, for its help: on standard output, in lines that fit.
func TestHelp(t *testing.T) {
	var all [][]string
	for _, c := range commands() {
		all = append(all, []string{c.name})
	}
	for _, g := range []group{tokenizerCommands, templateCommands, specCommands, generationCommands} {
		for name := range g.commands {
			all = append(all, []string{g.name, name})
		}
	}
	for _, command := range all {
		if command[0] == "version" {
			continue
		}
		status, out, log := execute(t, context.Background(), append(command, "--help")...)
		if status != 0 || log != "" || !strings.HasPrefix(out, "usage: tfgen "+command[0]) {
			t.Errorf("%v --help: status %d, %q on stderr, %.60q on stdout", command, status, log, out)
		}
		for line := range strings.Lines(out) {
			if n := utf8.RuneCountInString(line); n > 130 {
				t.Errorf("%v --help has a line of %d characters: %s", command, n, line)
			}
		}
		_, again, _ := execute(t, context.Background(), append([]string{"help"}, command...)...)
		if again != out {
			t.Errorf("tfgen help %v says something else", command)
		}
	}
}

// TestUsageErrors holds what is said of a wrong command line: what is wrong, what is near, where the help is.
func TestUsageErrors(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"buidl"}, `no command is called "buidl"; did you mean "build"?`},
		{[]string{"spec", "lst"}, `no command is called "lst"; did you mean "list"?; there are check, explain, list, new, reference, schema, table`},
		{[]string{"build", demo, "--wieghts", "q8"}, "there is no flag --wieghts, did you mean --weights?; `tfgen build -h` lists the flags"},
		{[]string{"build", demo, "--context", "many"}, `invalid value "many" for flag -context`},
		{[]string{"run", "--weights", "q8", demo}, "expected a model before --weights"},
		{[]string{"verify"}, "usage: tfgen verify"},
	} {
		status, out, log := execute(t, context.Background(), c.args...)
		if status != 2 || out != "" || !strings.Contains(log, c.want) {
			t.Errorf("%v: status %d, stdout %q, stderr %q, expected 2 and %q", c.args, status, out, log, c.want)
		}
	}
	if status, out, _ := execute(t, context.Background(), "--version"); status != 0 || !strings.HasPrefix(out, "tfgen ") {
		t.Errorf("--version: status %d, %q", status, out)
	}
}

// TestExpansion says when a build tells that the checkpoint's own formats would be smaller.
func TestExpansion(t *testing.T) {
	if got := expansion(235<<20, 1022<<20, "f32", "--weights source"); got != "note: weights of 235 MB become 1022 MB in f32; --weights source keeps the formats of the checkpoint\n" {
		t.Errorf("four times as large: %q", got)
	}
	for _, c := range [][2]int64{{1 << 20, 4 << 20}, {500 << 20, 500 << 20}, {500 << 20, 250 << 20}} {
		if got := expansion(c[0], c[1], "f32", ""); got != "" {
			t.Errorf("%d bytes become %d: %q", c[0], c[1], got)
		}
	}
}
