package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// cpio is an initramfs in the "newc" format. Source: Documentation/driver-api/early-userspace/buffer-format.rst.
type cpio struct {
	bytes.Buffer
	inode int
	seen  map[string]bool
}

const (
	cpioDir  = 0o040000
	cpioFile = 0o100000
)

// add appends one entry and, before it, the directories above it. name has no leading slash.
func (c *cpio) add(name string, mode uint32, data []byte) {
	if c.seen[name] {
		return
	}
	if dir := path.Dir(name); dir != "." {
		c.add(dir, cpioDir|0o755, nil)
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[name] = true
	c.entry(name, mode, data)
}

func (c *cpio) entry(name string, mode uint32, data []byte) {
	c.inode++
	fmt.Fprintf(c, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		c.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	c.WriteString(name)
	c.WriteByte(0)
	c.pad()
	c.Write(data)
	c.pad()
}

func (c *cpio) pad() { c.Write(make([]byte, -c.Len()&3)) }

// addTree copies a file, or a directory with all below it, to name. Symbolic links are followed to files.
func (c *cpio) addTree(name, host string) error {
	return filepath.WalkDir(host, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(host, p)
		if err != nil {
			return err
		}
		to := path.Join(name, filepath.ToSlash(rel))
		if d.IsDir() {
			c.add(to, cpioDir|0o755, nil)
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		c.add(to, cpioFile|0o755, data)
		return nil
	})
}

// finish ends the archive and returns it.
func (c *cpio) finish() []byte {
	c.entry("TRAILER!!!", 0, nil)
	return c.Bytes()
}
