// Package web serves the dashboard, a single-page application that is built into web/dist and embedded in the binary.
//
// It is a static front end: everything that it shows comes from the public API. A binary built without it (no
// web/dist at build time) compiles all the same and answers with a page that says so.
package web

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// dist-missing is in the repository and dist is not, so the pattern always matches something.
//
//go:embed all:dist*
var embedded embed.FS

// Built reports whether the binary holds the dashboard.
func Built() bool {
	_, err := fs.Stat(embedded, "dist/index.html")
	return err == nil
}

// Handler serves the dashboard: files below /assets/ with a hash in their names, kept by browsers for a year; a few
// fixed files; and index.html for every other path, since the browser routes those. It answers 404 for the paths of
// the API, the bots and the health checks, in case they reach it.
func Handler() http.Handler {
	root := "dist"
	if !Built() {
		root = "dist-missing"
	}
	sub, err := fs.Sub(embedded, root)
	if err != nil { // only for a malformed path
		panic("web: " + err.Error())
	}
	return newHandler(sub)
}

// noncePlaceholder is what the build leaves where the nonce of a response belongs.
const noncePlaceholder = "__CSP_NONCE__"

// types are set here because the system's table, which mime asks first, differs between machines.
var types = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".ico": "image/x-icon",
	".js": "text/javascript; charset=utf-8", ".json": "application/json", ".png": "image/png", ".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2",
}

// file is one file with the encodings that it was compressed to at build time.
type file struct {
	kind         string
	plain        []byte
	brotli, gzip []byte
}

type handler struct {
	files map[string]file // by URL path; index.html is apart
	index []byte
}

func newHandler(dist fs.FS) *handler {
	h := &handler{files: map[string]file{}}
	// The files are in the binary: reading them can't fail.
	_ = fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		read := func(name string) []byte { b, _ := fs.ReadFile(dist, name); return b }
		switch ext := path.Ext(name); {
		case name == "index.html":
			h.index = read(name)
		case ext == ".br" || ext == ".gz":
		default:
			kind := types[ext]
			if kind == "" {
				kind = mime.TypeByExtension(ext)
			}
			if kind == "" {
				kind = "application/octet-stream"
			}
			h.files["/"+name] = file{kind: kind, plain: read(name), brotli: read(name + ".br"), gzip: read(name + ".gz")}
		}
		return nil
	})
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if f, ok := h.files[r.URL.Path]; ok {
		h.serveFile(w, r, f)
		return
	}
	if !clientRoute(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	h.serveIndex(w, r)
}

// clientRoute reports whether the browser may have a page for the path.
func clientRoute(p string) bool {
	for _, prefix := range []string{"/api", "/b", "/assets", "/agent", "/healthz", "/readyz", "/metrics"} {
		if p == prefix || strings.HasPrefix(p, prefix+"/") {
			return false
		}
	}
	return path.Ext(p) == "" // a missing file is missing
}

func (h *handler) serveFile(w http.ResponseWriter, r *http.Request, f file) {
	header := w.Header()
	header.Set("Content-Type", f.kind)
	header.Add("Vary", "Accept-Encoding")
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "public, max-age=3600")
	}
	body, accepted := f.plain, r.Header.Get("Accept-Encoding")
	switch {
	case len(f.brotli) > 0 && accepts(accepted, "br"):
		header.Set("Content-Encoding", "br")
		body = f.brotli
	case len(f.gzip) > 0 && accepts(accepted, "gzip"):
		header.Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	header.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

// accepts reports whether an Accept-Encoding header lists the encoding without refusing it.
func accepts(header, encoding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.TrimSpace(name) == encoding {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && q != "q=0.0"
		}
	}
	return false
}

// serveIndex sends the page with a nonce of its own. Scripts come from files of this origin alone; the nonce is for
// the style elements that the component library writes.
func (h *handler) serveIndex(w http.ResponseWriter, r *http.Request) {
	raw := make([]byte, 18)
	_, _ = rand.Read(raw) // never fails
	nonce := base64.RawURLEncoding.EncodeToString(raw)
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"+nonce+"'; "+
		"img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "+
		"base-uri 'none'; frame-ancestors 'none'")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	header.Set("Content-Type", types[".html"])
	header.Set("Cache-Control", "no-cache")
	body := bytes.ReplaceAll(h.index, []byte(noncePlaceholder), []byte(nonce))
	header.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}
