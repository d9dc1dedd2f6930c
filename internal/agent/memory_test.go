package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPressure(t *testing.T) {
	write := func(dir, name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name             string
		used, own, limit int // MiB
		full             bool
	}{
		{"idle", 20, 10, 128, false},
		{"full of cache", 128, 60, 128, false},
		{"full of what is the processes' own", 127, 122, 128, true},
		{"nearly", 120, 118, 128, false},
	} {
		for version, dir := range map[string]string{"v1": t.TempDir(), "v2": t.TempDir()} {
			used, limit := fmt.Sprint(c.used<<20), fmt.Sprint(c.limit<<20)
			if version == "v1" {
				write(dir, "memory/memory.usage_in_bytes", used)
				write(dir, "memory/memory.limit_in_bytes", limit)
				write(dir, "memory/memory.stat", fmt.Sprintf("rss 1\ntotal_rss %d\ntotal_shmem %d\ntotal_pgmajfault 7", (c.own-1)<<20, 1<<20))
			} else {
				write(dir, "memory.current", used)
				write(dir, "memory.max", limit)
				write(dir, "memory.stat", fmt.Sprintf("anon %d\nshmem %d\npgmajfault 7", (c.own-1)<<20, 1<<20))
			}
			p, ok := machine{own: true, cgroup: dir}.pressure()
			if !ok || p.full != c.full || c.full && p.faults != 7 {
				t.Errorf("%s, %s: %+v %v", c.name, version, p, ok)
			}
		}
	}
	none := t.TempDir()
	write(none, "memory.current", "1")
	write(none, "memory.max", "max")
	if p, ok := (machine{own: true, cgroup: none}).pressure(); ok {
		t.Errorf("without a limit: %+v", p)
	}
}

func TestThrashing(t *testing.T) {
	start := time.Unix(0, 0)
	for name, c := range map[string]struct {
		faults []int64 // a second apart; -1: not full
		at     int     // the look at which a bot must go; 0: never
	}{
		"pages are read back all the time": {[]int64{100, 200, 300, 400}, 4},
		"and again after that":             {[]int64{100, 200, 300, 400, 500, 600, 700, 800}, 4},
		"full and quiet":                   {[]int64{100, 101, 102, 103, 104, 105}, 0},
		"with a pause":                     {[]int64{100, 200, 300, 301, 400, 500}, 0},
		"with room in between":             {[]int64{100, 200, 300, -1, 400, 500, 600}, 0},
		"a program that starts":            {[]int64{-1, 50, 500, 520, 521}, 0},
	} {
		var w thrashing
		for i, f := range c.faults {
			goes := w.look(start.Add(time.Duration(i+1)*time.Second), pressure{full: f >= 0, faults: f})
			if want := c.at > 0 && (i+1)%c.at == 0; goes != want {
				t.Errorf("%s: look %d says %v", name, i+1, goes)
			}
		}
	}
}
