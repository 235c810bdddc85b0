// Package toolcall reads what models answer: text, reasoning and tool calls, out of a stream of text, piece by piece. How a
// family of models writes them is a row of a table (formats.go), not code. However the stream is cut into pieces, the events
// are the same, but for where the text of an event is divided.
package toolcall

import (
	"fmt"
	"strings"
)

// Format is how a family of models marks reasoning and tool calls.
type Format struct {
	Name   string
	Models string   // that use it, for readers
	Detect []string // all of these in a chat template tell that it is this format

	Marks []Mark
	Skip  []string // marks without meaning, like the end of a turn
	Bare  *Calls   // calls that begin without a mark, where the answer begins
	Head  *Header  // messages that begin with a header
}

// Mark is a text that switches between text, reasoning and calls.
type Mark struct {
	Text  string
	To    Kind   // Text or Reasoning
	Calls *Calls // or calls
}

// Calls is how tool calls are written.
type Calls struct {
	End string // ends the calls; "" ends them where what follows is no call

	JSON   *JSON   // one of these
	Fields *Fields // what begins with "[" or "{" is JSON if that is set as well
	Tags   *Tags
	Python bool // [f(a=1), g(b="x")]
	Loose  *Loose
}

// JSON is a call as an object, or several in an array or one after another.
type JSON struct {
	Name, Args, ID []string // keys
	KeyIsName      bool     // {"name": {arguments}}
}

// Fields is a call whose name stands in front of arguments in JSON.
type Fields struct {
	Open       string // begins each call; "" if the mark does
	HeadEnd    string // ends what is in front of the arguments
	Split      string // divides that; the name is behind it
	NameFirst  bool   // the name is in front of Split
	TrimPrefix string // of the name
	CutAt      string // the name ends there
	ID         bool   // the other part is the id, or the whole head if there is no Split
	Close      string // ends each call
}

// Tags is a call with a tag for every argument.
type Tags struct {
	Open       string   // in front of the name; "" if the mark is
	NameEnd    []string // the first one is taken, the others are left
	ParamOpen  string   // in front of an argument's name
	KeyEnd     string
	AttrEnd    string // ends further attributes of the argument
	StringAttr string // among them: the argument is a string
	ValueOpen  string // in front of its value
	ParamClose string // "$key" in it is the argument's name
	Nested     string // stands in front of the tags of lists and objects in a value
	Close      string // ends the call; "" if the end of the calls does
}

// Loose is a call like call:name{key:value}, where a text stands between marks.
type Loose struct {
	Open  string // "call:"
	Quote string // around strings
}

// Header is what stands in front of every message of the harmony format.
type Header struct {
	Begin    []string        // marks that begin a header
	End      string          // ends it
	Body     []string        // marks that end a message
	Channels map[string]Kind // of messages, by their first word
	Channel  string          // in front of that word
	To       string          // in front of the name of the tool that a message calls
	Trim     string          // of that name
}

// Lookup returns the format of a name.
func Lookup(name string) (*Format, error) {
	for _, f := range formats() {
		if f.Name == name {
			return &f, nil
		}
	}
	return nil, fmt.Errorf("no format of tool calls is called %q; the known ones are %v", name, Names())
}

// InReasoning reports whether a prompt ends inside of reasoning: with the mark that begins it. The answer goes on from there.
func (f *Format) InReasoning(prompt string) bool {
	prompt = strings.TrimRight(prompt, " \n\r\t")
	for _, m := range f.Marks {
		if m.To == Reasoning && m.Calls == nil && strings.HasSuffix(prompt, m.Text) {
			return true
		}
	}
	return false
}

// Names lists the formats.
func Names() (list []string) {
	for _, f := range formats() {
		list = append(list, f.Name)
	}
	return list
}
