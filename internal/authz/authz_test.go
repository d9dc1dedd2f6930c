package authz_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

var update = flag.Bool("update", false, "write the golden file anew")

type persona struct {
	name   string
	actor  authz.Actor
	status baas.TenantStatus
}

func personas() []persona {
	member := func(r baas.Role, workers ...string) *baas.Member { return &baas.Member{Role: r, WorkerIDs: workers} }
	out := []persona{
		{"nobody", authz.Actor{}, baas.TenantActive},
		{"stranger", authz.Actor{UserID: "u"}, baas.TenantActive},
		{"platform", authz.Actor{UserID: "u", Operator: true}, baas.TenantActive},
		{"support", authz.Actor{UserID: "u", Operator: true, Support: &baas.Support{}}, baas.TenantActive},
		{"support-suspended", authz.Actor{UserID: "u", Operator: true, Support: &baas.Support{}}, baas.TenantSuspended},
	}
	for _, r := range baas.Roles() {
		out = append(out, persona{string(r), authz.Actor{UserID: "u", Member: member(r)}, baas.TenantActive})
	}
	for _, r := range []baas.Role{baas.RoleAdmin, baas.RoleOperator} {
		out = append(out, persona{string(r) + "-limited", authz.Actor{UserID: "u", Member: member(r, "w")}, baas.TenantActive})
	}
	for _, s := range []baas.Scope{baas.ScopeRead, baas.ScopeWrite, baas.ScopeAdmin} {
		out = append(out, persona{"token-" + string(s), authz.Actor{UserID: "u", TokenID: "t", Scopes: []baas.Scope{s}, Member: member(baas.RoleOwner)}, baas.TenantActive})
	}
	return append(out,
		persona{"suspended", authz.Actor{UserID: "u", Member: member(baas.RoleOwner)}, baas.TenantSuspended},
		persona{"no-role", authz.Actor{UserID: "u", Member: member("")}, baas.TenantActive})
}

// TestMatrix compares every decision with testdata/matrix.txt. A new action changes the file: look at its line, and
// write it with -update when it is right.
func TestMatrix(t *testing.T) {
	var out strings.Builder
	fmt.Fprintf(&out, "%-20s", "action")
	for _, p := range personas() {
		fmt.Fprintf(&out, " %-18s", p.name)
	}
	out.WriteByte('\n')
	for _, a := range authz.Actions() {
		fmt.Fprintf(&out, "%-20s", a)
		for _, p := range personas() {
			answer := "yes"
			if err := authz.Decide(p.actor, a, p.status); err != nil {
				answer = string(baas.CodeOf(err))
			}
			fmt.Fprintf(&out, " %-18s", answer)
		}
		out.WriteByte('\n')
	}
	file := filepath.Join("testdata", "matrix.txt")
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != out.String() {
		t.Errorf("the decisions differ from %s; run with -update when they are right:\n%s", file, out.String())
	}
}

func TestUnknownActionIsRefused(t *testing.T) {
	err := authz.Decide(authz.Actor{UserID: "u", Operator: true}, "worker.explode", baas.TenantActive)
	if baas.CodeOf(err) != baas.CodeInternal {
		t.Fatalf("got %v", err)
	}
}

// TestMoreIsMore checks that a higher role may do all that a lower one may.
func TestMoreIsMore(t *testing.T) {
	for _, a := range authz.Actions() {
		allowed := false
		for i := len(baas.Roles()) - 1; i >= 0; i-- {
			r := baas.Roles()[i]
			err := authz.Decide(authz.Actor{UserID: "u", Member: &baas.Member{Role: r}}, a, baas.TenantActive)
			if allowed && err != nil {
				t.Errorf("%s may not do %s, and a lower role may: %v", r, a, err)
			}
			allowed = allowed || err == nil
		}
	}
}

// TestStrangersLearnNothing checks that a stranger's refusal never tells a tenant that is there from one that isn't.
func TestStrangersLearnNothing(t *testing.T) {
	for _, a := range authz.Actions() {
		there := authz.Decide(authz.Actor{UserID: "u"}, a, baas.TenantActive)
		suspended := authz.Decide(authz.Actor{UserID: "u"}, a, baas.TenantSuspended)
		missing := authz.Decide(authz.Actor{UserID: "u"}, a, "")
		if fmt.Sprint(there) != fmt.Sprint(missing) || fmt.Sprint(suspended) != fmt.Sprint(missing) {
			t.Errorf("%s: %v, %v, %v", a, there, suspended, missing)
		}
	}
	if err := authz.Decide(authz.Actor{UserID: "u"}, authz.WorkerRead, baas.TenantActive); !errors.Is(err, baas.ErrNotFound) {
		t.Errorf("a stranger is told %v", err)
	}
}

func TestSees(t *testing.T) {
	if (authz.Actor{UserID: "u"}).Sees("w") {
		t.Error("who is no member sees a Worker")
	}
	limited := authz.Actor{Member: &baas.Member{WorkerIDs: []string{"w"}}}
	if !limited.Sees("w") || limited.Sees("x") || len(limited.Workers()) != 1 {
		t.Error("a limit isn't kept")
	}
	if (authz.Actor{Member: &baas.Member{}}).Workers() != nil {
		t.Error("who isn't limited has a limit")
	}
}
