package demo

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tfgen/tfgen/targets/wasm/browser"
)

// build makes the packages of the demo's models with the command line, and returns their directory.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	tfgen := filepath.Join(dir, "tfgen")
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run("go", "build", "-o", tfgen, "../../../cmd/tfgen")
	run(tfgen, "build", "../../../tests/demo-model", "--target", "wasm", "-o", filepath.Join(dir, "gocode"), "--package", "gocode", "--title", "gocode-4m", "--weights", "bf16")
	if models := os.Getenv("TFGEN_MODELS"); models != "" {
		run(tfgen, "build", filepath.Join(models, "all-minilm-l6-v2"), "--target", "wasm", "-o", filepath.Join(dir, "minilm"), "--package", "minilm", "--title", "MiniLM", "--weights", "bf16")
	}
	return dir
}

// page is a browser's page whose failures end the test.
type page struct {
	*testing.T
	*browser.Page
}

func (p *page) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// eval returns the value of an expression.
func eval[V any](p *page, expression string) (v V) {
	p.Helper()
	p.must(p.Eval(&v, expression))
	return v
}

// text returns the text of an element.
func (p *page) text(id string) string {
	p.Helper()
	return eval[string](p, "document.getElementById("+browser.Quote(id)+").textContent")
}

// shot writes a screenshot to the directory that TFGEN_SHOTS names, if any.
func (p *page) shot(name string) {
	p.Helper()
	data, err := p.Screenshot()
	p.must(err)
	if len(data) < 1000 {
		p.Errorf("a screenshot of %d bytes", len(data))
	}
	if dir := os.Getenv("TFGEN_SHOTS"); dir != "" {
		p.must(os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644))
	}
}

// TestPages uses both pages in headless Chromium as a person would, with keyboard and mouse.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	b, err := browser.Start()
	if errors.Is(err, browser.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	dir := build(t)
	server := httptest.NewServer(Handler(os.DirFS(dir)))
	defer server.Close()

	p := &page{t, b}
	p.must(p.Show(1100, 1000, "light"))
	p.must(p.Open(server.URL + "/"))
	if !eval[bool](p, "crossOriginIsolated") {
		t.Error("the pages are not cross-origin isolated")
	}
	t.Run("completion", func(t *testing.T) { completion(&page{t, b}, server.URL) })
	t.Run("search", func(t *testing.T) {
		if os.Getenv("TFGEN_MODELS") == "" {
			missing(&page{t, b}, server.URL)
			return
		}
		search(&page{t, b}, server.URL)
	})
}

// completion completes by keyboard, looks at the page small and dark, and stops by keyboard.
func completion(p *page, url string) {
	p.must(p.Open(url + "/completion.html"))
	complete := func() {
		p.must(p.Eval(nil, "document.getElementById('prompt').focus()"))
		p.must(p.Key("Enter", "Enter", 13, browser.Control))
		p.must(p.Wait("document.getElementById('status').textContent.startsWith('Done')"))
	}
	p.must(p.Eval(nil, "document.getElementById('temperature').value = 0"))
	complete()
	want := "func (r *Reader) Read(bytes []byte) (n int, err error) {\n"
	if text := p.text("output"); !strings.HasPrefix(text, want) {
		p.Errorf("the completion is %q, expected it to begin with %q", text, want)
	}
	if v := p.text("variant"); !strings.HasPrefix(v, "relaxed") {
		p.Errorf("the variant is %q, Chromium has relaxed SIMD", v)
	}
	p.Logf("%s, click to first token %s, %s", p.text("variant"), p.text("first"), p.text("speed"))
	p.must(p.Eval(nil, "document.getElementById('form').reset()")) // the model's own temperature
	complete()
	p.shot("completion")
	p.must(p.Show(390, 844, "dark"))
	p.shot("completion-dark-narrow")
	if eval[bool](p, "document.documentElement.scrollWidth > innerWidth") {
		p.Error("the page is wider than a narrow screen")
	}
	p.must(p.Show(1100, 1000, "light"))
	p.must(p.Eval(nil, "document.getElementById('tokens').value = 500, document.getElementById('temperature').value = 1.5, document.getElementById('prompt').focus()"))
	p.must(p.Key("Enter", "Enter", 13, browser.Control))
	p.must(p.Wait("document.getElementById('output').textContent.length > 60"))
	p.must(p.Key("Escape", "Escape", 27, 0))
	p.must(p.Wait("document.getElementById('status').textContent === 'Stopped.' && document.getElementById('stop').disabled"))
}

// TestFirstToken holds that a browser that knows nothing of the model shows the first token within a second of the click, in the
// middle one of three runs with empty profiles.
func TestFirstToken(t *testing.T) {
	if os.Getenv("TFGEN_SHARED") == "" {
		t.Skip("TFGEN_SHARED is not set: times are measured with the exhaustive suites only")
	}
	server := httptest.NewServer(Handler(os.DirFS(build(t))))
	defer server.Close()
	var times []time.Duration
	for range 3 {
		b, err := browser.Start() // with an empty profile
		if errors.Is(err, browser.ErrNone) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		p := &page{t, b}
		p.must(p.Open(server.URL + "/completion.html"))
		p.must(p.Eval(nil, "document.getElementById('go').click()"))
		p.must(p.Wait("document.getElementById('status').textContent.startsWith('Done')"))
		first, err := time.ParseDuration(strings.ReplaceAll(p.text("first"), " ", ""))
		if download := p.text("download"); strings.Contains(download, "cached") {
			t.Errorf("the model was not downloaded: %s", download)
		}
		p.must(errors.Join(err, b.Close()))
		times = append(times, first)
	}
	slices.Sort(times)
	if times[1] > time.Second {
		t.Errorf("the first token comes %s after the click, at most 1s is wanted", times[1])
	}
	t.Logf("%v from click to first token", times)
}

// search finds a passage that shares no word with the question.
func search(p *page, url string) {
	p.must(p.Open(url + "/search.html"))
	p.must(p.Eval(nil, "document.getElementById('sample').click(), document.getElementById('go').click()"))
	p.must(p.Wait("document.getElementById('status').textContent.startsWith('Done')"))
	if hit := eval[string](p, "document.querySelector('#hits li').textContent"); !strings.Contains(hit, "Children under twelve do not pay") {
		p.Errorf("the nearest passage is %q", hit)
	}
	p.shot("search")
	p.must(p.Show(390, 844, "dark"))
	p.shot("search-dark-narrow")
	if eval[bool](p, "document.documentElement.scrollWidth > innerWidth") {
		p.Error("the page is wider than a narrow screen")
	}
}

// missing holds the message of the page that has no model.
func missing(p *page, url string) {
	p.must(p.Open(url + "/search.html"))
	p.must(p.Eval(nil, "document.getElementById('sample').click(), document.getElementById('go').click()"))
	p.must(p.Wait("document.getElementById('status').textContent.includes('make demo-web')"))
}

// TestServe holds that the command serves on loopback.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	bin := filepath.Join(t.TempDir(), "serve")
	if out, err := exec.Command("go", "build", "-o", bin, "./serve").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, bin, "-models", t.TempDir(), "-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 256)
	n, err := out.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "http://127.0.0.1:") {
		t.Errorf("the command prints %q, %v", buf[:n], err)
	}
	cancel()
	cmd.Wait()
}
