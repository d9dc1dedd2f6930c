// Package gateway takes public traffic to bots: /b/{bot}/… goes through the tunnel to the agent of the bot's Worker,
// which hands it to the bot.
//
//	request ─► route (memory) ─► access ─► limits ─► agent ─► bot
//	             ▲                                    │
//	             │ store changes drop routes          │ not connected, not there, not listening, moving:
//	             │                                    ▼
//	           store                           wait for a wake-up, a while ─► again, or 503
//
// A request is sent again only when it is certain that nothing of it reached a bot; a safe request without a body
// (GET, HEAD, OPTIONS) also when its connection broke before an answer came.
//
// # Origins
//
// Under /b/ every bot shares the origin of the dashboard, so what a bot answers there runs in the browser without an
// origin of its own (Content-Security-Policy: sandbox). With Config.BotHosts each bot has a host of its own as well,
// and no such limit. docs/decisions/bot-origins.md has the reasons.
package gateway
