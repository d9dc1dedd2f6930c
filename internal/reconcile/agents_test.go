package reconcile

import (
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// The answer to a request may arrive after what the agent reported of its own accord later on.
func TestAnOvertakenStatusDoesNotHideTheLatest(t *testing.T) {
	c := New(Config{})
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	status := func(boot string, after time.Duration, sequence int64, state baas.BotState) agentapi.Status {
		return agentapi.Status{Boot: boot, StartedAt: began.Add(after), Sequence: sequence, Revision: 7,
			Bots: []agentapi.BotStatus{{ID: "bot_1", BotStatus: baas.BotStatus{State: state}}}}
	}
	c.AgentConnected(t.Context(), "wrk_1", "test")
	conn := c.agents["wrk_1"]
	for _, step := range []struct {
		what string
		s    agentapi.Status
		want baas.BotState
	}{
		{"the first", status("a", 0, 1, baas.BotRunning), baas.BotRunning},
		{"a report", status("a", 0, 3, baas.BotStopped), baas.BotStopped},
		{"an answer that it overtook", status("a", 0, 2, baas.BotRunning), baas.BotStopped},
		{"the next start of the agent", status("b", time.Minute, 1, baas.BotStarting), baas.BotStarting},
		{"an answer of the start before", status("a", 0, 9, baas.BotStopped), baas.BotStarting},
		{"a later report", status("b", time.Minute, 2, baas.BotRunning), baas.BotRunning},
	} {
		c.report("wrk_1", conn, step.s)
		agent, _ := c.observedAgent("wrk_1")
		if got := agent.Bots[0].Status.State; got != step.want {
			t.Errorf("after %s the bot is %s, want %s", step.what, got, step.want)
		}
	}
	// The number alone is no reason for a pass.
	if a, b := status("b", 0, 2, baas.BotRunning), status("b", 0, 3, baas.BotRunning); !sameForPlan(a, b) {
		t.Error("a status that is only newer matters")
	}
}
