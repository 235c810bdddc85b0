package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	models "github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/spec"
)

// specExplain shows an expanded graph.
func specExplain(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlags("spec explain", specHelp, stderr)
	class := f.String("class", "", "head of the specification (default: its first)")
	all := f.Bool("all", false, "repeat layers that are like the one before them")
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		f.Usage()
		return errUsage
	}
	m, err := expanded(rest[0], *class)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s, %s (%s)\n\n", m.Spec.File, m.Class, m.Task)
	for _, v := range m.Values.List {
		fmt.Fprintf(stdout, "  %s = %s  # %s\n", v.Name, spec.Describe(v.Value), v.From)
	}
	text := m.Graph.Dump()
	if !*all {
		text = withoutRepeats(text)
	}
	_, err = fmt.Fprintf(stdout, "\n%s", text)
	return err
}

// expanded builds the graph of a specification at the sizes of its tests, or of a model.
func expanded(name, class string) (*models.Result, error) {
	info, err := os.Stat(name)
	isModel := err == nil && (info.IsDir() || !strings.HasSuffix(name, ".yaml"))
	if !isModel {
		s, err := spec.Load(name)
		if err != nil {
			return nil, err
		}
		if class == "" {
			class = s.Heads[0].Class
		}
		return models.Tiny(s, class)
	}
	if class != "" {
		return nil, fmt.Errorf("--class is for specifications; a model names its own")
	}
	c, err := openCheckpoint(name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return models.Model(models.Checkpoint{Checkpoint: c})
}

var (
	regionLine = regexp.MustCompile(`(?m)^\w+:\n`)
	anyNumber  = regexp.MustCompile(`%\d+`)
	ofLayer    = regexp.MustCompile(`\b(\d+)\b`)
)

// withoutRepeats leaves out the regions of a dump that differ from the one before them in numbers only.
func withoutRepeats(dump string) string {
	var b strings.Builder
	starts := regionLine.FindAllStringIndex(dump, -1)
	if len(starts) == 0 {
		return dump
	}
	b.WriteString(dump[:starts[0][0]])
	first, last, shape := "", "", ""
	flush := func() {
		if last != "" && last != first {
			fmt.Fprintf(&b, "… %s: like %s\n", last, first)
		}
	}
	for i, at := range starts {
		end := len(dump)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		name, body := strings.TrimSuffix(dump[at[0]:at[1]], ":\n"), dump[at[1]:end]
		outputs := ""
		if k := strings.Index(body, "output "); k >= 0 {
			body, outputs = body[:k], body[k:]
		}
		if s := relative(body); s == shape {
			last = name
		} else {
			flush()
			first, last, shape = name, name, s
			b.WriteString(name + ":\n" + body)
		}
		if outputs != "" {
			flush()
			last = ""
			b.WriteString(outputs)
		}
	}
	return b.String()
}

// relative makes equal layers equal: values are counted from the first one that the region makes, and the number of the layer
// in weight and state names goes.
func relative(body string) string {
	order := map[string]int{}
	body = anyNumber.ReplaceAllStringFunc(body, func(v string) string {
		if _, ok := order[v]; !ok {
			order[v] = len(order)
		}
		return fmt.Sprintf("%%v%d", order[v])
	})
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		fields := strings.Fields(line)
		for k, w := range fields {
			if strings.Contains(w, ".") && !strings.Contains(w, "=") && !strings.Contains(w, ":") {
				fields[k] = ofLayer.ReplaceAllString(w, "*")
			}
			if k > 0 && fields[k-1] == "state" {
				fields[k] = strings.TrimRight(w, "0123456789")
			}
		}
		lines[i] = strings.Join(fields, " ")
	}
	return strings.Join(lines, "\n")
}
