package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baas-platform/baas"
)

// TestMainJob is what the product is for, on each engine: an operator makes a tenant, its owner makes Workers, puts a bot
// in one, talks to it, moves it while another keeps answering, resizes, reads usage, stops, deletes.
func TestMainJob(t *testing.T) {
	for _, engine := range []string{"docker", "process"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			mainJob(t, newPlatform(t, engine))
		})
	}
}

func mainJob(t *testing.T, p *platform) {
	ctx := t.Context()
	acme := p.tenant("Acme", baas.PlanPro)
	size := baas.Size{CPUMillis: 500, MemoryMiB: 256, DiskGiB: 1}
	finance := p.worker(acme, baas.WorkerCreate{Name: "Financeiro", Size: &size})
	general := p.worker(acme, baas.WorkerCreate{Name: "Geral", Size: &size})
	ana := p.bot(acme, echo("Ana", finance.ID))
	steady := p.bot(acme, echo("Estável", finance.ID))
	answers(t, ana.URL, "bom dia")

	// Move one while the other is asked all the time, and the one that moves as well: its requests wait.
	ask, stopAsking := context.WithCancel(ctx)
	defer stopAsking()
	var asked, lost atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			url := steady.URL
			if i == 3 {
				url = ana.URL
			}
			for n := 0; ask.Err() == nil; n++ {
				status, answer, err := post(ctx, url+"chat", fmt.Sprintf(`{"message":"pergunta %d"}`, n))
				asked.Add(1)
				if err != nil || status != http.StatusOK || !strings.Contains(answer, fmt.Sprintf("pergunta %d", n)) {
					lost.Add(1)
					t.Errorf("asking %s: status %d, %s, %v", url, status, answer, err)
				}
			}
		}()
	}
	before, err := acme.SendMessage(ctx, ana.ID, baas.BotMessage{Message: "lembre-se de mim"})
	must(t, err)
	move, err := acme.MoveBot(ctx, ana.ID, general.ID)
	must(t, err)
	p.awaitMove(acme, move.ID, baas.MoveDone)
	p.awaitBot(acme, ana.ID, baas.BotRunning)
	stopAsking()
	wg.Wait()
	if asked.Load() < 10 || lost.Load() > 0 {
		t.Fatalf("of %d requests during the move %d were lost", asked.Load(), lost.Load())
	}
	t.Logf("%d requests during the move, none lost", asked.Load())
	answers(t, ana.URL, "depois da mudança")
	if history := get(t, ana.URL+"chat/"+before.Conversation); !strings.Contains(history, "lembre-se de mim") {
		t.Fatalf("the conversation did not come along: %s", history)
	}

	// Resize. Docker and Kubernetes do it live: the machine is the same one.
	machine := p.machine(general.ID)
	general, err = acme.Worker(ctx, general.ID)
	must(t, err)
	larger := baas.Size{CPUMillis: 750, MemoryMiB: 384, DiskGiB: 1}
	resized, err := acme.ResizeWorker(ctx, general.ID, general.Version, larger)
	must(t, err)
	eventually(t, 30*time.Second, "the new size", func() error {
		w, err := acme.Worker(ctx, general.ID)
		if err != nil || w.Status.AppliedSize == nil || *w.Status.AppliedSize != larger {
			return fmt.Errorf("%+v %w", w.Status, err)
		}
		return nil
	})
	if p.engine != "process" && resized.Effect != "live" {
		t.Errorf("the effect is said to be %q", resized.Effect)
	}
	if now := p.machine(general.ID); now != machine {
		t.Errorf("the machine was made anew: %q, then %q", machine, now)
	}
	if p.engine == "docker" {
		if got := strings.TrimSpace(docker(t, "inspect", strings.TrimSpace(machine), "--format", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}")); got != "402653184 750000000" {
			t.Errorf("limits on the engine: %s", got)
		}
	}
	answers(t, ana.URL, "maior agora")

	// Usage of the minutes so far arrives, requests counted exactly where they were served.
	eventually(t, 150*time.Second, "usage", func() error {
		points, err := acme.Usage(ctx, baas.UsageQuery{Step: baas.StepMinute, From: time.Now().Add(-10 * time.Minute), To: time.Now().Add(time.Minute)})
		if err != nil {
			return err
		}
		var sum baas.Meters
		for _, pt := range points {
			sum = sum.Add(pt.Meters)
		}
		if sum.Requests < asked.Load() || sum.CPUMillis <= 0 || sum.MemoryByteSeconds <= 0 || sum.RunningMillis <= 0 {
			return fmt.Errorf("%d points, %+v, of %d requests", len(points), sum, asked.Load())
		}
		return nil
	})

	// Stop, start, delete: nothing is left.
	_, err = acme.StopWorker(ctx, general.ID)
	must(t, err)
	p.awaitWorker(acme, general.ID, baas.WorkerStopped)
	if status, answer, err := post(ctx, ana.URL+"chat", `{"message":"olá?"}`); err != nil || status != http.StatusServiceUnavailable {
		t.Fatalf("a stopped Worker's bot answers %d %s %v", status, answer, err)
	}
	_, err = acme.StartWorker(ctx, general.ID)
	must(t, err)
	p.awaitBot(acme, ana.ID, baas.BotRunning)
	answers(t, ana.URL, "de volta")
	for _, b := range []baas.Bot{ana, steady} {
		must(t, acme.DeleteBot(ctx, b.ID, b.Name))
	}
	for _, w := range []baas.Worker{finance, general} {
		_, err := acme.DeleteWorker(ctx, w.ID, w.Name)
		must(t, err)
	}
	for _, w := range []baas.Worker{finance, general} {
		p.awaitGone(acme, w.ID)
		if p.engine == "docker" {
			if left := onEngine(t, w.ID); len(left) > 0 {
				t.Errorf("left on the engine: %v", left)
			}
		} else if p.cluster != nil {
			if left := p.cluster.of(t, w.ID); len(left) > 0 {
				t.Errorf("left on the cluster: %v", left)
			}
		} else if left := glob(p.dir + "/process/" + w.ID + "*"); len(left) > 0 {
			t.Errorf("left on disk: %v", left)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	var b strings.Builder
	_, err = fmt.Fprint(&b, res.Status, " ")
	must(t, err)
	buf := make([]byte, 64<<10)
	for {
		n, err := res.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

// TestTheControlPlaneIsKilledAtAnyMoment kills it while Workers are made and bots move: nothing that was acknowledged is
// lost, machines are adopted, bots go on answering.
func TestTheControlPlaneIsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "docker")
	ctx := t.Context()
	acme := p.tenant("Acme", baas.PlanEnterprise)
	size := baas.Size{CPUMillis: 250, MemoryMiB: 128, DiskGiB: 1}
	first := p.worker(acme, baas.WorkerCreate{Name: "Primeiro", Size: &size})
	ana := p.bot(acme, echo("Ana", first.ID))
	machine := docker(t, "ps", "-q", "--filter", "label=baas.worker="+first.ID)
	for round := range 4 {
		second, err := acme.CreateWorker(ctx, baas.WorkerCreate{Name: fmt.Sprintf("Rodada %d", round), Size: &size})
		must(t, err)
		time.Sleep(time.Duration(round) * 150 * time.Millisecond) // the moment of the kill is what varies
		p.kill()
		p.start()
		p.awaitWorker(acme, second.ID, baas.WorkerRunning)
		if found := onEngine(t, second.ID); len(found) != 2 {
			t.Fatalf("a Worker has one container and one volume; found %v", found)
		}
		b, err := acme.Bot(ctx, ana.ID)
		must(t, err)
		from := b.WorkerID
		move, err := acme.MoveBot(ctx, ana.ID, second.ID)
		must(t, err)
		p.kill()
		p.start()
		p.awaitMove(acme, move.ID, baas.MoveDone)
		p.awaitBot(acme, ana.ID, baas.BotRunning)
		answers(t, ana.URL, fmt.Sprintf("rodada %d", round))
		move, err = acme.MoveBot(ctx, ana.ID, from)
		must(t, err)
		p.awaitMove(acme, move.ID, baas.MoveDone)
	}
	if now := docker(t, "ps", "-q", "--filter", "label=baas.worker="+first.ID); now != machine {
		t.Fatalf("the machine was not adopted: %q, then %q", machine, now)
	}
	answers(t, ana.URL, "no fim")
}
