package reconcile

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/plan"
)

// AgentConnected tells the controller that a Worker's agent can be reached from now on.
func (c *Controller) AgentConnected(ctx context.Context, workerID, version string) {
	c.mu.Lock()
	if old := c.agents[workerID]; old != nil && old.cancel != nil {
		old.cancel()
	}
	conn := &agentConn{version: version}
	c.agents[workerID] = conn
	leading := c.leading
	c.mu.Unlock()
	if leading {
		c.watchAgent(ctx, workerID, conn)
	}
}

// AgentLost tells the controller that the connection of the agent that it was told of last is gone.
func (c *Controller) AgentLost(workerID string) {
	c.mu.Lock()
	if conn := c.agents[workerID]; conn != nil {
		if conn.cancel != nil {
			conn.cancel()
		}
		delete(c.agents, workerID)
	}
	c.lost[workerID] = c.Now()
	c.mu.Unlock()
	c.WakeWorker(workerID)
}

// watchAgent follows an agent's reports until the connection ends.
func (c *Controller) watchAgent(ctx context.Context, workerID string, conn *agentConn) {
	ctx, cancel := context.WithCancel(ctx)
	c.mu.Lock()
	conn.cancel = cancel
	c.mu.Unlock()
	// An agent that reports without end is read no faster than this; the rest waits in its own buffers.
	pace := rate.NewLimiter(20, 100)
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			agent, err := c.agent(workerID)
			if err == nil {
				err = agent.Watch(ctx, func(s agentapi.Status) {
					c.report(workerID, conn, s)
					_ = pace.Wait(ctx) // fails with ctx, which ends the stream too
				})
			}
			if err != nil && ctx.Err() == nil {
				c.Log.Debug("following an agent's reports", "worker", workerID, "err", err)
			}
			if !sleep(ctx, 500*time.Millisecond) {
				return
			}
		}
	}()
}

// report keeps an agent's status and wakes the Worker when it matters to a decision.
func (c *Controller) report(workerID string, conn *agentConn, s agentapi.Status) {
	c.mu.Lock()
	if c.agents[workerID] != conn || conn.status != nil && older(s, *conn.status) {
		c.mu.Unlock()
		return
	}
	matters := conn.status == nil || !sameForPlan(*conn.status, s)
	conn.status = &s
	c.mu.Unlock()
	if matters {
		c.WakeWorker(workerID)
	}
}

// older reports whether s was seen before the status that is known. What an agent answers to a request may be overtaken
// by what it reports of its own accord, and would hide the latest until the next report.
func older(s, known agentapi.Status) bool {
	if s.Boot != known.Boot {
		return s.StartedAt.Before(known.StartedAt)
	}
	return s.Sequence < known.Sequence
}

// sameForPlan compares what a decision depends on: everything but the present use.
func sameForPlan(a, b agentapi.Status) bool {
	near := func(s agentapi.Status) [2]bool {
		return [2]bool{s.Usage.DiskFull, s.Usage.DiskLimit > 0 && s.Usage.DiskBytes*10 > s.Usage.DiskLimit*9}
	}
	if near(a) != near(b) {
		return false
	}
	a.Usage, b.Usage = agentapi.Now{}, agentapi.Now{}
	a.Sequence, b.Sequence = 0, 0
	return reflect.DeepEqual(a, b)
}

// agent is the client of a connected agent, or baas.ErrUnavailable.
func (c *Controller) agent(workerID string) (*agentapi.Client, error) {
	rt, err := c.Agents.RoundTripper(workerID)
	if err != nil {
		return nil, fmt.Errorf("reaching the agent of %s: %w", workerID, err)
	}
	c.mu.Lock()
	number := c.term
	c.mu.Unlock()
	return agentapi.NewClient(inTerm{rt, strconv.FormatInt(number, 10)}), nil
}

// inTerm says with every request in which term it is made.
type inTerm struct {
	http.RoundTripper
	number string
}

// RoundTrip implements http.RoundTripper.
func (t inTerm) RoundTrip(r *http.Request) (*http.Response, error) {
	named := *r
	named.Header = r.Header.Clone()
	if named.Header == nil {
		named.Header = http.Header{}
	}
	named.Header.Set(agentapi.HeaderTerm, t.number)
	return t.RoundTripper.RoundTrip(&named)
}

// observedAgent is what the planner is told of an agent: nil until a connected agent has reported.
func (c *Controller) observedAgent(workerID string) (agent *plan.Agent, lostAt time.Time) {
	// Without the lock: whoever tells of agents may be waiting for it with a lock of his own, which Whole needs. And
	// before: what is known of agents is known for all that were known of then.
	whole := c.Whole()
	c.mu.Lock()
	defer c.mu.Unlock()
	conn := c.agents[workerID]
	if conn == nil || conn.status == nil {
		lostAt = c.began
		if at, ok := c.lost[workerID]; ok && at.After(lostAt) {
			lostAt = at
		}
		if conn != nil || !whole { // connected, first report on its way; or nobody knows
			lostAt = c.Now()
		}
		return nil, lostAt
	}
	s := conn.status
	a := &plan.Agent{Version: s.Version, Revision: s.Revision, Stored: s.Stored,
		DiskBytes: s.Usage.DiskBytes, DiskLimit: s.Usage.DiskLimit, DiskFull: s.Usage.DiskFull}
	for _, b := range s.Bots {
		a.Bots = append(a.Bots, plan.AgentBot{ID: b.ID, Status: b.BotStatus, Held: b.Held, FilesDigest: b.FilesDigest})
	}
	return a, time.Time{}
}

// forget drops what is remembered of a Worker that is gone.
func (c *Controller) forget(workerID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.lost, workerID)
	delete(c.failed, workerID)
}

// keepReport takes the status that an agent answered to a request.
func (c *Controller) keepReport(workerID string, s agentapi.Status) {
	c.mu.Lock()
	conn := c.agents[workerID]
	c.mu.Unlock()
	if conn != nil {
		c.report(workerID, conn, s)
	}
}

// holds reports whether the Worker's agent confirms that the bot is held, and whether it has a directory of it.
func (c *Controller) holds(workerID string, botID string, revision int64) (held, stored, known bool) {
	agent, _ := c.observedAgent(workerID)
	if agent == nil || agent.Revision != revision {
		return false, false, false
	}
	for _, id := range agent.Stored {
		stored = stored || id == botID
	}
	for _, b := range agent.Bots {
		if b.ID == botID {
			return b.Held, stored, true
		}
	}
	return false, stored, true
}
