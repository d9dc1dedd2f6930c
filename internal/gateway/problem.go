package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/baas-platform/baas"
)

// problem is why a request isn't served, as RFC 9457 writes it.
type problem struct {
	Type       string    `json:"type"`
	Title      string    `json:"title"`
	Status     int       `json:"status"`
	Detail     string    `json:"detail"`
	Code       baas.Code `json:"code"`
	RetryAfter int       `json:"-"` // seconds; 0 when it can't be said
	gone       bool      // the client left; there is nobody to answer
}

func (p *problem) Error() string { return string(p.Code) + ": " + p.Detail }

func notFound(detail string) *problem {
	return &problem{Status: http.StatusNotFound, Code: baas.CodeNotFound, Detail: detail}
}

func unavailable(detail string, retryAfter int) *problem {
	return &problem{Status: http.StatusServiceUnavailable, Code: baas.CodeUnavailable, Detail: detail, RetryAfter: retryAfter}
}

// routeProblem is why a route could not be had.
func routeProblem(err error) *problem {
	if errors.Is(err, baas.ErrNotFound) {
		return notFound("there is no bot at this address")
	}
	return unavailable("the platform is not ready; try again in a moment", 5)
}

func size(n int64) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// refuse answers with a problem: a page for a person, JSON for a program.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, p *problem) {
	out := *p
	out.Type, out.Title = "about:blank", http.StatusText(p.Status)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept, Accept-Language")
	if r.Header.Get("Origin") == "null" {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="bot"`)
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		w.WriteHeader(p.Status)
		_ = errorPage.Execute(w, newErrorView(out, r.Header.Get("Accept-Language")))
		return
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(out)
}

// errorView is the page of a problem.
type errorView struct {
	Lang, Heading, Text, Detail string
	Status, Reload              int
}

// newErrorView says in the person's language what the kind of the problem is; the detail stays in English.
func newErrorView(p problem, languages string) errorView {
	pt := !strings.HasPrefix(strings.ToLower(languages), "en")
	texts := map[int][4]string{
		http.StatusNotFound:           {"Página não encontrada", "Confira o endereço do bot.", "Page not found", "Check the address of the bot."},
		http.StatusForbidden:          {"Este bot é privado", "Abra o bot pelo painel para receber um novo endereço.", "This bot is private", "Open the bot from the dashboard to get a new address."},
		http.StatusUnauthorized:       {"Este bot pede um token de acesso", "Peça o token ao responsável pelo bot.", "This bot asks for an access token", "Ask the owner of the bot for it."},
		http.StatusServiceUnavailable: {"Bot indisponível no momento", "Tente de novo em instantes.", "The bot is not available just now", "Try again in a moment."},
	}
	t, ok := texts[p.Status]
	if !ok {
		t = [4]string{"Não foi possível responder", "Tente de novo em instantes.", "There was no answer", "Try again in a moment."}
	}
	v := errorView{Lang: "en", Heading: t[2], Text: t[3], Detail: p.Detail, Status: p.Status, Reload: p.RetryAfter}
	if pt {
		v.Lang, v.Heading, v.Text = "pt-BR", t[0], t[1]
	}
	return v
}

var errorPage = template.Must(template.New("error").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">{{if .Reload}}<meta http-equiv="refresh" content="{{.Reload}}">{{end}}<title>{{.Heading}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;min-height:100vh;margin:0;padding:1rem;box-sizing:border-box}
main{max-width:32rem}h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:.25rem 0}small{opacity:.75}</style></head>
<body><main><h1>{{.Heading}}</h1><p>{{.Text}}</p><p><small>{{.Status}} · {{.Detail}}</small></p></main></body></html>
`))
