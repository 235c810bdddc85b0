// Package file is what emitters return: files as data. Only the command line writes them to disk.
package file

// File is one file of a bundle. Its name is relative to the bundle's directory and has forward slashes.
type File struct {
	Name string
	Data []byte
}
