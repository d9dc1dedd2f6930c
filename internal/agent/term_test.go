package agent

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

func inTerm(t *testing.T, url string, number int64, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if number != 0 {
		r.Header.Set(agentapi.HeaderTerm, strconv.FormatInt(number, 10))
	}
	return r
}

func TestALaterTermEndsTheWorkOfTheOneBefore(t *testing.T) {
	var mu sync.Mutex
	var order []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	reading := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := r.Header.Get(agentapi.HeaderTerm)
		note(number + " begins")
		if number == "1" {
			close(reading)
		}
		_, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			note(number + " broke off")
			return
		}
		note(number + " is done")
	})
	refuse := func(w http.ResponseWriter, _ *http.Request, err error) { w.WriteHeader(statusOf(baas.CodeOf(err))) }
	server := httptest.NewServer(newTerms(time.Now).guard(handler, refuse))
	defer server.Close()

	// The first stands still in the middle of an upload.
	stuck, write := io.Pipe()
	defer write.Close()
	first := make(chan struct{})
	go func() {
		defer close(first)
		if res, err := http.DefaultClient.Do(inTerm(t, server.URL, 1, stuck)); err == nil {
			res.Body.Close()
		}
	}()
	<-reading
	res, err := http.DefaultClient.Do(inTerm(t, server.URL, 2, nil))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the later term: %v %v", res, err)
	}
	res.Body.Close()
	mu.Lock()
	got := append([]string(nil), order...)
	mu.Unlock()
	if len(got) != 4 || got[0] != "1 begins" || got[1] != "1 broke off" || got[2] != "2 begins" || got[3] != "2 is done" {
		t.Errorf("in this order: %v", got)
	}
	write.CloseWithError(errors.New("over"))
	<-first
	for number, want := range map[int64]int{1: http.StatusServiceUnavailable, 2: http.StatusOK, 0: http.StatusOK} {
		res, err := http.DefaultClient.Do(inTerm(t, server.URL, number, nil))
		if err != nil || res.StatusCode != want {
			t.Errorf("term %d: %v %v, want status %d", number, res, err, want)
		}
		res.Body.Close()
	}
	bad := inTerm(t, server.URL, 0, nil)
	bad.Header.Set(agentapi.HeaderTerm, "soon")
	if res, err = http.DefaultClient.Do(bad); err != nil || res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("no number: %v %v", res, err)
	}
	res.Body.Close()
}

func TestALowerTermCountsAfterSilence(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	terms := newTerms(func() time.Time { return now })
	enter := func(number int64) (func(), error) {
		_, leave, err := terms.enter(context.Background(), number, func() {})
		return leave, err
	}
	watch, err := enter(7)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if _, err := enter(3); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("while the higher one watches: %v", err)
	}
	watch()
	now = now.Add(termSilence - 1)
	if _, err := enter(3); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("right after the higher one was heard: %v", err)
	}
	now = now.Add(1)
	leave, err := enter(3)
	if err != nil {
		t.Fatalf("after silence: %v", err)
	}
	leave()
}
