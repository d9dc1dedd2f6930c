package gateway

import "sync"

// rooms is where requests wait for bots. There is a room for a bot only while somebody waits in it.
type rooms struct {
	limit int
	mu    sync.Mutex
	rooms map[string]*room
}

type room struct {
	worker string // that its requests last looked to
	people int
	bell   chan struct{} // closed and replaced by a wake-up
}

// enter takes a place in the bot's room; false when it is full. Whoever entered leaves.
func (r *rooms) enter(bot, worker string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rooms == nil {
		r.rooms = map[string]*room{}
	}
	m := r.rooms[bot]
	if m == nil {
		m = &room{bell: make(chan struct{})}
		r.rooms[bot] = m
	}
	if m.people >= r.limit {
		return false
	}
	m.people++
	m.worker = worker
	return true
}

// bell is closed at the next wake-up. It must be taken before looking whether waiting is needed.
func (r *rooms) bell(bot, worker string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.rooms[bot]
	m.worker = worker
	return m.bell
}

func (r *rooms) leave(bot string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.rooms[bot]
	if m.people--; m.people == 0 {
		delete(r.rooms, bot)
	}
}

// waiting is how many requests wait.
func (r *rooms) waiting() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.rooms {
		n += m.people
	}
	return n
}

// wake wakes the bot's room.
func (r *rooms) wake(bot string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.rooms[bot]; m != nil {
		m.ring()
	}
}

// wakeIf wakes the rooms whose Worker matches.
func (r *rooms) wakeIf(match func(worker string) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.rooms {
		if match(m.worker) {
			m.ring()
		}
	}
}

func (m *room) ring() {
	close(m.bell)
	m.bell = make(chan struct{})
}
