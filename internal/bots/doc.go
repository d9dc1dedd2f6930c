// Package bots is the built-in assistant: a persona on a language model that talks over HTTP (a chat page, JSON and
// server-sent events), Telegram's Bot API and WhatsApp's Cloud API. One process runs one bot; an agent starts it and
// reaches it through the gateway.
//
//	GET  /                     the chat page, under any path prefix
//	GET  /info                 name, welcome and quick replies
//	POST /chat                 a message and its answer; a stream of events with Accept: text/event-stream
//	GET  /chat/{conversation}  what was said in a conversation of the chat page
//	GET  /healthz              200 while it serves
//	POST /telegram             Telegram's webhook
//	GET  /whatsapp             Meta's check of the webhook's address
//	POST /whatsapp             Meta's webhook
//
// # A message from a chat platform
//
// A platform repeats what isn't answered quickly and forgets what was accepted, so an update is kept on the volume
// before it is accepted, and worked off afterwards, in order within its chat:
//
//	webhook ─► signature ─► inbox (durable, once per id) ─► 200
//	                          │
//	                          └─► turn (model, memory) ─► send, with retries ─► done
//
// After a kill at any point the inbox goes on with what isn't done. The answer is kept in the conversation together
// with the id of the update, so that a repeated turn sends the same answer again without asking the model, and parts
// that were sent are counted, so that at most the part that was on its way is sent twice.
//
// # A conversation
//
//	open ─► handed off (a trigger was said) ─► open (after HandoffPause without a message, or a new start)
//
// While handed off the model isn't asked: a person answers.
package bots
