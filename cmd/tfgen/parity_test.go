package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
)

func TestParityTellsDisagreement(t *testing.T) {
	answer := func(last float32, token int32) *parityAnswer {
		return &parityAnswer{values: [][]float32{{1, 2}, {4, last}}, tokens: []int32{7, token}, seconds: 0.5}
	}
	f32 := &buildOptions{}
	f32.Weights = "f32"
	for _, c := range []struct {
		name   string
		second *parityAnswer
		want   error
		worst  float64
	}{
		{"equal", answer(8, 9), nil, 0},
		{"rounding", answer(8.0008, 9), nil, 1e-4},
		{"a layer", answer(8.8, 9), errParity, 0.1},
		{"a token", answer(8, 8), errParity, 0},
		{"not a number", answer(float32(math.NaN()), 9), errParity, 1},
	} {
		j := &parityJob{options: f32, causal: true, names: []string{"hidden/0", "logits"}}
		j.add(parityRow{Target: "one"}, answer(8, 9))
		j.add(parityRow{Target: "two"}, c.second)
		j.skip(&targets[0], "v", "a reason\nmore")
		var out bytes.Buffer
		if err := j.print(&out, false); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		r := j.rows[1]
		if math.Abs(r.Worst-c.worst) > 1e-6 || r.Rate != 4 || c.worst > 0 && r.Layer != "logits" {
			t.Errorf("%s: the row is %+v", c.name, r)
		}
		if line := out.String(); !strings.Contains(line, "not run") || !strings.Contains(line, " a reason\n") {
			t.Errorf("%s: the table does not say what did not run:\n%s", c.name, &out)
		}
	}
}

func TestParityOfTheDemoModel(t *testing.T) {
	if os.Getenv("TFGEN_ALL") == "" {
		t.Skip("TFGEN_ALL is not set: run make test-all")
	}
	status, out, log := execute(t, context.Background(), "parity", demo, "--json", "-n", "16")
	var r struct {
		Rows []parityRow `json:"rows"`
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 0 {
		t.Fatal(status, err, out, log)
	}
	ran := map[string]int{}
	for _, row := range r.Rows {
		if row.Skipped != "" {
			t.Logf("%s %s did not run: %s", row.Target, row.Variant, row.Skipped)
			continue
		}
		ran[row.Target]++
		if !row.Equal || row.Worst > 1e-5 || row.Layer == "" || len(row.Deltas) < 5 || row.Bytes == 0 || row.Rate == 0 {
			t.Errorf("%+v", row)
		}
	}
	if ran["go"] == 0 {
		t.Error("the Go package did not run")
	}
}

// TestParityRefuses gives the command what it cannot compare: the cause alone, and no table.
func TestParityRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"/nowhere"}, "no such file"}, {[]string{"parity_test.go"}, "not a checkpoint"}, {[]string{demo, "--weights", "nope"}, "weight format"},
		{[]string{demo, "-n", "0"}, "at least 1 token"}, {[]string{demo, "--target", "nope"}, "no target is called"},
	} {
		status, out, log := execute(t, context.Background(), append([]string{"parity"}, c.args...)...)
		if status == 0 || out != "" || !strings.Contains(log, c.says) {
			t.Errorf("%v: status %d, %q, %q", c.args, status, out, log)
		}
	}
}
