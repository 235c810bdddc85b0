package toolcall

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/chat"
)

var weather = []chat.Tool{{Name: "get_weather", Parameters: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"zip":{"type":"string"}}}`)}}

// answers are what models of each family write, and what it means: text, reasoning in parentheses, calls in brackets.
var answers = []struct{ format, stream, want string }{
	{"plain", "Hello  world\n<|im_end|>", "Hello  world\n"},
	{"hermes", "Hi <b>there</b>", "Hi <b>there</b>"},
	{"hermes", "<think>\nHm.\n</think>\n\nYes.<|im_end|>", "(Hm.)Yes."},
	{"hermes", "Let me see.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, {\"b\": \"}\"}]}}\n</tool_call>\n<tool_call>\n{\"name\":\"g\",\"arguments\":{}}\n</tool_call>", `Let me see.[f {"a": [1, {"b": "}"}]}][g {}]`},
	{"hermes", `<tool_call>{"arguments": {"a": 1}, "name": "f"}</tool_call>done`, `[f {"a": 1}]done`},
	{"hermes", `<tool_call>{"name": "f", "arguments": "{\"a\": 1}"}</tool_call>`, `[f {"a": 1}]`},
	{"hermes", `<tool_call>{"name": "now"}</tool_call>`, `[now {}]`},
	{"hermes", `<tool_call>no json</tool_call> and on`, `!<tool_call>no json!and on`},
	{"hermes", `<tool_call>{"name": "f", "arguments": {"a": tru`, `[f {"a": tru]!<tool_call>{"name": "f", "arguments": {"a": tru!`},
	{"hermes", "a <tool_cal", "a <tool_cal"},
	{"qwen3-coder", "<tool_call>\n<function=get_weather>\n<parameter=city>\nZürich\n2\n</parameter>\n<parameter=days>\n3\n</parameter>\n<parameter=zip>\n8001\n</parameter>\n</function>\n</tool_call>", `[get_weather {"city": "Zürich\n2", "days": 3, "zip": "8001"}]`},
	{"qwen3-coder", "<tool_call>\n<function=f>\n</function>\n</tool_call>\nok", `[f {}]ok`},
	{"llama3", `{"name": "f", "parameters": {"a": 1}}<|eot_id|>`, `[f {"a": 1}]`},
	{"llama3", `<|python_tag|>{"name": "f", "parameters": {}}; {"name": "g", "parameters": {"x": "y"}}<|eom_id|>`, `[f {}][g {"x": "y"}]`},
	{"llama3", `<|python_tag|>brave_search.call(query="Menlo Park, \"CA\"", n=3)<|eom_id|>`, `[brave_search {"query": "Menlo Park, \"CA\"", "n": 3}]`},
	{"llama3", `{"name": "Bob", "age": 3}`, `{"name": "Bob", "age": 3}`},
	{"llama3", `It is {"name": "f", "parameters": {}}`, `It is {"name": "f", "parameters": {}}`},
	{"llama4", `<|python_start|>[f(a=1, b='x'), g()]<|python_end|><|eot|>`, `[f {"a": 1, "b": "x"}][g {}]`},
	{"mistral", `[TOOL_CALLS][{"name": "f", "arguments": {"a": 1}, "id": "abc"}, {"name": "g", "arguments": {}}]</s>`, `[f {"a": 1}][g {}]`},
	{"mistral", `[THINK]Hm.[/THINK]Well.[TOOL_CALLS]f[CALL_ID]x1[ARGS]{"a": 1}[TOOL_CALLS]g[ARGS]{}</s>`, `(Hm.)Well.[f#x1 {"a": 1}][g {}]`},
	{"deepseek", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": 1}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>g\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>", `[f {"a": 1}][g {}]`},
	{"deepseek-v3.1", `Sure.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{"a": "é"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`, `Sure.[f {"a": "é"}]`},
	{"deepseek-dsml", "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"a\" string=\"true\">12</｜DSML｜parameter>\n<｜DSML｜parameter name=\"b\" string=\"false\">[1]</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>", `[f {"a": "12", "b": [1]}]`},
	{"harmony", `<|channel|>analysis<|message|>Think.<|end|><|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a": 1}<|call|>`, `(Think.)[f {"a": 1}]`},
	{"harmony", ` to=functions.f<|channel|>commentary json<|message|>{}<|call|>`, `[f {}]`},
	{"harmony", `Hi`, `Hi`},
	{"harmony", `<|channel|>final<|message|>Hi <there><|return|>`, `Hi <there>`},
	{"harmony", `<|start|>assistant to=functions.g<|channel|>commentary json<|message|>{}<|call|>`, `[g {}]`},
	{"harmony", `<|channel|>commentary to=python code<|message|>print("x")<|call|>`, `[python "print(\"x\")"]`},
	{"phi", `<|tool_call|>[{"name": "f", "arguments": {"a": 1}}]<|/tool_call|><|end|>`, `[f {"a": 1}]`},
	{"functools", `functools[{"name": "f", "arguments": {"a": 1}}]`, `[f {"a": 1}]`},
	{"phi", `<think>x</think><response>Answer</response>`, `(x)Answer`},
	{"cohere", "<|START_THINKING|>Plan.<|END_THINKING|><|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"f\", \"parameters\": {\"a\": 1}}\n]<|END_ACTION|><|END_OF_TURN_TOKEN|>", `(Plan.)[f#0 {"a": 1}]`},
	{"command-r", "Action: ```json\n[\n {\"tool_name\": \"f\", \"parameters\": {}}\n]```", `[f {}]`},
	{"glm", "<think>Hm</think>\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Bonn</arg_value>\n<arg_key>zip</arg_key>\n<arg_value>53111</arg_value>\n</tool_call>", `(Hm)[get_weather {"city": "Bonn", "zip": "53111"}]`},
	{"glm", "<tool_call>f<arg_key>a</arg_key><arg_value>[1, 2]</arg_value></tool_call><tool_call>now</tool_call>", `[f {"a": [1, 2]}][now {}]`},
	{"kimi", `<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|><|tool_calls_section_end|><|im_end|>`, `[f#functions.f:0 {"a": 1}]`},
	{"minimax", "<minimax:tool_call>\n<invoke name=\"f\">\n<parameter name=\"a\">x</parameter>\n</invoke>\n</minimax:tool_call>", `[f {"a": "x"}]`},
	{"seed", "<seed:think>t</seed:think><seed:tool_call>\n<function=f>\n<parameter=a>1.5</parameter>\n</function>\n</seed:tool_call>", `(t)[f {"a": 1.5}]`},
	{"minicpm", `<function name="f"><param name="a">x</param></function>after`, `[f {"a": "x"}]after`},
	{"nemotron", `<TOOLCALL>[{"name": "f", "arguments": {"a": 1}}]</TOOLCALL>`, `[f {"a": 1}]`},
	{"lfm", `<|tool_call_start|>[f(a='x', b=[1, {'k': None}], c=-2.5, d=True)]<|tool_call_end|>Done`, `[f {"a": "x", "b": [1, {"k": null}], "c": -2.5, "d": true}]Done`},
	{"gemma4", "<|channel>thought\nHm.<channel|><|tool_call>call:f{a:<|\"|>x, y<|\"|>,b:{c:[1,true]}}<tool_call|><turn|>", `(Hm.)[f {"a": "x, y", "b": {"c": [1, true]}}]`},
	{"apertus", `<|tools_prefix|>[{"f": {"a": 1}}, {"g": {}}]<|tools_suffix|>`, `[f {"a": 1}][g {}]`},
	{"solar", `<|think|>t<|content|>c<|tool_calls|><|tool_call:begin|>id1<|tool_call:name|>f<|tool_call:args|>{"a": 1}<|tool_call:end|><|calls|>`, `(t)c[f#id1 {"a": 1}]`},
	{"tool-calls", "<tool_calls>\n{\"name\": \"f\", \"arguments\": {}}\n{\"name\": \"g\", \"arguments\": {\"a\": 1}}\n</tool_calls>", `[f {}][g {"a": 1}]`},
	{"functionary", `<function=f>{"a": 1}</function>`, `[f {"a": 1}]`},
	{"gigachat", "function call<|role_sep|>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}<|message_sep|>", `[f {"a": 1}]`},
	{"atem", "<atem:function_calls>\n<atem:invoke name=\"f\">\n<atem:parameter name=\"a\">x</atem:parameter>\n</atem:invoke>\n</atem:function_calls>", `[f {"a": "x"}]`},
	{"minimax-m3", "</mm:think>]<]minimax[>[<tool_call>\n]<]minimax[>[<invoke name=\"f\">]<]minimax[>[<a>x]<]minimax[>[</a>]<]minimax[>[<b>]<]minimax[>[<item>1]<]minimax[>[</item>]<]minimax[>[<item>y]<]minimax[>[</item>]<]minimax[>[</b>]<]minimax[>[</invoke>\n]<]minimax[>[</tool_call>[e~[", `[f {"a": "x", "b": [1, "y"]}]`},
	{"hunyuan", "<tool_calls:opensource>\n<tool_call:opensource>f<tool_sep:opensource>\n<arg_key:opensource>a</arg_key:opensource>\n<arg_value:opensource>1</arg_value:opensource>\n</tool_call:opensource>\n</tool_calls:opensource>", `[f {"a": 1}]`},
	{"seed", "<seed:tool_call><function=f><parameter=a>['x', {'k': True}]</parameter></function></seed:tool_call>", `[f {"a": ["x", {"k": true}]}]`},
	{"functiongemma", `<start_function_call>call:f{a:<escape>x<escape>}<end_function_call>`, `[f {"a": "x"}]`},
}

// trace writes events on a line.
func trace(events []Event) string {
	var b strings.Builder
	last := Kind(-1)
	for _, e := range events {
		switch e.Kind {
		case Reasoning:
			if last == Reasoning {
				s := strings.TrimSuffix(b.String(), ")")
				b.Reset()
				b.WriteString(s + e.Text + ")")
			} else {
				b.WriteString("(" + e.Text + ")")
			}
		case Text, Arguments:
			b.WriteString(e.Text)
		case Begin:
			id := ""
			if e.ID != "" {
				id = "#" + e.ID
			}
			b.WriteString("[" + e.Name + id + " ")
		case End:
			b.WriteString("]")
		case Malformed:
			if last == Arguments || last == Begin {
				b.WriteString("]")
			}
			b.WriteString("!" + e.Text + "!")
		}
		last = e.Kind
	}
	return b.String()
}

func feed(f *Format, pieces ...string) []Event {
	p := New(f, Options{Tools: weather})
	var events []Event
	for _, s := range pieces {
		events = append(events, p.Feed(s)...)
	}
	return append(events, p.Close()...)
}

// TestFormats reads every answer whole, byte by byte and in random pieces.
func TestFormats(t *testing.T) {
	used := map[string]bool{"think": true}
	r := rand.New(rand.NewSource(1))
	for _, c := range answers {
		f, err := Lookup(c.format)
		if err != nil {
			t.Fatal(err)
		}
		used[c.format] = true
		if got := trace(feed(f, c.stream)); got != c.want {
			t.Errorf("%s: %s\n got  %s\n want %s", c.format, c.stream, got, c.want)
			continue
		}
		if got := trace(feed(f, strings.Split(c.stream, "")...)); got != c.want {
			t.Errorf("%s, character by character: %s\n got  %s\n want %s", c.format, c.stream, got, c.want)
		}
		for range 30 {
			var pieces []string
			for s := c.stream; s != ""; {
				n := min(len(s), 1+r.Intn(12))
				pieces = append(pieces, s[:n])
				s = s[n:]
			}
			if got := trace(feed(f, pieces...)); got != c.want {
				t.Errorf("%s, as %q:\n got  %s\n want %s", c.format, pieces, got, c.want)
				break
			}
		}
	}
	for _, name := range Names() {
		if !used[name] {
			t.Errorf("format %s has no test", name)
		}
	}
}

func TestReasoningFromTheStart(t *testing.T) {
	f, err := Lookup("hermes")
	if err != nil {
		t.Fatal(err)
	}
	m := Parse(f, "\nHm.\n</think>\n\nYes.", Options{Reasoning: true})
	if !f.InReasoning("…<|im_start|>assistant\n<think>\n") || f.InReasoning("…<think>\n\n</think>\n\n") {
		t.Error("InReasoning")
	}
	if m.Reasoning != "Hm." || m.Content != "Yes." {
		t.Errorf("%+v", m)
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := Lookup("nosuch"); err == nil || !strings.Contains(err.Error(), "hermes") {
		t.Errorf("%v", err)
	}
}

// TestStreaming sees arguments before the call is whole.
func TestStreaming(t *testing.T) {
	f, err := Lookup("hermes")
	if err != nil {
		t.Fatal(err)
	}
	p := New(f, Options{})
	events := p.Feed(`<tool_call>{"name": "f", "arguments": {"text": "once upon`)
	if got := fmt.Sprintf("%d %s", len(events), events[len(events)-1].Text); got != `2 {"text": "once upon` {
		t.Errorf("%v", events)
	}
}

// FuzzFormats feeds any text to any format: whole and in pieces, the events are the same.
func FuzzFormats(f *testing.F) {
	for i, c := range answers {
		for n, g := range formats() {
			if g.Name == c.format {
				f.Add(uint8(n), c.stream, int64(i))
			}
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, stream string, seed int64) {
		if len(stream) > 1<<16 {
			return
		}
		all := formats()
		g := &all[int(n)%len(all)]
		want := trace(feed(g, stream))
		r := rand.New(rand.NewSource(seed))
		var pieces []string
		for s := stream; s != ""; {
			k := min(len(s), 1+r.Intn(9))
			pieces = append(pieces, s[:k])
			s = s[k:]
		}
		if got := trace(feed(g, pieces...)); got != want {
			t.Errorf("%s, as %q:\n got  %q\n want %q", g.Name, pieces, got, want)
		}
		Parse(g, stream, Options{Tools: weather})
	})
}
