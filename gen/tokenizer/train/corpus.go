package train

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// maxLine bounds a line of a text, which is processed as a whole.
const maxLine = 64 << 20

// Count counts the pieces that split cuts the lines of files into, line ends included.
func Count(ctx context.Context, files []string, split func(string) []string, workers int, progress func(stage string, done, total int)) (Words, error) {
	c := &counter{ctx: ctx, split: split, progress: progress}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			return nil, fmt.Errorf("%s is a directory, expected a text file", f)
		}
		c.total += info.Size()
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return c.run(files, workers)
}

type counter struct {
	ctx      context.Context
	split    func(string) []string
	progress func(stage string, done, total int)
	total    int64
	done     atomic.Int64
}

// run hands out batches of lines to workers, and adds up what they counted.
func (c *counter) run(files []string, workers int) (Words, error) {
	batches := make(chan []string, workers)
	parts := make([]Words, workers)
	var wg sync.WaitGroup
	for i := range parts {
		parts[i] = Words{}
		wg.Go(func() {
			for lines := range batches {
				for _, line := range lines {
					for _, w := range c.split(line) {
						parts[i][w]++
					}
					c.done.Add(int64(len(line)))
				}
			}
		})
	}
	err := c.read(files, batches)
	close(batches)
	wg.Wait()
	if err != nil {
		return nil, err
	}
	all := parts[0]
	for _, part := range parts[1:] {
		for w, n := range part {
			all[w] += n
		}
	}
	return all, nil
}

func (c *counter) read(files []string, batches chan<- []string) error {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = c.readFile(f, batches)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (c *counter) readFile(f io.Reader, batches chan<- []string) error {
	const batch = 64 << 10
	r := bufio.NewReaderSize(f, 1<<20)
	var lines []string
	size := 0
	for {
		line, err := readLine(r)
		if line != "" {
			lines = append(lines, strings.ToValidUTF8(line, "\ufffd"))
			size += len(line)
		}
		if size >= batch || err != nil {
			if c.ctx.Err() != nil {
				return c.ctx.Err()
			}
			batches <- lines
			lines, size = nil, 0
			if c.progress != nil {
				c.progress("Pre-processing files", int(c.done.Load()), int(c.total))
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

// readLine reads up to a line feed, which it returns as well.
func readLine(r *bufio.Reader) (string, error) {
	var b []byte
	for {
		part, err := r.ReadSlice('\n')
		b = append(b, part...)
		if len(b) > maxLine {
			return "", fmt.Errorf("a line of more than %d bytes", maxLine)
		}
		if err != bufio.ErrBufferFull {
			return string(b), err
		}
	}
}
