// Command gen writes the assembly of package kerneltest; go generate runs it in
// the folder of the package.
package main

import (
	"log"
	"os"

	"github.com/tfgen/tfgen/asm/amd64/kerneltest/generate"
)

func main() {
	files, err := generate.Files()
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(f.Name, f.Text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
