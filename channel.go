package baas

// Channel is a chat platform that an assistant is connected to.
type Channel string

// Channels.
const (
	ChannelTelegram Channel = "telegram"
	ChannelWhatsApp Channel = "whatsapp"
)

// ChannelSubject is what of a channel is checked.
type ChannelSubject string

// What is checked of a channel, in this order.
const (
	CheckSecrets ChannelSubject = "secrets" // its secrets have values that can be right
	CheckAccount ChannelSubject = "account" // the platform knows the token, and the number
	CheckWebhook ChannelSubject = "webhook" // the platform sends messages to the bot; of Telegram alone
)

// ChannelCode is the outcome of a check. Codes are stable, so that a client can say them in another language.
type ChannelCode string

// Outcomes of checks.
const (
	ChannelOK           ChannelCode = "ok"
	ChannelNoSecret     ChannelCode = "secret_missing"     // Detail names the secret
	ChannelBadSecret    ChannelCode = "secret_malformed"   // Detail names the secret
	ChannelBadToken     ChannelCode = "token_rejected"     // wrong, revoked or expired
	ChannelNoNumber     ChannelCode = "number_unknown"     // no such number, or not the token's
	ChannelNoPermission ChannelCode = "permission_missing" // the token lacks a permission
	ChannelRateLimited  ChannelCode = "rate_limited"       // asked too often; try later
	ChannelUnreachable  ChannelCode = "unreachable"        // can't be reached from the Worker, or doesn't work now
	ChannelNotTheAPI    ChannelCode = "not_the_api"        // what answers at api_base is something else
	ChannelRefused      ChannelCode = "refused"            // Detail is what the platform says
	ChannelNoWebhook    ChannelCode = "webhook_missing"    // none is set
	ChannelOtherWebhook ChannelCode = "webhook_elsewhere"  // messages go to another address, which Detail names
	ChannelWebhookFails ChannelCode = "webhook_failing"    // messages wait; Detail is why the platform can't deliver them
)

// ChannelCodes lists every outcome.
func ChannelCodes() []ChannelCode {
	return []ChannelCode{ChannelOK, ChannelNoSecret, ChannelBadSecret, ChannelBadToken, ChannelNoNumber, ChannelNoPermission, ChannelRateLimited,
		ChannelUnreachable, ChannelNotTheAPI, ChannelRefused, ChannelNoWebhook, ChannelOtherWebhook, ChannelWebhookFails}
}

// ChannelCheck is one thing that was checked of a channel.
type ChannelCheck struct {
	Channel Channel        `json:"channel" enum:"telegram,whatsapp"`
	Check   ChannelSubject `json:"check" enum:"secrets,account,webhook"`
	OK      bool           `json:"ok"`
	Code    ChannelCode    `json:"code" enum:"ok,secret_missing,secret_malformed,token_rejected,number_unknown,permission_missing,rate_limited,unreachable,not_the_api,refused,webhook_missing,webhook_elsewhere,webhook_failing" doc:"Stable; switch on this"`
	Message string         `json:"message" doc:"For a person, in English: what is wrong and what to do"`
	Detail  string         `json:"detail,omitempty" doc:"The secret, the address or the platform's own words that the code speaks of"`
	Account string         `json:"account,omitempty" example:"@padaria_bot" doc:"Who the token belongs to"`
}
