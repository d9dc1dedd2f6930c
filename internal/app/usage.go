package app

import (
	"context"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// maxSteps bounds a usage report: 7 days of minutes, 400 days of hours.
const maxSteps = 10100

// Usage reports what Workers and bots used. The last day by hour when nothing else is asked for.
func (a *App) Usage(ctx context.Context, actor authz.Actor, tenant string, q baas.UsageQuery) ([]baas.UsagePoint, error) {
	s, err := a.enter(ctx, actor, tenant, authz.UsageRead)
	if err != nil {
		return nil, err
	}
	q.WorkerIDs = within(q.WorkerIDs, s.Workers())
	if q.To.IsZero() {
		q.To = a.now()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-24 * time.Hour)
	}
	q.From, q.To = q.From.UTC(), q.To.UTC()
	var p baas.Problems
	step := time.Hour
	switch q.Step {
	case "":
		q.Step = baas.StepHour
	case baas.StepMinute:
		step = time.Minute
	case baas.StepHour:
	case baas.StepDay:
		step = 24 * time.Hour
	default:
		p.Add("step", "must be minute, hour or day")
	}
	switch {
	case !q.From.Before(q.To):
		p.Add("from", "must be before to")
	case q.To.Sub(q.From) > maxSteps*step:
		p.Add("from", "the range has more than %d steps; shorten it or choose a longer step", maxSteps)
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) ([]baas.UsagePoint, error) {
		points, err := tx.Usage().Query(ctx, q)
		if points == nil {
			points = []baas.UsagePoint{}
		}
		return points, err
	})
}
