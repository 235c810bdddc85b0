// Package stress runs a generated model for a minute under conditions that no one would choose: many sessions at once, a
// busy collector, cancelled calls, and numbers of threads that change. The bits are those of a quiet run.
package stress

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

//go:embed program.txt
var program string

// duration of all runs together; TFGEN_STRESS sets another one.
const duration = time.Minute

func TestStress(t *testing.T) {
	total := duration
	switch text := os.Getenv("TFGEN_STRESS"); {
	case text != "":
		var err error
		if total, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	case os.Getenv("TFGEN_ALL") == "":
		t.Skip("TFGEN_ALL is not set: run make test-all, or set TFGEN_STRESS=10s")
	}
	settings := [][]string{{"--weights", "bf16"}, {"--weights", "q4", "--kv", "q8"}}
	for _, flags := range settings {
		t.Run(flags[1], func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "model")
			execute(t, "../..", "go", append([]string{"run", "./cmd/tfgen", "build", "tests/demo-model", "-o", dir, "--package", "model",
				"--vendor", "--no-progress"}, flags...)...)
			main := filepath.Join(dir, "cmd", "stress", "main.go")
			if err := os.MkdirAll(filepath.Dir(main), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(main, []byte(program), 0o644); err != nil {
				t.Fatal(err)
			}
			execute(t, dir, "go", "build", "-o", "stress", "./cmd/stress")
			t.Log(execute(t, dir, filepath.Join(dir, "stress"), "model.weights", (total / time.Duration(len(settings))).String()))
		})
	}
}

// execute runs a program in a directory and returns what it prints.
func execute(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}
