//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ips is how many instructions Bochs counts as one second of the guest's time. Below the real speed, the guest's
// clock runs fast; above it, slow. It has no influence on results.
const ips = 50_000_000

const configuration = `config_interface: textconfig
display_library: rfb, options="timeout=0"
plugin_ctrl: unmapped=1, biosdev=0, speaker=0, %sparallel=0, serial=1
cpu: model=%s, count=1, ips=%d, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=%d, host=%d
romimage: file=rom, address=0x%x
pci: enabled=1, chipset=i440fx
ata0-master: type=disk, path=disk, mode=flat
boot: disk
clock: sync=none
com1: enabled=1, mode=file, dev=stdout
com2: enabled=1, mode=file, dev=stderr
mouse: enabled=0
log: log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
`

// options of one run.
type options struct {
	cpu     string
	memory  int // MiB
	timeout time.Duration
	mark    string
	old     bool // the emulator is older than version 3
}

// oldBochs asks Bochs for its version.
func oldBochs(bochs string) bool {
	help, _ := exec.Command(bochs, "--help").CombinedOutput()
	_, after, found := bytes.Cut(help, []byte("Bochs x86 Emulator "))
	return !found || len(after) == 0 || after[0] < '3'
}

var errTimeout = errors.New("timed out")

// emulate runs the machine in dir until the guest has ended, copies what it writes to this process's output and
// error output, and returns the exit status of the guest's program.
func emulate(bochs, dir string, m machine, o options) (int, error) {
	plugins := ""
	if o.old {
		plugins = "extfpuirq=0, "
	}
	config := fmt.Sprintf(configuration, plugins, o.cpu, ips, o.memory, o.memory, uint32(romBase))
	for name, data := range map[string]string{
		"rom": string(m.rom), "disk": string(m.disk), "bochsrc": config, "commands": "continue\n", "stdout": "", "stderr": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), o.timeout, errTimeout)
	defer cancel()
	cmd := bochsCommand(ctx, bochs, dir)
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("starting %s (it needs a network namespace of its own, so that its VNC port stays private): %w", bochs, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	status, err := follow(dir, o.mark, ended, cancel)
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return 0, errTimeout
	}
	return status, err
}

// bochsCommand starts Bochs in namespaces where the port of its only built-in headless display, VNC, reaches nobody.
func bochsCommand(ctx context.Context, bochs, dir string) *exec.Cmd {
	args := []string{"-q", "-f", "bochsrc"}
	help, _ := exec.Command(bochs, "--help").CombinedOutput()
	if bytes.Contains(help, []byte("-rc filename")) {
		args = append(args, "-rc", "commands") // a Bochs with debugger waits for a command
	}
	cmd := exec.CommandContext(ctx, bochs, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	return cmd
}

// follow copies the guest's output while it grows, until the mark with the status has come or Bochs has ended.
func follow(dir, mark string, ended <-chan error, stop func()) (int, error) {
	out := &tail{name: filepath.Join(dir, "stdout"), to: os.Stdout}
	errs := &tail{name: filepath.Join(dir, "stderr"), to: os.Stderr, mark: "\n" + mark}
	for over := false; ; {
		for _, t := range []*tail{out, errs} {
			if err := t.copy(over || errs.status != ""); err != nil {
				stop()
				return 0, err
			}
		}
		if errs.status != "" {
			if !over {
				stop()
				<-ended
			}
			if err := out.copy(true); err != nil {
				return 0, err
			}
			return strconv.Atoi(errs.status)
		}
		if over {
			return 0, fmt.Errorf("the emulated machine stopped before the program had ended; last lines of Bochs's log:\n%s", lastLines(filepath.Join(dir, "log"), 12))
		}
		select {
		case <-ended:
			over = true
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lastLines returns the end of a log.
func lastLines(name string, n int) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
