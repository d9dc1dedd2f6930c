package bots_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/bots"
)

// asBot in the environment makes the test binary an assistant.
const asBot = "BOTS_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(asBot) == "" {
		os.Exit(m.Run())
	}
	cfg, err := bots.ConfigFromEnv(os.Getenv)
	if err == nil {
		fd := os.NewFile(3, "listener")
		if cfg.Listener, err = net.FileListener(fd); err == nil {
			cfg.RetryDelay = 1
			err = bots.RunAssistant(context.Background(), cfg)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// startProcess runs an assistant as a process of its own; stop kills it.
func startProcess(t *testing.T, dir string, c agentapi.AssistantConfig) *bot {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b := &bot{t: t, url: "http://" + ln.Addr().String(), log: &logBuffer{}}
	cmd := exec.Command(os.Args[0])
	_, port, _ := strings.Cut(ln.Addr().String(), ":")
	cmd.Env = append(os.Environ(), asBot+"=1", "PORT="+port, "BAAS_BOT_ID="+c.BotID, "BAAS_BOT_DATA="+dir, "BAAS_BOT_CONFIG="+writeConfig(t, dir, c))
	cmd.ExtraFiles = []*os.File{file}
	cmd.Stderr = b.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(b.stop)
	return b
}
