// Package capi builds C libraries as a user does and runs C and C++ programs with them.
package capi

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/synth"
)

const root = "../.."

// work is the directory of everything that the tests build.
var work string

func TestMain(m *testing.M) {
	var err error
	if work, err = os.MkdirTemp("", "tfgen-capi-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(work)
	os.Exit(code)
}

// need skips a test if a tool is not installed.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
}

// slow skips what only make test-targets runs.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("TFGEN_ALL") == "" {
		t.Skip("TFGEN_ALL is not set: run make test-targets")
	}
}

// command runs a program and returns what it writes; a failure fails the test.
func command(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// bundle builds a C library once and returns its directory.
func bundle(t *testing.T, model, name string, flags ...string) string {
	t.Helper()
	need(t, "gcc", "make")
	dir := filepath.Join(work, name)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	tfgen := filepath.Join(work, "tfgen")
	if _, err := os.Stat(tfgen); err != nil {
		command(t, nil, "go", "build", "-o", tfgen, root+"/cmd/tfgen")
	}
	command(t, nil, tfgen, append([]string{"build", model, "--target", "c", "-o", dir, "--package", name, "--no-progress"}, flags...)...)
	return dir
}

// gocode is the library of the demo model.
func gocode(t *testing.T) string {
	t.Helper()
	return bundle(t, root+"/tests/demo-model", "gocode", "--weights", "bf16")
}

func weights(dir string) string {
	name := filepath.Base(dir)
	return filepath.Join(dir, "share", name, name+".weights")
}

// strict are the warnings that all programs are compiled with.
var strict = []string{"-pedantic", "-Wall", "-Wextra", "-Werror", "-g", "-Itestdata", "-pthread"}

// compile compiles a program of testdata with a library.
func compile(t *testing.T, dir, compiler, source string, flags ...string) string {
	t.Helper()
	name := filepath.Base(dir)
	program := filepath.Join(t.TempDir(), "program")
	args := append([]string{filepath.Join("testdata", source), "-o", program, "-I" + filepath.Join(dir, "include")}, strict...)
	args = append(args, "-L"+filepath.Join(dir, "lib"), "-Wl,-rpath,"+filepath.Join(dir, "lib"), "-l"+name, "-lm")
	command(t, nil, compiler, append(args, flags...)...)
	return program
}

// expectOK fails unless the last line of a program's output is ok.
func expectOK(t *testing.T, out string) {
	t.Helper()
	if !strings.HasSuffix(out, "ok\n") {
		t.Error(out)
	}
}

func TestDecoder(t *testing.T) {
	dir := gocode(t)
	program := compile(t, dir, "gcc", "decoder.c", "-std=c99")
	expectOK(t, command(t, nil, program, weights(dir), filepath.Join(t.TempDir(), "bad"), "quick"))
}

func TestNothingLeaks(t *testing.T) {
	slow(t)
	dir := gocode(t)
	program := compile(t, dir, "gcc", "decoder.c", "-std=c99")
	expectOK(t, command(t, nil, program, weights(dir), filepath.Join(t.TempDir(), "bad")))
}

func TestStaticArchive(t *testing.T) {
	dir := gocode(t)
	program := filepath.Join(t.TempDir(), "program")
	args := append([]string{"testdata/leaks.c", "-std=c99", "-o", program, "-I" + filepath.Join(dir, "include")}, strict...)
	command(t, nil, "gcc", append(args, filepath.Join(dir, "lib", "libgocode.a"))...)
	expectOK(t, command(t, nil, program, weights(dir)))
}

func TestCxx(t *testing.T) {
	need(t, "g++")
	dir := gocode(t)
	expectOK(t, command(t, nil, compile(t, dir, "g++", "cxx.cpp", "-std=c++17"), weights(dir)))
}

// TestHost checks signals, output, memory that is not there, the cost of a call and a second model in the process.
func TestHost(t *testing.T) {
	dir, second := gocode(t), classifier(t)
	program := compile(t, dir, "gcc", "host.c", "-std=gnu99", "-Wno-pedantic", "-ldl")
	out := command(t, nil, program, filepath.Join(dir, "lib", "libgocode.so"), weights(dir), filepath.Join(second, "lib", "libtiny.so"))
	expectOK(t, out)
	found := regexp.MustCompile(`a call costs (\d+) ns`).FindStringSubmatch(out)
	if found == nil {
		t.Fatal(out)
	}
	cost, _ := strconv.Atoi(found[1])
	t.Logf("a call costs %d ns", cost)
	if limit := 200; cost > limit && os.Getenv("TFGEN_ALL") != "" {
		t.Errorf("a call costs %d ns, more than %d", cost, limit)
	}
}

// TestLibraryIsSmall bounds what a library adds to the weights: 4 MiB, with grammars, searches and chat templates. Vocabularies are
// in the weights file.
func TestLibraryIsSmall(t *testing.T) {
	smallLibrary(t, classifier(t), 3<<20)
	smallLibrary(t, gocode(t), 4<<20)
}

// TestPublishedLibrariesAreSmall does the same for published models, one of them with a vocabulary of 20 MB.
func TestPublishedLibrariesAreSmall(t *testing.T) {
	slow(t)
	models := os.Getenv("TFGEN_MODELS")
	if models == "" {
		t.Skip("TFGEN_MODELS is not set")
	}
	for name, model := range map[string]string{"minilm": "all-minilm-l6-v2", "gemma": "gemma-3-270m/gemma-3-270m-q4_k_m.gguf"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(models, model)
			if _, err := os.Stat(path); err != nil {
				t.Skip(err)
			}
			smallLibrary(t, bundle(t, path, name, "--weights", "q8"), 4<<20)
		})
	}
}

// smallLibrary bounds the size of a bundle's shared library.
func smallLibrary(t *testing.T, dir string, limit int64) {
	t.Helper()
	name := filepath.Base(dir)
	size := fileSize(t, filepath.Join(dir, "lib", "lib"+name+".so"))
	t.Logf("lib%s.so has %d bytes", name, size)
	if size > limit {
		t.Errorf("lib%s.so has %d bytes, more than %d", name, size, limit)
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestOnlyTheInterfaceIsExported lists the symbols of the shared library.
func TestOnlyTheInterfaceIsExported(t *testing.T) {
	need(t, "nm")
	header, err := os.ReadFile(root + "/targets/capi/tfgen.h")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^TFGEN_API .*?\b(tfgen_\w+)\(`).FindAllSubmatch(header, -1) {
		declared[string(m[1])] = true
	}
	if len(declared) < 30 {
		t.Fatalf("only %d functions were found in tfgen.h", len(declared))
	}
	exported := map[string]bool{}
	for line := range strings.Lines(command(t, nil, "nm", "-D", "--defined-only", filepath.Join(gocode(t), "lib", "libgocode.so"))) {
		f := strings.Fields(line)
		exported[f[len(f)-1]] = true
	}
	for name := range declared {
		if !exported[name] {
			t.Errorf("%s is declared and not exported", name)
		}
	}
	for name := range exported {
		if !declared[name] {
			t.Errorf("%s is exported and not declared", name)
		}
	}
}

func TestPkgConfigAndReadme(t *testing.T) {
	need(t, "pkg-config", "sh", "cc")
	if out := readme(t, gocode(t)); len(strings.TrimSpace(out)) == 0 {
		t.Error("the program writes nothing")
	}
}

// readme runs the commands of a bundle's README.
func readme(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```sh\n")
	script, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the README has no commands")
	}
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	os.Remove(filepath.Join(dir, "smallest"))
	if err != nil {
		t.Errorf("the commands of the README: %v\n%s", err, out)
	}
	return string(out)
}

// TestAwkwardPlace builds a library with its weights in a directory whose name has spaces, commas and other letters, moves it, and
// follows its README.
func TestAwkwardPlace(t *testing.T) {
	slow(t)
	need(t, "pkg-config", "sh", "cc")
	gocode(t) // builds tfgen
	place := filepath.Join(t.TempDir(), "a b,ü")
	command(t, nil, filepath.Join(work, "tfgen"), "build", root+"/gen/golden/testdata/mamba", "--target", "c", "-o", filepath.Join(place, "x y"),
		"--package", "mamba", "--embed", "--no-progress")
	dir := filepath.Join(t.TempDir(), "moved to")
	if err := os.Rename(filepath.Join(place, "x y"), dir); err != nil {
		t.Fatal(err)
	}
	if out := readme(t, dir); len(strings.Fields(out)) < 8 {
		t.Errorf("the program writes %q", out)
	}
	program := filepath.Join(t.TempDir(), "program")
	command(t, nil, "gcc", append([]string{"testdata/embedded.c", "-std=c99", "-o", program, "-I" + filepath.Join(dir, "include")},
		append(strict, filepath.Join(dir, "lib", "libmamba.a"))...)...)
	expectOK(t, command(t, nil, program))
}

func TestCMake(t *testing.T) {
	slow(t)
	need(t, "cmake")
	dir, project := gocode(t), t.TempDir()
	text := "cmake_minimum_required(VERSION 3.16)\nproject(app C)\nfind_package(gocode 1.0 REQUIRED)\n" +
		"add_executable(a " + dir + "/examples/smallest.c)\ntarget_link_libraries(a PRIVATE gocode::gocode)\n" +
		"add_executable(b " + dir + "/examples/smallest.c)\ntarget_link_libraries(b PRIVATE gocode::static)\n" +
		"if(NOT EXISTS ${gocode_WEIGHTS})\n  message(FATAL_ERROR \"no weights\")\nendif()\n"
	if err := os.WriteFile(filepath.Join(project, "CMakeLists.txt"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, nil, "cmake", "-S", project, "-B", project+"/out", "-DCMAKE_PREFIX_PATH="+dir)
	command(t, nil, "cmake", "--build", project+"/out")
	for _, program := range []string{"a", "b"} {
		if out := command(t, nil, filepath.Join(project, "out", program), weights(dir), "func main"); len(out) < 10 {
			t.Errorf("%s writes %q", program, out)
		}
	}
}

func TestAddressSanitizer(t *testing.T) {
	slow(t)
	dir := gocode(t)
	program := filepath.Join(t.TempDir(), "probe")
	probe := exec.Command("gcc", "-fsanitize=address,undefined", "-x", "c", "-", "-o", program)
	probe.Stdin = strings.NewReader("int main(void) { return 0; }")
	if probe.Run() != nil {
		t.Skip("gcc has no AddressSanitizer here")
	}
	program = compile(t, dir, "gcc", "decoder.c", "-std=c99", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
	expectOK(t, command(t, nil, program, weights(dir), filepath.Join(t.TempDir(), "bad"), "quick"))
}

// TestJava uses the library by Java's foreign-function interface, in the form that Java 17 has.
func TestJava(t *testing.T) {
	slow(t)
	need(t, "java")
	if out, _ := exec.Command("java", "--list-modules").Output(); !bytes.Contains(out, []byte("jdk.incubator.foreign@17")) {
		t.Skip("java is not Java 17 with jdk.incubator.foreign")
	}
	dir := gocode(t)
	out := command(t, nil, "java", "--add-modules", "jdk.incubator.foreign", "--enable-native-access=ALL-UNNAMED", "testdata/Check.java",
		filepath.Join(dir, "lib", "libgocode.so"), weights(dir))
	expectOK(t, out)
}

func TestValgrind(t *testing.T) {
	slow(t)
	need(t, "valgrind")
	dir := gocode(t)
	program := compile(t, dir, "gcc", "leaks.c", "-std=c99")
	out := command(t, nil, "valgrind", "--quiet", "--suppressions="+filepath.Join(dir, "share", "gocode", "gocode.supp"), "--error-exitcode=9",
		"--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite", program, weights(dir))
	expectOK(t, out)
}

// classifier is the library of a small BERT with three classes, a tokenizer of a few letters and generated weights.
func classifier(t *testing.T) string {
	return small(t, "tiny", "BertForSequenceClassification", tinyWeights("classifier"))
}

// small is the library of a small BERT with a head.
func small(t *testing.T, name, class, description string) string {
	t.Helper()
	model := filepath.Join(work, name+"-model")
	if err := os.MkdirAll(model, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"config.json": strings.Replace(tinyConfig, "BertForSequenceClassification", class, 1), "tokenizer.json": tinyTokenizer} {
		if err := os.WriteFile(filepath.Join(model, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := synth.Parse([]byte(description))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteDir(model); err != nil {
		t.Fatal(err)
	}
	return bundle(t, model, name)
}

// TestSource holds the functions of an encoder–decoder against what transformers makes of the golden case t5.
func TestSource(t *testing.T) {
	dir := bundle(t, root+"/gen/golden/testdata/t5", "t5")
	expectOK(t, command(t, nil, compile(t, dir, "gcc", "source.c", "-std=c99"), weights(dir)))
}

// TestOptions holds searches, log probabilities and grammars.
func TestOptions(t *testing.T) {
	dir := gocode(t)
	expectOK(t, command(t, nil, compile(t, dir, "gcc", "options.c", "-std=c99"), weights(dir)))
}

// TestNoMemory runs the smallest program with too few addresses for the library: it says so and nothing else.
func TestNoMemory(t *testing.T) {
	dir := gocode(t)
	program := filepath.Join(t.TempDir(), "smallest")
	command(t, nil, "gcc", filepath.Join(dir, "examples", "smallest.c"), "-o", program, "-I"+filepath.Join(dir, "include"), "-L"+filepath.Join(dir, "lib"),
		"-Wl,-rpath,"+filepath.Join(dir, "lib"), "-lgocode")
	for _, limit := range []string{"50000", "600000", "1500000"} {
		cmd := exec.Command("sh", "-c", "ulimit -v "+limit+`; exec "$0" "$@"`, program, weights(dir), "func")
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 1 || !bytes.HasPrefix(out, []byte("TFGEN_ERROR_MEMORY: ")) || bytes.Count(out, []byte("\n")) != 1 {
			t.Errorf("with %s KiB of addresses: %v\n%s", limit, err, out)
		}
	}
}

// TestPanic gives a library a defect, on all threads of a pass or on one, and expects that it is a status.
func TestPanic(t *testing.T) {
	slow(t)
	dir := gocode(t)
	const layer = "func (t *thread) layer00(n int) {\n"
	for name, defect := range map[string]string{"all": "panic(\"defect\")\n", "first": "if t.id == 0 {\npanic(\"defect\")\n}\n", "last": "if t.id == len(t.run.threads)-1 {\npanic(\"defect\")\n}\n"} {
		t.Run(name, func(t *testing.T) {
			broken := filepath.Join(t.TempDir(), "gocode")
			if err := os.CopyFS(broken, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(broken, "src", "layers_000.go")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(text), layer, layer+defect, 1)
			if changed == string(text) {
				t.Fatalf("%s has no %q", path, layer)
			}
			if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
			command(t, nil, "make", "-C", filepath.Join(broken, "src"), "../lib/libgocode.so")
			expectOK(t, command(t, nil, compile(t, broken, "gcc", "panic.c", "-std=c99"), weights(broken)))
		})
	}
}

// TestAttack gives a library what an attacker or a mistaken caller would.
func TestAttack(t *testing.T) {
	slow(t)
	dir := gocode(t)
	expectOK(t, command(t, nil, compile(t, dir, "gcc", "attack.c", "-std=c99", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"), weights(dir)))
}

// TestHeads holds the heads that find something in a text.
func TestHeads(t *testing.T) {
	slow(t)
	for name, class := range map[string]string{"tag": "BertForTokenClassification", "answer": "BertForQuestionAnswering", "fill": "BertForMaskedLM"} {
		t.Run(name, func(t *testing.T) {
			dir := small(t, "tiny"+name, class, tinyWeights(name))
			expectOK(t, command(t, nil, compile(t, dir, "gcc", "heads.c", "-std=c99"), weights(dir), name))
		})
	}
}

// TestSanitizedSource runs the encoder–decoder and the searches with AddressSanitizer and under valgrind.
func TestSanitizedSource(t *testing.T) {
	slow(t)
	need(t, "valgrind")
	for source, dir := range map[string]string{"source.c": bundle(t, root+"/gen/golden/testdata/t5", "t5"), "options.c": gocode(t)} {
		program := compile(t, dir, "gcc", source, "-std=c99", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
		expectOK(t, command(t, nil, program, weights(dir)))
	}
	dir := bundle(t, root+"/gen/golden/testdata/t5", "t5")
	expectOK(t, command(t, nil, "valgrind", "--quiet", "--suppressions="+filepath.Join(dir, "share", "t5", "t5.supp"), "--error-exitcode=9",
		"--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite", compile(t, dir, "gcc", "source.c", "-std=c99"), weights(dir)))
}

func TestEncoder(t *testing.T) {
	dir := classifier(t)
	expectOK(t, command(t, nil, compile(t, dir, "gcc", "encoder.c", "-std=c99"), weights(dir)))
}

const tinyConfig = `{"architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": 16, "intermediate_size": 24,
	"num_attention_heads": 2, "num_hidden_layers": 1, "vocab_size": 10, "max_position_embeddings": 40, "type_vocab_size": 2,
	"layer_norm_eps": 1e-12, "hidden_act": "gelu", "pad_token_id": 0, "id2label": {"0": "bad", "1": "fair", "2": "good"}}`

const tinyTokenizer = `{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [
	{"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
	{"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
	{"id": 4, "content": "[MASK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
	"normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
	"post_processor": {"type": "TemplateProcessing",
		"single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
		"pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
			{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
		"special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
	"decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
	"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
		"vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5, "b": 6, "c": 7, "d": 8, "##e": 9}}}`

// tinyWeights describes generated weights for tinyConfig with a head: classifier, tag, answer or fill.
func tinyWeights(head string) string {
	var b strings.Builder
	add := func(name string, mean float64, shape string) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `"%s": [[%s], %g, 0.5]`, name, shape, mean)
	}
	norm := func(name string) { add(name+".weight", 1, "16"); add(name+".bias", 0, "16") }
	dense := func(name, out, in string) { add(name+".weight", 0, out+", "+in); add(name+".bias", 0, out) }
	add("bert.embeddings.word_embeddings.weight", 0, "10, 16")
	add("bert.embeddings.position_embeddings.weight", 0, "40, 16")
	add("bert.embeddings.token_type_embeddings.weight", 0, "2, 16")
	norm("bert.embeddings.LayerNorm")
	layer := "bert.encoder.layer.0."
	for _, part := range []string{"query", "key", "value"} {
		dense(layer+"attention.self."+part, "16", "16")
	}
	dense(layer+"attention.output.dense", "16", "16")
	norm(layer + "attention.output.LayerNorm")
	dense(layer+"intermediate.dense", "24", "16")
	dense(layer+"output.dense", "16", "24")
	norm(layer + "output.LayerNorm")
	switch head {
	case "classifier":
		dense("bert.pooler.dense", "16", "16")
		dense("classifier", "3", "16")
	case "tag":
		dense("classifier", "3", "16")
	case "answer":
		dense("qa_outputs", "2", "16")
	case "fill":
		dense("cls.predictions.transform.dense", "16", "16")
		norm("cls.predictions.transform.LayerNorm")
		add("cls.predictions.bias", 0, "10")
	}
	return `{"seed": 7, "tensors": {` + b.String() + `}}`
}
