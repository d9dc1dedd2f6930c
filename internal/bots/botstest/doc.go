// Package botstest has servers that speak the APIs which the assistant talks to: an OpenAI-compatible endpoint,
// Telegram's Bot API and Meta's Cloud API. They listen on loopback, check what they are sent as the real ones do,
// record it, and fail on demand. They also send the webhooks that the real ones would send.
package botstest
