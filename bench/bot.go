package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
)

const (
	assignments  = 40
	assignTarget = 60 // ms
)

// measureBots times the way from assigning a bot to a running Worker until its public address answers.
func measureBots(ctx context.Context, b *bench) (err error) {
	p, err := b.newPlatform(ctx, "docker")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove(ctx)) }()
	t, err := p.newTenant(ctx, "Acme")
	if err != nil {
		return err
	}
	w, err := t.newWorker(ctx, baas.WorkerCreate{Name: "Geral", Size: &workerSize})
	if err != nil {
		return err
	}
	var took times
	for i := range warmUp + assignments {
		began := time.Now()
		bot, err := t.CreateBot(ctx, baas.BotCreate{WorkerID: w.ID, Name: fmt.Sprint("Bot ", i), Kind: baas.BotAssistant, Access: baas.AccessPublic})
		if err != nil {
			return fmt.Errorf("assigning a bot: %w", err)
		}
		addr, raw, err := rawRequest("GET", bot.URL, "")
		if err != nil {
			return err
		}
		c, err := dial(ctx, addr)
		if err != nil {
			return err
		}
		status, body, err := c.do(raw)
		d := time.Since(began)
		c.c.Close()
		if err != nil || status != 200 {
			return fmt.Errorf("the bot's first answer: status %d, %.200s, %w", status, body, err)
		}
		if i >= warmUp {
			took = append(took, d)
		}
		if err := t.DeleteBot(ctx, bot.ID, bot.Name); err != nil {
			return fmt.Errorf("deleting a bot: %w", err)
		}
		// The next one is to meet a Worker at rest.
		err = until(ctx, time.Minute, "the bot to be gone", func() error {
			if _, err := t.Bot(ctx, bot.ID); !errors.Is(err, baas.ErrNotFound) {
				return fmt.Errorf("it is still there: %w", err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	b.detail("p95 %.0f ms", took.at(95))
	b.add(atMost("bot assigned → first answer, p50", took.at(50), "ms", assignTarget))
	return nil
}

const (
	gatewayConns  = 64
	gatewayRate   = 1000
	gatewayRounds = 5
	gatewayRound  = 5 * time.Second
	echoPort      = 8000
)

// measureGateway compares a bot reached through gateway and tunnel with the same bot reached at its machine's address.
func measureGateway(ctx context.Context, b *bench) (err error) {
	p, err := b.newPlatform(ctx, "docker")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove(ctx)) }()
	t, err := p.newTenant(ctx, "Acme")
	if err != nil {
		return err
	}
	w, err := t.newWorker(ctx, baas.WorkerCreate{Name: "Geral", Size: &workerSize})
	if err != nil {
		return err
	}
	bot, err := t.newEcho(ctx, b.dir, w.ID)
	if err != nil {
		return err
	}
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return fmt.Errorf("opening the Docker Engine: %w", err)
	}
	defer docker.Close()
	machine, err := machineOf(ctx, docker, w.ID)
	if err != nil {
		return err
	}
	var directURL string
	for _, n := range machine.NetworkSettings.Networks {
		directURL = "http://" + n.IPAddress.String() + ":" + strconv.Itoa(echoPort) + "/"
	}
	direct, err := get(directURL)
	if err != nil {
		return err
	}
	through, err := get(bot.URL)
	if err != nil {
		return err
	}

	parts := []part{{"client", os.Getpid(), cpuOf}, {"control plane", p.cmd.Process.Pid, cpuOf}, {"Worker", machine.State.Pid, cpuOfAll}}
	both := [2]load{direct, through}
	var p50, p99, rate [2][]float64
	var added50, added99 []float64
	failures := 0
	for round := range gatewayRounds + 1 {
		var at50, at99 [2]float64
		for i, l := range both {
			res, err := l.open(ctx, gatewayRate, gatewayRound)
			if err != nil {
				return err
			}
			before := cpuOfParts(parts)
			full, err := l.closed(ctx, gatewayRound)
			if err != nil {
				return err
			}
			for j, took := range cpuOfParts(parts) {
				b.detail("%s: %d µs of processor for each request", parts[j].name, (took-before[j]).Microseconds()/int64(len(full.took)))
			}
			if round == 0 {
				continue // warms up
			}
			for _, r := range []loadResult{res, full} {
				if r.first != nil {
					b.logf("a request failed: %v", r.first)
				}
				failures += r.errors
			}
			at50[i], at99[i] = res.took.at(50), res.took.at(99)
			p50[i], p99[i], rate[i] = append(p50[i], at50[i]), append(p99[i], at99[i]), append(rate[i], full.rate)
		}
		if round > 0 {
			added50, added99 = append(added50, at50[1]-at50[0]), append(added99, at99[1]-at99[0])
			b.detail("direct %.2f and %.2f ms, %.0f/s; gateway %.2f and %.2f ms, %.0f/s", at50[0], at99[0], rate[0][round-1], at50[1], at99[1], rate[1][round-1])
		}
	}
	const what = "gateway and tunnel, added to a request at 1,000/s, "
	b.add(
		atMost(what+"p50", median(added50), "ms", 0.7).against(median(p50[0]), median(p50[1])),
		atMost(what+"p99", median(added99), "ms", 5).against(median(p99[0]), median(p99[1])),
		atLeast("gateway and tunnel, requests at 64 connections", median(rate[1]), "per s", 5000).against(median(rate[0]), median(rate[1])),
		atMost("gateway and tunnel, requests that failed", float64(failures), "requests", 0),
	)
	return nil
}

// part is what a request passes.
type part struct {
	name string
	pid  int
	cpu  func(pid int) (time.Duration, error)
}

// cpuOfParts is for details alone, so that one which can't be read is zero.
func cpuOfParts(parts []part) []time.Duration {
	took := make([]time.Duration, len(parts))
	for i, p := range parts {
		took[i], _ = p.cpu(p.pid)
	}
	return took
}

// get is a load of GETs of one address.
func get(url string, header ...string) (load, error) {
	addr, raw, err := rawRequest("GET", url, "", header...)
	if err != nil {
		return load{}, err
	}
	return load{addr: addr, conns: gatewayConns, want: 200, request: func(int64) []byte { return raw }}, nil
}

// newEcho builds the bot of bench/echo, uploads it and waits until it runs.
func (t tenant) newEcho(ctx context.Context, dir, workerID string) (baas.Bot, error) {
	path := filepath.Join(dir, "echo")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/baas-platform/baas/bench/echo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return baas.Bot{}, fmt.Errorf("building the bot: %w: %s", err, out)
	}
	archive, err := archiveOf(path)
	if err != nil {
		return baas.Bot{}, fmt.Errorf("packing the bot: %w", err)
	}
	bot, err := t.CreateBot(ctx, baas.BotCreate{WorkerID: workerID, Name: "Eco", Kind: baas.BotProgram, Access: baas.AccessPublic, Desired: baas.DesiredStopped,
		Program: &baas.Program{Command: []string{"./echo"}, Port: echoPort}})
	if err != nil {
		return bot, fmt.Errorf("making the bot: %w", err)
	}
	if _, err := t.PutFiles(ctx, bot.ID, archive); err != nil {
		return bot, fmt.Errorf("uploading the bot: %w", err)
	}
	if _, err := t.StartBot(ctx, bot.ID); err != nil {
		return bot, fmt.Errorf("starting the bot: %w", err)
	}
	err = until(ctx, time.Minute, "the bot to run", func() (err error) {
		if bot, err = t.Bot(ctx, bot.ID); err == nil && bot.Status.State != baas.BotRunning {
			err = fmt.Errorf("it is %s (%s)", bot.Status.State, bot.Status.Reason)
		}
		return err
	})
	return bot, err
}

// archiveOf packs one program into a tar.gz.
func archiveOf(path string) (*bytes.Buffer, error) {
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	files := tar.NewWriter(zip)
	if err := files.WriteHeader(&tar.Header{Name: filepath.Base(path), Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}); err != nil {
		return nil, err
	}
	if _, err := files.Write(program); err != nil {
		return nil, err
	}
	return &out, errors.Join(files.Close(), zip.Close())
}
