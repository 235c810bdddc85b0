// Package browser drives a headless Chromium over a pipe, in the Chrome DevTools Protocol: for tests of the demo pages and
// of modules that only browsers run. It needs nothing but an installed Chromium.
package browser

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// ErrNone is returned where no Chromium is installed.
var ErrNone = errors.New("no Chromium is installed")

// patience is how long Wait waits, and silence how long a browser may take for one answer.
const (
	patience = 90 * time.Second
	silence  = 5 * time.Minute
)

// Page is a page of a headless browser.
type Page struct {
	cmd     *exec.Cmd
	out     *os.File
	pipe    *os.File // that in reads from
	in      *bufio.Reader
	profile string
	session string
	last    int
}

// message is a message of the protocol, in either direction.
type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    any             `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// find returns the path of a browser.
func find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNone
}

// Start starts a browser with an empty profile and opens a page in it.
func Start() (*Page, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	theirIn, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	in, theirOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirOut.Close()
	profile, err := os.MkdirTemp("", "tfgen-chromium-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--no-first-run", "--user-data-dir="+profile, "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(profile))
	}
	p := &Page{cmd: cmd, out: out, pipe: in, in: bufio.NewReaderSize(in, 1<<16), profile: profile}
	if err := p.attach(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// attach opens a page and directs what follows to it.
func (p *Page) attach() error {
	var target struct{ TargetID string }
	if err := p.Call(&target, "Target.createTarget", map[string]any{"url": "about:blank"}); err != nil {
		return err
	}
	var session struct{ SessionID string }
	if err := p.Call(&session, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}); err != nil {
		return err
	}
	p.session = session.SessionID
	return p.Call(nil, "Page.enable", nil)
}

// Close ends the browser and removes its profile.
func (p *Page) Close() error {
	p.session = ""
	p.Call(nil, "Browser.close", nil) // one that hangs is killed
	p.out.Close()
	p.cmd.WaitDelay = time.Second
	timer := time.AfterFunc(5*time.Second, func() { p.cmd.Process.Kill() })
	p.cmd.Wait()
	timer.Stop()
	var err error
	for range 20 { // its helpers end a little later
		if err = os.RemoveAll(p.profile); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// Call calls a method of the protocol and reads its result into the given value, if any.
func (p *Page) Call(result any, method string, params any) error {
	p.last++
	if params == nil {
		params = map[string]any{}
	}
	data, err := json.Marshal(message{ID: p.last, SessionID: p.session, Method: method, Params: params})
	if err != nil {
		return err
	}
	if err := p.pipe.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return err
	}
	if _, err := p.out.Write(append(data, 0)); err != nil {
		return fmt.Errorf("%s: the browser is gone: %w", method, err)
	}
	for {
		data, err := p.in.ReadBytes(0)
		if err != nil {
			return fmt.Errorf("%s: the browser does not answer: %w", method, err)
		}
		var m message
		if err := json.Unmarshal(data[:len(data)-1], &m); err != nil {
			return err
		}
		switch {
		case m.ID != p.last: // an event
			continue
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result != nil:
			return json.Unmarshal(m.Result, result)
		}
		return nil
	}
}

// Open loads a page and waits until it is complete.
func (p *Page) Open(url string) error {
	var r struct{ ErrorText string }
	if err := p.Call(&r, "Page.navigate", map[string]any{"url": url}); err != nil {
		return err
	}
	if r.ErrorText != "" {
		return fmt.Errorf("%s: %s", url, r.ErrorText)
	}
	return p.Wait("document.readyState === 'complete' && location.href === " + Quote(url))
}

// Quote returns a value as a JavaScript literal.
func Quote(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // callers give plain data
	}
	return string(data)
}

// Eval evaluates an expression, awaits it, and reads its value into the given one, if any.
func (p *Page) Eval(value any, expression string) error {
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	err := p.Call(&r, "Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true})
	switch {
	case err != nil:
		return err
	case r.ExceptionDetails != nil:
		return fmt.Errorf("%.200s: %s %s", expression, r.ExceptionDetails.Text, r.ExceptionDetails.Exception.Description)
	case value != nil:
		return json.Unmarshal(r.Result.Value, value)
	}
	return nil
}

// Wait waits until an expression is true.
func (p *Page) Wait(expression string) error {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var ok bool
		if err := p.Eval(&ok, "Boolean("+expression+")"); err != nil || ok {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("still not true: %s", expression)
		}
	}
}

// Modifiers of keys.
const Control = 2

// Key presses and releases a key, by its name, code and number.
func (p *Page) Key(key, code string, number, modifiers int) error {
	var errs error
	for _, kind := range []string{"rawKeyDown", "keyUp"} {
		errs = errors.Join(errs, p.Call(nil, "Input.dispatchKeyEvent",
			map[string]any{"type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers}))
	}
	return errs
}

// Show sets the size of the window and the preferred colours: light or dark. Narrow windows are those of a phone.
func (p *Page) Show(width, height int, scheme string) error {
	return errors.Join(
		p.Call(nil, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}),
		p.Call(nil, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}))
}

// Screenshot returns the whole page as PNG.
func (p *Page) Screenshot() ([]byte, error) {
	var r struct{ Data string }
	if err := p.Call(&r, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(r.Data)
}
