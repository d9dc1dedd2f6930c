package baas_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/baas-platform/baas"
)

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Cliente A": "cliente-a", "Operações Ltda.": "operacoes-ltda", "  --Ágil!! ": "agil", "日本": "",
		"Uma companhia com um nome bastante comprido S.A.": "uma-companhia-com-um-nome-bastante-compr",
	} {
		if got := baas.Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestIDsSortInTheOrderTheyWereMade(t *testing.T) {
	last := ""
	for range 1000 {
		id := baas.NewID(baas.PrefixWorker)
		if id <= last || !baas.ValidID(baas.PrefixWorker, id) || baas.ValidID(baas.PrefixBot, id) {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
}

func TestErrorsAreToldApartThroughLayers(t *testing.T) {
	err := fmt.Errorf("making a Worker: %w", baas.Errorf(baas.CodeQuotaExceeded, "too many"))
	if !errors.Is(err, baas.ErrQuotaExceeded) || errors.Is(err, baas.ErrNotFound) || baas.CodeOf(err) != baas.CodeQuotaExceeded {
		t.Error(err)
	}
	if baas.CodeOf(errors.New("disk on fire")) != baas.CodeInternal || baas.CodeOf(nil) != "" {
		t.Error("codes of other errors")
	}
}

func TestLimitsNameEveryLimitThatIsPassed(t *testing.T) {
	limits := baas.DefaultPlans()[0].Limits
	atLimit := baas.Totals{Workers: limits.Workers, CPUMillis: limits.CPUMillis, MemoryMiB: limits.MemoryMiB, DiskGiB: limits.DiskGiB, Bots: limits.Bots, Members: limits.Members}
	if err := limits.Check(atLimit); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	over := atLimit
	over.Workers++
	over.MemoryMiB++
	var e *baas.Error
	if err := limits.Check(over); !errors.As(err, &e) || e.Code != baas.CodeQuotaExceeded || len(e.Fields) != 2 || e.Fields[0].Field != "workers" || e.Fields[1].Field != "size.memory_mib" {
		t.Errorf("over the limit: %v", err)
	}
}

// TestUsageMergesInAnyOrder is what the ledger stands on: a maximum is the same in any order and however often.
func TestUsageMergesInAnyOrder(t *testing.T) {
	meters := rapid.Custom(func(t *rapid.T) baas.Meters {
		n := rapid.Int64Range(0, 1000)
		return baas.Meters{CPUMillis: n.Draw(t, "cpu"), MemoryByteSeconds: n.Draw(t, "memory"), DiskByteSeconds: n.Draw(t, "disk"),
			BytesIn: n.Draw(t, "in"), BytesOut: n.Draw(t, "out"), Requests: n.Draw(t, "requests"), RunningMillis: n.Draw(t, "running")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := meters.Draw(t, "a"), meters.Draw(t, "b"), meters.Draw(t, "c")
		if a.Max(b) != b.Max(a) || a.Max(b).Max(c) != a.Max(b.Max(c)) || a.Max(a) != a || a.Max(b).Max(b) != a.Max(b) {
			t.Fatal("not a join")
		}
		if a.Add(b).Sub(b) != a {
			t.Fatal("adding and taking away")
		}
	})
}

func TestABotSaysEverythingThatIsWrong(t *testing.T) {
	_, err := baas.BotCreate{Name: "\x00", Kind: baas.BotProgram, Access: "secret", Program: &baas.Program{Port: 80, Health: &baas.HealthCheck{},
		Env: []baas.EnvVar{{Name: "PORT", Value: "1"}, {Name: "A", Value: "1", Secret: "B"}}}}.Bot("bot_x", "ten_x", time.Now())
	var e *baas.Error
	if !errors.As(err, &e) || e.Code != baas.CodeInvalid {
		t.Fatal(err)
	}
	wrong := map[string]bool{}
	for _, f := range e.Fields {
		wrong[f.Field] = true
	}
	for _, field := range []string{"name", "worker_id", "access", "program.command", "program.port", "program.health", "program.env.name", "program.env.value"} {
		if !wrong[field] {
			t.Errorf("%s is not named in %v", field, err)
		}
	}
}
