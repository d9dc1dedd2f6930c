// Package agentapi is the protocol between the control plane and the agent in each Worker: the types that cross the
// tunnel and the paths they are served at. It is the only thing that the two sides share.
//
// The agent dials ConnectPath as a WebSocket, with its token as bearer and the headers below, and then serves these
// paths as plain HTTP on streams that the control plane opens:
//
//	GET    /v1/status                    Status
//	GET    /v1/watch                     stream of Status, one JSON document a line: now, and on every change
//	PUT    /v1/desired                   Desired → Status; 409 when the revision is lower than the agent's
//	PUT    /v1/bots/{id}/files           the uploaded archive (Artifact headers) → 204
//	GET    /v1/bots/{id}/export          tar of the bot's directory; 409 unless the bot is held and stopped
//	PUT    /v1/bots/{id}/import          tar; replaces the bot's directory as a whole, or not at all → 204
//	DELETE /v1/bots/{id}                 deletes the bot's directory once it has stopped; 204 also when absent, 409 when it should run
//	GET    /v1/bots/{id}/logs            ?tail=N&follow=true&since=RFC3339: LogLine, one JSON document a line
//	ANY    /v1/bots/{id}/http/…          the bot's own HTTP server, WebSockets included; 502 when it can't be reached
//	POST   /v1/channels                  ChannelQuery → ChannelReport: asks chat platforms from the Worker's network
//	POST   /v1/usage                     UsageQuery → UsageReport: forgets windows, then gives closed ones of the rest
//
// Errors are {"code","message"} with the codes of package baas.
//
// # Versions
//
// Protocol is the newest version that this build speaks. Both sides use the lower of the two. The control plane
// refuses an agent below MinProtocol with status 426, which tells the agent to end so that its machine is made anew.
package agentapi

import (
	"cmp"
	"time"

	"github.com/baas-platform/baas"
)

// Versions of the protocol.
const (
	Protocol    = 2 // since 2, usage is acknowledged with the next question for it
	MinProtocol = 2
)

// What the agent sends when it connects.
const (
	ConnectPath     = "/agent/v1/connect"
	HeaderProtocol  = "Baas-Agent-Protocol" // a number
	HeaderVersion   = "Baas-Agent-Version"  // of the build
	HeaderWorker    = "Baas-Worker"         // the Worker's id
	HeaderDigest    = "Baas-Artifact-Digest"
	HeaderFormat    = "Baas-Artifact-Format"
	HeaderFileBytes = "Baas-Export-Bytes" // estimate of an export's size, for progress
	// HeaderTerm numbers, on a request, the control plane's time of being in charge. An agent that has heard of a higher one
	// refuses it with CodeUnavailable, and ends what lower ones had begun before it does anything for a higher one.
	// Requests of those that aren't in charge (logs, usage, the bots' own) have none.
	HeaderTerm = "Baas-Control-Term"
	// HeaderError is the code of an error on an answer below /http/ that is the agent's own; a bot can't set it.
	// CodeUnavailable (the bot doesn't run or doesn't listen yet) and CodeNotFound (it isn't here) say that nothing of
	// the request reached the bot, so that it may be sent again; any other code says that the bot may have got it, and
	// CodeConflict that it broke off because it was being stopped, not because of what it was asked.
	HeaderError = "Baas-Agent-Error"
)

// What an engine gives the agent in its environment. The agent removes them before it starts a bot.
const (
	EnvURL    = "BAAS_AGENT_URL"    // ws://host:port
	EnvToken  = "BAAS_AGENT_TOKEN"  // bearer
	EnvWorker = "BAAS_AGENT_WORKER" // the Worker's id
	EnvData   = "BAAS_AGENT_DATA"   // the volume; /data when empty
	// EnvDiskGiB is the disk limit that the agent watches until it is told another.
	EnvDiskGiB = "BAAS_AGENT_DISK_GIB"
)

// What the agent gives a bot in its environment, besides its own variables.
const (
	EnvPort    = "PORT" // where to listen, on 127.0.0.1 or all addresses; unset for a program without a port
	EnvBotID   = "BAAS_BOT_ID"
	EnvBotData = "BAAS_BOT_DATA"   // directory that is kept, backed up and moved with the bot; also its HOME
	EnvBotConf = "BAAS_BOT_CONFIG" // file with the JSON of AssistantConfig, for the built-in bots
)

// Desired is everything the agent should run. It replaces what was desired before.
type Desired struct {
	Revision int64        `json:"revision"`
	WorkerID string       `json:"worker_id"`
	Size     baas.Size    `json:"size"`
	Bots     []DesiredBot `json:"bots"`
}

// DesiredBot is one bot as the agent should run it. A bot that isn't listed is stopped; its directory stays until
// it is deleted explicitly.
type DesiredBot struct {
	ID       string             `json:"id"`
	Name     string             `json:"name"`
	Run      bool               `json:"run"`      // false: stopped, and kept so
	Held     bool               `json:"held"`     // stopped for a move: may be exported
	Restarts int64              `json:"restarts"` // a higher number than the one it was started for restarts it
	Command  []string           `json:"command,omitempty"`
	Env      map[string]string  `json:"env,omitempty"`  // secrets included
	Port     int                `json:"port,omitempty"` // 0: none for a program; an assistant gets one from the agent
	Health   *baas.HealthCheck  `json:"health,omitempty"`
	Restart  baas.RestartPolicy `json:"restart,omitempty"`
	StopSecs int                `json:"stop_seconds,omitempty"`
	Files    *baas.Artifact     `json:"files,omitempty"`     // must be unpacked before it starts
	Builtin  *AssistantConfig   `json:"assistant,omitempty"` // runs the built-in bot instead of Command
}

// AssistantConfig is what the built-in assistant reads: the persona, with the values of its secrets.
type AssistantConfig struct {
	BotID string `json:"bot_id"`
	Name  string `json:"name"`
	baas.Assistant
	BaseURL               string `json:"base_url,omitempty"`
	APIKey                string `json:"api_key,omitempty"`
	TelegramToken         string `json:"telegram_token,omitempty"`
	TelegramWebhookSecret string `json:"telegram_webhook_secret,omitempty"`
	WhatsAppAccessToken   string `json:"whatsapp_access_token,omitempty"`
	WhatsAppAppSecret     string `json:"whatsapp_app_secret,omitempty"`
	WhatsAppVerifyToken   string `json:"whatsapp_verify_token,omitempty"`
}

// SecretRef is a secret that an assistant's settings name, and where its value goes.
type SecretRef struct {
	Name  string
	Value *string
}

// SecretRefs lists the secrets that the persona names.
func (c *AssistantConfig) SecretRefs() (refs []SecretRef) {
	if c.Model != baas.ModelEcho {
		refs = append(refs, SecretRef{cmp.Or(c.BaseURLSecret, baas.SecretBaseURL), &c.BaseURL}, SecretRef{cmp.Or(c.APIKeySecret, baas.SecretAPIKey), &c.APIKey})
	}
	return append(refs, c.ChannelSecretRefs()...)
}

// ChannelSecretRefs lists the secrets that the persona's channels name.
func (c *AssistantConfig) ChannelSecretRefs() (refs []SecretRef) {
	if t := c.Telegram; t != nil {
		refs = append(refs, SecretRef{t.TokenSecret, &c.TelegramToken}, SecretRef{t.WebhookSecretSecret, &c.TelegramWebhookSecret})
	}
	if w := c.WhatsApp; w != nil {
		refs = append(refs, SecretRef{w.AccessTokenSecret, &c.WhatsAppAccessToken}, SecretRef{w.AppSecretSecret, &c.WhatsAppAppSecret},
			SecretRef{w.VerifyTokenSecret, &c.WhatsAppVerifyToken})
	}
	return refs
}

// ChannelQuery asks whether the channels of an assistant work. It carries the settings, so that what was saved a moment
// ago is checked, whether or not the bot runs on it yet.
type ChannelQuery struct {
	Assistant AssistantConfig `json:"assistant"`
	// TelegramWebhook is the address that Telegram should send updates to.
	TelegramWebhook string `json:"telegram_webhook"`
	// SetWebhook tells Telegram that address first; the other channels are left alone then.
	SetWebhook bool `json:"set_webhook"`
}

// ChannelReport answers a ChannelQuery.
type ChannelReport struct {
	Checks []baas.ChannelCheck `json:"checks"`
}

// Status is what the agent sees.
type Status struct {
	WorkerID  string      `json:"worker_id"`
	Version   string      `json:"version"`
	Protocol  int         `json:"protocol"`
	Boot      string      `json:"boot"` // random, another after every start of the agent
	StartedAt time.Time   `json:"started_at"`
	Sequence  int64       `json:"sequence"` // of two of the same boot, the higher was seen later; they may arrive out of order
	Revision  int64       `json:"revision"` // of the desired state that it works on; 0 when it has none
	Bots      []BotStatus `json:"bots"`     // desired ones
	Stored    []string    `json:"stored"`   // ids of all bots that have a directory on the volume
	Usage     Now         `json:"usage"`
}

// BotStatus is one bot as the agent sees it.
type BotStatus struct {
	ID string `json:"id"`
	baas.BotStatus
	PID         int    `json:"pid,omitempty"`
	Port        int    `json:"port,omitempty"`
	Held        bool   `json:"held"`            // stopped for a move, and confirmed so: no process of it is left
	FilesDigest string `json:"files,omitempty"` // what is unpacked
	RestartsRun int64  `json:"restarts_run"`    // DesiredBot.Restarts that it was last started for
}

// Now is the present use of the Worker.
type Now struct {
	CPUMillis   int64 `json:"cpu_millis"` // thousandths of a core, over the last sample
	MemoryBytes int64 `json:"memory_bytes"`
	DiskBytes   int64 `json:"disk_bytes"`
	DiskLimit   int64 `json:"disk_limit_bytes"`
	DiskFull    bool  `json:"disk_full"` // over the limit: bots are stopped
}

// LogLine is one line of a bot's output.
type LogLine struct {
	At     time.Time `json:"at"`
	Stream string    `json:"stream" enum:"stdout,stderr,agent"` // agent: what the supervisor says about the bot
	Text   string    `json:"text"`
}

// UsageQuery asks for usage. One request a minute and agent is what an idle platform is busy with, so it says both what
// was stored of the last answer and what is wanted next.
type UsageQuery struct {
	// Stored names windows that the control plane has stored and that it got over this connection: to be forgotten.
	// Unknown ones are ignored, and those that have grown since they were last given are kept.
	Stored []UsageKey `json:"stored,omitempty"`
	Limit  int        `json:"limit"` // of the windows in the answer, 1 to 100,000
}

// UsageReport is closed usage windows, oldest first.
type UsageReport struct {
	Windows []baas.UsageWindow `json:"windows"`
	More    bool               `json:"more"`
}

// UsageKey is the key of a window.
type UsageKey struct {
	BotID string    `json:"bot_id,omitempty"`
	Start time.Time `json:"start"`
}

// Error is the body of a refused request.
type Error struct {
	Code    baas.Code `json:"code"`
	Message string    `json:"message"`
}
