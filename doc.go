// Package baas is the domain of BaaS (Bot as a Service): client companies (tenants) run their bots in Workers,
// isolated machines with their own limits, network and volume.
//
// The package holds one file per noun: its struct, the input that creates or changes it with its Validate, and the
// interface that stores it. It imports no other package of this module; adapters (store, engine, HTTP, agent) import it.
//
// # Desired and actual
//
// Worker and Bot each carry what should be (Desired, sizes, placement), written by people through the use cases, and
// a Status, written only by the controllers. Version counts changes of the desired side alone, so that a status
// update never makes a person's If-Match fail.
//
// # Worker states
//
//	pending ─► provisioning ─► running ⇄ degraded
//	                │             │ ▲
//	                ▼             ▼ │
//	              failed      unreachable
//
//	running ─► stopping ─► stopped ─► provisioning        any ─► deleting ─► (gone)
//	running ─► hibernated ─► provisioning
//
// # Bot states
//
//	pending ─► starting ─► running ⇄ unhealthy
//	              ▲           │
//	              └─ backoff ◄┴─► crash_loop              stopped, completed, moving, failed
//
// # Moves
//
// A bot is a singleton: at no moment may two copies run. A Move hands it over:
//
//	requested ─► stopping ─► carrying ─► switched ─► cleaning ─► done
//	     └───────────┴───────────┴─► rolling_back ─► failed
//
// Up to carrying the bot belongs to the source, from switched on to the target; the change of owner is one
// transaction. What fails before it goes back to the source.
package baas
