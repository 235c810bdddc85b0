package toolcall

import "strings"

var (
	usual     = &JSON{Name: []string{"name"}, Args: []string{"arguments", "parameters"}, ID: []string{"id"}}
	think     = []Mark{{Text: "<think>", To: Reasoning}, {Text: "</think>", To: Text}}
	functions = &Tags{Open: "<function=", NameEnd: []string{">"}, ParamOpen: "<parameter=", KeyEnd: ">", ParamClose: "</parameter>", Close: "</function>"}
	invoke    = &Tags{Open: `<invoke name="`, NameEnd: []string{`">`}, ParamOpen: `<parameter name="`, KeyEnd: `">`, ParamClose: "</parameter>", Close: "</invoke>"}
	atem      = &Tags{Open: `<atem:invoke name="`, NameEnd: []string{`">`}, ParamOpen: `<atem:parameter name="`, KeyEnd: `">`, ParamClose: "</atem:parameter>", Close: "</atem:invoke>"}
	dsml      = &Tags{Open: `<｜DSML｜invoke name="`, NameEnd: []string{`">`}, ParamOpen: `<｜DSML｜parameter name="`, KeyEnd: `"`, AttrEnd: ">", StringAttr: `string="true"`, ParamClose: "</｜DSML｜parameter>", Close: "</｜DSML｜invoke>"}
	argKeys   = &Tags{NameEnd: []string{"\n", "<arg_key>", "</tool_call>"}, ParamOpen: "<arg_key>", KeyEnd: "</arg_key>", ValueOpen: "<arg_value>", ParamClose: "</arg_value>"}
	hunyuan   = &Tags{Open: "<tool_call:opensource>", NameEnd: []string{"<tool_sep:opensource>"}, ParamOpen: "<arg_key:opensource>", KeyEnd: "</arg_key:opensource>", ValueOpen: "<arg_value:opensource>", ParamClose: "</arg_value:opensource>", Close: "</tool_call:opensource>"}
	nested    = &Tags{Open: `]<]minimax[>[<invoke name="`, NameEnd: []string{`">`}, ParamOpen: "]<]minimax[>[<", KeyEnd: ">", ParamClose: "]<]minimax[>[</$key>", Nested: "]<]minimax[>[", Close: "]<]minimax[>[</invoke>"}
	turns     = []string{"<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "</s>", "<|end|>"}
)

// marks joins marks of reasoning and of calls.
func marks(reasoning []Mark, calls ...Mark) []Mark {
	return append(append([]Mark{}, reasoning...), calls...)
}

// formats are all formats, the more particular first: Detect takes the first that fits a template. They are made anew for each
// caller: a variable would link them always.
func formats() []Format { return append(formatsWithMarks(), formatsByShape()...) }

// formatsWithMarks are formats that are known by marks of their own.
func formatsWithMarks() []Format {
	return []Format{
		{
			Name: "harmony", Models: "gpt-oss", Detect: []string{"<|channel|>", "<|message|>"},
			Head: &Header{Begin: []string{"<|start|>", "<|channel|>"}, End: "<|message|>", Body: []string{"<|end|>", "<|call|>", "<|return|>"},
				Channels: map[string]Kind{"analysis": Reasoning, "commentary": Text, "final": Text}, Channel: "<|channel|>", To: "to=", Trim: "functions."},
		},
		{
			Name: "deepseek-dsml", Models: "DeepSeek V3.2, V4", Detect: []string{"｜DSML｜"}, Skip: []string{"<｜end▁of▁sentence｜>"},
			Marks: marks(think, Mark{Text: "<｜DSML｜function_calls>", Calls: &Calls{End: "</｜DSML｜function_calls>", Tags: dsml}},
				Mark{Text: "<｜DSML｜tool_calls>", Calls: &Calls{End: "</｜DSML｜tool_calls>", Tags: dsml}}),
		},
		{
			Name: "deepseek", Models: "DeepSeek V3, R1 and its distillations", Detect: []string{"<｜tool▁calls▁begin｜>", "```json"}, Skip: []string{"<｜end▁of▁sentence｜>"},
			Marks: marks(think, Mark{Text: "<｜tool▁calls▁begin｜>", Calls: &Calls{End: "<｜tool▁calls▁end｜>", Fields: &Fields{
				Open: "<｜tool▁call▁begin｜>", HeadEnd: "\n```json\n", Split: "<｜tool▁sep｜>", Close: "<｜tool▁call▁end｜>"}}}),
		},
		{
			Name: "deepseek-v3.1", Models: "DeepSeek V3.1", Detect: []string{"<｜tool▁calls▁begin｜>"}, Skip: []string{"<｜end▁of▁sentence｜>"},
			Marks: marks(think, Mark{Text: "<｜tool▁calls▁begin｜>", Calls: &Calls{End: "<｜tool▁calls▁end｜>", Fields: &Fields{
				Open: "<｜tool▁call▁begin｜>", HeadEnd: "<｜tool▁sep｜>", Close: "<｜tool▁call▁end｜>"}}}),
		},
		{
			Name: "kimi", Models: "Kimi K2", Detect: []string{"<|tool_call_argument_begin|>"}, Skip: turns,
			Marks: marks(think, Mark{Text: "<|tool_calls_section_begin|>", Calls: &Calls{End: "<|tool_calls_section_end|>", Fields: &Fields{
				Open: "<|tool_call_begin|>", HeadEnd: "<|tool_call_argument_begin|>", TrimPrefix: "functions.", CutAt: ":", ID: true, Close: "<|tool_call_end|>"}}}),
		},
		{
			Name: "solar", Models: "Solar Open", Detect: []string{"<|tool_call:args|>"}, Skip: append([]string{"<|calls|>"}, turns...),
			Marks: []Mark{{Text: "<|think|>", To: Reasoning}, {Text: "<|content|>", To: Text}, {Text: "<|tool_calls|>", Calls: &Calls{End: "<|calls|>", Fields: &Fields{
				Open: "<|tool_call:begin|>", HeadEnd: "<|tool_call:args|>", Split: "<|tool_call:name|>", ID: true, Close: "<|tool_call:end|>"}}}},
		},
		{
			Name: "minimax-m3", Models: "MiniMax M3", Detect: []string{"]<]minimax[>["}, Skip: []string{"[e~["},
			Marks: []Mark{{Text: "<mm:think>", To: Reasoning}, {Text: "</mm:think>", To: Text},
				{Text: "]<]minimax[>[<tool_call>", Calls: &Calls{End: "]<]minimax[>[</tool_call>", Tags: nested}}},
		},
		{
			Name: "hunyuan", Models: "Hunyuan 3", Detect: []string{"<｜hy_"}, Skip: []string{"<｜hy_eos:opensource｜>"},
			Marks: []Mark{{Text: "<think:opensource>", To: Reasoning}, {Text: "</think:opensource>", To: Text},
				{Text: "<tool_calls:opensource>", Calls: &Calls{End: "</tool_calls:opensource>", Tags: hunyuan}}},
		},
		{
			Name: "minimax", Models: "MiniMax M2", Detect: []string{"<minimax:tool_call>"}, Skip: []string{"[e~["},
			Marks: marks(think, Mark{Text: "<minimax:tool_call>", Calls: &Calls{End: "</minimax:tool_call>", Tags: invoke}}),
		},
		{
			Name: "seed", Models: "Seed-OSS", Detect: []string{"<seed:tool_call>"}, Skip: []string{"<seed:eos>"},
			Marks: []Mark{{Text: "<seed:think>", To: Reasoning}, {Text: "</seed:think>", To: Text}, {Text: "<seed:tool_call>", Calls: &Calls{End: "</seed:tool_call>", Tags: functions}}},
		},
		{
			Name: "atem", Models: "Muse", Detect: []string{"<atem:function_calls>"}, Skip: []string{"<|eot|>", "<|message|>"},
			Marks: []Mark{{Text: "<atem:thinking>", To: Reasoning}, {Text: "</atem:thinking>", To: Text}, {Text: "<atem:function_calls>", Calls: &Calls{End: "</atem:function_calls>", Tags: atem}}},
		},
		{
			Name: "qwen3-coder", Models: "Qwen3-Coder, Qwen3.5, Nemotron 3, Step 3.5", Detect: []string{"<tool_call>", "<function=", "<parameter="}, Skip: turns,
			Marks: marks(think, Mark{Text: "<tool_call>", Calls: &Calls{End: "</tool_call>", Tags: functions}}),
		},
		{
			Name: "glm", Models: "GLM 4.5 to 4.7, Ling 3, Laguna", Detect: []string{"<tool_call>", "<arg_key>"}, Skip: []string{"<|observation|>", "<|user|>", "<|endoftext|>", "</assistant>", "<|role_end|>"},
			Marks: marks(think, Mark{Text: "<tool_call>", Calls: &Calls{End: "</tool_call>", Tags: argKeys}}),
		},
		{
			Name: "minicpm", Models: "MiniCPM 5", Detect: []string{`<function name="`, `<param name="`}, Skip: turns,
			Marks: marks(think, Mark{Text: `<function name="`, Calls: &Calls{Tags: &Tags{NameEnd: []string{`">`},
				ParamOpen: `<param name="`, KeyEnd: `">`, ParamClose: "</param>", Close: "</function>"}}}),
		},
		{
			Name: "mistral", Models: "Mistral and Magistral, all tokenizer versions", Detect: []string{"[TOOL_CALLS]"}, Skip: []string{"</s>"},
			Marks: []Mark{{Text: "[THINK]", To: Reasoning}, {Text: "[/THINK]", To: Text}, {Text: "<think>", To: Reasoning}, {Text: "</think>", To: Text},
				{Text: "[TOOL_CALLS]", Calls: &Calls{JSON: usual, Fields: &Fields{HeadEnd: "[ARGS]", Split: "[CALL_ID]", NameFirst: true, ID: true}}}},
		},
		{
			Name: "cohere", Models: "Command R7B, Command A", Detect: []string{"<|START_ACTION|>"},
			Skip: []string{"<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>", "<|END_OF_TURN_TOKEN|>"},
			Marks: []Mark{{Text: "<|START_THINKING|>", To: Reasoning}, {Text: "<|END_THINKING|>", To: Text},
				{Text: "<|START_ACTION|>", Calls: &Calls{End: "<|END_ACTION|>", JSON: &JSON{Name: []string{"tool_name"}, Args: []string{"parameters"}, ID: []string{"tool_call_id"}}}}},
		},
	}
}

// formatsByShape are the others.
func formatsByShape() []Format {
	return []Format{
		{
			Name: "command-r", Models: "Command R and R+", Detect: []string{"Action:", "```json", "directly-answer"}, Skip: []string{"<|END_OF_TURN_TOKEN|>"},
			Marks: []Mark{{Text: "Action: ```json", Calls: &Calls{End: "```", JSON: &JSON{Name: []string{"tool_name"}, Args: []string{"parameters"}}}},
				{Text: "Action:```json", Calls: &Calls{End: "```", JSON: &JSON{Name: []string{"tool_name"}, Args: []string{"parameters"}}}}},
		},
		{
			Name: "lfm", Models: "LFM2", Detect: []string{"<|tool_call_start|>"}, Skip: turns,
			Marks: marks(think, Mark{Text: "<|tool_call_start|>", Calls: &Calls{End: "<|tool_call_end|>", Python: true}}),
		},
		{
			Name: "gemma4", Models: "Gemma 4", Detect: []string{"<|tool_call>"}, Skip: []string{"<turn|>", "<eos>"},
			Marks: []Mark{{Text: "<|channel>thought", To: Reasoning}, {Text: "<channel|>", To: Text},
				{Text: "<|tool_call>", Calls: &Calls{End: "<tool_call|>", Loose: &Loose{Open: "call:", Quote: `<|"|>`}}}},
		},
		{
			Name: "functiongemma", Models: "FunctionGemma", Detect: []string{"<start_function_call>"}, Skip: []string{"<end_of_turn>", "<eos>"},
			Marks: []Mark{{Text: "<start_function_call>", Calls: &Calls{End: "<end_function_call>", Loose: &Loose{Open: "call:", Quote: "<escape>"}}}},
		},
		{
			Name: "apertus", Models: "Apertus", Detect: []string{"<|tools_prefix|>"}, Skip: []string{"<|assistant_end|>"},
			Marks: []Mark{{Text: "<|inner_prefix|>", To: Reasoning}, {Text: "<|inner_suffix|>", To: Text},
				{Text: "<|tools_prefix|>", Calls: &Calls{End: "<|tools_suffix|>", JSON: &JSON{KeyIsName: true}}}},
		},
		{
			Name: "nemotron", Models: "Nemotron Nano 2", Detect: []string{"<TOOLCALL>"}, Skip: turns,
			Marks: marks(think, Mark{Text: "<TOOLCALL>", Calls: &Calls{End: "</TOOLCALL>", JSON: usual}}),
		},
		{
			Name: "tool-calls", Models: "MiniMax M1, Apriel", Detect: []string{"<tool_calls>"}, Skip: turns,
			Marks: marks(think, Mark{Text: "<tool_calls>", Calls: &Calls{End: "</tool_calls>", JSON: usual}}),
		},
		{
			Name: "functools", Models: "Phi-4-mini (functools), Firefunction", Detect: []string{"functools["}, Skip: turns,
			Marks: []Mark{{Text: "functools", Calls: &Calls{JSON: usual}}},
		},
		{
			Name: "phi", Models: "Phi-4-mini, Granite 3", Detect: []string{"<|tool_call|>"}, Skip: append([]string{"<|/tool_call|>", "<|end_of_text|>", "<response>", "</response>"}, turns...),
			Marks: marks(think, Mark{Text: "<|tool_call|>", Calls: &Calls{JSON: usual}}),
		},
		{
			Name: "gigachat", Models: "GigaChat 3", Detect: []string{"function call", "<|role_sep|>"}, Skip: []string{"<|message_sep|>"},
			Marks: []Mark{{Text: "function call<|role_sep|>\n", Calls: &Calls{JSON: usual}}},
		},
		{
			Name: "hermes", Models: "Qwen 2.5 and 3, Hermes, QwQ, Granite 4, EXAONE 4, SmolLM 3", Detect: []string{"<tool_call>"}, Skip: append([]string{"<|end_of_text|>", "[|endofturn|]"}, turns...),
			Marks: marks(think, Mark{Text: "<tool_call>", Calls: &Calls{End: "</tool_call>", JSON: usual}}),
		},
		{
			Name: "functionary", Models: "Functionary 3.1, Llama 3.1 with custom calls", Detect: []string{"<function="}, Skip: turns,
			Marks: []Mark{{Text: "<function=", Calls: &Calls{Fields: &Fields{HeadEnd: ">", Close: "</function>"}}}},
		},
		{
			Name: "llama4", Models: "Llama 4", Detect: []string{"<|python_start|>"}, Skip: []string{"<|eot|>", "<|eom|>", "<|python_start|>", "<|python_end|>"},
			Bare: &Calls{JSON: usual, Python: true},
		},
		{
			Name: "llama3", Models: "Llama 3.1 to 3.3", Detect: []string{"<|start_header_id|>", "tool_calls"}, Skip: turns,
			Marks: []Mark{{Text: "<|python_tag|>", Calls: &Calls{JSON: usual, Python: true}}},
			Bare:  &Calls{JSON: usual},
		},
		{
			Name: "think", Models: "reasoning models without tools", Detect: []string{"</think>"}, Skip: append([]string{"<｜end▁of▁sentence｜>"}, turns...),
			Marks: think,
		},
		{Name: "plain", Models: "models with neither", Detect: []string{""}, Skip: turns},
	}
}

// Detect returns the format that a chat template was written for.
func Detect(template string) *Format {
	all := formats()
next:
	for i := range all {
		for _, part := range all[i].Detect {
			if !strings.Contains(template, part) {
				continue next
			}
		}
		return &all[i]
	}
	return &all[len(all)-1]
}
