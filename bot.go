package baas

import (
	"context"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// BotKind is what runs a bot.
type BotKind string

// Kinds of bots.
const (
	BotAssistant BotKind = "assistant" // built in: a persona on a language model
	BotProgram   BotKind = "program"   // a command with its environment and files
)

// Access says who may reach a bot through the gateway.
type Access string

// Kinds of access.
const (
	AccessPublic  Access = "public"  // anybody who has the address
	AccessToken   Access = "token"   // who sends the bot's access token
	AccessPrivate Access = "private" // members, by a signed preview address
)

// BotState is what a bot is, as its agent reports it.
type BotState string

// Bot states; the package documentation draws how they follow each other.
const (
	BotPending   BotState = "pending"    // its Worker doesn't run yet, or its files are on the way
	BotStarting  BotState = "starting"   // process started, not yet healthy
	BotRunning   BotState = "running"    // process runs and its health check, if any, passes
	BotUnhealthy BotState = "unhealthy"  // process runs, health check fails
	BotBackoff   BotState = "backoff"    // ended by itself; waits for the next start
	BotCrashLoop BotState = "crash_loop" // ended again and again; tried more and more seldom
	BotStopped   BotState = "stopped"    // as desired
	BotCompleted BotState = "completed"  // ended well and its restart policy lets it rest
	BotMoving    BotState = "moving"     // on its way to another Worker
	BotFailed    BotState = "failed"     // can't be started: Reason says why
)

// BotStates lists every state.
func BotStates() []BotState {
	return []BotState{BotPending, BotStarting, BotRunning, BotUnhealthy, BotBackoff, BotCrashLoop, BotStopped, BotCompleted, BotMoving, BotFailed}
}

// Bot is a program that a Worker runs. It belongs to one Worker at a time.
type Bot struct {
	ID       string  `json:"id"`
	TenantID string  `json:"tenant_id"`
	WorkerID string  `json:"worker_id"`
	Name     string  `json:"name"`
	Kind     BotKind `json:"kind" enum:"assistant,program"`
	Access   Access  `json:"access" enum:"public,token,private"`
	Desired  Desired `json:"desired" enum:"running,stopped"`
	// Assistant or Program is set, by Kind.
	Assistant *Assistant `json:"assistant,omitempty"`
	Program   *Program   `json:"program,omitempty"`
	// Restarts counts the restarts that people asked for.
	Restarts  int64     `json:"restarts_requested"`
	Files     *Artifact `json:"files,omitempty" doc:"The uploaded archive of a program"`
	Version   int64     `json:"version" doc:"Counts changes of the settings; the ETag"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	Status BotStatus `json:"status"`
	MoveID string    `json:"move_id,omitempty" doc:"The move in progress, if any"`
	URL    string    `json:"url,omitempty" doc:"Its public address; the API fills it in, it is not stored"`

	AccessTokenHash []byte `json:"-"` // SHA-256, for AccessToken
}

// BotStatus is what its agent reported. Only controllers write it.
type BotStatus struct {
	State       BotState   `json:"state" enum:"pending,starting,running,unhealthy,backoff,crash_loop,stopped,completed,moving,failed"`
	Reason      string     `json:"reason" doc:"Why it is in this state, for a person"`
	Since       time.Time  `json:"since"`
	Restarts    int        `json:"restarts" doc:"Starts after the process ended by itself"`
	ExitCode    *int       `json:"exit_code,omitempty" doc:"Of the last end; 128+n after signal n"`
	NextRetryAt *time.Time `json:"next_retry_at,omitempty"`
}

// Assistant is the persona of a built-in bot.
type Assistant struct {
	SystemPrompt string      `json:"system_prompt" required:"false" maxLength:"32000"`
	Model        string      `json:"model" required:"false" example:"builtin/echo" doc:"builtin/echo when empty, which needs no key; any other name is asked of the OpenAI-compatible endpoint"`
	Temperature  float64     `json:"temperature" required:"false" minimum:"0" maximum:"2"`
	MaxTokens    int         `json:"max_tokens" required:"false" minimum:"0" maximum:"128000" doc:"1024 when 0"`
	Personality  Personality `json:"personality" required:"false"`
	Welcome      string      `json:"welcome,omitempty" maxLength:"4000"`
	QuickReplies []string    `json:"quick_replies,omitempty" maxItems:"10" nullable:"false"`
	Handoff      Handoff     `json:"handoff" required:"false"`
	Memory       int         `json:"memory_messages" required:"false" minimum:"0" maximum:"200" doc:"Messages of the conversation that the model is shown; 0: none"`
	// BaseURLSecret and APIKeySecret name the secrets that hold the endpoint's address and key.
	BaseURLSecret string    `json:"base_url_secret,omitempty" doc:"Secret with the endpoint's base URL; OPENAI_BASE_URL when empty"`
	APIKeySecret  string    `json:"api_key_secret,omitempty" doc:"Secret with the endpoint's key; OPENAI_API_KEY when empty"`
	Telegram      *Telegram `json:"telegram,omitempty"`
	WhatsApp      *WhatsApp `json:"whatsapp,omitempty"`
}

// ModelEcho is the model that needs no key: it repeats what it is told.
const ModelEcho = "builtin/echo"

// The secrets that an assistant uses for its endpoint when it names no others.
const (
	SecretBaseURL = "OPENAI_BASE_URL"
	SecretAPIKey  = "OPENAI_API_KEY"
)

// Personality is a set of sliders from 0 to 100.
type Personality struct {
	Formality  int `json:"formality" required:"false" minimum:"0" maximum:"100"`
	Humor      int `json:"humor" required:"false" minimum:"0" maximum:"100"`
	Empathy    int `json:"empathy" required:"false" minimum:"0" maximum:"100"`
	Verbosity  int `json:"verbosity" required:"false" minimum:"0" maximum:"100"`
	Creativity int `json:"creativity" required:"false" minimum:"0" maximum:"100"`
}

// Handoff says when a person takes over.
type Handoff struct {
	Triggers []string `json:"triggers,omitempty" maxItems:"50" nullable:"false" doc:"Words or phrases that ask for a person"`
	Message  string   `json:"message,omitempty" maxLength:"4000"`
}

// Telegram connects an assistant through Telegram's Bot API, by webhook.
type Telegram struct {
	TokenSecret string `json:"token_secret" doc:"Secret with the token that BotFather gave"`
	// WebhookSecretSecret names the secret that Telegram sends in X-Telegram-Bot-Api-Secret-Token.
	WebhookSecretSecret string `json:"webhook_secret_secret" doc:"Secret with the value that Telegram sends with every update"`
	APIBase             string `json:"api_base,omitempty" format:"uri" doc:"https://api.telegram.org when empty"`
}

// WhatsApp connects an assistant through Meta's Cloud API, by webhook.
type WhatsApp struct {
	PhoneNumberID     string `json:"phone_number_id"`
	AccessTokenSecret string `json:"access_token_secret"`
	AppSecretSecret   string `json:"app_secret_secret" doc:"Secret with the app secret that signs webhooks (X-Hub-Signature-256)"`
	VerifyTokenSecret string `json:"verify_token_secret" doc:"Secret with the word that Meta's webhook set-up asks for"`
	APIBase           string `json:"api_base,omitempty" format:"uri" doc:"https://graph.facebook.com/v21.0 when empty"`
}

// Program is a command that the Worker runs.
type Program struct {
	Command     []string      `json:"command" minItems:"1" nullable:"false" example:"[\"python3\",\"bot.py\"]" doc:"Program and arguments; relative to the uploaded files"`
	Env         []EnvVar      `json:"env,omitempty" nullable:"false"`
	Port        int           `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"Where it listens; 0: it serves nothing. Also given to it as PORT"`
	Health      *HealthCheck  `json:"health,omitempty"`
	Restart     RestartPolicy `json:"restart,omitempty" enum:"always,on_failure,never" doc:"always when empty"`
	StopSeconds int           `json:"stop_seconds,omitempty" minimum:"0" maximum:"300" doc:"Between SIGTERM and SIGKILL; 10 when 0"`
}

// EnvVar is one variable: a value, or the name of a secret that holds it.
type EnvVar struct {
	Name   string `json:"name"`
	Value  string `json:"value,omitempty"`
	Secret string `json:"secret,omitempty" doc:"Name of the secret that holds the value"`
}

// RestartPolicy says what follows when a program ends by itself.
type RestartPolicy string

// Restart policies.
const (
	RestartAlways    RestartPolicy = "always"
	RestartOnFailure RestartPolicy = "on_failure"
	RestartNever     RestartPolicy = "never"
)

// HealthCheck asks a bot whether it is well. One of HTTP, TCP and Command is set.
type HealthCheck struct {
	HTTP            string   `json:"http,omitempty" example:"/healthz" doc:"Path that must answer 2xx on the bot's port"`
	TCP             bool     `json:"tcp,omitempty" doc:"The bot's port must accept a connection"`
	Command         []string `json:"command,omitempty" nullable:"false" doc:"Must end with 0"`
	IntervalSeconds int      `json:"interval_seconds,omitempty" minimum:"0" maximum:"3600" doc:"10 when 0"`
	TimeoutSeconds  int      `json:"timeout_seconds,omitempty" minimum:"0" maximum:"60" doc:"3 when 0"`
	Failures        int      `json:"failures,omitempty" minimum:"0" maximum:"100" doc:"In a row until unhealthy; 3 when 0"`
	RestartAfter    int      `json:"restart_after,omitempty" minimum:"0" maximum:"1000" doc:"Failures in a row until the bot is restarted; 0: never"`
}

// BotCreate makes a bot.
type BotCreate struct {
	WorkerID  string     `json:"worker_id"`
	Name      string     `json:"name" minLength:"1" maxLength:"60"`
	Kind      BotKind    `json:"kind" enum:"assistant,program"`
	Access    Access     `json:"access,omitempty" enum:"public,token,private" doc:"private when empty"`
	Desired   Desired    `json:"desired,omitempty" enum:"running,stopped" doc:"running when empty"`
	Assistant *Assistant `json:"assistant,omitempty"`
	Program   *Program   `json:"program,omitempty"`
}

// BotUpdate changes a bot; nil fields stay, and Assistant or Program replaces the whole of it.
type BotUpdate struct {
	Name      *string    `json:"name,omitempty" maxLength:"60"`
	Access    *Access    `json:"access,omitempty" enum:"public,token,private"`
	Assistant *Assistant `json:"assistant,omitempty"`
	Program   *Program   `json:"program,omitempty"`
}

// Bot makes the bot that c describes, or says what is wrong with c.
func (c BotCreate) Bot(id, tenantID string, now time.Time) (Bot, error) {
	b := Bot{
		ID: id, TenantID: tenantID, WorkerID: c.WorkerID, Name: strings.TrimSpace(c.Name), Kind: c.Kind, Access: c.Access,
		Desired: c.Desired, Assistant: c.Assistant, Program: c.Program, Version: 1, CreatedAt: now, UpdatedAt: now,
		Status: BotStatus{State: BotPending, Reason: "waiting for its Worker", Since: now},
	}
	if b.Access == "" {
		b.Access = AccessPrivate
	}
	if b.Desired == "" {
		b.Desired = DesiredRunning
	}
	return b, b.check()
}

// Apply writes the changes to b after checking them.
func (u BotUpdate) Apply(b *Bot) error {
	if u.Name != nil {
		b.Name = strings.TrimSpace(*u.Name)
	}
	if u.Access != nil {
		b.Access = *u.Access
	}
	if u.Assistant != nil {
		b.Assistant = u.Assistant
	}
	if u.Program != nil {
		b.Program = u.Program
	}
	return b.check()
}

func (b *Bot) check() error {
	var p Problems
	checkName(&p, "name", b.Name, MaxWorkerName)
	if b.WorkerID == "" {
		p.Add("worker_id", "must name the Worker that runs the bot")
	}
	switch b.Access {
	case AccessPublic, AccessToken, AccessPrivate:
	default:
		p.Add("access", "must be public, token or private")
	}
	if b.Desired != DesiredRunning && b.Desired != DesiredStopped {
		p.Add("desired", "must be running or stopped")
	}
	switch b.Kind {
	case BotAssistant:
		if b.Program != nil {
			p.Add("program", "an assistant has no program; leave it out")
		}
		if b.Assistant == nil {
			b.Assistant = &Assistant{}
		}
		b.Assistant.check(&p)
	case BotProgram:
		if b.Assistant != nil {
			p.Add("assistant", "a program has no persona; leave it out")
		}
		if b.Program == nil {
			p.Add("program", "must say which command to run")
		} else {
			b.Program.check(&p)
		}
	default:
		p.Add("kind", "must be assistant or program")
	}
	return p.Err()
}

func (a *Assistant) check(p *Problems) {
	if a.Model == "" {
		a.Model = ModelEcho
	}
	if a.MaxTokens == 0 {
		a.MaxTokens = 1024
	}
	checkText(p, "assistant.system_prompt", a.SystemPrompt, 32000)
	checkText(p, "assistant.welcome", a.Welcome, 4000)
	checkText(p, "assistant.handoff.message", a.Handoff.Message, 4000)
	checkName(p, "assistant.model", a.Model, 200)
	if strings.HasPrefix(a.Model, "builtin/") && a.Model != ModelEcho {
		p.Add("assistant.model", "the only built-in model is %s", ModelEcho)
	}
	if a.Temperature < 0 || a.Temperature > 2 {
		p.Add("assistant.temperature", "is %g; must be between 0 and 2", a.Temperature)
	}
	checkRange(p, "assistant.max_tokens", a.MaxTokens, 1, 128000)
	checkRange(p, "assistant.memory_messages", a.Memory, 0, 200)
	for _, s := range []struct {
		name string
		v    int
	}{{"formality", a.Personality.Formality}, {"humor", a.Personality.Humor}, {"empathy", a.Personality.Empathy},
		{"verbosity", a.Personality.Verbosity}, {"creativity", a.Personality.Creativity}} {
		checkRange(p, "assistant.personality."+s.name, s.v, 0, 100)
	}
	checkRange(p, "assistant.quick_replies", len(a.QuickReplies), 0, 10)
	for _, q := range a.QuickReplies {
		checkName(p, "assistant.quick_replies", q, 60)
	}
	checkRange(p, "assistant.handoff.triggers", len(a.Handoff.Triggers), 0, 50)
	for _, t := range a.Handoff.Triggers {
		checkName(p, "assistant.handoff.triggers", t, 80)
	}
	optionalSecret := func(field, name string) {
		if name != "" {
			CheckSecretName(p, field, name)
		}
	}
	optionalSecret("assistant.base_url_secret", a.BaseURLSecret)
	optionalSecret("assistant.api_key_secret", a.APIKeySecret)
	if t := a.Telegram; t != nil {
		CheckSecretName(p, "assistant.telegram.token_secret", t.TokenSecret)
		CheckSecretName(p, "assistant.telegram.webhook_secret_secret", t.WebhookSecretSecret)
		checkURL(p, "assistant.telegram.api_base", t.APIBase)
	}
	if w := a.WhatsApp; w != nil {
		checkName(p, "assistant.whatsapp.phone_number_id", w.PhoneNumberID, 40)
		CheckSecretName(p, "assistant.whatsapp.access_token_secret", w.AccessTokenSecret)
		CheckSecretName(p, "assistant.whatsapp.app_secret_secret", w.AppSecretSecret)
		CheckSecretName(p, "assistant.whatsapp.verify_token_secret", w.VerifyTokenSecret)
		checkURL(p, "assistant.whatsapp.api_base", w.APIBase)
	}
}

// Secrets lists the names of the secrets that the bot's settings refer to. Optional ones (the defaults of an
// assistant's endpoint) are listed with required false.
func (b *Bot) Secrets() (required, optional []string) {
	if a := b.Assistant; a != nil {
		if a.Model != ModelEcho {
			for _, s := range []struct{ name, fallback string }{{a.BaseURLSecret, SecretBaseURL}, {a.APIKeySecret, SecretAPIKey}} {
				if s.name != "" {
					required = append(required, s.name)
				} else {
					optional = append(optional, s.fallback)
				}
			}
		}
		if t := a.Telegram; t != nil {
			required = append(required, t.TokenSecret, t.WebhookSecretSecret)
		}
		if w := a.WhatsApp; w != nil {
			required = append(required, w.AccessTokenSecret, w.AppSecretSecret, w.VerifyTokenSecret)
		}
	}
	if b.Program != nil {
		for _, e := range b.Program.Env {
			if e.Secret != "" {
				required = append(required, e.Secret)
			}
		}
	}
	return required, optional
}

// Bounds of a program's settings.
const (
	MaxCommandWords = 100
	MaxEnvVars      = 200
	MaxEnvValue     = 32 << 10 // bytes
)

func (g *Program) check(p *Problems) {
	checkCommand(p, "program.command", g.Command)
	checkRange(p, "program.env", len(g.Env), 0, MaxEnvVars)
	seen := map[string]bool{}
	for _, e := range g.Env {
		CheckSecretName(p, "program.env.name", e.Name)
		if strings.HasPrefix(e.Name, "BAAS_") || e.Name == "PORT" {
			p.Add("program.env.name", "%s is set by the platform; choose another name", e.Name)
		}
		if seen[e.Name] {
			p.Add("program.env.name", "%s is given twice", e.Name)
		}
		seen[e.Name] = true
		if e.Secret != "" {
			CheckSecretName(p, "program.env.secret", e.Secret)
			if e.Value != "" {
				p.Add("program.env.value", "%s has both a value and a secret; give one", e.Name)
			}
		}
		if len(e.Value) > MaxEnvValue || strings.ContainsRune(e.Value, 0) {
			p.Add("program.env.value", "%s must be at most %d bytes without NUL", e.Name, MaxEnvValue)
		}
	}
	checkRange(p, "program.port", g.Port, 0, 65535)
	if g.Port > 0 && g.Port < 1024 {
		p.Add("program.port", "is %d; bots run without privileges and must use 1024 or above", g.Port)
	}
	switch g.Restart {
	case "":
		g.Restart = RestartAlways
	case RestartAlways, RestartOnFailure, RestartNever:
	default:
		p.Add("program.restart", "must be always, on_failure or never")
	}
	checkRange(p, "program.stop_seconds", g.StopSeconds, 0, 300)
	if h := g.Health; h != nil {
		kinds := 0
		if h.HTTP != "" {
			kinds++
			if !strings.HasPrefix(h.HTTP, "/") {
				p.Add("program.health.http", "must be a path that begins with /")
			}
		}
		if h.TCP {
			kinds++
		}
		if len(h.Command) > 0 {
			kinds++
			checkCommand(p, "program.health.command", h.Command)
		}
		if kinds != 1 {
			p.Add("program.health", "must have exactly one of http, tcp and command")
		}
		if (h.HTTP != "" || h.TCP) && g.Port == 0 {
			p.Add("program.port", "must be set for an http or tcp health check")
		}
		checkRange(p, "program.health.interval_seconds", h.IntervalSeconds, 0, 3600)
		checkRange(p, "program.health.timeout_seconds", h.TimeoutSeconds, 0, 60)
		checkRange(p, "program.health.failures", h.Failures, 0, 100)
		checkRange(p, "program.health.restart_after", h.RestartAfter, 0, 1000)
	}
}

func checkCommand(p *Problems, field string, words []string) {
	if len(words) == 0 || words[0] == "" {
		p.Add(field, "must name a program")
	}
	if len(words) > MaxCommandWords {
		p.Add(field, "has %d words; at most %d are allowed", len(words), MaxCommandWords)
	}
	for _, w := range words {
		if len(w) > MaxEnvValue || strings.ContainsRune(w, 0) {
			p.Add(field, "each word must be at most %d bytes without NUL", MaxEnvValue)
		}
	}
}

func checkRange(p *Problems, field string, v, low, high int) {
	if v < low || v > high {
		p.Add(field, "is %d; must be between %d and %d", v, low, high)
	}
}

func checkText(p *Problems, field, s string, maxRunes int) {
	if n := utf8.RuneCountInString(s); n > maxRunes {
		p.Add(field, "has %d characters; at most %d are allowed", n, maxRunes)
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		p.Add(field, "must be UTF-8 without NUL")
	}
}

func checkURL(p *Problems, field, s string) {
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		p.Add(field, "must be an http or https address")
	}
}

// BotFilter narrows a list of bots.
type BotFilter struct {
	Search    string   // part of the name, without regard to case
	WorkerIDs []string // when not nil, only bots of these Workers
	States    []BotState
	Kind      BotKind
	Page
}

// BotStore keeps a tenant's bots. Create and Delete keep Totals; every write announces a Change.
type BotStore interface {
	Create(ctx context.Context, b Bot) error // ErrNameTaken within its tenant
	Get(ctx context.Context, id string) (Bot, error)
	List(ctx context.Context, f BotFilter) (bs []Bot, next string, err error) // by id
	// Update writes the settings (not Status, AccessTokenHash; WorkerID and MoveID too) if the stored version is still
	// b.Version, and adds one to it. ErrNotFound, ErrVersionMismatch, ErrNameTaken.
	Update(ctx context.Context, b Bot) (Bot, error)
	SetStatus(ctx context.Context, id string, s BotStatus) error // leaves Version
	SetAccessToken(ctx context.Context, id string, hash []byte) error
	Delete(ctx context.Context, id string) error
}
