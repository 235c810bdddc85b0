// Command serve serves the demo pages and a directory of model packages on the loopback interface.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/tfgen/tfgen/targets/wasm/demo"
)

func main() {
	models := flag.String("models", "bin/web", "directory with a package for each model")
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen at")
	flag.Parse()
	root, err := os.OpenRoot(*models)
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s/\n", l.Addr())
	s := &http.Server{Handler: demo.Handler(root.FS()), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(s.Serve(l))
}
