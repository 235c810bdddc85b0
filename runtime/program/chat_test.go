package program

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/constrain"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/toolcall"
)

// chatty is the fake model with a chat: it answers with the conversation's roles
// and the last message. Each is called for every token.
func chatty(log *[]string, each func(ctx context.Context)) Model {
	m := fake(log, nil)
	m.Chats = true
	open := m.Open
	m.Open = func(path string, o OpenOptions) (*Instance, error) {
		i, err := open(path, o)
		i.Chat = func(ctx context.Context, s Session, messages []chat.Message, _ chat.Options, options ...generate.Option) iter.Seq2[generate.Token, error] {
			o := generate.Options{}.With(options...)
			answer := ""
			for _, m := range messages {
				answer += m.Role[:1]
			}
			answer += " " + messages[len(messages)-1].Content
			return func(yield func(generate.Token, error) bool) {
				*o.Stats = generate.Stats{Reason: generate.EndOfText, Tokens: len(answer)}
				for _, r := range answer {
					if each != nil {
						each(ctx)
					}
					if ctx.Err() != nil {
						o.Stats.Reason = generate.Cancelled
						yield(generate.Token{ID: -1}, ctx.Err())
						return
					}
					if !yield(generate.Token{ID: r, Text: string(r)}, nil) {
						return
					}
				}
			}
		}
		i.Follow = func(g *constrain.Grammar) generate.Option {
			v := constrain.NewVocabulary(128, func(dst []byte, id int32) []byte { return append(dst, byte(id)) }, []int32{'{'})
			return generate.Constrain(g.Start(v))
		}
		return i, err
	}
	return m
}

// talkWith runs chat with the given input.
func talkWith(t *testing.T, m Model, in string, args ...string) (out, log string) {
	t.Helper()
	var o, l bytes.Buffer
	if code := Run(context.Background(), m, append([]string{"chat"}, args...), strings.NewReader(in), &o, &l); code != 0 {
		t.Fatalf("exit %d: %s", code, l.String())
	}
	return o.String(), l.String()
}

func TestChat(t *testing.T) {
	var log []string
	file := filepath.Join(t.TempDir(), "talk.json")
	out, said := talkWith(t, chatty(&log, nil), strings.Join([]string{
		"one", "two", "/retry", "/undo", "three", "/save " + file, "/system be brief", "four", "/load " + file, "five", "/nonsense", "/set temp 0.5", "/set temp x", "/set nothing 1", "/stats", "/help", "/exit", "never",
	}, "\n"), "-system", "s")
	want := "su one\nsuau two\nsuau two\nsuau three\nsu four\nsuauau five\n"
	if !strings.HasPrefix(out, want) || !strings.Contains(out, "/undo") || strings.Contains(out, "never") {
		t.Errorf("%q, want %q …", out, want)
	}
	for _, part := range []string{"no command /nonsense", "/set: ", "the names are", "end of text"} {
		if !strings.Contains(said, part) {
			t.Errorf("%q is missing in %q", part, said)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "three") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestChatJSON(t *testing.T) {
	var log []string
	out, _ := talkWith(t, chatty(&log, nil), "hi\nho", "-json")
	var answers []map[string]any
	for line := range strings.Lines(out) {
		var a map[string]any
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != 2 || answers[1]["content"] != "uau ho" || answers[1]["reason"] != "end of text" {
		t.Errorf("%v", answers)
	}
}

// TestInterruptStopsTheAnswer interrupts an answer, which counts as far as it
// came, and goes on talking.
func TestInterruptStopsTheAnswer(t *testing.T) {
	var log []string
	tokens := 0
	m := chatty(&log, func(ctx context.Context) {
		if tokens++; tokens == 4 {
			if p, err := os.FindProcess(os.Getpid()); err != nil || p.Signal(os.Interrupt) != nil {
				t.Skip("no signals here")
			}
			<-ctx.Done()
		}
	})
	out, _ := talkWith(t, m, "hello\nagain")
	if want := "u h [cancelled]\nuau again\n"; out != want {
		t.Errorf("%q, want %q", out, want)
	}
}

// TestChatReasons tells reasoning and calls from text, on the screen and in the
// conversation.
func TestChatReasons(t *testing.T) {
	var log []string
	m := chatty(&log, nil)
	open := m.Open
	m.Open = func(path string, o OpenOptions) (*Instance, error) {
		i, err := open(path, o)
		i.Answers = func(messages []chat.Message, _ chat.Options) (*toolcall.Parser, error) {
			f, err := toolcall.Lookup("hermes")
			if err != nil {
				return nil, err
			}
			return toolcall.New(f, toolcall.Options{}), nil
		}
		return i, err
	}
	file := filepath.Join(t.TempDir(), "talk.json")
	in := `<think>so</think>Yes.<tool_call>{"name": "look", "arguments": {"at": 1}}</tool_call>`
	out, _ := talkWith(t, m, in+"\n/save "+file)
	if want := "u[thinking] so\n[answer] Yes.[call] look {\"at\": 1}\n"; !strings.HasPrefix(out, want) {
		t.Errorf("%q, want %q …", out, want)
	}
	saved, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(saved), `"reasoning_content": "so"`) || !strings.Contains(string(saved), `"tool_calls"`) || !strings.Contains(string(saved), `"content": "uYes."`) {
		t.Errorf("%s, %v", saved, err)
	}
	out, _ = talkWith(t, m, in, "-json")
	var answer map[string]any
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatal(err)
	}
	if answer["reasoning_content"] != "so" || answer["tool_calls"] == nil || strings.Contains(answer["content"].(string), "<") {
		t.Errorf("%s", out)
	}
}

func TestChatWithoutTemplate(t *testing.T) {
	var log []string
	m := chatty(&log, nil)
	open := m.Open
	m.Open = func(path string, o OpenOptions) (*Instance, error) {
		i, err := open(path, o)
		i.Chat = nil
		return i, err
	}
	code, _, errs := run(m, "", "chat")
	if code != 1 || !strings.Contains(errs, "cannot chat") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

// TestGenerateFollows constrains the fake model, which would continue with the alphabet.
func TestGenerateFollows(t *testing.T) {
	var log []string
	code, out, errs := run(chatty(&log, nil), "", "generate", "-p", "a", "-regex", "b?[x-z]{2}", "-n", "9")
	if code != 0 || len(strings.TrimSpace(out)) < 2 || !strings.Contains(errs, "complete") {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	schema := filepath.Join(t.TempDir(), "s.json")
	if err := os.WriteFile(schema, []byte(`{"not":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs = run(chatty(&log, nil), "", "generate", "-p", "a", "-json-schema", schema); code != 1 || !strings.Contains(errs, "keyword not is not supported") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

// TestGenerateLogProbs asks for the probabilities of tokens.
func TestGenerateLogProbs(t *testing.T) {
	var log []string
	code, out, _ := run(chatty(&log, nil), "", "generate", "-p", "a", "-n", "2", "-json", "-logprobs", "1")
	var r report
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil || len(r.Logprobs) != 2 || r.Logprobs[0].Text != "b" || r.Logprobs[0].Top[0].Text != "b" {
		t.Errorf("exit %d, %v, %s", code, err, out)
	}
}

// TestChatTools offers tools, sees them arrive, and gives the results of two calls, after which the model goes on.
func TestChatTools(t *testing.T) {
	var log []string
	m := chatty(&log, nil)
	open := m.Open
	offered := 0
	m.Open = func(path string, o OpenOptions) (*Instance, error) {
		i, err := open(path, o)
		i.Answers = func(messages []chat.Message, o chat.Options) (*toolcall.Parser, error) {
			offered = len(o.Tools)
			f, err := toolcall.Lookup("hermes")
			if err != nil {
				return nil, err
			}
			return toolcall.New(f, toolcall.Options{}), nil
		}
		return i, err
	}
	file := filepath.Join(t.TempDir(), "tools.json")
	if err := os.WriteFile(file, []byte(`[{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	call := `<tool_call>{"name": "look", "arguments": {"at": %d}}</tool_call>`
	in := fmt.Sprintf("/result early\n"+call+call+"\n/result first\n/result second\n/result third", 1, 2)
	out, said := talkWith(t, m, in, "-tools", file, "-think", "off")
	if !strings.HasSuffix(out, "uatt second\n") || offered != 1 || strings.Count(said, "no function that waits") != 2 {
		t.Errorf("%q, %q, %d tools", out, said, offered)
	}
	if code, _, errs := run(m, "", "chat", "-think", "maybe"); code != 2 || !strings.Contains(errs, "on or off") {
		t.Errorf("exit %d, %q", code, errs)
	}
}
