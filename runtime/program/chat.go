package program

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/flags"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/terminal"
)

// chatting holds the flags of chat.
type chatting struct {
	*opening
	*constraint
	system  string
	context int
	json    bool
	options generate.Options
	asking  chat.Options // what the chat template is given
}

// chatCommand adds the flags of chat and returns its action.
func chatCommand(e *env, f *flag.FlagSet) func([]string) error {
	c := &chatting{opening: e.openingFlags(f), options: e.model.Defaults}
	flags.In(f, &e.sections, "Choosing tokens", func() { samplingFlags(f, &c.options) })
	flags.In(f, &e.sections, "What the answer must look like", func() { c.constraint = constraintFlags(f) })
	f.StringVar(&c.system, "system", "", "`instructions` to the model, before the conversation")
	f.IntVar(&c.options.MaxTokens, "n", cmpOr(c.options.MaxTokens, 1024), "`tokens` of an answer at most; 0 is until the context is full")
	f.IntVar(&c.context, "ctx", min(4096, e.model.Context), fmt.Sprintf("`tokens` that the conversation can hold, at most %d", e.model.Context))
	f.BoolVar(&c.json, "json", false, "print each answer as a line of JSON")
	c.templateFlags(f)
	return func([]string) error { return e.chat(c) }
}

// templateFlags adds the flags of what the chat template is given.
func (c *chatting) templateFlags(f *flag.FlagSet) {
	f.Func("tools", "`file` with the functions that the model may call, a list in JSON; /result gives a call's result", func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &c.asking.Tools)
	})
	f.Func("think", "`on` or off: reasoning before an answer, of templates that can switch it", func(s string) error {
		on, ok := map[string]bool{"on": true, "off": false}[s]
		if !ok {
			return errors.New("expected on or off")
		}
		c.asking.Thinking = &on
		return nil
	})
	f.StringVar(&c.asking.Template, "template", "", "`name` of one of several chat templates")
}

// talk is a conversation at work.
type talk struct {
	*env
	*chatting
	instance *Instance
	session  Session
	messages []chat.Message
	stats    generate.Stats
	stop     chan os.Signal // interrupts: each ends an answer, not the program
}

// chat talks with the model until the input ends.
func (e *env) chat(c *chatting) (err error) {
	if err := c.options.Check(); err != nil {
		return usageError{err}
	}
	if c.context < 1 || c.context > e.model.Context {
		return misuse("ctx %d: the model takes up to %d tokens", c.context, e.model.Context)
	}
	grammar, err := c.compile()
	if err != nil {
		return err
	}
	instance, err := e.open(c.opening)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, instance.Close()) }()
	if instance.Chat == nil {
		return errors.New("the model cannot chat: use generate")
	}
	session, err := instance.NewSession(c.context)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if instance.Transcript && c.asking.Tools != nil {
		return errors.New("the model has no chat template that could offer tools")
	}
	if instance.Transcript {
		fmt.Fprintf(e.log, "%s has no chat template: it goes on with the conversation as plain text.\n", e.model.Name)
	}
	t := &talk{env: e, chatting: c, instance: instance, session: session, stop: make(chan os.Signal, 1)}
	signal.Notify(t.stop, os.Interrupt)
	defer signal.Stop(t.stop)
	t.reset()
	return t.lines(func(line string) error {
		if strings.HasPrefix(line, "/") {
			return t.command(line)
		}
		if err := instance.follow(grammar, &t.options); err != nil {
			return err
		}
		return t.say(line)
	})
}

// errLeave ends the conversation.
var errLeave = errors.New("leave")

// lines calls f with each line of the input.
func (t *talk) lines(f func(line string) error) error {
	read := t.reader()
	for {
		line, err := read()
		if line = strings.TrimSpace(line); line != "" {
			if err := f(line); err == errLeave {
				return nil
			} else if err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// reader returns what reads the next line: an editor with history on a terminal.
func (t *talk) reader() func() (string, error) {
	in, isFile := t.in.(*os.File)
	out, isFile2 := t.out.(*os.File)
	if isFile && isFile2 && !t.json {
		if line := terminal.Open(in, out); line != nil {
			fmt.Fprintf(t.log, "%s. Ctrl-C stops an answer, Ctrl-D ends the conversation, /help lists commands.\n", t.model.Doc)
			return func() (string, error) { return line.Read("> ") }
		}
	}
	s := bufio.NewReader(io.LimitReader(t.in, maxInput))
	return func() (string, error) { return s.ReadString('\n') }
}

// reset begins a new conversation.
func (t *talk) reset() {
	t.messages = nil
	if t.system != "" {
		t.messages = append(t.messages, chat.Message{Role: "system", Content: t.system})
	}
}

// say adds what the user says and prints the answer. If there is none, the user's
// message is taken back.
func (t *talk) say(text string) error {
	return t.tell(chat.Message{Role: "user", Content: text})
}

// tell adds a message and prints the answer.
func (t *talk) tell(m chat.Message) error {
	t.messages = append(t.messages, m)
	answer, err := t.answer()
	if err != nil {
		t.messages = t.messages[:len(t.messages)-1]
		if errors.Is(err, context.Canceled) {
			_, err = fmt.Fprintln(t.log, "[stopped before the answer began; the message is taken back]")
			return err
		}
		fmt.Fprintf(t.log, "%s: %v\n", t.model.Name, err)
		return nil
	}
	t.messages = append(t.messages, answer)
	return nil
}

// answer generates and prints an answer. An interrupt ends it; what there is of
// it counts.
func (t *talk) answer() (chat.Message, error) {
	for len(t.stop) > 0 {
		<-t.stop // pressed at the prompt
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.ctx))
	defer cancel()
	go func() {
		select {
		case <-t.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	a, err := t.newAnswer()
	if err != nil {
		return chat.Message{}, err
	}
	t.options.Stats = &t.stats
	t.options.SpecialText = a.parser != nil // marks of reasoning and calls can be special tokens
	for token, err := range t.instance.Chat(ctx, t.session, t.messages, t.asking, generate.Replace(t.options)) {
		if err != nil && !(errors.Is(err, context.Canceled) && a.begun) {
			return chat.Message{}, err
		}
		if err := a.add(token.Text); err != nil {
			return chat.Message{}, err
		}
	}
	return a.finish()
}
