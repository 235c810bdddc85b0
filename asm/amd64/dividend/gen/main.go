// Command gen writes the assembly of package dividend; go generate runs it in the folder of the package.
package main

import (
	"log"
	"os"

	"github.com/tfgen/tfgen/asm/amd64/dividend/generate"
)

func main() {
	files, err := generate.Files()
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
