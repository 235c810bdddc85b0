package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// asProgram makes the test binary a program that chats.
const asProgram = "TFGEN_TEST_CHAT"

// TestMain lets the test binary be that program.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		var log []string
		Main(chatty(&log, func(ctx context.Context) {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}))
	}
	os.Exit(m.Run())
}

// pseudoTerminal opens a terminal of which the test is the screen and the keyboard.
func pseudoTerminal(t *testing.T) (screen, line *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { screen.Close() })
	var number uint32
	unlock := int32(0)
	control(t, screen, syscall.TIOCGPTN, unsafe.Pointer(&number))
	control(t, screen, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	line, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	size := [4]uint16{24, 200}
	control(t, line, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	return screen, line
}

func control(t *testing.T, f *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(argument)); errno != 0 {
		t.Skip(errno)
	}
}

// typist types at a terminal and reads its screen.
type typist struct {
	t      *testing.T
	screen *os.File
	lock   sync.Mutex
	seen   bytes.Buffer
	from   int // of what has not been awaited yet
}

// watch collects what the screen shows.
func (p *typist) watch() {
	b := make([]byte, 4096)
	for {
		n, err := p.screen.Read(b)
		p.lock.Lock()
		p.seen.Write(b[:n])
		p.lock.Unlock()
		if err != nil {
			return
		}
	}
}

// press sends keys.
func (p *typist) press(keys string) {
	p.t.Helper()
	if _, err := p.screen.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// await waits for a text on the screen, behind those that it has waited for before.
func (p *typist) await(text string) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		p.lock.Lock()
		at := strings.Index(p.seen.String()[p.from:], text)
		if at >= 0 {
			p.from += at + len(text)
		}
		p.lock.Unlock()
		if at >= 0 {
			return
		}
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.t.Fatalf("%q does not appear on the screen:\n%q", text, p.seen.String()[p.from:])
}

// TestChatInTerminal talks with the program as at a terminal: edits lines, goes back in the history, stops an answer with
// Ctrl-C, which ends neither the conversation nor the program, drops a line with it, and leaves with Ctrl-D.
func TestChatInTerminal(t *testing.T) {
	screen, line := pseudoTerminal(t)
	cmd := exec.Command(os.Args[0], "chat")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = line, line, line
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer cmd.Process.Kill()
	p := &typist{t: t, screen: screen}
	go p.watch()

	const left, up, start, interruptKey, end = "\x1b[D", "\x1b[A", "\x01", "\x03", "\x04"
	p.await("> ")
	p.press("hllo" + left + left + left + "e\r") // an edited line
	p.await("u hello")
	p.await("> ")
	p.press(up + start + "X\r") // the history, edited
	p.await("uau Xhello")
	p.await("> ")
	p.press(strings.Repeat("long ", 60) + "\r")
	p.await("uauau long lo")
	p.press(interruptKey) // an answer
	p.await("[cancelled]")
	p.await("> ")
	p.press("dropped" + interruptKey + "kept\r") // a line
	p.await("uauauau kept")
	p.await("> ")
	p.press("/stats\r")
	p.await("end of text")
	p.await("> ")
	p.press("/nonsense\r")
	p.await("no command /nonsense")
	p.await("> ")
	select {
	case err := <-ended:
		t.Fatalf("the program has ended: %v", err)
	default:
	}
	p.press(end)
	select {
	case err := <-ended:
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) || err != nil {
			t.Errorf("the program ends with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("Ctrl-D does not end the program")
	}
}
