package wasm

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tfgen/tfgen/targets/wasm/browser"
)

// fault is a way in which a server serves a package: its name is the first part of the address.
type fault func(w http.ResponseWriter, r *http.Request, name string, data []byte) (answered bool)

// weightsName is the weights file of the demo's package.
const weightsName = "gocode.weights"

// faults are the ways to serve a package. The line is cut in the first download of the weights only.
func faults() map[string]fault {
	var cuts atomic.Int32
	return map[string]fault{
		"plain": func(http.ResponseWriter, *http.Request, string, []byte) bool { return false },
		"isolated": func(w http.ResponseWriter, _ *http.Request, _ string, _ []byte) bool {
			w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
			w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
			return false
		},
		"cut": func(w http.ResponseWriter, _ *http.Request, name string, data []byte) bool {
			if name != weightsName || cuts.Add(1) > 1 {
				return false
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			w.Write(data[:5<<20])
			panic(http.ErrAbortHandler)
		},
		"wrong": func(w http.ResponseWriter, _ *http.Request, name string, data []byte) bool {
			if name != weightsName {
				return false
			}
			damaged := append([]byte(nil), data...)
			damaged[len(damaged)-5] ^= 1
			w.Write(damaged)
			return true
		},
		"nothread": func(w http.ResponseWriter, r *http.Request, name string, _ []byte) bool {
			w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
			w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
			if name == "thread.js" {
				http.NotFound(w, r)
			}
			return name == "thread.js"
		},
		"noworker": func(w http.ResponseWriter, r *http.Request, name string, _ []byte) bool {
			if name == "worker.js" {
				http.NotFound(w, r)
			}
			return name == "worker.js"
		},
	}
}

// serveFaults serves a package in all ways.
func serveFaults(dir string) http.Handler {
	ways := faults()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		way, name, _ := strings.Cut(strings.TrimPrefix(path.Clean(r.URL.Path), "/"), "/")
		answer := ways[way]
		if answer == nil {
			http.NotFound(w, r)
			return
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if answer(w, r, name, data) {
			return
		}
		switch {
		case name == "":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html><title>test</title>")
		case err != nil:
			http.NotFound(w, r)
		default:
			http.ServeFile(w, r, filepath.Join(dir, filepath.FromSlash(name)))
		}
	})
}

// inBrowser are the parts of the test in the page: each is an expression that gives "ok" or says what is wrong. load(way, options)
// loads the package served in a way and returns [model, warnings, last progress].
var inBrowser = []struct{ name, way, script string }{
	{"no isolation", "plain", `(async () => {
		const [m] = await load("plain", { threads: 4, cache: false });
		const text = await m.generate(prompt, { maxTokens: 8, eos: [] }).text();
		m.close();
		return m.info.threads === 1 && m.info.notes.some((n) => n.includes("not cross-origin isolated")) && text.length > 0 ? "ok" : JSON.stringify(m.info);
	})()`},
	{"the line is cut", "plain", `(async () => {
		const [m, , p] = await load("cut", { threads: 1 });
		m.close();
		const [again, , q] = await load("plain", { threads: 1 });
		again.close();
		return p.loaded === p.total && q.cached === q.total ? "ok" : JSON.stringify([p, q]);
	})()`},
	{"a wrong digest", "plain", `(async () => {
		await clear();
		const error = await load("wrong", { threads: 1 }).then(() => "none", (e) => e.name + ": " + e.message);
		const [m, , p] = await load("plain", { threads: 1 }); // what was right before the damaged piece is kept
		const text = await m.generate(prompt, { maxTokens: 4, eos: [] }).text();
		m.close();
		return /TransferError: .*expected digest/.test(error) && p.cached > 0 && p.cached < p.total && text.length > 0 ? "ok" : JSON.stringify([error, p]);
	})()`},
	{"a damaged cache", "plain", `(async () => {
		const cache = await caches.open("tfgen"), keys = await cache.keys();
		for (const k of keys) await cache.put(k, new Response(new Uint8Array(10)));
		const [m, , p] = await load("plain", { threads: 1 });
		m.close();
		const [again, , q] = await load("plain", { threads: 1 });
		again.close();
		return keys.length > 3 && p.cached === 0 && q.cached === q.total ? "ok" : JSON.stringify([keys.length, p, q]);
	})()`},
	{"two at once", "plain", `(async () => {
		await clear();
		const both = await Promise.all([load("plain", { threads: 1 }), load("plain", { threads: 1 })]);
		const texts = await Promise.all(both.map(([m]) => m.generate(prompt, { maxTokens: 8, eos: [] }).text()));
		for (const [m] of both) m.close();
		return texts[0] === texts[1] && texts[0].length > 0 ? "ok" : JSON.stringify(texts);
	})()`},
	{"two tabs at once", "plain", `(async () => {
		await clear();
		const tabs = await Promise.all([0, 1].map(() => new Promise((resolve) => {
			const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), { src: "/plain/" }));
			frame.onload = () => resolve(frame.contentWindow);
		})));
		const use = "(async (prompt) => { const { load } = await import('/plain/index.js'); let last; const m = await load('/plain/', { threads: 1, progress: (p) => (last = p) }); const text = await m.generate(prompt, { maxTokens: 8, eos: [] }).text(); m.close(); return [text, last.loaded === last.total]; })";
		const [a, b] = await Promise.all(tabs.map((w) => w.eval(use)(prompt)));
		const [m, , p] = await load("plain", { threads: 1 });
		m.close();
		return a[1] && b[1] && a[0] === b[0] && a[0].length > 0 && p.cached === p.total ? "ok" : JSON.stringify([a, b, p]);
	})()`},
	{"no thread", "nothread", `load("nothread", { threads: 2 }).then(() => "it loads", (e) => (/thread 1 of the model died/.test(e.message) ? "ok" : e.message))`},
	{"no memory", "plain", `(async () => {
		const { newMemory } = await import("/plain/engine.js");
		const huge = { pages: 65000, memory: { scratch: 1 << 30 } };
		try {
			newMemory(huge, 1);
			return "it fits";
		} catch (e) {
			return e.name === "MemoryError" && /there is no memory for the model: it needs [0-9]+ bytes/.test(e.message) ? "ok" : e.name + e.message;
		}
	})()`},
	{"ids and contexts", "plain", `(async () => {
		const [m] = await load("plain", { threads: 1 });
		const errors = [];
		for (const f of [() => m.generate([1e6]).text(), () => m.generate(prompt, { context: 2 }).text(), () => m.createSession({ context: 1e6 })]) {
			errors.push(await f().then(() => "none", (e) => e.name + " " + e.message));
		}
		m.close();
		return /RangeError.*does not exist/.test(errors[0]) && /ContextError.*context is full/.test(errors[1]) && /ContextError.*a context of/.test(errors[2]) ? "ok" : errors.join();
	})()`},
	{"no worker", "plain", `load("noworker", { threads: 1 }).then(() => "it loads", (e) => (/worker/.test(e.message) ? "ok" : e.message))`},
	{"load and close", "isolated", `(async () => {
		let text = "";
		for (let i = 0; i < cycles; i++) { // each reserves a shared memory: leaks end the address space
			const [m] = await load("isolated", { threads: 2 });
			if (m.info.threads !== 2) return JSON.stringify(m.info);
			text = await m.generate(prompt, { maxTokens: 2, eos: [] }).text();
			m.close();
		}
		return text.length > 0 ? "ok" : "no text";
	})()`},
}

// prelude defines what the parts of the test use.
const prelude = `Object.assign(globalThis, {
	prompt: "func (r *Reader) Read(",
	clear: async () => (await import("/plain/index.js")).clearCache(),
	load: async (way, options) => {
		const warnings = [];
		let last;
		const { load } = await import("/" + way + "/index.js");
		return [await load("/" + way + "/", { ...options, warn: (m) => warnings.push(m), progress: (p) => (last = p) }), warnings, last];
	},
}); 0`

// TestBrowser loads the package in headless Chromium where something goes wrong.
func TestBrowser(t *testing.T) {
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
	dir := filepath.Join(t.TempDir(), "gocode")
	demo(t, dir)
	server := httptest.NewServer(serveFaults(dir))
	defer server.Close()
	cycles := 3
	if os.Getenv("TFGEN_SHARED") != "" { // the exhaustive suites
		cycles = 100
	}
	run := func(t *testing.T, way, script string) {
		t.Helper()
		var answer string
		err := errors.Join(b.Open(server.URL+"/"+way+"/"), b.Eval(nil, prelude), b.Eval(nil, fmt.Sprintf("globalThis.cycles = %d", cycles)), b.Eval(&answer, script))
		if err != nil || answer != "ok" {
			t.Error(answer, err)
		}
	}
	for _, part := range inBrowser {
		t.Run(part.name, func(t *testing.T) { run(t, part.way, part.script) })
	}
	t.Run("a full storage", func(t *testing.T) {
		quota := map[string]any{"origin": server.URL, "quotaSize": 1 << 20}
		if err := b.Call(nil, "Storage.overrideQuotaForOrigin", quota); err != nil {
			t.Fatal(err)
		}
		run(t, "plain", `(async () => {
			await clear();
			const [m, warnings] = await load("plain", { threads: 1 });
			const text = await m.generate(prompt, { maxTokens: 4, eos: [] }).text();
			m.close();
			return warnings.length === 1 && warnings[0].includes("storage is full") && text.length > 0 ? "ok" : JSON.stringify(warnings);
		})()`)
	})
}
