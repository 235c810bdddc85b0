package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/tfgen/tfgen/gen/weights"
)

const quantizeHelp = `usage: tfgen quantize MODEL [SPEC] --report [flags]

Packs the weights in a format, in memory, and says what it does to each matrix: its size, and the norm of the error over
the norm of the values. The matrices that lose most come first: give these a wider format, as in --weights q4,lm_head=q8.
tfgen build packs the weights for good; tfgen eval measures what the format costs in predictions.

Examples:

  tfgen quantize DIR --weights q4
  tfgen quantize DIR --weights q4k --calibrate book.txt
`

// lost is a row of the report.
type lost struct {
	Name   string  `json:"name"`
	Layout string  `json:"layout"`
	Rows   int     `json:"rows"`
	Cols   int     `json:"cols"`
	Bytes  int64   `json:"bytes"`
	Error  float64 `json:"relative_error"`
	Share  float64 `json:"share_of_squared_error"`
	square float64
}

// runQuantize is the quantize command.
func runQuantize(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := &buildOptions{}
	f := newFlags("quantize", quantizeHelp, stderr)
	f.StringVar(&o.Weights, "weights", "q4", weightsHelp)
	o.weighing.flags(f)
	f.Bool("report", true, "print the report, which is all that the command does")
	asJSON := f.Bool("json", false, "print JSON")
	if err := o.parse(f, args); err != nil {
		return err
	}
	o.defaults()
	if err := o.weigh(ctx, &o.weighing, stderr); err != nil {
		return err
	}
	b, closeModel, err := prepare(o, goBackend)
	if err != nil {
		return err
	}
	defer closeModel()
	var rows []lost
	total := 0.0
	for _, p := range b.Packed {
		if err := ctx.Err(); err != nil {
			return err
		}
		if p.Cols == 1 {
			continue
		}
		loss, err := p.Loss(b.Source)
		if err != nil {
			return err
		}
		rows = append(rows, newLost(p, loss))
		total += loss.Error
	}
	for i := range rows {
		rows[i].Share = rows[i].square / max(total, 1e-300)
	}
	slices.SortStableFunc(rows, func(a, b lost) int { return cmp.Compare(b.square, a.square) })
	if *asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(rows)
	}
	return printLost(stdout, rows, b.WeightsSize())
}

func newLost(p *weights.Packed, l weights.Loss) lost {
	return lost{Name: p.Name, Layout: p.Layout, Rows: p.Rows, Cols: p.Cols, Bytes: p.Bytes(), Error: l.Relative(), square: l.Error}
}

// printLost prints the report for people.
func printLost(out io.Writer, rows []lost, total int64) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "error\tof all\tbytes\tlayout\tshape\tmatrix")
	for _, r := range rows {
		fmt.Fprintf(w, "%.5f\t%4.1f %%\t%s\t%s\t%d×%d\t%s\n", r.Error, 100*r.Share, count(r.Bytes), r.Layout, r.Rows, r.Cols, r.Name)
	}
	fmt.Fprintf(w, "\nall weights\t\t%s\n", size(total))
	return w.Flush()
}
