//go:build linux

// Command vm runs a static linux/amd64 program in a PC that Bochs emulates, with a CPU that this computer may lack.
//
// There is no boot loader: a boot ROM of 150 bytes copies the kernel and an initramfs from the emulated disk and
// enters the kernel by the PVH protocol. The exit status is the program's; 124 after a timeout, 125 when the emulated
// machine fails, 2 for a wrong command line.
package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	exitUsage   = 2
	exitTimeout = 124
	exitMachine = 125
)

// kernelOptions make the boot short and keep the kernel away from what Bochs does not emulate: protection keys (it reports their
// XSAVE area wrongly) and FSRM, which it has without ERMS, so that memmove of Linux 6.1 overruns short buffers. Before version 3
// it reports the compacted XSAVE format wrongly too, and Linux would switch AVX off; AMX needs that format.
const kernelOptions = "clearcpuid=pku,%sfsrm acpi=off nosmp noapic nolapic tsc=reliable tsc_early_khz=%d " +
	"console=ttyS1,115200 rdinit=/init panic=-1 reboot=t mitigations=off random.trust_cpu=on audit=0 lsm= nowatchdog " +
	"cryptomgr.notests=1 initcall_blacklist=load_system_certificate_list,trace_eval_init,init_kprobe_trace," +
	"cubictcp_register,crypto_kdf108_init,init_evm"

type repeated []string

func (r *repeated) String() string     { return strings.Join(*r, " ") }
func (r *repeated) Set(s string) error { *r = append(*r, s); return nil }

func main() {
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "avx512:", err)
	}
	os.Exit(status)
}

func run(args []string) (int, error) {
	flags := flag.NewFlagSet("avx512.sh", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: avx512.sh [options] BINARY [ARGS…]")
		flags.PrintDefaults()
	}
	memory := flags.Int("mem", 512, "the guest's memory in `MiB`, 128 to 2048")
	seconds := flags.Float64("timeout", 600, "give up after so many `seconds`")
	cpu := flags.String("cpu", "tigerlake", "Bochs's CPU `model`: tigerlake, corei7_icelake_u, corei7_skylake_x, …")
	verbose := flags.Bool("verbose", false, "show the kernel's messages and times of this program")
	bochs := flags.String("bochs", "bochs", "the emulator")
	bzImage := flags.String("kernel", "", "Linux bzImage with CONFIG_PVH (avx512.sh sets it)")
	guest := flags.String("guest", "", "the program that the kernel starts (avx512.sh sets it)")
	var files, env repeated
	flags.Var(&files, "file", "`path` of a file or directory that the guest gets in /data, its working directory (repeatable)")
	flags.Var(&env, "env", "`K=V` for the guest's environment (repeatable)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0, nil
	} else if err != nil {
		return exitUsage, nil
	}
	if flags.NArg() == 0 || *memory < 128 || *memory > 2048 {
		flags.Usage()
		return exitUsage, nil
	}
	o := options{cpu: *cpu, memory: *memory, timeout: time.Duration(*seconds * float64(time.Second)), mark: "tfgen-emulate " + rand.Text() + " "}
	start := time.Now()
	o.old = oldBochs(*bochs)
	m, err := prepare(*bzImage, *guest, flags.Args(), files, env, o, *verbose)
	if err != nil {
		return exitMachine, err
	}
	built := time.Since(start)
	dir, err := os.MkdirTemp("", "tfgen-emulate-")
	if err != nil {
		return exitMachine, err
	}
	defer os.RemoveAll(dir)
	status, err := emulate(*bochs, dir, m, o)
	if *verbose {
		fmt.Fprintf(os.Stderr, "avx512: image %.2f s, emulation %.2f s\n", built.Seconds(), (time.Since(start) - built).Seconds())
	}
	if errors.Is(err, errTimeout) {
		return exitTimeout, fmt.Errorf("no end after %v (--timeout)", o.timeout)
	}
	if err != nil {
		return exitMachine, err
	}
	return status, nil
}

// prepare reads the kernel and packs the initramfs.
func prepare(bzImage, guest string, args, files, env []string, o options, verbose bool) (machine, error) {
	packed, err := os.ReadFile(bzImage)
	if err != nil {
		return machine{}, err
	}
	unpacked, err := vmlinux(packed)
	if err != nil {
		return machine{}, fmt.Errorf("%s: %w", bzImage, err)
	}
	k, err := loadKernel(unpacked)
	if err != nil {
		return machine{}, fmt.Errorf("%s: %w", bzImage, err)
	}
	initramfs, err := initramfs(guest, args, files, env, o.mark)
	if err != nil {
		return machine{}, err
	}
	hidden := ""
	if o.old {
		hidden = "xsaves,xsavec,"
	}
	line := fmt.Sprintf(kernelOptions, hidden, ips/1000)
	if !verbose {
		line += " quiet loglevel=3"
	}
	return buildMachine(k, initramfs, line, uint64(o.memory)<<20)
}

// initramfs packs the guest program (see its package comment), what it has to run and the user's files.
func initramfs(guest string, args, files, env []string, mark string) ([]byte, error) {
	var c cpio
	for _, dir := range []string{"dev", "proc", "sys", "tmp", "data"} {
		c.add(dir, cpioDir|0o755, nil)
	}
	if err := c.addTree("init", guest); err != nil {
		return nil, err
	}
	if err := c.addTree("tfgen/program", args[0]); err != nil {
		return nil, err
	}
	args = append([]string{filepath.Base(args[0])}, args[1:]...)
	env = append([]string{"HOME=/tmp", "TMPDIR=/tmp", "PATH=/"}, env...)
	c.add("tfgen/args", cpioFile|0o644, []byte(strings.Join(args, "\x00")+"\x00"))
	c.add("tfgen/env", cpioFile|0o644, []byte(strings.Join(env, "\x00")+"\x00"))
	c.add("tfgen/mark", cpioFile|0o644, []byte(mark))
	for _, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return nil, err
		}
		if err := c.addTree("data/"+filepath.Base(abs), abs); err != nil {
			return nil, err
		}
	}
	return c.finish(), nil
}
