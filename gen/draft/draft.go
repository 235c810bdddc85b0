// Package draft writes the first version of a specification for a checkpoint that none is for: the text of the nearest one,
// renamed, with what it does not explain in comments.
package draft

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/spec"
)

// Text returns the draft. name is the architecture's name; config is the checkpoint's config.json.
func Text(f *build.Fit, name string, config map[string]any) ([]byte, error) {
	if !identifier.MatchString(name) {
		return nil, fmt.Errorf("%q is no name for an architecture: lower-case letters, digits and _ are", name)
	}
	kind, _ := config["model_type"].(string)
	if kind == "" {
		kind = name
	}
	var b strings.Builder
	writeHeader(&b, f, name)
	for _, block := range blocks(string(f.Spec.Text)) {
		switch block.key {
		case "": // the comment of the other architecture
		case "arch":
			fmt.Fprintf(&b, "arch: %s\n", name)
		case "hf":
			b.WriteString(identity(f, kind))
		case "gguf": // llama.cpp has names of its own for every architecture
		case "tensors":
			b.WriteString(withPrefix(block.text, f))
		case "heads":
			b.WriteString(renamedHeads(block.text, f.Class, f.For))
		default:
			b.WriteString(block.text)
		}
	}
	text := []byte(b.String())
	if _, err := spec.Decode(name+".yaml", text); err != nil {
		return nil, fmt.Errorf("the draft is not valid: %w", err)
	}
	return text, nil
}

// identity is the entry hf: the model type, and the family if the other architecture has one.
func identity(f *build.Fit, kind string) string {
	if own := family(f.For); f.Spec.Family != nil && own != "" {
		return fmt.Sprintf("hf: {model_type: %q, family: %s}\n", kind, own)
	}
	return fmt.Sprintf("hf: {model_type: %q}\n", kind)
}

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// block is a top-level entry of a YAML file with the lines that belong to it; the comment at the top has no key.
type block struct{ key, text string }

var topLevel = regexp.MustCompile(`^([a-z_]+):`)

// blocks cuts a specification into its top-level entries. Comments before an entry go with it, but for the first.
func blocks(text string) []block {
	var list []block
	var pending string
	for i, line := range strings.SplitAfter(text, "\n") {
		m := topLevel.FindStringSubmatch(line)
		switch {
		case m != nil && len(list) == 0:
			list = append(list, block{"", pending}, block{m[1], line})
			pending = ""
		case m != nil:
			list = append(list, block{m[1], pending + line})
			pending = ""
		case strings.HasPrefix(line, "#") || i == 0:
			pending += line
		case len(list) > 0:
			list[len(list)-1].text += pending + line
			pending = ""
		}
	}
	return list
}

var prefixLine = regexp.MustCompile(`(?m)^  prefix: .*$`)

// withPrefix gives the entry of tensors the prefix that the checkpoint has, if the other architecture does not know it. Checkpoints of
// the model without its head have none.
func withPrefix(text string, f *build.Fit) string {
	for _, p := range f.Spec.Tensors.Prefix {
		if p == f.Prefix {
			return text
		}
	}
	line := fmt.Sprintf("  prefix: [%s, \"\"]", f.Prefix)
	if prefixLine.MatchString(text) {
		return prefixLine.ReplaceAllLiteralString(text, line)
	}
	return strings.Replace(text, "\n", "\n"+line+"\n", 1)
}

var headLine = regexp.MustCompile(`(?m)^  (\w+):`)

// renamedHeads gives the heads the names of the checkpoint's family: what stands before "For", "Model" or "LMHeadModel".
func renamedHeads(text, from, to string) string {
	if from == to {
		return text
	}
	oldFamily, newFamily := family(from), family(to)
	return headLine.ReplaceAllStringFunc(text, func(line string) string {
		name := strings.Trim(line, " :")
		switch {
		case name == from:
			return "  " + to + ":"
		case oldFamily != "" && newFamily != "" && strings.HasPrefix(name, oldFamily):
			return "  " + newFamily + name[len(oldFamily):] + ":"
		}
		return line
	})
}

func family(class string) string {
	for _, end := range []string{"For", "LMHead", "Model"} {
		if i := strings.Index(class, end); i > 0 {
			return class[:i]
		}
	}
	return ""
}

// writeHeader says in comments what is left to do.
func writeHeader(b *strings.Builder, f *build.Fit, name string) {
	fmt.Fprintf(b, "# %s: a draft after %s. Name the paper and the reference file here; the comments say what is left to do.\n", name, f.Spec.File)
	section(b, "tensors of the checkpoint that no step uses", len(f.Left), func(i int) string {
		return fmt.Sprintf("%s  %s%s", f.Left[i].Pattern, Shape(f.Left[i]), Likes(f.Left[i]))
	})
	section(b, "tensors that steps need and the checkpoint does not have", len(f.Missing), func(i int) string {
		m := f.Missing[i]
		return fmt.Sprintf("%s  %s, for %s (%s)%s", m.Pattern, Shape(m), m.Step, m.Pos, Candidates(m, f.Left))
	})
	section(b, "keys of config.json that nothing reads", len(f.Unread), func(i int) string {
		return UnreadKey(f.Unread[i])
	})
	section(b, "values that config.json does not have; those of "+f.Spec.Arch+" count", len(f.Absent), func(i int) string {
		return AbsentValue(f.Absent[i])
	})
	section(b, "what does not fit (lines of the file it was made after)", len(f.Errors), func(i int) string {
		return strings.ReplaceAll(f.Errors[i].Error(), "\n", " ")
	})
}

func section(b *strings.Builder, title string, n int, line func(int) string) {
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "# - %s:\n", title)
	for i := range n {
		fmt.Fprintf(b, "#     %s\n", line(i))
	}
}

// Shape is how many tensors a group has and of what shape: "28 × [1024, 1024]".
func Shape(g build.Group) string {
	shape := strings.ReplaceAll(fmt.Sprint(g.Shape), " ", ", ")
	if g.Count == 1 {
		return shape
	}
	return fmt.Sprintf("%d × %s", g.Count, shape)
}

// Likes names the specifications that use tensors of the same name.
func Likes(g build.Group) string {
	if len(g.Like) == 0 {
		return ""
	}
	return "; used by " + strings.Join(g.Like, ", ")
}

// UnreadKey describes a key of the configuration that nothing reads.
func UnreadKey(u build.Unread) string {
	text := fmt.Sprintf("%s: %s", u.Key, spec.Describe(u.Value))
	if u.As != "" {
		text += fmt.Sprintf("; %s in %s", u.As, strings.Join(u.Readers, ", "))
	}
	return text
}

// AbsentValue describes a value that the configuration does not give.
func AbsentValue(a build.Absent) string {
	text := fmt.Sprintf("%s is %s, for want of %s", a.Field, spec.Describe(a.Value), strings.Join(a.Keys, " or "))
	if a.Perhaps != "" {
		text += "; perhaps its key is " + a.Perhaps
	}
	return text
}

// Candidates names the tensors that nothing uses and that have the shape of a missing one: it may have another name.
func Candidates(missing build.Group, left []build.Group) string {
	var names []string
	for _, l := range left {
		if fmt.Sprint(l.Shape) == fmt.Sprint(missing.Shape) {
			names = append(names, l.Pattern)
		}
	}
	if len(names) == 0 {
		return ""
	}
	sort.Strings(names)
	return "; of this shape: " + strings.Join(names, ", ")
}
