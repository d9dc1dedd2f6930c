// Package service is the contract of every background loop: it starts, says when it is up, and stops, in any order
// and any number of times.
//
//	new ─Start─► running ─Stop or end by itself─► stopped
//	  └──────────────── Stop ──────────────────────┘
package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Loop runs one function in the background until it is stopped.
type Loop struct {
	name string
	run  func(ctx context.Context, started func()) error

	mu      sync.Mutex
	cancel  context.CancelFunc
	begun   bool
	started chan struct{}
	stopped chan struct{}
	err     error
}

// New makes a loop. run calls started once it does its work and returns when its context ends.
func New(name string, run func(ctx context.Context, started func()) error) *Loop {
	return &Loop{name: name, run: run, started: make(chan struct{}), stopped: make(chan struct{})}
}

// Name is the loop's name.
func (l *Loop) Name() string { return l.name }

// Start begins the loop; a second call, or one after Stop, does nothing. The loop ends with ctx at the latest.
func (l *Loop) Start(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun {
		return
	}
	l.begun = true
	ctx, l.cancel = context.WithCancel(ctx)
	go func() {
		defer close(l.stopped)
		defer l.cancel()
		err := l.run(ctx, sync.OnceFunc(func() { close(l.started) }))
		if err != nil && !errors.Is(err, context.Canceled) {
			l.mu.Lock()
			l.err = fmt.Errorf("%s: %w", l.name, err)
			l.mu.Unlock()
		}
	}()
}

// Started is closed when the loop does its work.
func (l *Loop) Started() <-chan struct{} { return l.started }

// Stopped is closed when the loop has ended; Err tells why.
func (l *Loop) Stopped() <-chan struct{} { return l.stopped }

// Err is why the loop ended by itself; nil while it runs and after Stop.
func (l *Loop) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Stop ends the loop and waits for it, or for ctx. It may be called at any time, also before Start.
func (l *Loop) Stop(ctx context.Context) error {
	l.mu.Lock()
	if !l.begun {
		l.begun = true
		close(l.stopped)
	} else if l.cancel != nil {
		l.cancel()
	}
	l.mu.Unlock()
	select {
	case <-l.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopping %s: %w", l.name, ctx.Err())
	}
}

// Group starts loops in order and stops them in reverse.
type Group struct {
	loops  []*Loop
	failed chan error
}

// NewGroup makes a group of loops.
func NewGroup(loops ...*Loop) *Group {
	return &Group{loops: loops, failed: make(chan error, len(loops))}
}

// Start starts each loop when the one before it is up. It returns the error of one that ends before it is up, after
// stopping the others.
func (g *Group) Start(ctx context.Context) error {
	for _, l := range g.loops {
		l.Start(ctx)
		select {
		case <-l.Started():
		case <-l.Stopped():
			if err := errors.Join(l.Err(), ctx.Err()); err != nil {
				return errors.Join(err, g.Stop(context.WithoutCancel(ctx)))
			}
		}
		go func() {
			<-l.Stopped()
			if err := l.Err(); err != nil {
				g.failed <- err
			}
		}()
	}
	return nil
}

// Failed delivers the errors of loops that end by themselves.
func (g *Group) Failed() <-chan error { return g.failed }

// Stop stops the loops in reverse order.
func (g *Group) Stop(ctx context.Context) error {
	var errs []error
	for i := len(g.loops) - 1; i >= 0; i-- {
		errs = append(errs, g.loops[i].Stop(ctx))
	}
	return errors.Join(errs...)
}
