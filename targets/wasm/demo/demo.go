// Package demo holds two pages that show what compiled models do in a browser, and the server that browsers need for
// threads.
package demo

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed pages
var files embed.FS

// Pages are the files of the demo: HTML, CSS and JavaScript. Models are expected below models/.
func Pages() fs.FS {
	sub, err := fs.Sub(files, "pages")
	if err != nil {
		panic(err) // the directory is embedded
	}
	return sub
}

// Handler serves the pages, and the packages of models below /models/ from a directory, with the headers that make a page
// cross-origin isolated, so that it may share memory between threads.
func Handler(models fs.FS) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(Pages()))
	mux.Handle("/models/", http.StripPrefix("/models/", http.FileServerFS(models)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		mux.ServeHTTP(w, r)
	})
}
