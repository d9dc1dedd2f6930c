package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas/internal/agentapi"
)

func texts(t *testing.T, l *logBook, q logQuery) []string {
	t.Helper()
	var got []string
	err := l.read(t.Context(), q, func(b []byte) error {
		if b != nil {
			got = append(got, decode(t, b).Text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func decode(t *testing.T, b []byte) agentapi.LogLine {
	t.Helper()
	var l agentapi.LogLine
	if err := json.Unmarshal(b, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLogFollowsAcrossRotation(t *testing.T) {
	l := newLogBook(t.TempDir(), time.Now)
	l.fileBytes = 2000
	const total = 500
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	reading := make(chan struct{})
	caught := make(chan int, total)
	done := make(chan error, 1)
	go func() {
		waiting := false
		done <- l.read(ctx, logQuery{tail: -1, follow: true}, func(b []byte) error {
			if b == nil {
				if !waiting {
					waiting = true
					close(reading)
				}
				return nil
			}
			var n int
			if _, err := fmt.Sscan(decode(t, b).Text, &n); err != nil {
				return err
			}
			caught <- n
			return nil
		})
	}()
	<-reading
	for i := range total {
		l.write("stdout", fmt.Sprint(i))
		// A follower that keeps up loses nothing, however often files change; one that is more than all files behind would.
		select {
		case n := <-caught:
			if n != i {
				t.Fatalf("line %d came, want %d", n, i)
			}
		case err := <-done:
			t.Fatal(err)
		}
	}
	if n := len(l.files()); n != logFiles {
		t.Errorf("%d files are kept", n)
	}
	l.close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestLogTail(t *testing.T) {
	l := newLogBook(t.TempDir(), time.Now)
	l.fileBytes = 1500
	if got := texts(t, l, logQuery{tail: 5}); got != nil {
		t.Fatalf("of an empty log: %q", got)
	}
	for i := range 60 {
		l.write("stdout", fmt.Sprint(i))
	}
	all := texts(t, l, logQuery{tail: -1})
	if all[len(all)-1] != "59" || len(l.files()) < 3 {
		t.Fatalf("all: %q in %v", all, l.files())
	}
	for n := range len(all) + 5 {
		want := all[max(0, len(all)-n):]
		if got := texts(t, l, logQuery{tail: n}); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("tail %d: %q, want %q", n, got, want)
		}
	}
	if got := texts(t, l, logQuery{tail: -1, since: time.Now().Add(time.Minute)}); got != nil {
		t.Errorf("newer than now: %q", got)
	}
}

func TestLogSurvivesTornLineAndRestart(t *testing.T) {
	dir := t.TempDir()
	l := newLogBook(dir, time.Now)
	l.write("stdout", "one")
	l.release()
	f, err := os.OpenFile(l.path(1), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"at":"2026-01-01T0`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	l = newLogBook(dir, time.Now)
	l.write("stdout", "two")
	l.release()
	l = newLogBook(dir, time.Now)
	l.write("stdout", "three")
	if got := fmt.Sprint(texts(t, l, logQuery{tail: -1})); got != "[one two three]" {
		t.Error(got)
	}
}

func TestPourCutsLongLinesAndMendsText(t *testing.T) {
	l := newLogBook(t.TempDir(), time.Now)
	long := strings.Repeat("a", 3*maxLogLine+5)
	l.pour("stderr", io.MultiReader(strings.NewReader("first\r\n"+long+"\nbad \xff byte\n"), bytes.NewBufferString("no end")))
	got := texts(t, l, logQuery{tail: -1})
	if got[0] != "first" || strings.Join(got[1:len(got)-2], "") != long || got[len(got)-2] != "bad \uFFFD byte" || got[len(got)-1] != "no end" {
		t.Errorf("%d lines, last %q", len(got), got[len(got)-2:])
	}
	for _, s := range got {
		if len(s) > maxLogLine {
			t.Errorf("a line of %d bytes", len(s))
		}
	}
}
