//go:build linux

// Command guest is the only process that the emulated machine starts: it runs one program and reports how it ended.
//
// The program's arguments and environment are in /tfgen/args and /tfgen/env (each string followed by a zero byte), its
// working directory is /data. Its output and error output go to the first and the second serial port. The last line
// on the second port is the content of /tfgen/mark and the exit status: 128 + n after signal n, 127 when the program
// could not be started.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

func main() {
	status := run()
	mark, _ := os.ReadFile("/tfgen/mark")
	fmt.Fprintf(os.Stderr, "\n%s%d\n", mark, status)
	drain(os.Stderr)
	syscall.Sync()
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART)
	select {}
}

// run prepares the system, runs the program and returns its exit status.
func run() int {
	for _, m := range [][2]string{{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/tmp"}} {
		if err := syscall.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			fmt.Fprintf(os.Stderr, "mount %s: %v\n", m[1], err)
		}
	}
	stdout, err := serial("/dev/ttyS0")
	if err != nil {
		return failed(err)
	}
	stderr, err := serial("/dev/ttyS1")
	if err != nil {
		return failed(err)
	}
	os.Stderr = stderr
	args, err := list("/tfgen/args")
	if err != nil {
		return failed(err)
	}
	env, err := list("/tfgen/env")
	if err != nil {
		return failed(err)
	}
	cmd := &exec.Cmd{Path: "/tfgen/program", Args: args, Env: env, Dir: "/data", Stdout: stdout, Stderr: stderr}
	err = cmd.Run()
	drain(stdout)
	if cmd.ProcessState == nil {
		return failed(err)
	}
	if w := cmd.ProcessState.Sys().(syscall.WaitStatus); w.Signaled() {
		fmt.Fprintf(os.Stderr, "killed by signal %d (%v)\n", w.Signal(), w.Signal())
		return 128 + int(w.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 127
}

// list reads a file of strings that each end with a zero byte.
func list(name string) ([]string, error) {
	data, err := os.ReadFile(name)
	var out []string
	for len(data) > 0 {
		s, rest, _ := bytes.Cut(data, []byte{0})
		out, data = append(out, string(s)), rest
	}
	return out, err
}

// serial opens a serial port that passes bytes unchanged at the highest standard rate.
func serial(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t := syscall.Termios{Cflag: syscall.B115200 | syscall.CS8 | syscall.CLOCAL}
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TCSETS, uintptr(unsafe.Pointer(&t))); e != 0 {
		return nil, fmt.Errorf("%s: %w", name, e)
	}
	return f, nil
}

// drain waits until all that was written has left the port (tcdrain).
func drain(f *os.File) {
	const tcsbrk = 0x5409
	syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), tcsbrk, 1)
}
