package baas

import (
	"strings"
	"time"
	"unicode/utf8"
)

// List is one page of things. Next is the cursor of the next page, "" on the last.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Send as cursor for the next page; left out on the last"`
}

// ResizeEffect says what a new size does to a running Worker.
type ResizeEffect string

// Effects of a new size.
const (
	ResizeNone    ResizeEffect = "none"    // the size is what it was
	ResizeLive    ResizeEffect = "live"    // its bots go on
	ResizeRestart ResizeEffect = "restart" // the machine restarts, and its bots with it
	ResizeLater   ResizeEffect = "later"   // the Worker doesn't run; from its next start
)

// Resized is a Worker with its new size, and what that does to its bots.
type Resized struct {
	Worker Worker       `json:"worker"`
	Effect ResizeEffect `json:"effect" enum:"none,live,restart,later" doc:"live: bots go on; restart: the machine and its bots restart; later: from the next start"`
}

// SecretPut sets a secret's value.
type SecretPut struct {
	Value    string `json:"value" doc:"At most 16 KiB; can't be read back"`
	WorkerID string `json:"worker_id,omitempty" doc:"Only bots of this Worker may use it; every Worker when empty"`
}

// Validate checks the input along with the secret's name.
func (s SecretPut) Validate(name string) error {
	var p Problems
	CheckSecretName(&p, "name", name)
	switch {
	case s.Value == "":
		p.Add("value", "must not be empty; delete the secret instead")
	case len(s.Value) > MaxSecretValue:
		p.Add("value", "has %d bytes; at most %d are allowed", len(s.Value), MaxSecretValue)
	case !utf8.ValidString(s.Value) || strings.ContainsRune(s.Value, 0):
		p.Add("value", "must be UTF-8 without NUL")
	}
	return p.Err()
}

// BotMessage is a test message to a bot.
type BotMessage struct {
	Message      string `json:"message" minLength:"1" maxLength:"8000"`
	Conversation string `json:"conversation,omitempty" maxLength:"64" doc:"From the answer before, to go on with it; a new conversation when empty"`
}

// BotReply answers a test message.
type BotReply struct {
	Conversation string   `json:"conversation"`
	Reply        string   `json:"reply"`
	Handoff      bool     `json:"handoff" doc:"The bot asks for a person to take over"`
	QuickReplies []string `json:"quick_replies,omitempty"`
}

// Preview is a signed address of a bot for a member's browser.
type Preview struct {
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// NewAccessToken is a bot's new access token, which is shown this once.
type NewAccessToken struct {
	Token string `json:"token" doc:"Shown once; send it to the bot's address as Authorization: Bearer"`
}

// MoveCreate asks for a hand-over of a bot to another Worker.
type MoveCreate struct {
	WorkerID string `json:"worker_id" doc:"The Worker that it goes to"`
}
