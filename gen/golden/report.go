package golden

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
)

// Report sums up the comparison of a case with a backend.
type Report struct {
	Case    string `json:"case"`
	Backend string `json:"backend"`
	// Architecture is the name of the specification, and Reference what the expected values are from.
	Architecture string `json:"architecture,omitempty"`
	Reference    string `json:"reference,omitempty"`

	Share    float64   `json:"share"`               // worst difference as a share of its tolerance
	Worst    string    `json:"worst"`               // the output that it belongs to, as in "long logits"
	FirstOff string    `json:"first_off,omitempty"` // first output, in the order of the model, that is off
	Error    string    `json:"error,omitempty"`     // why the first failure is one
	OK       bool      `json:"ok"`
	Bits     string    `json:"bits,omitempty"` // a sum over the bits of all results
	Findings []Finding `json:"findings"`
}

// Summarise makes a report of findings. A case of which nothing was compared is not ok.
func Summarise(c *Case, backend string, findings []Finding) Report {
	r := Report{Case: c.Name, Backend: backend, Reference: c.reference(), OK: len(findings) > 0, Findings: findings}
	for i := range findings {
		f := &findings[i]
		if s := f.Share(); s > r.Share || r.Worst == "" {
			r.Share, r.Worst = s, f.Input+" "+f.Output
		}
		if !f.OK && r.OK {
			r.OK, r.FirstOff, r.Error = false, f.Input+" "+f.Output, f.reason()
			if f.Output == "" {
				r.FirstOff = f.Input + " " + f.Run
			}
		}
	}
	if len(findings) == 0 {
		r.Error = "nothing was compared"
	}
	return r
}

// reference says what the expected values are from.
func (c *Case) reference() string {
	if c.Transformers == "" {
		return "a formula"
	}
	return "transformers " + c.Transformers
}

// Failed is the report of a backend that could not be made.
func Failed(name, backend string, err error) Report {
	return Report{Case: name, Backend: backend, Error: err.Error(), Findings: []Finding{}}
}

func (f *Finding) reason() string {
	if f.Error != "" {
		return f.Error
	}
	return f.Where
}

// Print writes the table of reports: case, backend, worst difference as a share of the tolerance and its output, a sum
// over the bits of all results, the first output that is off and what is wrong with it. It reports whether all are ok.
func Print(w io.Writer, reports []Report) (ok bool, err error) {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "case\tbackend\tworst\tof\tbits\tfirst off\tresult")
	ok = true
	for _, r := range reports {
		result, first, bits := "ok", "-", cmp.Or(r.Bits, "-")
		if !r.OK {
			ok, result = false, "FAIL: "+r.Error
			if r.FirstOff != "" {
				first = r.FirstOff
			}
		}
		fmt.Fprintf(tab, "%s\t%s\t%.2g\t%s\t%s\t%s\t%s\n", r.Case, r.Backend, r.Share, r.Worst, bits, first, result)
	}
	return ok, tab.Flush()
}
