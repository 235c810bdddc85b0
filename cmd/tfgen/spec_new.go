package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	models "github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/draft"
	"github.com/tfgen/tfgen/gen/spec"
)

// specNew drafts a specification.
func specNew(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlags("spec new", specHelp, stderr)
	from := f.String("from", "", "Hugging Face directory of the model")
	like := f.String("like", "", "specification to begin with (default: the one that explains most tensors)")
	out := f.String("o", "", "file to write (default: NAME.yaml)")
	force := f.Bool("force", false, "replace the file if it exists")
	asJSON := f.Bool("json", false, "print the report as JSON")
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || *from == "" {
		f.Usage()
		return errUsage
	}
	if *out == "" {
		*out = rest[0] + ".yaml"
	}
	if _, err := os.Lstat(*out); err == nil && !*force {
		return fmt.Errorf("%s exists; --force replaces it", *out)
	}
	c, err := openCheckpoint(*from)
	if err != nil {
		return err
	}
	defer c.Close()
	src := models.Checkpoint{Checkpoint: c}
	best, err := bestFit(src, *like)
	if err != nil {
		return err
	}
	text, err := draft.Text(best, rest[0], src.Config())
	if err != nil {
		return err
	}
	if err := replaceFile(*out, text); err != nil {
		return err
	}
	if *asJSON {
		return printFitJSON(stdout, best, *out)
	}
	return printFit(stdout, best, *out)
}

// bestFit is the fit of the specification that like names or, if it is "", of the one that explains most.
func bestFit(src models.Source, like string) (*models.Fit, error) {
	if like != "" {
		s, err := spec.Load(like)
		if err != nil {
			return nil, err
		}
		return models.FitTo(s, src)
	}
	all, err := spec.List()
	if err != nil {
		return nil, err
	}
	fits, err := models.FitAll(src, all)
	if err != nil {
		return nil, err
	}
	if fits[0].Score() == 0 {
		return nil, errors.New("no specification explains a single tensor of this checkpoint; begin with one of them: --like SPEC")
	}
	return fits[0], nil
}

// replaceFile writes a file under a temporary name and renames it.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".tfgen-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// printFit prints what explains what.
func printFit(out io.Writer, f *models.Fit, file string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s explains %d of %d kinds of tensors (%s)\n\n", f.Spec.File, len(f.Found), len(f.Found)+len(f.Left), f.Class)
	fmt.Fprintln(w, "step\ttensors\tshape")
	for _, g := range f.Found {
		fmt.Fprintf(w, "%s\t%s\t%s\n", g.Step, g.Pattern, draft.Shape(g))
	}
	if len(f.Left) > 0 {
		fmt.Fprintln(w, "\nnot explained")
		for _, g := range f.Left {
			fmt.Fprintf(w, "\t%s\t%s\n", g.Pattern, draft.Shape(g))
		}
	}
	if len(f.Missing) > 0 {
		fmt.Fprintln(w, "\nneeded, but not stored")
		for _, g := range f.Missing {
			fmt.Fprintf(w, "%s\t%s\t%s%s\n", g.Step, g.Pattern, draft.Shape(g), draft.Candidates(g, f.Left))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(f.Unread) > 0 {
		fmt.Fprintf(out, "\nkeys of config.json that nothing reads: %v\n", f.Unread)
	}
	for _, err := range f.Errors {
		fmt.Fprintf(out, "does not fit: %v\n", err)
	}
	_, err := fmt.Fprintf(out, "\n%s is a draft; its comments repeat what is left. Next: edit it, tfgen spec check %s, tfgen verify --spec %s CASE\n", file, file, file)
	return err
}

// printFitJSON prints the same for programs.
func printFitJSON(out io.Writer, f *models.Fit, file string) error {
	problems := []string{}
	for _, err := range f.Errors {
		problems = append(problems, err.Error())
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{
		"file": file, "like": f.Spec.Arch, "class": f.Class, "prefix": f.Prefix, "score": f.Score(),
		"explained": f.Found, "unexplained": f.Left, "missing": f.Missing, "unread_keys": f.Unread, "problems": problems,
	})
}
