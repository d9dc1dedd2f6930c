package e2e

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/bots/botstest"
)

// pythonBot serves HTTP with what its environment says, and counts its starts in the directory that it keeps.
const pythonBot = `
import http.server, json, os, pathlib
data = pathlib.Path(os.environ["BAAS_BOT_DATA"])
starts = data / "starts"
starts.write_text(str(int(starts.read_text() or 0) + 1 if starts.exists() else 1))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(3)
        body = json.dumps({"path": self.path, "greeting": os.environ["GREETING"], "key_length": len(os.environ["KEY"]),
            "starts": int(starts.read_text()), "module": __import__("words").HELLO,
            "agent": [k for k in os.environ if k.startswith("BAAS_AGENT")], "prefix": self.headers.get("X-Forwarded-Prefix")}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        print("asked", self.path, flush=True)

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
`

func zipped(t *testing.T, files map[string]string) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for name, text := range files {
		f, err := z.Create(name)
		must(t, err)
		_, err = f.Write([]byte(text))
		must(t, err)
	}
	must(t, z.Close())
	return &buf
}

// TestAProgramInAnotherLanguage runs a Python bot that is uploaded as an archive, in an image of the client's choice, with
// a secret and a health check; it crashes and comes back, and moves with its data to a Worker of another size.
func TestAProgramInAnotherLanguage(t *testing.T) {
	t.Parallel()
	image, err := exec.Command("../scripts/python-image.sh").Output()
	if err != nil {
		t.Fatalf("making the image with Python: %v", err)
	}
	p := newPlatform(t, "docker")
	ctx := t.Context()
	acme := p.tenant("Acme", baas.PlanPro)
	python := strings.TrimSpace(string(image))
	first := p.worker(acme, baas.WorkerCreate{Name: "Python", Image: python})
	second := p.worker(acme, baas.WorkerCreate{Name: "Python maior", Image: python, Size: &baas.Size{CPUMillis: 1000, MemoryMiB: 768, DiskGiB: 3}})
	_, err = acme.PutSecret(ctx, "API_KEY", baas.SecretPut{Value: "0123456789"})
	must(t, err)
	bot, err := acme.CreateBot(ctx, baas.BotCreate{Name: "Cobra", WorkerID: first.ID, Kind: baas.BotProgram, Access: baas.AccessPublic, Desired: baas.DesiredStopped,
		Program: &baas.Program{Command: []string{"python3", "bot.py"}, Port: 8000, Health: &baas.HealthCheck{HTTP: "/healthz", IntervalSeconds: 1},
			Env: []baas.EnvVar{{Name: "GREETING", Value: "olá"}, {Name: "KEY", Secret: "API_KEY"}}}})
	must(t, err)
	bot, err = acme.PutFiles(ctx, bot.ID, zipped(t, map[string]string{"bot.py": pythonBot, "words.py": `HELLO = "dos arquivos"`}))
	must(t, err)
	_, err = acme.StartBot(ctx, bot.ID)
	must(t, err)
	bot = p.awaitBot(acme, bot.ID, baas.BotRunning)
	for _, want := range []string{`"path": "/relatorio?mes=5"`, `"greeting": "ol\u00e1"`, `"key_length": 10`, `"starts": 1`, `"module": "dos arquivos"`, `"agent": []`} {
		if got := get(t, bot.URL+"relatorio?mes=5"); !strings.Contains(got, want) {
			t.Fatalf("%s is not in the answer %s", want, got)
		}
	}
	get(t, bot.URL+"crash")
	eventually(t, 60*time.Second, "the bot to come back", func() error {
		got := get(t, bot.URL)
		if !strings.Contains(got, `"starts": 2`) {
			return errors.New(got)
		}
		return nil
	})
	move, err := acme.MoveBot(ctx, bot.ID, second.ID)
	must(t, err)
	p.awaitMove(acme, move.ID, baas.MoveDone)
	p.awaitBot(acme, bot.ID, baas.BotRunning)
	if got := get(t, bot.URL); !strings.Contains(got, `"starts": 3`) || !strings.Contains(got, "dos arquivos") {
		t.Fatalf("its data or files did not come along: %s", got)
	}
	found := false
	for line, err := range acme.Logs(ctx, bot.ID, client.LogQuery{Tail: 100}) {
		must(t, err)
		found = found || strings.Contains(line.Text, "asked /relatorio")
	}
	if !found {
		t.Error("the log did not come along")
	}
	for b, err := range acme.Secrets(ctx) {
		must(t, err)
		if strings.Contains(fmt.Sprintf("%+v", b), "0123456789") {
			t.Error("the API returns a secret")
		}
	}
}

// TestAnAssistantOnItsChannels talks to a language model that streams, and both ways to Telegram and WhatsApp, on local
// servers that speak their APIs.
func TestAnAssistantOnItsChannels(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "process") // whose bots reach this machine's own servers
	ctx := t.Context()
	model := botstest.NewOpenAI("sk-local")
	t.Cleanup(model.Close)
	model.Reply(func(c botstest.Completion) []string { return []string{"Resposta ", "a: ", c.Last()} })
	telegram := botstest.NewTelegram("123:token")
	t.Cleanup(telegram.Close)
	whatsapp := botstest.NewWhatsApp("5511", "wa-access")
	t.Cleanup(whatsapp.Close)

	acme := p.tenant("Acme", baas.PlanPro)
	w := p.worker(acme, baas.WorkerCreate{Name: "Único"})
	for name, value := range map[string]string{"OPENAI_BASE_URL": model.BaseURL(), "OPENAI_API_KEY": "sk-local", "TG_TOKEN": "123:token", "TG_SECRET": "webhook-secret",
		"WA_ACCESS": "wa-access", "WA_APP": "wa-app-secret", "WA_VERIFY": "wa-verify"} {
		_, err := acme.PutSecret(ctx, name, baas.SecretPut{Value: value})
		must(t, err)
	}
	bot := p.bot(acme, baas.BotCreate{Name: "Ana", WorkerID: w.ID, Kind: baas.BotAssistant, Access: baas.AccessPrivate, Assistant: &baas.Assistant{
		Model: "local-model", SystemPrompt: "Você é a Ana.", Memory: 10, Temperature: 0.2,
		Telegram: &baas.Telegram{TokenSecret: "TG_TOKEN", WebhookSecretSecret: "TG_SECRET", APIBase: telegram.URL()},
		WhatsApp: &baas.WhatsApp{PhoneNumberID: "5511", AccessTokenSecret: "WA_ACCESS", AppSecretSecret: "WA_APP", VerifyTokenSecret: "WA_VERIFY", APIBase: whatsapp.URL()}}})

	reply, err := acme.SendMessage(ctx, bot.ID, baas.BotMessage{Message: "quanto devo?"})
	must(t, err)
	if reply.Reply != "Resposta a: quanto devo?" {
		t.Fatalf("the model's answer: %q", reply.Reply)
	}
	if status, _, err := post(ctx, bot.URL+"chat", `{"message":"oi"}`); err != nil || status == http.StatusOK {
		t.Fatalf("a private bot answers anybody: %d %v", status, err)
	}
	preview, err := acme.Preview(ctx, bot.ID)
	must(t, err)
	if page := get(t, preview.URL); !strings.HasPrefix(page, "200") {
		t.Fatalf("the preview: %s", page)
	}

	// Telegram: wrong secret refused, right one answered.
	res, err := botstest.PostUpdate(ctx, bot.URL+"telegram", "wrong", botstest.Update(1, 77, "pt-br", "oi do Telegram"))
	must(t, err)
	res.Body.Close()
	if res.StatusCode/100 != 4 {
		t.Fatalf("a forged update: %s", res.Status)
	}
	res, err = botstest.PostUpdate(ctx, bot.URL+"telegram", "webhook-secret", botstest.Update(2, 77, "pt-br", "oi do Telegram"))
	must(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("an update: %s", res.Status)
	}
	if sent := telegram.Wait(ctx, 1); len(sent) == 0 || !strings.Contains(fmt.Sprintf("%+v", sent), "Resposta a: oi do Telegram") {
		t.Fatalf("sent to Telegram: %+v", sent)
	}

	// WhatsApp: verification, wrong signature refused, right one answered.
	if got := get(t, bot.URL+"whatsapp?hub.mode=subscribe&hub.verify_token=wa-verify&hub.challenge=42"); !strings.HasSuffix(got, "42") {
		t.Fatalf("the verification: %s", got)
	}
	note := botstest.Notification("5511", botstest.TextMessage("wamid.1", "5521999", "oi do WhatsApp"))
	res, err = botstest.PostNotification(ctx, bot.URL+"whatsapp", "not-the-secret", note)
	must(t, err)
	res.Body.Close()
	if res.StatusCode/100 != 4 {
		t.Fatalf("a forged notification: %s", res.Status)
	}
	res, err = botstest.PostNotification(ctx, bot.URL+"whatsapp", "wa-app-secret", note)
	must(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("a notification: %s", res.Status)
	}
	if sent := whatsapp.Wait(ctx, 1); len(sent) == 0 || !strings.Contains(fmt.Sprintf("%+v", sent), "Resposta a: oi do WhatsApp") {
		t.Fatalf("sent to WhatsApp: %+v", sent)
	}
}
