package gateway

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/baas-platform/baas/internal/agentapi"
)

// sandboxPolicy takes a page's origin away: it can run, but not act as the dashboard that shares its address.
const sandboxPolicy = "sandbox allow-scripts allow-forms allow-modals allow-downloads allow-popups allow-popups-to-escape-sandbox"

// rewrite makes the request to the agent of the request that came.
func rewrite(pr *httputil.ProxyRequest) {
	ex := exchangeOf(pr.In.Context())
	u := &url.URL{Scheme: "http", Host: "agent", RawQuery: ex.query}
	base := "/v1/bots/" + ex.id + "/http"
	u.Path = base + ex.rest
	if raw := base + ex.rawRest; raw != u.Path {
		u.RawPath = raw
	}
	pr.Out.URL = u
	pr.Out.Host = pr.In.Host
	h, in := pr.Out.Header, pr.In.Header
	if ex.trusted {
		if v := in["X-Forwarded-For"]; v != nil {
			h["X-Forwarded-For"] = v
		}
	} else {
		h.Del("X-Real-Ip")
	}
	pr.SetXForwarded()
	if ex.trusted {
		for _, name := range [...]string{"X-Forwarded-Proto", "X-Forwarded-Host"} {
			if v := in.Get(name); v != "" {
				h.Set(name, v)
			}
		}
	}
	if ex.prefix != "" {
		h.Set("X-Forwarded-Prefix", ex.prefix)
	} else {
		h.Del("X-Forwarded-Prefix")
	}
	h.Del(HeaderToken)
	if a := h.Get("Authorization"); a != "" && (ex.token || strings.HasPrefix(a, ourTokens)) {
		h.Del("Authorization")
	}
	stripCookies(h)
}

// stripCookies takes our own cookies out of a request: they open the dashboard.
func stripCookies(h http.Header) {
	lines := h["Cookie"]
	ours := false
	for _, l := range lines {
		ours = ours || strings.Contains(l, ourCookies)
	}
	if !ours {
		return
	}
	var kept []string
	for _, l := range lines {
		for c := range strings.SplitSeq(l, ";") {
			if c = strings.TrimSpace(c); c != "" && !isOurs(c) {
				kept = append(kept, c)
			}
		}
	}
	if len(kept) == 0 {
		h.Del("Cookie")
		return
	}
	h["Cookie"] = []string{strings.Join(kept, "; ")}
}

// isOurs reports whether a cookie, name first, is the platform's, also with a prefix that browsers know.
func isOurs(cookie string) bool {
	cookie = strings.TrimPrefix(strings.TrimPrefix(cookie, "__Host-"), "__Secure-")
	return strings.HasPrefix(cookie, ourCookies)
}

// modifyResponse makes the answer of a bot fit for the address that it is seen at.
func modifyResponse(res *http.Response) error {
	ex := exchangeOf(res.Request.Context())
	h := res.Header
	// These would be about the whole host, for long.
	for _, name := range [...]string{"Strict-Transport-Security", "Clear-Site-Data", "Service-Worker-Allowed", "Alt-Svc", "Nel", "Report-To", agentapi.HeaderError} {
		delete(h, http.CanonicalHeaderKey(name))
	}
	if len(h["Set-Cookie"]) > 0 {
		ownCookies(h, ex)
	}
	if ex.prefix != "" {
		if to := h.Get("Location"); strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") &&
			to != ex.prefix && !strings.HasPrefix(to, ex.prefix+"/") {
			h.Set("Location", ex.prefix+to)
		}
	}
	if !ex.sandbox {
		return nil
	}
	h.Add("Content-Security-Policy", sandboxPolicy)
	if strings.Contains(ex.prefix, segmentPreview) {
		h.Set("Referrer-Policy", "no-referrer")
	}
	if res.Request.Header.Get("Origin") == "null" && h.Get("Access-Control-Allow-Origin") == "" {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "*")
	}
	return nil
}

// ownCookies keeps a bot's cookies to the bot: none of our names, no other host, and under /b/ no other path.
func ownCookies(h http.Header, ex *exchange) {
	cookies := h["Set-Cookie"]
	kept := cookies[:0]
	for _, line := range cookies {
		c, err := http.ParseSetCookie(line)
		if err != nil || isOurs(c.Name) {
			continue
		}
		c.Domain = ""
		if ex.sandbox {
			if strings.HasPrefix(c.Name, "__Host-") {
				continue // asks for the path /
			}
			if !strings.HasPrefix(c.Path, ex.prefix+"/") {
				c.Path = ex.prefix + "/" + strings.TrimPrefix(c.Path, "/")
			}
		}
		kept = append(kept, c.String())
	}
	if len(kept) == 0 {
		h.Del("Set-Cookie")
		return
	}
	h["Set-Cookie"] = kept
}

// preflight answers a browser that asks, for a page without an origin, whether it may talk to the bot. It may: such a
// page can bring no cookies, so it can do no more than any program that knows the address.
func preflight(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Origin") != "null" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
	if v := r.Header.Get("Access-Control-Request-Headers"); v != "" {
		h.Set("Access-Control-Allow-Headers", v)
	}
	h.Set("Access-Control-Max-Age", "600")
	h.Add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	w.WriteHeader(http.StatusNoContent)
	return true
}
