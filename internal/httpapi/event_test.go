package httpapi_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

// TestActivityLog filters the activity log, as pages and as CSV.
func TestActivityLog(t *testing.T) {
	ctx := t.Context()
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	owner := p.Actor(secret)
	mine, err := p.App.CreateWorker(ctx, owner, tenant.ID, baas.WorkerCreate{Name: "Meu"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := p.App.CreateWorker(ctx, owner, tenant.ID, baas.WorkerCreate{Name: "Outro"})
	if err != nil {
		t.Fatal(err)
	}
	limited := p.Join(owner, tenant.ID, baas.InvitationCreate{Email: "l@a.example", Role: baas.RoleAdmin, WorkerIDs: []string{mine.ID}})
	chief := p.Actor(limited)
	if _, err := p.App.RestartWorker(ctx, chief, tenant.ID, mine.ID); err != nil {
		t.Fatal(err)
	}
	const many = 1200 // more than two pages
	at := time.Now().UTC()
	err = p.Store.Tenant(tenant.ID).Update(ctx, func(tx baas.TenantTx) error {
		for i := range many {
			e := baas.Event{ID: baas.NewID(baas.PrefixEvent), At: at, Kind: "bot.running", Level: baas.LevelInfo, WorkerID: mine.ID, Message: fmt.Sprintf("número %d", i)}
			if i%2 == 1 {
				e.WorkerID = other.ID
			}
			if i == 0 {
				e.Message, e.Data = "=HYPERLINK(\"http://x\")\nnova linha", map[string]any{"a": "b,c"}
			}
			if err := tx.Events().Add(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name   string
		secret string
		q      client.EventQuery
		want   int
	}{
		{"of a person", secret, client.EventQuery{UserIDs: []string{chief.UserID}}, 2}, // joined and restarted
		{"of a person, seen with a limit", limited, client.EventQuery{UserIDs: []string{owner.UserID}}, 1},
		{"of the platform", secret, client.EventQuery{UserIDs: []string{baas.ByPlatform}}, many},
		{"of the platform and a person", secret, client.EventQuery{UserIDs: []string{baas.ByPlatform, chief.UserID}}, many + 2},
		{"of an area", secret, client.EventQuery{Areas: []baas.Area{baas.AreaWorker}}, 3},
		{"of two areas", secret, client.EventQuery{Areas: []baas.Area{baas.AreaWorker, baas.AreaMember}}, 5},
		{"of a Worker", secret, client.EventQuery{WorkerIDs: []string{mine.ID}}, many/2 + 2},
		{"of a Worker out of sight", limited, client.EventQuery{WorkerIDs: []string{other.ID}}, 0},
		{"with a limit", limited, client.EventQuery{}, many/2 + 2},
		{"of a time", secret, client.EventQuery{From: at, To: at.Add(time.Second), Areas: []baas.Area{baas.AreaBot}}, many},
		{"of another time", secret, client.EventQuery{From: at.Add(time.Hour)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := p.Client(c.secret).Tenant(tenant.ID)
			var ids []string
			for e, err := range in.Events(ctx, c.q) {
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, e.ID)
			}
			body, err := in.EventsCSV(ctx, c.q)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			rows, err := csv.NewReader(body).ReadAll()
			if err != nil || len(rows) == 0 || rows[0][0] != "at" {
				t.Fatalf("got %v, %v", rows, err)
			}
			if len(ids) != c.want || len(rows)-1 != c.want {
				t.Errorf("%d events and %d rows, want %d", len(ids), len(rows)-1, c.want)
			}
			for _, row := range rows[1:] {
				if c.secret == limited && row[5] != "" {
					t.Errorf("who may not list members reads the e-mail %s", row[5])
				}
			}
		})
	}

	body, err := p.Client(secret).Tenant(tenant.ID).EventsCSV(ctx, client.EventQuery{})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	formula, restart := false, false
	for _, row := range rows[1:] {
		formula = formula || row[3] == "'=HYPERLINK(\"http://x\")\nnova linha" && row[8] == `{"a":"b,c"}` && row[4] == "" && row[5] == ""
		restart = restart || row[2] == "worker.restart_requested" && row[4] == chief.UserID && row[5] == "l@a.example" && row[6] == mine.ID
	}
	if !formula || !restart {
		t.Errorf("formula %v, restart %v in %.2000s", formula, restart, raw)
	}
	a := do(t, "GET", p.URL+"/api/v1/tenants/"+tenant.ID+"/events.csv?area=nonsense", "", "Authorization: Bearer "+secret)
	if a.status != 422 || a.field("area[0]") == "" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	a = do(t, "GET", p.URL+"/api/v1/tenants/"+tenant.ID+"/events.csv?from=yesterday", "", "Authorization: Bearer "+secret)
	if a.status != 422 || !strings.Contains(a.field("from"), "2026-01-31T15:04:05Z") {
		t.Errorf("got %d %s, want to be told what a time looks like", a.status, a.body)
	}
	a = do(t, "GET", p.URL+"/api/v1/tenants/"+tenant.ID+"/events.csv?to=2020-01-01T00:00:00Z", "", "Authorization: Bearer "+secret)
	if a.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(a.header.Get("Content-Disposition"), "activity.csv") {
		t.Errorf("the headers are %v", a.header)
	}
}
