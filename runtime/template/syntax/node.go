// Package syntax reads jinja templates: the lexer, the parser and the rules that say which variable a name means. It follows
// jinja2 3.1.6 with the extensions of transformers (loop controls and generation blocks); what that refuses, it refuses.
package syntax

// Node is a node of the tree.
type Node interface{ line() int }

// Line is the line of a node, from 1.
type Line int

func (l Line) line() int { return int(l) }

// LineOf returns the line of a node.
func LineOf(n Node) int { return n.line() }

// Expr is an expression.
type Expr interface{ Node }

// Stmt is a statement.
type Stmt interface{ Node }

// Var is a variable of a function.
type Var struct {
	Name  string
	Ident string // unique in its function: jinja's l_<level>_<name>
	Func  *Func
	Index int
}

// Func is what jinja compiles to a Python function: the root, a block, the body of a macro or call, a recursive loop, the
// condition of a loop. Its variables live as long as its call.
type Func struct {
	Parent *Func
	Vars   []*Var
	byName map[string]*Var
}

// Load says what a variable is when its scope begins.
type Load struct {
	Var     *Var
	Resolve string // the name in the context, or
	Alias   *Var   // the variable whose value it takes; neither: not set
}

// Scope is the part of a function where names have their own variables.
type Scope struct {
	Enter []Load
	Leave []*Var
}

// Escaping says whether printed values are escaped.
type Escaping int

// Escaping modes: never, always, as the context says at run time.
const (
	EscapeNever Escaping = iota
	EscapeAlways
	EscapeDynamic
)

type (
	// Data is text of the template.
	Data struct {
		Line
		Text string
	}
	// Const is a literal: None, bool, int, float or string.
	Const struct {
		Line
		Value any
	}
	// Name reads or sets a variable.
	Name struct {
		Line
		Name  string
		Store bool
		param bool
		Var   *Var
	}
	// NSRef sets an attribute of a namespace.
	NSRef struct {
		Line
		Name, Attr string
		Var        *Var
	}
	// Tuple is a tuple, or several targets.
	Tuple struct {
		Line
		Items []Expr
	}
	// List is a list.
	List struct {
		Line
		Items []Expr
	}
	// Dict is a dictionary.
	Dict struct {
		Line
		Keys, Values []Expr
	}
	// Binary is an arithmetic operator, "and" or "or".
	Binary struct {
		Line
		Op          string
		Left, Right Expr
		Negate      bool // of a power: -(-left ** right)
	}
	// Unary is "-", "+" or "not".
	Unary struct {
		Line
		Op string
		X  Expr
	}
	// Compare is a chain of comparisons.
	Compare struct {
		Line
		X   Expr
		Ops []Operand
	}
	// Operand is one comparison of a chain: "==", "<", "in", "not in", ….
	Operand struct {
		Op string
		X  Expr
	}
	// Concat is a ~ b.
	Concat struct {
		Line
		Items  []Expr
		Escape Escaping
	}
	// Cond is a if test else b; Else may be nil.
	Cond struct {
		Line
		Test, Then, Else Expr
	}
	// Arguments of a call, filter or test.
	Arguments struct {
		Pos    []Expr
		Names  []string
		Named  []Expr
		Star   Expr // *args
		Double Expr // **kwargs
	}
	// Filter is x|name(…); X is nil for the text of a block.
	Filter struct {
		Line
		X       Expr
		Name    string
		Args    Arguments
		Missing bool // there is no such filter
		Escape  Escaping
	}
	// Test is x is name(…).
	Test struct {
		Line
		X       Expr
		Name    string
		Args    Arguments
		Missing bool
	}
	// Call is f(…).
	Call struct {
		Line
		F    Expr
		Args Arguments
	}
	// GetAttr is x.name.
	GetAttr struct {
		Line
		X    Expr
		Name string
	}
	// GetItem is x[key].
	GetItem struct {
		Line
		X, Key Expr
		Soft   bool // a slice that jinja folds: of what has none it is undefined
	}
	// Slice is start:stop:step as a key; each may be nil.
	Slice struct {
		Line
		Start, Stop, Step Expr
	}
)

type (
	// Output prints texts and values.
	Output struct {
		Line
		Items  []Expr
		Escape Escaping
	}
	// For is a loop.
	For struct {
		Line
		Target     Expr
		Iter       Expr
		Body, Else []Stmt
		Test       Expr
		Recursive  bool

		Escape    Escaping
		Extended  bool // the body uses loop
		Loop      *Var
		Scope     Scope
		ElseScope Scope
		Func      *Func // of a recursive loop
		TestFunc  *Func // of the condition
		TestScope Scope
		TestItem  Expr // the target in the condition's function
	}
	// If is a chain of conditions.
	If struct {
		Line
		Test  Expr
		Body  []Stmt
		Elifs []*If
		Else  []Stmt
	}
	// Set assigns.
	Set struct {
		Line
		Target Expr
		Value  Expr
		Export []*Var // become variables of the context
		Checks []*Var // must be namespaces
	}
	// SetBlock assigns what its body prints.
	SetBlock struct {
		Line
		Target Expr
		Filter *Filter
		Body   []Stmt
		Export []*Var
		Scope  Scope
	}
	// Macro defines a macro.
	Macro struct {
		Line
		Name   string
		Var    *Var
		Export bool
		Body   Callee
	}
	// Callee is the function of a macro or a call block.
	Callee struct {
		Args     []*Name
		Defaults []Expr // of the last arguments
		Body     []Stmt

		Func           *Func
		Scope          Scope
		Params         []*Var // of Args
		Caller         *Var   // further parameters: nil if the body does not use them
		Kwargs         *Var
		Varargs        *Var
		ExplicitCaller bool
		UsesCaller     bool
	}
	// CallBlock calls a macro that can print the block's body. Call is nil for a generation block.
	CallBlock struct {
		Line
		Call *Call
		Body Callee
	}
	// FilterBlock prints what a filter makes of its body.
	FilterBlock struct {
		Line
		Body   []Stmt
		Filter *Filter
		Scope  Scope
	}
	// With sets variables for its body.
	With struct {
		Line
		Targets, Values []Expr
		Body            []Stmt
		Scope           Scope
	}
	// Block is a named part of a template.
	Block struct {
		Line
		Name             string
		Body             []Stmt
		Scoped, Required bool

		Func   *Func
		Scope  Scope
		Self   *Var
		Super  *Var
		Locals []*Var // of a scoped block: the variables around it
	}
	// Autoescape switches escaping for its body.
	Autoescape struct {
		Line
		Value Expr
		Body  []Stmt
		Scope Scope
	}
	// Load stands for extends, include and import: there is nowhere to load a template from.
	LoadTemplate struct {
		Line
		Tag      string
		Template Expr
		names    []string // that an import sets
		Vars     []*Var
	}
	// Break ends a loop.
	Break struct{ Line }
	// Continue begins the next pass of a loop.
	Continue struct{ Line }
)

// Template is a template whose names are resolved.
type Template struct {
	Body   []Stmt
	Func   *Func
	Scope  Scope
	Self   *Var
	Blocks map[string]*Block
	Nodes  int // size
}

// Loads reports whether a name is read here, not set.
func (n *Name) Loads() bool { return !n.Store && !n.param }

// Extra is the number of parameters that a callee has beside its arguments.
func (c *Callee) Extra() (n int) {
	for _, v := range []*Var{c.Caller, c.Kwargs, c.Varargs} {
		if v != nil {
			n++
		}
	}
	return n
}
