// Command probe is a bot for the scenarios: it keeps what it is told, proves when it ran, and attacks what is around it
// when it is asked to.
//
// In its directory it keeps once.log, a line for each thing it was told, and runs/, a file for each of its runs, named
// for when it began and holding when it was last alive. Both times are nanoseconds of CLOCK_BOOTTIME, which all Workers
// of a host share.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sys/unix"
)

// heartbeat is how exactly the end of a killed run is known.
const heartbeat = 10 * time.Millisecond

// Run is one run of the bot.
type Run struct {
	Began int64 `json:"began"`
	Last  int64 `json:"last"`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "sleep" { // a child of the fork bomb
		time.Sleep(time.Hour)
		return
	}
	if err := run(os.Getenv("BAAS_BOT_DATA"), os.Getenv("PORT")); err != nil {
		log.Fatal(err)
	}
}

func run(data, port string) error {
	if err := beat(filepath.Join(data, "runs")); err != nil {
		return fmt.Errorf("noting the run: %w", err)
	}
	if text := os.Getenv("SAY"); text != "" {
		fmt.Println(text)
	}
	p := &probe{data: data}
	mux := http.NewServeMux()
	for path, h := range map[string]func(r *http.Request) (any, error){
		"GET /ping":  func(*http.Request) (any, error) { return os.Getenv("GREETING"), nil },
		"POST /once": p.once, "GET /once": p.told, "GET /runs": p.runs,
		"GET /read": p.read, "POST /write": p.write, "GET /dial": p.dial, "GET /env": p.env,
		"POST /eat": p.eat, "POST /fork": p.fork, "POST /fill": p.fill, "POST /unfill": p.unfill, "POST /attempt": p.attempt,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			answer, err := h(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusUnprocessableEntity)
				return
			}
			_ = json.NewEncoder(w).Encode(answer) // who asked may be gone
		})
	}
	mux.HandleFunc("GET /ws", echo)
	// On all addresses, as careless programs do, so that what keeps others from it is not its own doing.
	return http.ListenAndServe(":"+port, mux)
}

// echo says on a WebSocket what it is told.
func echo(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, b, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, b) != nil {
			return
		}
	}
}

func now() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		log.Fatal(err)
	}
	return ts.Nano()
}

// beat writes down that the bot is alive, again and again.
func beat(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	began := now()
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%020d", began)))
	if err != nil {
		return err
	}
	note := func() error {
		_, err := f.WriteAt(fmt.Appendf(nil, "%020d", now()), 0)
		return err
	}
	if err := note(); err != nil {
		return err
	}
	go func() {
		for range time.Tick(heartbeat) {
			_ = note() // a full disk is a part of the game
		}
	}()
	return nil
}

type probe struct {
	data string
	mu   sync.Mutex
	held [][]byte
}

// once keeps a line. It answers when the line is on the disk.
func (p *probe) once(r *http.Request) (any, error) {
	line, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(p.data, "once.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	return "kept", f.Sync()
}

func (p *probe) told(*http.Request) (any, error) {
	b, err := os.ReadFile(filepath.Join(p.data, "once.log"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return strings.Fields(string(b)), nil
}

func (p *probe) runs(*http.Request) (any, error) {
	entries, err := os.ReadDir(filepath.Join(p.data, "runs")) // sorted
	if err != nil {
		return nil, err
	}
	out := []Run{}
	for _, e := range entries {
		began, err := strconv.ParseInt(e.Name(), 10, 64)
		if err != nil {
			return nil, err
		}
		b, err := os.ReadFile(filepath.Join(p.data, "runs", e.Name()))
		if err != nil {
			return nil, err
		}
		last, err := strconv.ParseInt(string(b), 10, 64)
		if err != nil {
			last = began // killed before the first beat
		}
		out = append(out, Run{began, last})
	}
	return out, nil
}

func (p *probe) read(r *http.Request) (any, error) {
	f, err := os.Open(r.FormValue("path"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 1<<20))
	return string(b), err
}

func (p *probe) write(r *http.Request) (any, error) {
	return "written", os.WriteFile(r.FormValue("path"), []byte("x"), 0o600)
}

// dial tells to which of the addresses a connection can be made.
func (p *probe) dial(r *http.Request) (any, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	reached := []string{}
	for _, addr := range r.Form["addr"] {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := net.DialTimeout("tcp", addr, 2*time.Second)
			if err != nil {
				return
			}
			c.Close()
			mu.Lock()
			defer mu.Unlock()
			reached = append(reached, addr)
		}()
	}
	wg.Wait()
	slices.Sort(reached)
	return reached, nil
}

func (p *probe) env(*http.Request) (any, error) { return os.Environ(), nil }

// eat takes memory and uses it.
func (p *probe) eat(r *http.Request) (any, error) {
	mib, err := strconv.Atoi(r.FormValue("mib"))
	if err != nil {
		return nil, err
	}
	for range mib {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		p.mu.Lock()
		p.held = append(p.held, b)
		p.mu.Unlock()
	}
	return mib, nil
}

// fork starts processes for five seconds, also when that fails, and says how many it got.
func (p *probe) fork(*http.Request) (any, error) {
	n := 0
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if exec.Command(os.Args[0], "sleep").Start() == nil {
			n++
		}
	}
	return n, nil
}

// fill writes until the disk is full or the bot is stopped.
func (p *probe) fill(r *http.Request) (any, error) {
	dir := r.FormValue("dir")
	if dir == "" {
		dir = p.data
	}
	block := make([]byte, 1<<20)
	for i := 0; ; i++ {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("fill%d", i)))
		if err != nil {
			return nil, err
		}
		w := bufio.NewWriter(f)
		for range 64 {
			if _, err := w.Write(block); err != nil {
				f.Close()
				return nil, fmt.Errorf("after %d MiB: %w", i*64, err)
			}
		}
		f.Close()
		if i > 200 {
			return nil, nil
		}
	}
}

func (p *probe) unfill(*http.Request) (any, error) {
	files, err := filepath.Glob(filepath.Join(p.data, "fill*"))
	for _, f := range files {
		_ = os.Remove(f)
	}
	return len(files), err
}

// attempt makes a system call that a bot has no business with, and says how that ended.
func (p *probe) attempt(r *http.Request) (any, error) {
	what := r.FormValue("what")
	var err error
	switch what {
	case "mount":
		err = unix.Mount("tmpfs", "/tmp", "tmpfs", 0, "")
	case "user namespace":
		_, _, e := unix.RawSyscall(unix.SYS_UNSHARE, unix.CLONE_NEWUSER, 0, 0)
		if e != 0 {
			err = e
		}
	case "ptrace the agent":
		err = unix.PtraceSeize(1)
	case "signal the agent":
		err = unix.Kill(1, unix.SIGKILL)
	case "host name":
		err = unix.Sethostname([]byte("mine"))
	case "clock":
		err = unix.Settimeofday(&unix.Timeval{Sec: 1})
	case "kernel module":
		err = unix.InitModule([]byte{}, "")
	case "reboot":
		err = unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF)
	case "raw socket":
		_, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	case "packet socket":
		_, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	case "device":
		err = unix.Mknod("/tmp/disk", unix.S_IFBLK|0o600, int(unix.Mkdev(254, 0)))
	case "root":
		err = unix.Setuid(0)
	case "keys of others":
		_, err = unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, true)
	case "kernel log":
		_, err = unix.Klogctl(3, make([]byte, 64))
	case "bpf":
		_, _, e := unix.RawSyscall(unix.SYS_BPF, 0, 0, 0)
		if e != 0 {
			err = e
		}
	case "perf":
		_, err = unix.PerfEventOpen(&unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: uint32(unix.PERF_ATTR_SIZE_VER0)}, 0, -1, -1, 0)
	default:
		return nil, fmt.Errorf("no attempt is called %q", what)
	}
	if err != nil {
		return "refused: " + err.Error(), nil
	}
	return "succeeded", nil
}
