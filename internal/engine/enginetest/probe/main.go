// Command probe stands in for the agent in the engines' conformance suite: it connects with the token that the engine
// gave it, does what the suite asks for from inside the machine, and ends on SIGTERM. It has the netguard command of
// the real binary, which engines run too.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/engine/enginetest"
	"github.com/baas-platform/baas/internal/inject"
	"github.com/baas-platform/baas/internal/netguard"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: probe agent | netguard | inject")
	}
	switch args[0] {
	case "netguard":
		return netguard.Run(ctx, args[1:])
	case "inject":
		return inject.Run(args[1:])
	case "sleep":
		select {}
	case "agent":
		for ctx.Err() == nil {
			if err := serve(ctx); err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
		return nil
	}
	return fmt.Errorf("unknown command %q", args[0])
}

// serve connects and answers requests until the connection ends.
func serve(ctx context.Context) error {
	header := http.Header{}
	header.Set("Authorization", "Bearer "+os.Getenv(agentapi.EnvToken))
	header.Set(agentapi.HeaderWorker, os.Getenv(agentapi.EnvWorker))
	dial, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	url := os.Getenv(agentapi.EnvURL) + agentapi.ConnectPath
	conn, _, err := websocket.Dial(dial, url, &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // the library closes it
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(1 << 20)
	for {
		var req enginetest.Request
		if err := wsjson.Read(ctx, conn, &req); err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		var rep enginetest.Reply
		if rep.Text, err = do(ctx, req); err != nil {
			rep.Error = err.Error()
		}
		if err := wsjson.Write(ctx, conn, rep); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
}

var held [][]byte // memory that the suite asked for

func do(ctx context.Context, r enginetest.Request) (string, error) {
	switch r.Op {
	case "write":
		return "", os.WriteFile(r.Arg, []byte(r.Data), 0o600)
	case "read":
		b, err := os.ReadFile(r.Arg)
		return string(b), err
	case "env":
		return os.Getenv(r.Arg), nil
	case "user":
		return strconv.Itoa(os.Getuid()) + ":" + strconv.Itoa(os.Getgid()), nil
	case "address":
		addrs, err := net.InterfaceAddrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
				return n.IP.String(), nil
			}
		}
		return "", err
	case "dial": // several at once, since what is dropped takes long; gives those that were reached
		addrs := strings.Split(r.Arg, " ")
		reached := make([]bool, len(addrs))
		var wg sync.WaitGroup
		for i, addr := range addrs {
			wg.Go(func() {
				conn, err := (&net.Dialer{Timeout: 1500 * time.Millisecond}).DialContext(ctx, "tcp", addr)
				if err == nil {
					conn.Close()
					reached[i] = true
				}
			})
		}
		wg.Wait()
		var out []string
		for i, ok := range reached {
			if ok {
				out = append(out, addrs[i])
			}
		}
		return strings.Join(out, " "), nil
	case "listen":
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.Arg)
		if err != nil {
			return "", err
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		}()
		return l.Addr().String(), nil
	case "hold":
		mib, err := strconv.Atoi(r.Arg)
		if err != nil {
			return "", err
		}
		b := make([]byte, mib<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		held = append(held, b)
		return "", nil
	case "spawn": // a process that outlives this one
		cmd := exec.CommandContext(context.WithoutCancel(ctx), os.Args[0], "sleep")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: r.Arg == "own session"}
		cmd.ExtraFiles = []*os.File{os.NewFile(3, "inherited")}
		if err := cmd.Start(); err != nil {
			return "", err
		}
		return strconv.Itoa(cmd.Process.Pid), nil
	case "ignore-term":
		signal.Ignore(syscall.SIGTERM)
		return "", nil
	case "exit":
		code, err := strconv.Atoi(r.Arg)
		if err != nil {
			return "", err
		}
		os.Exit(code)
	}
	return "", fmt.Errorf("unknown request %q", r.Op)
}
