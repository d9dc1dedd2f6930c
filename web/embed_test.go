package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func dist() fstest.MapFS {
	return fstest.MapFS{
		"index.html":            {Data: []byte(`<meta nonce="__CSP_NONCE__"><script src="/assets/app-1a2b.js"></script>`)},
		"assets/app-1a2b.js":    {Data: []byte("plain")},
		"assets/app-1a2b.js.br": {Data: []byte("brotli")},
		"assets/app-1a2b.js.gz": {Data: []byte("gzip")},
		"boot.js":               {Data: []byte("boot")},
	}
}

func get(t *testing.T, h http.Handler, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestAssetsAreImmutableAndPrecompressed(t *testing.T) {
	h := newHandler(dist())
	for accept, want := range map[string]string{"gzip, deflate, br": "brotli", "gzip": "gzip", "": "plain", "br;q=0, gzip": "gzip"} {
		res, body := get(t, h, "GET", "/assets/app-1a2b.js", "Accept-Encoding", accept)
		if res.StatusCode != 200 || body != want {
			t.Errorf("Accept-Encoding %q: %d %q, want %q", accept, res.StatusCode, body, want)
		}
		if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("Cache-Control is %q", got)
		}
		if got := res.Header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
			t.Errorf("Content-Type is %q", got)
		}
		if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("X-Content-Type-Options is %q", got)
		}
	}
	if res, _ := get(t, h, "GET", "/boot.js"); strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Error("a file without a hash in its name must not be kept for ever")
	}
}

func TestClientRoutesGetThePageWithAFreshNonce(t *testing.T) {
	h := newHandler(dist())
	inPage := regexp.MustCompile(`nonce="([A-Za-z0-9_-]{20,})"`)
	seen := map[string]bool{}
	for _, path := range []string{"/", "/t/cliente-a/workers", "/t/cliente-a/workers/wrk_1?worker=x"} {
		res, body := get(t, h, "GET", path)
		m := inPage.FindStringSubmatch(body)
		if res.StatusCode != 200 || m == nil {
			t.Fatalf("%s: %d %q", path, res.StatusCode, body)
		}
		csp := res.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "'nonce-" + m[1] + "'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %q lacks %q", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: unsafe policy %q", path, csp)
		}
		if res.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: the page must be asked for anew", path)
		}
		if seen[m[1]] {
			t.Error("a nonce was used twice")
		}
		seen[m[1]] = true
	}
}

func TestWhatIsNotThePage(t *testing.T) {
	h := newHandler(dist())
	for _, path := range []string{"/api/v1/me", "/api", "/b/bot_1/chat", "/healthz", "/readyz", "/metrics", "/assets/gone-1.js", "/assets/app-1a2b.js.br", "/favicon.ico", "/.env"} {
		if res, _ := get(t, h, "GET", path); res.StatusCode != 404 {
			t.Errorf("%s: %d, want 404", path, res.StatusCode)
		}
	}
	if res, _ := get(t, h, "POST", "/"); res.StatusCode != 405 || res.Header.Get("Allow") == "" {
		t.Errorf("POST /: %d, want 405 with Allow", res.StatusCode)
	}
	if res, body := get(t, h, "HEAD", "/"); res.StatusCode != 200 || body != "" {
		t.Errorf("HEAD /: %d %q", res.StatusCode, body)
	}
}

func TestHandlerAnswersWithAndWithoutABuild(t *testing.T) {
	res, body := get(t, Handler(), "GET", "/")
	if res.StatusCode != 200 || !strings.Contains(body, "<html") || strings.Contains(body, noncePlaceholder) {
		t.Fatalf("%d %q", res.StatusCode, body)
	}
	if !Built() && !strings.Contains(body, "not part of this build") {
		t.Errorf("a build without the dashboard doesn't say so: %q", body)
	}
}
