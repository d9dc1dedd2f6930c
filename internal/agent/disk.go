package agent

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How the disk is watched. A look at the file system's counters is cheap; a walk over the files is not, and follows
// only when those have moved, or after idleWalk. The less room is left, the sooner is the next look: before the room can
// be used up at burst.
const (
	diskLook   = 2 * time.Second
	diskHurry  = 50 * time.Millisecond // the shortest time between looks
	burst      = 4 << 30               // bytes a second that a bot is thought to write at most
	idleWalk   = 5 * time.Minute
	walkShare  = 20      // a walk is followed by a pause of so many times its length
	movedBytes = 1 << 20 // of the file system, since the last walk
	// Over the limit bots are stopped; below resumeAt of it they start again.
	resumeAt = 0.95
)

// disk knows how much of the volume is used, and by which bot.
type disk struct {
	vol   volume
	limit func() int64
	full  func(reason string) // told when the limit is passed, and with "" when there is room again

	mu     sync.Mutex
	total  int64
	bots   map[string]int64
	isFull bool
}

func newDisk(vol volume, limit func() int64, full func(string)) *disk {
	return &disk{vol: vol, limit: limit, full: full, bots: map[string]int64{}}
}

func (d *disk) run(ctx context.Context) {
	var free uint64
	var walked, next, latest time.Time
	var took time.Duration // of the last walk
	t := time.NewTimer(0)
	defer t.Stop()
	limit := int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now, room := time.Now(), d.room()
		var st unix.Statfs_t
		moved, grown := true, int64(0) // whoever wrote it, the volume can't have grown by more
		if unix.Statfs(d.vol.root, &st) == nil {
			have := st.Bfree * uint64(st.Bsize)
			moved = max(have, free)-min(have, free) >= movedBytes
			grown = int64(max(have, free) - have)
		}
		soon, due := room > 0 && grown >= room/4, now.After(next)
		if room > 0 && grown >= room { // it may be full: that doesn't wait until long walks have been made up for
			due = now.Sub(walked) >= took
		}
		if moved && due && (soon || now.Sub(walked) >= diskLook) || now.After(latest) || limit != d.limit() {
			free, limit = st.Bfree*uint64(st.Bsize), d.limit()
			d.walk()
			walked, room, grown = time.Now(), d.room(), 0
			took = walked.Sub(now)
			next, latest = walked.Add(walkShare*took), walked.Add(max(idleWalk, walkShare*took))
		}
		if room > 0 {
			room = max(1, room-grown)
		}
		t.Reset(lookAgain(room))
	}
}

// room is how much the bots may still write, as of the last walk; 0 when they are stopped or there is no limit.
func (d *disk) room() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if limit := d.limit(); limit > 0 && !d.isFull {
		return max(1, limit-d.total)
	}
	return 0
}

// lookAgain is when to look at the file system next.
func lookAgain(room int64) time.Duration {
	if room == 0 {
		return diskLook
	}
	return min(diskLook, max(diskHurry, time.Duration(float64(room)/burst*float64(time.Second))))
}

// walk counts the blocks of every file, a hard link once, and decides whether the disk is full.
func (d *disk) walk() {
	type inode struct{ dev, ino uint64 }
	linked := map[inode]bool{}
	total, bots := int64(0), map[string]int64{}
	prefix := d.vol.bots() + "/"
	_ = filepath.WalkDir(d.vol.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // deleted meanwhile, or shut to us
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return nil
		}
		if st.Nlink > 1 && !e.IsDir() {
			key := inode{st.Dev, st.Ino}
			if linked[key] {
				return nil
			}
			linked[key] = true
		}
		n := st.Blocks * 512
		total += n
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			id, _, _ := strings.Cut(rest, "/")
			bots[id] += n
		}
		return nil
	})
	d.mu.Lock()
	d.total, d.bots = total, bots
	limit := d.limit()
	was := d.isFull
	switch {
	case limit > 0 && total > limit:
		d.isFull = true
	case limit <= 0 || float64(total) < resumeAt*float64(limit):
		d.isFull = false
	}
	is := d.isFull
	d.mu.Unlock()
	if is != was {
		reason := ""
		if is {
			reason = fmt.Sprintf("stopped because the Worker's disk is full (%.2f of %.2f GiB); it starts again when there is room",
				float64(total)/(1<<30), float64(limit)/(1<<30))
		}
		d.full(reason)
	}
}

func (d *disk) state() (used, limit int64, full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.total, d.limit(), d.isFull
}

// of is what a bot's directory takes, in bytes.
func (d *disk) of(id string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bots[id]
}
