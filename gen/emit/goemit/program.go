package goemit

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"
	"github.com/tfgen/tfgen/gen/ir"
)

// dataFile emits embed.go: the data that is compiled into the program.
func (e *emitter) dataFile() ([]File, error) {
	var texts []string
	if e.Tokens && e.Tables == nil {
		texts = append(texts, "// tokenizerData is the packed tokenizer.\n//\n//go:embed tokenizer.bin\nvar tokenizerData []byte\n")
	}
	if e.Embed {
		texts = append(texts, e.fill("// embeddedWeights is the weights file.\n//\n//go:embed $package.weights\nvar embeddedWeights []byte\n"))
	}
	if len(texts) == 0 {
		return nil, nil
	}
	f := jen.NewFilePathName("generated/"+e.Package, e.Package)
	f.HeaderComment(e.header())
	f.Anon("embed")
	for _, s := range texts {
		f.Add(code(strings.TrimSpace(s)))
		f.Line()
	}
	var b strings.Builder
	if err := f.Render(&b); err != nil {
		return nil, err
	}
	return []File{{Name: "embed.go", Data: []byte(b.String())}}, nil
}

// programFile emits the main package of a command-line program around the model.
func (e *emitter) programFile() ([]File, error) {
	if !e.Program {
		return nil, nil
	}
	width, layers := 0, 0
	for _, r := range e.Plan.Graph.Regions {
		if r.Kind == ir.Layer {
			width, layers = r.Result.Type.Width(), layers+1
		}
	}
	var instance strings.Builder
	kind := "SessionBytes: " + e.Package + ".SessionBytes,\nGenerates: true,\nDefaults: " + e.Package + ".Defaults(),\n"
	switch {
	case e.Causal:
		instance.WriteString("i.NewSession = func(context int) (program.Session, error) { return m.NewSession(context) }\ni.Search = m.Search\n")
		if e.encodes() {
			fmt.Fprintf(&instance, "i.Read = func(ctx context.Context, s program.Session, source []int32) ([]int32, error) {\nreturn %[1]s.Start, s.(*%[1]s.Session).Encode(ctx, source)\n}\n", e.Package)
			break
		}
		if e.Tokens {
			instance.WriteString("i.Follow = m.Follow\n")
		}
		if e.Tokens {
			kind += "Chats: true,\n"
			instance.WriteString(strings.ReplaceAll(pick(len(e.Chat) > 0, chatInstance, transcriptInstance), "$pkg", e.Package))
			if len(e.Chat) > 0 && e.Answers != "" && e.Answers != plainAnswers {
				instance.WriteString(strings.ReplaceAll(answersInstance, "$pkg", e.Package))
			}
		}
	case e.Plan.Graph.Output("embedding") != nil && e.Tokens:
		kind = "Embeds: true,\n"
		instance.WriteString("i.Embed = m.Embed\n")
	default:
		var lines string
		kind, lines = e.judge()
		instance.WriteString(lines)
	}
	if e.Tokens {
		instance.WriteString("i.Tokenizer = generate.Wrap[*tokenizer.Stream](m.Tokenizer())\n")
	}
	text := strings.NewReplacer("$pkg", e.Package, "$title", e.Title, "$arch", e.Plan.Graph.Name, "$width", fmt.Sprint(width),
		"$layers", fmt.Sprint(layers), "$weights", pick(e.Embed, "", e.Package+".weights"), "$kind", kind,
		"$open", pick(e.Embed, e.Package+".New(options)", e.Package+".Open(path, options)"), "$instance", instance.String()).Replace(programText)
	f := jen.NewFilePathName("generated/main", "main")
	f.HeaderComment(e.header())
	f.PackageComment(fmt.Sprintf("Command %s runs %s.", e.Package, e.Title))
	own := map[string]string{e.Package: e.ImportPath}
	for name, path := range imports {
		own[name] = path
		f.ImportName(path, name)
	}
	f.ImportName(e.ImportPath, e.Package)
	f.Add(snippet(own, strings.TrimSpace(text)))
	var b strings.Builder
	if err := f.Render(&b); err != nil {
		return nil, err
	}
	return []File{{Name: "cmd/" + e.Package + "/main.go", Data: []byte(b.String())}}, nil
}

// chatInstance lets the program talk with the model.
const chatInstance = `i.Chat = func(ctx context.Context, s program.Session, messages []chat.Message, o chat.Options, options ...generate.Option) iter.Seq2[generate.Token, error] {
	return s.(*$pkg.Session).Chat(ctx, messages, o, options...)
}
`

// answersInstance lets the program tell reasoning and tool calls from the text of an answer.
const answersInstance = `i.Answers = func(messages []chat.Message, o chat.Options) (*toolcall.Parser, error) {
	prompt, err := $pkg.ApplyChatTemplate(messages, o)
	if err != nil {
		return nil, err
	}
	return $pkg.NewAnswerParser(prompt, o.Tools)
}
`

// transcriptInstance lets the program talk with a model that has no chat template.
const transcriptInstance = `i.Chat = func(ctx context.Context, s program.Session, messages []chat.Message, o chat.Options, options ...generate.Option) iter.Seq2[generate.Token, error] {
	text := m.Tokenizer().Encode(chat.Transcript(messages), true) // o has nothing for plain text
	return s.(*$pkg.Session).Continue(ctx, text, append(options, generate.StopAt(chat.TranscriptStop))...)
}
i.Transcript = true
`

const programText = `
func main() {
	program.Main(program.Model{
		Name: "$pkg", Doc: "$title", Arch: "$arch",
		Parameters: $pkg.Parameters, WeightBytes: $pkg.WeightsBytes, Layers: $layers, Width: $width,
		Vocabulary: $pkg.Vocabulary, Context: $pkg.MaxContext, Weights: "$weights", Open: open,
		$kind})
}

// open opens the model for the program.
func open(path string, o program.OpenOptions) (*program.Instance, error) {
	options := $pkg.Options{Threads: o.Threads}
	m, err := $open
	if err != nil {
		return nil, err
	}
	if o.Verify {
		if err := m.Verify(context.Background()); err != nil {
			m.Close()
			return nil, err
		}
	}
	i := &program.Instance{Close: m.Close}
	$instancereturn i, nil
}
`
