package reconcile

import (
	"net/http"
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

// An agent may be connected to a replica that can't be reached from here. Its Worker isn't given up for that.
func TestAnAgentThatMayBeElsewhereIsNotLost(t *testing.T) {
	whole := true
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := New(Config{Now: func() time.Time { return now }, Whole: func() bool { return whole }})
	c.AgentConnected(t.Context(), "wrk_1", "test")
	c.AgentLost("wrk_1")
	lost := now
	now = now.Add(time.Hour)
	if agent, at := c.observedAgent("wrk_1"); agent != nil || !at.Equal(lost) {
		t.Errorf("lost since %s, want %s", at, lost)
	}
	whole = false
	if agent, at := c.observedAgent("wrk_1"); agent != nil || !at.Equal(now) {
		t.Errorf("while a replica can't be reached: lost since %s", at)
	}
}

// named is a round tripper that keeps the term of the last request.
type named struct{ term string }

func (n *named) RoundTrip(r *http.Request) (*http.Response, error) {
	n.term = r.Header.Get(agentapi.HeaderTerm)
	return nil, baas.ErrUnavailable
}

type onlyAgent struct{ rt http.RoundTripper }

func (a onlyAgent) RoundTripper(string) (http.RoundTripper, error) { return a.rt, nil }

func TestRequestsToAgentsSayTheTerm(t *testing.T) {
	way := &named{}
	c := New(Config{Agents: onlyAgent{way}})
	c.setTerm(41)
	agent, err := c.agent("wrk_1")
	if err != nil {
		t.Fatal(err)
	}
	c.setTerm(42) // what was begun before is of the term before
	if _, err := agent.Status(t.Context()); err == nil || way.term != "41" {
		t.Errorf("%q %v", way.term, err)
	}
}

// Agents are told of under the lock that Whole needs: asking for it with the controller's own held would stop both for ever.
func TestWholeIsAskedWithoutTheLock(t *testing.T) {
	asked := 0
	var c *Controller
	c = New(Config{Whole: func() bool {
		asked++
		if !c.mu.TryLock() {
			t.Error("the controller's lock is held")
			return true
		}
		c.mu.Unlock()
		return true
	}})
	c.observedAgent("wrk_1") // not known
	c.AgentConnected(t.Context(), "wrk_1", "test")
	c.observedAgent("wrk_1")
	if asked == 0 {
		t.Error("nobody asked, so nothing is proven")
	}
}
