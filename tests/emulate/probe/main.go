//go:build linux && (amd64 || arm64)

// Command probe shows what the CPU that it runs on can do; it proves that an emulated machine works.
//
//	probe            instruction sets, and the sum of two vectors computed with the best of them
//	probe -speed     also the time of a loop of a hundred million additions
//	probe -illegal   executes an undefined instruction and must be killed by SIGILL
//	probe -exit N    exits with status N
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	speed := flag.Bool("speed", false, "time a loop")
	illegal := flag.Bool("illegal", false, "execute an undefined instruction")
	status := flag.Int("exit", 0, "exit `status`")
	flag.Parse()
	fmt.Println(runtime.GOARCH, strings.Join(features(), " "))
	if *illegal {
		undefined()
	}
	how, err := checkAdd()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("masked vector addition is right:", how)
	if *speed {
		timeLoop()
	}
	os.Exit(*status)
}

// checkAdd adds vectors of 1 to 16 floats that end where readable memory ends, so that a load that ignores its mask
// is a fault, and compares all lanes.
func checkAdd() (string, error) {
	page := syscall.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return "", err
	}
	if err := syscall.Mprotect(memory[page:], syscall.PROT_NONE); err != nil {
		return "", err
	}
	floats := unsafe.Slice((*float32)(unsafe.Pointer(&memory[0])), page/4)
	var how string
	for n := 1; n <= 16; n++ {
		x := floats[len(floats)-n:]
		var y, sum [16]float32
		for i := range y {
			y[i], sum[i] = float32(100*i), -1
		}
		for i := range x {
			x[i] = float32(i) + 0.25
		}
		how = add(&sum, &x[0], &y, n)
		for i := range sum {
			want := y[i]
			if i < n {
				want += x[i]
			}
			if sum[i] != want {
				return how, fmt.Errorf("%s: lane %d of %d is %v, want %v", how, i, n, sum[i], want)
			}
		}
	}
	return how, nil
}

// addGo is the plain twin of the assembly: sum = y, plus x in the first n lanes.
func addGo(sum *[16]float32, x *float32, y *[16]float32, n int) {
	*sum = *y
	for i, v := range unsafe.Slice(x, n) {
		sum[i] += v
	}
}

func timeLoop() {
	const n = 100_000_000
	start, s := time.Now(), uint64(1)
	for i := uint64(0); i < n; i++ {
		s = s*3 + i
	}
	fmt.Printf("loop of %d steps: %.2f s by this machine's clock (checksum %d)\n", n, time.Since(start).Seconds(), s)
}
