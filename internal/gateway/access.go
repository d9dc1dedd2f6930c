package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/baas-platform/baas"
)

// Names of what carries access.
const (
	HeaderToken   = "X-Baas-Token"
	queryPreview  = "baas_preview"
	cookiePreview = "baas_preview"
	// segmentPreview begins the first segment of a path that carries a preview. A page without an origin of its own
	// gets no cookies back, but what it loads by relative addresses is below the same segment.
	segmentPreview = "~preview-"
	ourCookies     = "baas_"
	// ourTokens begins the platform's own API tokens, which are no bot's business.
	ourTokens = "Bearer baas_"
)

var (
	errPreviewForged  = errors.New("the preview is not signed by this platform")
	errPreviewExpired = errors.New("the preview has expired")
)

// SignPreview makes the query that opens a bot until expires, whatever its access.
func SignPreview(key []byte, botID string, expires time.Time) string {
	return queryPreview + "=" + signPreview(key, botID, expires)
}

// PreviewURL is SignPreview on the address of a bot under base, such as https://baas.example.com.
func PreviewURL(base string, key []byte, botID string, expires time.Time) string {
	return strings.TrimSuffix(base, "/") + Prefix + url.PathEscape(botID) + "/?" + SignPreview(key, botID, expires)
}

// signPreview is the expiry in seconds and the HMAC over it and the bot.
func signPreview(key []byte, botID string, expires time.Time) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("baas preview\x00" + botID + "\x00"))
	mac.Write(raw)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(raw))
}

// checkPreview tells until when a preview is good.
func checkPreview(key []byte, botID, preview string, now time.Time) (time.Time, error) {
	raw, err := base64.RawURLEncoding.DecodeString(preview)
	if err != nil || len(raw) != 8+sha256.Size {
		return time.Time{}, errPreviewForged
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	if !hmac.Equal([]byte(signPreview(key, botID, expires)), []byte(preview)) {
		return time.Time{}, errPreviewForged
	}
	if !now.Before(expires) {
		return time.Time{}, errPreviewExpired
	}
	return expires, nil
}

// admit checks that the request may reach the bot. done means that it was answered, by a redirect.
func (g *Gateway) admit(w http.ResponseWriter, r *http.Request, ex *exchange) (p *problem, done bool) {
	// What carries a preview is taken out in any case: it is not meant for the bot.
	preview, given := "", false
	if after, ok := strings.CutPrefix(ex.rest, "/"+segmentPreview); ok {
		var rest string
		preview, rest, _ = strings.Cut(after, "/")
		given = true
		ex.prefix += "/" + segmentPreview + preview
		ex.rest = "/" + rest
		_, raw, _ := strings.Cut(strings.TrimPrefix(ex.rawRest, "/"), "/")
		ex.rawRest = "/" + raw
	}
	if strings.Contains(ex.query, queryPreview+"=") {
		var asked string
		if asked, ex.query = takeQuery(ex.query, queryPreview); asked != "" {
			preview, given = asked, true
			if r.Method == http.MethodGet || r.Method == http.MethodHead {
				return g.openPreview(w, r, ex, preview)
			}
		}
	}
	if ex.route.access == baas.AccessPublic || g.selfAuthenticating(ex) {
		return nil, false
	}
	if !given {
		if c, err := r.Cookie(cookiePreview); err == nil {
			preview, given = c.Value, true
		}
	}
	if given {
		_, err := checkPreview(g.cfg.SignKey, ex.id, preview, g.cfg.Now())
		if err == nil {
			return nil, false
		}
		if ex.route.access == baas.AccessPrivate {
			return previewProblem(err), false
		}
	}
	if ex.route.access == baas.AccessToken {
		return checkToken(r, ex), false
	}
	return &problem{Status: http.StatusForbidden, Code: baas.CodeForbidden,
		Detail: "this bot is private; open it from the dashboard, which gives an address for you"}, false
}

// openPreview answers the first request with a preview: it moves into a cookie and, where pages get no cookies back,
// into the path, so that the signature isn't in what is shared, logged and sent as referrer by accident.
func (g *Gateway) openPreview(w http.ResponseWriter, r *http.Request, ex *exchange, preview string) (*problem, bool) {
	expires, err := checkPreview(g.cfg.SignKey, ex.id, preview, g.cfg.Now())
	if err != nil {
		return previewProblem(err), false
	}
	cookiePath, to := "/", ex.rawRest
	if ex.sandbox {
		cookiePath = Prefix + ex.id + "/"
		to = Prefix + ex.id + "/" + segmentPreview + preview + ex.rawRest
	}
	if strings.HasPrefix(to, "//") {
		to = "/" + strings.TrimLeft(to, "/")
	}
	if ex.query != "" {
		to += "?" + ex.query
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookiePreview, Value: preview, Path: cookiePath, Expires: expires, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: g.base.Scheme == "https",
	})
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
	return nil, true
}

func previewProblem(err error) *problem {
	p := &problem{Status: http.StatusForbidden, Code: baas.CodeForbidden,
		Detail: "this preview address is not valid; open the bot from the dashboard to get another"}
	if errors.Is(err, errPreviewExpired) {
		p.Detail = "this preview address has expired; open the bot from the dashboard to get another"
	}
	return p
}

// takeQuery takes a parameter out of a raw query and leaves the others as they are.
func takeQuery(raw, name string) (value, rest string) {
	var kept []string
	for part := range strings.SplitSeq(raw, "&") {
		if v, ok := strings.CutPrefix(part, name+"="); ok {
			value = v
		} else if part != "" {
			kept = append(kept, part)
		}
	}
	return value, strings.Join(kept, "&")
}

// selfAuthenticating reports whether the request is a chat platform's, which the bot checks by its signature.
func (g *Gateway) selfAuthenticating(ex *exchange) bool {
	return ex.rest == "/telegram" && ex.route.telegram || ex.rest == "/whatsapp" && ex.route.whatsapp
}

// checkToken checks the bot's access token.
func checkToken(r *http.Request, ex *exchange) *problem {
	given := r.Header.Get(HeaderToken)
	if given == "" {
		given, ex.token = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	sum := sha256.Sum256([]byte(given))
	if given != "" && len(ex.route.tokenHash) == sha256.Size && subtle.ConstantTimeCompare(sum[:], ex.route.tokenHash) == 1 {
		return nil
	}
	p := &problem{Status: http.StatusUnauthorized, Code: baas.CodeUnauthenticated,
		Detail: "this bot asks for its access token, as Authorization: Bearer … or " + HeaderToken}
	if given != "" {
		p.Detail = "the access token is not this bot's; it may have been replaced"
	}
	return p
}
