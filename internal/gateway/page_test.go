package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/bots"
	"github.com/baas-platform/baas/internal/gateway"
)

// assistantBehind runs an assistant and gives a handler that stands where its agent's proxy does.
func assistantBehind(t *testing.T, c agentapi.AssistantConfig) http.Handler {
	t.Helper()
	dir := t.TempDir()
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "config.json")
	if err := os.WriteFile(conf, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- bots.RunAssistant(ctx, bots.Config{ConfigFile: conf, DataDir: dir, BotID: c.BotID, Listener: ln})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the assistant ended with %v", err)
		}
	})
	return httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: ln.Addr().String()})
}

// A person chats in a real browser: under the sandbox policy, with a public address and with a private preview.
func TestChatPageInABrowser(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Atendimento")
	ag := w.agent(wk)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("accept-lang", "pt-BR"))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	for _, access := range []baas.Access{baas.AccessPublic, baas.AccessPrivate} {
		t.Run(string(access), func(t *testing.T) {
			persona := baas.Assistant{Model: baas.ModelEcho, Welcome: "Olá! Sou a Ana.", QuickReplies: []string{"Horário"}, Memory: 10}
			b := w.bot(wk, string(access), access, func(c *baas.BotCreate) { c.Kind, c.Program, c.Assistant = baas.BotAssistant, nil, &persona })
			ag.serve(b.ID, assistantBehind(t, agentapi.AssistantConfig{BotID: b.ID, Name: "Ana", Assistant: persona}))
			address := w.url + "/b/" + b.ID
			if access == baas.AccessPrivate {
				address += "/?" + gateway.SignPreview(signKey, b.ID, time.Now().Add(time.Hour))
			}
			tab, cancel := chromedp.NewContext(alloc)
			defer cancel()
			if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(tab, 60*time.Second)
			defer cancel()
			p := page{t, ctx}
			const bubbles = `[...document.querySelectorAll("#log li")].map(li => li.className + ": " + li.textContent).join("|")`
			settled := func(n int) {
				t.Helper()
				p.until(fmt.Sprintf(`document.querySelectorAll("#log li").length === %d && !document.querySelector("[aria-busy]") && document.querySelector("#typing").hidden`, n))
			}
			settled(1)
			origin, title, hint := p.eval(`self.origin`), p.eval(`document.title`), p.eval(`document.querySelector("#text").placeholder`)
			p.do(chromedp.Click(chromedp.CSS("#chips button")))
			settled(3)
			p.do(chromedp.SendKeys(chromedp.CSS("#text"), "segunda\r"))
			settled(5)
			before := p.eval(bubbles)
			p.do(chromedp.Reload())
			settled(5)
			after := p.eval(bubbles)
			p.do(chromedp.Click(chromedp.CSS("#fresh")))
			settled(1)
			if origin != "null" {
				t.Errorf("the page has the origin %q", origin)
			}
			want := "assistant: Olá! Sou a Ana.|user: Horário|assistant: Echo: Horário|user: segunda|assistant: Echo: segunda"
			if before != want || after != want {
				t.Errorf("the conversation is %q, and after a reload %q", before, after)
			}
			if title != "Ana" || !strings.Contains(hint, "Escreva") {
				t.Errorf("the title is %q and the hint %q", title, hint)
			}
		})
	}
}

// page is a page in a browser.
type page struct {
	t   *testing.T
	ctx context.Context
}

func (p page) do(a chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, a); err != nil {
		p.fail(err)
	}
}

func (p page) eval(js string) string {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](js))
	if err != nil {
		p.fail(err)
	}
	return v
}

// until waits for a condition in the page.
func (p page) until(js string) {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](js))
		if ok && err == nil {
			return
		}
		if time.Now().After(end) {
			p.fail(fmt.Errorf("never came: %s (%w)", js, err))
		}
	}
}

func (p page) fail(err error) {
	p.t.Helper()
	html, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.documentElement.outerHTML`))
	p.t.Fatalf("%v; the page is %s", err, html)
}
