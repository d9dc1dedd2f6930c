package engine

import (
	"context"
	"strconv"
	"testing"
)

func TestNotifierTellsEveryWatcher(t *testing.T) {
	var n Notifier
	n.Notify("nobody listens yet")
	a, b := n.Watch(t.Context()), n.Watch(t.Context())
	n.Notify("wrk_1")
	for _, c := range []<-chan string{a, b} {
		if got := <-c; got != "wrk_1" {
			t.Errorf("got %q, want wrk_1", got)
		}
	}
}

func TestNotifierMergesForAWatcherThatLags(t *testing.T) {
	var n Notifier
	c := n.Watch(t.Context())
	for i := range notifyBuffer + 1 {
		n.Notify(strconv.Itoa(i))
	}
	if got := <-c; got != "" {
		t.Errorf("first id after an overflow is %q, want the one that stands for all", got)
	}
	if len(c) != 0 {
		t.Errorf("%d ids are left after the merge", len(c))
	}
}

func TestNotifierClosesWhenTheContextEnds(t *testing.T) {
	var n Notifier
	ctx, cancel := context.WithCancel(t.Context())
	c := n.Watch(ctx)
	cancel()
	if _, open := <-c; open {
		t.Error("an id arrived instead of the end")
	}
	n.Notify("after the end")
}
