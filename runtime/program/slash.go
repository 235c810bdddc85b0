package program

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tfgen/tfgen/runtime/chat"
)

// slash is a row of the table of commands within a conversation.
type slash struct {
	name, args, doc string
	run             func(t *talk, arg string) error
}

// slashes returns the commands within a conversation.
func slashes() []slash {
	return []slash{
		{"/help", "", "list the commands", func(t *talk, _ string) error { return t.slashHelp() }},
		{"/new", "", "begin a new conversation", func(t *talk, _ string) error { t.reset(); return nil }},
		{"/system", "TEXT", "set the instructions to the model and begin anew", func(t *talk, arg string) error {
			t.system = arg
			t.reset()
			return nil
		}},
		{"/result", "TEXT", "give the result of the function that the model has called", (*talk).result},
		{"/retry", "", "answer the last message again, with other random numbers", (*talk).retry},
		{"/undo", "", "take the last message and its answer back", (*talk).undo},
		{"/set", "NAME VALUE", "change a flag of chat, for example /set temp 0.5", (*talk).set},
		{"/show", "", "print the conversation as JSON", func(t *talk, _ string) error { return t.printJSON(t.messages) }},
		{"/save", "FILE", "write the conversation to a file", (*talk).save},
		{"/load", "FILE", "go on with a conversation of a file", (*talk).load},
		{"/stats", "", "print the figures of the last answer", func(t *talk, _ string) error {
			_, err := fmt.Fprintln(t.log, t.summary(&generation{context: t.context}, &t.stats))
			return err
		}},
		{"/exit", "", "end the conversation", func(*talk, string) error { return errLeave }},
	}
}

// command runs a command. What goes wrong is printed and the conversation goes on.
func (t *talk) command(line string) error {
	name, arg, _ := strings.Cut(line, " ")
	for _, c := range slashes() {
		if c.name != name && !(name == "/quit" && c.name == "/exit") {
			continue
		}
		err := c.run(t, strings.TrimSpace(arg))
		if err != nil && err != errLeave {
			fmt.Fprintf(t.log, "%s: %v\n", name, err)
			return nil
		}
		return err
	}
	fmt.Fprintf(t.log, "no command %s; /help lists them\n", name)
	return nil
}

// slashHelp prints the commands.
func (t *talk) slashHelp() error {
	for _, c := range slashes() {
		if _, err := fmt.Fprintf(t.out, "%-20s %s\n", strings.TrimSpace(c.name+" "+c.args), c.doc); err != nil {
			return err
		}
	}
	return nil
}

// last returns the place of the user's last message, -1 if there is none.
func (t *talk) last() int {
	for i := len(t.messages) - 1; i >= 0; i-- {
		if t.messages[i].Role == "user" {
			return i
		}
	}
	return -1
}

func (t *talk) undo(string) error {
	at := t.last()
	if at < 0 {
		return fmt.Errorf("there is no message")
	}
	t.messages = t.messages[:at]
	return nil
}

// result answers the first call that has no result yet; the model goes on when all calls have one.
func (t *talk) result(text string) error {
	given, at := 0, len(t.messages)-1
	for at >= 0 && t.messages[at].Role == "tool" {
		given, at = given+1, at-1
	}
	if at < 0 || given >= len(t.messages[at].ToolCalls) {
		return fmt.Errorf("the model has called no function that waits for a result")
	}
	call := t.messages[at].ToolCalls[given]
	m := chat.Message{Role: "tool", Content: text, Name: call.Name, ToolCallID: call.ID}
	if given+1 < len(t.messages[at].ToolCalls) {
		t.messages = append(t.messages, m)
		return nil
	}
	return t.tell(m)
}

func (t *talk) retry(string) error {
	at := t.last()
	if at < 0 {
		return fmt.Errorf("there is no message")
	}
	text := t.messages[at].Content
	t.messages = t.messages[:at]
	t.options.Seed++
	return t.say(text)
}

// set changes a flag.
func (t *talk) set(arg string) error {
	name, value, ok := strings.Cut(arg, " ")
	f := flag.NewFlagSet("set", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	options := t.options
	samplingFlags(f, &options)
	f.IntVar(&options.MaxTokens, "n", options.MaxTokens, "")
	if f.Lookup(name) == nil || !ok {
		var names []string
		f.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
		return fmt.Errorf("expected a name and a value; the names are %s", strings.Join(names, ", "))
	}
	if err := f.Set(name, strings.TrimSpace(value)); err != nil {
		return err
	}
	if err := options.Check(); err != nil {
		return err
	}
	t.options = options
	return nil
}

func (t *talk) save(path string) error {
	text, err := json.MarshalIndent(t.messages, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

func (t *talk) load(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var list []chat.Message
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	t.messages = list
	return nil
}
