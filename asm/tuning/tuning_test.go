package tuning

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var example = &Table{Version: Version, Machine: "a \"machine\"", Rows: []Row{
	{Level: "avx2", Format: "f32", K: 384, Blocking: Blocking{Rows: 4, Tiles: 1, Prefetch: Off}, Gain: 1.05},
	{Level: "avx2", Format: "f32", Blocking: Blocking{Depth: 256, Prefetch: 512}},
	{Format: "f32", K: 384, N: 1536, Sweep: Sweep{Rows: 48}},
	{Format: "f32", K: 384, Sweep: Sweep{Rows: 24, Tiles: 8}},
	{Format: "f32", Sweep: Sweep{Tiles: 4}},
}}

// TestFormat writes rows in another order to the same bytes, and reads them back.
func TestFormat(t *testing.T) {
	text := example.Format()
	shuffled := *example
	shuffled.Rows = slices.Clone(example.Rows)
	slices.Reverse(shuffled.Rows)
	if !bytes.Equal(shuffled.Format(), text) {
		t.Error("the order of rows changes the file")
	}
	read, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read.Format(), text) || read.Machine != example.Machine || len(read.Rows) != len(example.Rows) {
		t.Errorf("read %+v of\n%s", read, text)
	}
	if n := bytes.Count(text, []byte("\n")); n != len(example.Rows)+6 {
		t.Errorf("%d lines, expected one for each row", n)
	}
}

// TestLookup takes the row for exactly a shape before those for all.
func TestLookup(t *testing.T) {
	if got, want := example.Kernel("avx2", "f32", 384), (Blocking{Rows: 4, Tiles: 1, Depth: 256, Prefetch: Off}); got != want {
		t.Errorf("k 384: %v, expected %v", got, want)
	}
	if got, want := example.Kernel("avx2", "f32", 7), (Blocking{Depth: 256, Prefetch: 512}); got != want {
		t.Errorf("k 7: %v, expected %v", got, want)
	}
	if got := example.Kernel("avx512", "f32", 384); got != (Blocking{}) {
		t.Errorf("a row of another level: %v", got)
	}
	for n, want := range map[int]Sweep{1536: {48, 8}, 9: {24, 8}} {
		if got := example.Sweep("f32", 384, n); got != want {
			t.Errorf("n %d: %v, expected %v", n, got, want)
		}
	}
	var none *Table
	if none.Kernel("avx2", "f32", 1) != (Blocking{}) || none.Sweep("f32", 1, 1) != (Sweep{}) {
		t.Error("no table has a row")
	}
}

// TestBuiltIn holds built-in tables to their form, and the default to having no row: it is for machines that nobody has measured.
func TestBuiltIn(t *testing.T) {
	for _, name := range Names() {
		table, err := Named(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := os.ReadFile(filepath.Join("tables", name+".json"))
		if err != nil || !bytes.Equal(text, table.Format()) {
			t.Errorf("%s is not as Format writes it (%v)", name, err)
		}
		if (name == Default) != (len(table.Rows) == 0) {
			t.Errorf("%s has %d rows", name, len(table.Rows))
		}
	}
	if _, err := Named("nobody's"); err == nil || !strings.Contains(err.Error(), Default) {
		t.Errorf("an unknown name: %v", err)
	}
}

// TestParseRejects checks what is wrong in a table, and that the error says so.
func TestParseRejects(t *testing.T) {
	for rows, want := range map[string]string{
		`{"level":"avx2","format":"f32","rows":17}`:                                       "rows is 17, expected 0 to 16",
		`{"level":"avx2","format":"f32","unroll":3}`:                                      "power of two",
		`{"level":"avx2","format":"f32","depth":3}`:                                       "at least 16",
		`{"level":"avx2","format":"f32","prefetch":-2}`:                                   "prefetch is -2",
		`{"level":"avx2","format":"f32","n":4}`:                                           "with n",
		`{"format":"f32","rows":4}`:                                                       "without a level",
		`{"level":"avx2","rows":4}`:                                                       "expected a format",
		`{"format":"f32","call_rows":100000}`:                                             "call_rows is 100000",
		`{"format":"f32","call_rows":8},{"format":"f32","call_rows":9}`:                   "second row",
		`{"format":"f32","colour":8}`:                                                     "colour",
		`{"format":"f32","k":` + strings.Repeat("9", 30) + `}`:                            "number",
		strings.Repeat(`{"format":"f32"},`, maxRows) + `{"format":"f32","call_tiles":12}`: "at most",
	} {
		_, err := Parse([]byte(`{"version":1,"machine":"m","rows":[` + rows + `]}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, expected %q", rows, err, want)
		}
	}
	for text, want := range map[string]string{"": "EOF", `{"version":2}`: "version 2", `{"version":1} {}`: "behind the end", strings.Repeat(" ", MaxBytes+1): "at most"} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, expected %q", text, err, want)
		}
	}
}

// TestSweeps offers other calls than the one there is, complete ones.
func TestSweeps(t *testing.T) {
	rule := SweepRule(384, 384*64)
	for name, list := range Sweeps(rule, 384) {
		for _, s := range list {
			if s == rule || s.Rows == 0 || s.Tiles == 0 || name == "call_rows" && s.Tiles != rule.Tiles {
				t.Errorf("%s: %v beside the rule %v", name, s, rule)
			}
		}
	}
}

// FuzzParse reads tables; one that is accepted is written and read again to the same.
func FuzzParse(f *testing.F) {
	f.Add(example.Format())
	f.Add([]byte(`{"version":1,"machine":"m","rows":[{"format":"f32"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(table.Format())
		if err != nil {
			t.Fatalf("%v of\n%s", err, table.Format())
		}
		if !bytes.Equal(again.Format(), table.Format()) || !reflect.DeepEqual(again.Kernel("avx2", "f32", 1), table.Kernel("avx2", "f32", 1)) {
			t.Errorf("%+v, then %+v", table, again)
		}
	})
}
