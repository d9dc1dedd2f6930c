package baas

// Database is what the system of record tells of itself.
type Database struct {
	Kind      string `json:"kind" enum:"sqlite,postgres"`
	Version   string `json:"version" example:"3.50.4"`
	SizeBytes int64  `json:"size_bytes" doc:"What its tables take on disk"`
}

// Census counts what all tenants have.
type Census struct {
	Tenants   int                 `json:"tenants"`
	Suspended int                 `json:"suspended" doc:"Of the tenants"`
	Workers   map[WorkerState]int `json:"workers" doc:"By state; states without a Worker are left out"`
	Bots      map[BotState]int    `json:"bots" doc:"By state; states without a bot are left out"`
	Agents    AgentCensus         `json:"agents"`
}

// AgentCensus counts agents by what their Workers should be. Connected and Unreachable don't add up to Expected:
// machines that are being made have no agent yet.
type AgentCensus struct {
	Expected    int `json:"expected" doc:"Workers that should run"`
	Connected   int `json:"connected" doc:"Of these, with an agent that is connected"`
	Unreachable int `json:"unreachable" doc:"Of these, whose agent's connection is lost"`
}

// TenantSummary is a tenant as the operator of the platform sees it: numbers, and nothing of what is inside.
type TenantSummary struct {
	Tenant  Tenant              `json:"tenant"`
	Totals  Totals              `json:"totals"`
	Limits  Limits              `json:"limits" doc:"Of its plan"`
	Workers map[WorkerState]int `json:"workers" doc:"By state; states without a Worker are left out"`
	Bots    map[BotState]int    `json:"bots" doc:"By state; states without a bot are left out"`
	Usage   Meters              `json:"usage" doc:"Of all its Workers in the last 24 full hours"`
}
