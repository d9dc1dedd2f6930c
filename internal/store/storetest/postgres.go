package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres makes an empty database for the test on the server that BAAS_TEST_POSTGRES_URL names, deletes it when the
// test is over, and returns its address.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv("BAAS_TEST_POSTGRES_URL")
	if server == "" {
		t.Fatal(`this test needs a PostgreSQL server; start one with: eval "$(scripts/postgres.sh)"`)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("BAAS_TEST_POSTGRES_URL is not an address")
	}
	name := "baas_test_" + strings.ToLower(rand.Text())
	run := func(statement string) {
		t.Helper()
		ctx := context.Background()
		c, err := pgx.Connect(ctx, server)
		if err != nil {
			t.Fatalf("connecting to the test server: %v", err)
		}
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run("CREATE DATABASE " + name)
	t.Cleanup(func() { run("DROP DATABASE " + name + " WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}
