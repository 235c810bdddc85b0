package spec

import "strings"

// key is one key that a mapping of the language may have. The decoder and the JSON Schema read the same tables.
type key struct {
	name     string
	kind     string // word | words | value | values | steps | a name of objects | "map of " + one of these
	required bool
	doc      string
}

// objects are the mappings of the language with a fixed set of keys.
var objects = map[string][]key{
	"spec": {
		{"arch", "word", true, "name of the architecture"},
		{"hf", "hf", true, "which Hugging Face configurations this file is for"},
		{"parts", "words", false, "parts of the library: values of config and names of tensors that go with a building block"},
		{"config", "map of field", true, "our names for values of the configuration; vocab, max_pos and layers are required"},
		{"require", "map of values", false, "values of configuration keys that are computed; any other value is an error"},
		{"tiny", "map of value", true, "sizes at which the architecture is tested"},
		{"inputs", "words", true, "inputs of the model: tokens, positions, token_types"},
		{"tensors", "tensors", true, "how a Hugging Face checkpoint stores the weights"},
		{"gguf", "gguf", false, "how a GGUF file stores configuration and weights"},
		{"encoder", "encoder", false, "of an encoder–decoder: the tower in front, which reads source_tokens; the decoder knows its result as encoded"},
		{"embed", "steps", true, "from the inputs to what the first block receives"},
		{"blocks", "blocks", true, "the layers"},
		{"end", "steps", false, "between the last block and every head"},
		{"classes", "words", false, "classes of the library that stand beside those of heads; of two with one name the first counts"},
		{"heads", "map of head", false, "what follows the last block, by class name; {A,B}ForX stands for AForX and BForX"},
	},
	"hf": {
		{"model_type", "words", true, "values of model_type in config.json"},
		{"family", "words", false, "what names of its classes begin with, before For or Model; without it, those of heads tell"},
	},
	"field": {
		{"key", "words", false, "keys of the configuration, dotted; the first that is present wins; file.json:key reads another file"},
		{"type", "word", false, "type of the value; without one the field is that of a part, and only what is written here differs"},
		{"default", "value", false, "value when no key is present; without one the key is required"},
		{"null", "value", false, "value when the key is present and null; without one null counts as absent"},
		{"values", "values", false, "allowed values: a list, a map from theirs to ours, or the name of a table"},
		{"len", "value", false, "length that a list must have"},
		{"doc", "word", false, "one line"},
	},
	"tensors": {
		{"prefix", "words", false, "prefixes of names that do not begin with /; the first that the checkpoint uses"},
		{"map", "map of rule", false, "where weights whose names match a pattern are stored"},
		{"ignore", "ignores", false, "stored tensors that the model does not use"},
	},
	"rule": {
		{"from", "words", false, "stored name, or alternatives; each * stands for the text that the pattern's * matched"},
		{"each", "value", false, "number of parts that make the weight, one below another, such as experts or heads"},
		{"as", "word", false, "name of the counter of these parts, from 0; names and steps can use it"},
		{"steps", "values", false, "weight-only arithmetic: " + stepsDoc},
		{"constant", "value", false, "value of every element of a weight that is not stored; null: it is stored"},
	},
	"ignore": {
		{"name", "word", true, "pattern of names"},
		{"when", "value", true, "condition"},
	},
	"gguf": {
		{"architecture", "words", true, "values of general.architecture"},
		{"class", "value", true, "the head of such files; an expression may use $architecture, which is that of the file, and has"},
		{"like", "words", false, "names of the library that count where this section has none of its own"},
		{"config", "map of ggufField", false, "metadata keys for values of config; others take their default"},
		{"require", "map of values", false, "values of metadata keys that are computed"},
		{"tensors", "map of rule", false, "names of tensors in the file"},
		{"ignore", "ignores", false, "tensors that the model does not use"},
		{"refuse", "map of word", false, "tensors that stand for something unsupported, with the message"},
	},
	"ggufField": {
		{"key", "words", false, "metadata keys; the first that is present wins"},
		{"default", "value", false, "value when no key is present"},
		{"type", "word", false, "type of the value, if it is another than in config"},
		{"fields", "map of word", false, "a map put together from metadata keys, absent ones left out"},
		{"tensors", "map of word", false, "with fields: lists of numbers put into the map from small tensors, absent ones left out"},
	},
	"encoder": {
		{"embed", "steps", true, "from the inputs to what its first block receives"},
		{"blocks", "blocks", true, "its layers"},
		{"end", "steps", false, "what follows its last block"},
		{"shift", "value", false, "heads that judge a sequence give it to the decoder too, shifted by one: the token in front, -1 for the sequence's last"},
	},
	"blocks": {
		{"repeat", "value", true, "number of blocks; i counts them from 0"},
		{"prefix", "word", true, "what stands before names in the body, e.g. layers.{i}."},
		{"let", "map of value", false, "names for expressions of the block"},
		{"body", "steps", true, "the block"},
	},
	"head": {
		{"task", "word", false, strings.Join(tasks, ", ") + "; without one the name of the class tells"},
		{"steps", "steps", true, "from the last block to the outputs"},
		{"encoder_only", "value", false, "true: the class has no decoder, its steps follow the encoder"},
		{"ignore", "ignores", false, "stored tensors that this class does not use"},
	},
	"macro": {
		{"macro", "word", true, "name"},
		{"doc", "word", true, "what it computes, with its source"},
		{"params", "map of param", true, "parameters"},
		{"steps", "steps", true, "the steps; x is the input"},
	},
	"param": {
		{"type", "word", true, "type of the argument"},
		{"default", "value", false, "without one the argument is required"},
		{"doc", "word", true, "one line"},
	},
	"table": {
		{"table", "word", true, "name"},
		{"doc", "word", true, "what it maps"},
		{"values", "map of word", true, "theirs to ours"},
	},
	"part": {
		{"part", "word", true, "name"},
		{"doc", "word", true, "the building block, with its source"},
		{"config", "map of field", false, "values of the configuration; a specification's own of the same name count"},
		{"tensors", "partTensors", false, "how a Hugging Face checkpoint stores the weights; a specification's own rules come first"},
		{"gguf", "partGGUF", false, "how a GGUF file stores both, if the specification has a gguf section"},
	},
	"partTensors": {
		{"map", "map of rule", false, "where weights whose names match a pattern are stored"},
		{"ignore", "ignores", false, "stored tensors that the model does not use"},
	},
	"partGGUF": {
		{"config", "map of ggufField", false, "metadata keys for values of config; {arch} is the architecture of the file"},
		{"tensors", "map of rule", false, "names of tensors in the file"},
	},
	"names": {
		{"names", "word", true, "name"},
		{"doc", "word", true, "whose names they are"},
		{"config", "map of ggufField", false, "metadata keys for values of config, as in gguf; {arch} is the architecture of the file"},
		{"tensors", "map of rule", true, "names of tensors in the file"},
	},
	"classes": {
		{"classes", "word", true, "name"},
		{"doc", "word", true, "whose classes they are"},
		{"config", "map of field", false, "values of the configuration that they need"},
		{"heads", "map of head", true, "as in a specification; * stands for what the names of its own classes begin with, before For or LMHead"},
	},
	"keys": {
		{"keys", "word", true, "name"},
		{"doc", "word", true, "what the keys are"},
		{"names", "words", true, "patterns of configuration keys"},
	},
}

// tasks are the values of task; classTasks of heads.go tells which of them the name of a class stands for.
var tasks = []string{"causal-lm", "seq2seq-lm", "masked-lm", "text-classification", "token-classification", "replaced-token-detection",
	"question-answering", "multiple-choice", "embedding", "feature-extraction"}

// fieldTypes are the types of configuration values.
var fieldTypes = map[string]string{
	"int":    "an integer",
	"size":   "an integer from 1",
	"auto":   "an integer from 1; the word auto stands for the default",
	"float":  "a finite number",
	"bool":   "true or false",
	"string": "text",
	"count":  "an integer, or a list, map or text whose length counts",
	"list":   "a list",
	"map":    "a map",
	"words":  "a list of texts, or one text with | between them",
	"sizes":  "a list of integers from 1, or one that stands for len of them",
	"ids":    "a token id, a list of them, or null",
	"rope":   "a map of rotary scaling parameters; published older keys are renamed",
}

// paramTypes are the types of macro arguments.
var paramTypes = map[string]string{
	"int":    "an integer expression",
	"float":  "a number expression",
	"bool":   "a condition",
	"string": "text",
	"name":   "the name of a weight",
	"value":  "the name of a value",
	"map":    "a map",
	"any":    "anything",
}

// forms are the steps that are neither operations nor macros.
var forms = map[string]string{
	"residual": "y = x + steps(x)",
	"parallel": "[steps, steps, …]: y = x + steps(x) + steps(x) + …",
	"repeat":   "{times, as, steps}: the steps several times, in one function",
	"when":     "{if, then, else}: the steps of one branch",
	"output":   "names the current value as a result of the model",
}

// formKeys are the keys of the forms that are mappings.
var formKeys = map[string][]key{
	"repeat": {
		{"times", "value", true, "how often"},
		{"as", "word", true, "name of the counter, which starts at 0"},
		{"steps", "steps", true, "the steps"},
	},
	"when": {
		{"if", "value", true, "condition"},
		{"then", "steps", true, "steps when it holds"},
		{"else", "steps", false, "steps when it does not"},
	},
}

// inputs are the inputs that a model can have.
var inputs = map[string]string{
	"tokens":           "token ids",
	"positions":        "positions in the sequence, from 0",
	"token_types":      "segment ids, 0 where absent",
	"global_attention": "1 for tokens that attend to all and are attended by all, 0 for others, -1 where not said",
	"source_tokens":    "token ids that the encoder reads",
	"source_positions": "their positions, from 0",
}

// tensorSteps are the kinds of weight-only arithmetic with the types of their arguments.
var tensorSteps = map[string][]string{"transpose": nil, "rows": {"float", "float"}, "take": {"float", "float", "float"}, "add": {"float"},
	"mul": {"float"}, "exp": nil, "softplus": nil, "unpermute": {"float"}, "squeeze": nil, "flatten": nil, "reshape": {"float", "float"}, "stack": nil,
	"linear": {"name", "name"}, "layernorm": {"name", "name", "float"}, "sin": {"name"}, "window": {"name", "name", "float"},
	"state_space": {"name", "name", "name", "name", "name", "name", "string", "string", "string", "string", "float"}}

const stepsDoc = "transpose, {rows: [from, to]}, {take: [period, from, to]} (these rows of each period), {add: c}, {mul: c}, exp, softplus, {unpermute: heads}, squeeze (drop dimensions of 1), " +
	"flatten (to a vector), {reshape: [rows, columns]}, stack (matrices one below another), {linear: [weight, bias]} and {layernorm: [weight, bias, eps]} (of every row, by other tensors; a weight that is null leaves the step out), " +
	"{sin: frequencies} (of each column; several names with spaces between them: the first that is stored), {window: [times, rates, shift]} (y = x·(e^(-t·|rate|) + shift), t of the row, rate of the column), " +
	"{state_space: [step, imaginary, inputs, outputs, low, length, zoh or bilinear, transforms of step, real and imaginary, sign]} (the discrete system of each channel)"

// StepArg is the type of argument i of a kind of weight-only arithmetic: float, string or name.
func StepArg(kind string, i int) string { return tensorSteps[kind][i] }

func namesOf(keys []key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}

// function is a function of the expression language.
type function struct {
	args int // number of arguments; -1: one or more
	use  string
	doc  string
}

// functions are the functions of the expression language.
var functions = map[string]function{
	"min":    {-1, "min(x, y, …)", "the smallest; of one list: of its elements"},
	"max":    {-1, "max(x, y, …)", "the largest; of one list: of its elements"},
	"int":    {1, "int(x)", "a number without its fraction"},
	"float":  {1, "float(x)", "an integer as a number with a fraction"},
	"ln":     {1, "ln(x)", "the natural logarithm"},
	"bf16":   {1, "bf16(x)", "rounded to bfloat16, ties to even"},
	"len":    {1, "len(x)", "elements of a list or map, characters of a text"},
	"has":    {1, "has('name')", "whether the checkpoint stores such a tensor; * stands for any text, / in front for a name without the prefix"},
	"width":  {1, "width('value')", "columns of a value of the forward pass; 'x' is the current one"},
	"expand": {1, "expand([[list, times], …])", "one list of repeated lists"},
	"starts": {2, "starts(text, 'beginning')", "whether a text begins so"},
	"where":  {2, "where(list, x)", "the places of x in a list"},
	"index":  {2, "index(list, x)", "the first place of x in a list"},
}
