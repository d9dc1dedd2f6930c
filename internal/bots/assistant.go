package bots

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/baas-platform/baas/internal/agentapi"
)

// HandoffPause is how long a handed-off conversation must rest until the assistant answers in it again.
const HandoffPause = 12 * time.Hour

// Config is what an assistant needs to run. Zero values of the optional part choose what is written there.
type Config struct {
	Port       int    // to listen on, all addresses
	ConfigFile string // JSON of agentapi.AssistantConfig
	DataDir    string // kept and moved with the bot
	BotID      string

	// Optional.
	Log          *slog.Logger     // slog.Default()
	Listener     net.Listener     // instead of Port
	HTTPClient   *http.Client     // for models and platforms; one with sensible limits
	Now          func() time.Time // time.Now
	ModelTimeout time.Duration    // for one whole answer; 90 s
	RetryDelay   time.Duration    // before the first repetition of a send, doubled up to a minute; 1 s
	SendFor      time.Duration    // how long a send is repeated before it is given up; 30 min
}

// ConfigFromEnv reads the variables that an agent gives a bot, and names all that are missing or wrong.
func ConfigFromEnv(getenv func(string) string) (Config, error) {
	var c Config
	var errs []error
	for _, v := range []struct {
		name string
		to   *string
	}{{agentapi.EnvBotConf, &c.ConfigFile}, {agentapi.EnvBotData, &c.DataDir}, {agentapi.EnvBotID, &c.BotID}} {
		if *v.to = getenv(v.name); *v.to == "" {
			errs = append(errs, fmt.Errorf("%s is not set", v.name))
		}
	}
	port, err := strconv.Atoi(getenv(agentapi.EnvPort))
	if err != nil || port < 1 || port > 65535 {
		errs = append(errs, fmt.Errorf("%s is %q; must be a port number", agentapi.EnvPort, getenv(agentapi.EnvPort)))
	}
	c.Port = port
	return c, errors.Join(errs...)
}

// assistant is one running bot.
type assistant struct {
	cfg      Config
	persona  agentapi.AssistantConfig
	log      *slog.Logger
	memory   *memory
	model    model
	triggers []string // normalized
	redact   *strings.Replacer
	locks    keyLocks
	telegram *telegram // nil when not configured
	whatsapp *whatsapp // nil when not configured
}

// RunAssistant runs the assistant until ctx ends, then lets requests in progress finish. Updates of chat platforms
// that aren't worked off by then stay in DataDir for the next start.
func RunAssistant(ctx context.Context, cfg Config) error {
	a, err := newAssistant(cfg)
	if err != nil {
		return err
	}
	defer a.close()
	ln := cfg.Listener
	if ln == nil {
		if ln, err = (&net.ListenConfig{}).Listen(ctx, "tcp", ":"+strconv.Itoa(cfg.Port)); err != nil {
			return fmt.Errorf("listening for requests: %w", err)
		}
	}
	srv := &http.Server{
		Handler: a.routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 8*time.Second)
		defer cancel()
		if srv.Shutdown(stop) != nil {
			srv.Close()
		}
		return nil
	})
	for _, box := range a.inboxes() {
		g.Go(func() error { box.run(ctx); return nil })
	}
	a.log.Info("assistant is ready", "name", a.persona.Name, "model", a.persona.Model, "address", ln.Addr().String(),
		"telegram", a.telegram != nil, "whatsapp", a.whatsapp != nil)
	return g.Wait()
}

func newAssistant(cfg Config) (*assistant, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ModelTimeout <= 0 {
		cfg.ModelTimeout = 90 * time.Second
	}
	if cfg.RetryDelay <= 0 {
		cfg.RetryDelay = time.Second
	}
	if cfg.SendFor <= 0 {
		cfg.SendFor = 30 * time.Minute
	}
	if cfg.HTTPClient == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 16
		cfg.HTTPClient = &http.Client{Transport: t}
	}
	raw, err := os.ReadFile(cfg.ConfigFile)
	if err != nil {
		return nil, fmt.Errorf("reading the assistant's configuration: %w", err)
	}
	a := &assistant{cfg: cfg, log: cfg.Log}
	if err := json.Unmarshal(raw, &a.persona); err != nil {
		return nil, fmt.Errorf("reading the assistant's configuration %s: %w", cfg.ConfigFile, err)
	}
	p := a.persona
	a.redact = redactor(p.APIKey, p.BaseURL, p.TelegramToken, p.TelegramWebhookSecret, p.WhatsAppAccessToken,
		p.WhatsAppAppSecret, p.WhatsAppVerifyToken)
	for _, t := range p.Handoff.Triggers {
		if n := normalize(t); n != "" {
			a.triggers = append(a.triggers, n)
		}
	}
	if a.memory, err = openMemory(filepath.Join(cfg.DataDir, "conversations"), cfg.Now); err != nil {
		return nil, err
	}
	a.model = newModel(p, cfg)
	if p.Telegram != nil {
		if a.telegram, err = newTelegram(a); err != nil {
			return nil, err
		}
	}
	if p.WhatsApp != nil {
		if a.whatsapp, err = newWhatsApp(a); err != nil {
			a.close()
			return nil, err
		}
	}
	return a, nil
}

func (a *assistant) inboxes() []*inbox {
	var boxes []*inbox
	if a.telegram != nil {
		boxes = append(boxes, a.telegram.inbox)
	}
	if a.whatsapp != nil {
		boxes = append(boxes, a.whatsapp.inbox)
	}
	return boxes
}

func (a *assistant) close() {
	for _, b := range a.inboxes() {
		b.close()
	}
}

// redactor replaces secrets in texts that are logged: the errors of HTTP clients quote addresses, and some APIs keys.
func redactor(secrets ...string) *strings.Replacer {
	var pairs []string
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, "[secret]")
		}
	}
	return strings.NewReplacer(pairs...)
}

// errText is err for the log, without secrets.
func (a *assistant) errText(err error) string { return a.redact.Replace(err.Error()) }
