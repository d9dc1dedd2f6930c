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
	return create(t, "")
}

// PostgresCopy is Postgres with what is in another database of the same server, to which nobody may be connected.
func PostgresCopy(t testing.TB, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	return create(t, " TEMPLATE "+strings.TrimPrefix(u.Path, "/"))
}

func create(t testing.TB, like string) string {
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
	run(t, server, "CREATE DATABASE "+name+like)
	t.Cleanup(func() { run(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

// PostgresRole makes a log-in role without any privilege but these: it is a member of the given role and owns a new
// empty database, whose address, with the new role, is returned.
func PostgresRole(t testing.TB, member string) string {
	t.Helper()
	address := Postgres(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	role := "baas_login_" + strings.ToLower(rand.Text())
	server := os.Getenv("BAAS_TEST_POSTGRES_URL")
	run(t, server, "CREATE ROLE "+role+" LOGIN PASSWORD 'test' IN ROLE "+member)
	t.Cleanup(func() { run(t, server, "DROP ROLE "+role) })
	database := strings.TrimPrefix(u.Path, "/")
	run(t, server, "ALTER DATABASE "+database+" OWNER TO "+role)
	t.Cleanup(func() {
		run(t, server, "ALTER DATABASE "+database+" OWNER TO CURRENT_USER")
		run(t, address, "REASSIGN OWNED BY "+role+" TO CURRENT_USER")
	})
	u.User = url.UserPassword(role, "test")
	return u.String()
}

// PostgresAdmin gives a way to run a statement as the server's administrator.
func PostgresAdmin(t testing.TB) func(statement string) {
	return func(statement string) {
		t.Helper()
		run(t, os.Getenv("BAAS_TEST_POSTGRES_URL"), statement)
	}
}

// run carries out one statement.
func run(t testing.TB, server, statement string) {
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
