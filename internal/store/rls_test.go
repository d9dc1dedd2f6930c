package store

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/store/storetest"
)

func openPostgresForTest(t *testing.T) (*Store, *postgresDB) {
	t.Helper()
	s, err := Open(context.Background(), Config{URL: storetest.Postgres(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, s.db.(*postgresDB)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// names reads a list of names.
func names(t *testing.T, d *postgresDB, query string) []string {
	t.Helper()
	var vs []string
	must(t, d.view(context.Background(), scope{system: true}, func(c conn) (err error) {
		vs, err = list(context.Background(), c, "names", func(s *string) []any { return []any{s} }, query)
		return err
	}))
	if len(vs) == 0 {
		t.Fatalf("nothing found by %s", query)
	}
	return vs
}

// tenantTables are all tables with a column tenant_id, those of later migrations included.
func tenantTables(t *testing.T, d *postgresDB) []string {
	return names(t, d, `SELECT CAST(table_name AS TEXT) FROM information_schema.columns
		WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`)
}

func TestRowLevelSecurityOnEveryTable(t *testing.T) {
	_, d := openPostgresForTest(t)
	ctx := context.Background()
	for _, table := range names(t, d, `SELECT CAST(relname AS TEXT) FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'goose_db_version'`) {
		must(t, d.view(ctx, scope{system: true}, func(c conn) error {
			var enabled, forced bool
			var owner string
			var policies int
			must(t, row(ctx, c, []any{&enabled, &forced, &owner}, `SELECT relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner)
				FROM pg_class WHERE oid = CAST(CAST(? AS TEXT) AS regclass)`, table))
			must(t, row(ctx, c, []any{&policies}, `SELECT COUNT(*) FROM pg_policies WHERE schemaname = 'public' AND tablename = ?`, table))
			if !enabled || !forced || policies == 0 || owner == appRole {
				t.Errorf("%s: enabled %v, forced %v, %d policies, owner %s", table, enabled, forced, policies, owner)
			}
			return nil
		}))
	}
	must(t, d.view(ctx, scope{}, func(c conn) error {
		var role string
		var super, bypass, login bool
		must(t, row(ctx, c, []any{&role, &super, &bypass, &login}, `SELECT CAST(current_user AS TEXT), rolsuper, rolbypassrls, rolcanlogin
			FROM pg_roles WHERE rolname = current_user`))
		if role != appRole || super || bypass || login {
			t.Fatalf("work is done as %s (superuser %v, bypasses row-level security %v, logs in %v)", role, super, bypass, login)
		}
		return nil
	}))
}

// TestRowLevelSecurityWithoutFilter runs queries that forgot the tenant.
func TestRowLevelSecurityWithoutFilter(t *testing.T) {
	s, d := openPostgresForTest(t)
	ctx := context.Background()
	a, b := storetest.Fill(t, s)
	count := func(sc scope, query string, args ...any) (n int) {
		t.Helper()
		must(t, d.view(ctx, sc, func(c conn) error { return row(ctx, c, []any{&n}, query, args...) }))
		return n
	}
	boom := errors.New("undo")
	asA := scope{tenant: a.ID}
	for _, table := range tenantTables(t, d) {
		all := count(scope{system: true}, `SELECT COUNT(*) FROM `+table)
		own := count(asA, `SELECT COUNT(*) FROM `+table)
		if own == 0 || own*2 != all {
			t.Errorf("%s: tenant A sees %d of %d rows", table, own, all)
		}
		if n := count(asA, `SELECT COUNT(*) FROM `+table+` WHERE tenant_id = ?`, b.ID); n != 0 {
			t.Errorf("%s: tenant A sees %d rows of tenant B by name", table, n)
		}
		if n := count(scope{}, `SELECT COUNT(*) FROM `+table); n != 0 {
			t.Errorf("%s: %d rows are seen without a tenant", table, n)
		}
		for _, statement := range []string{`UPDATE ` + table + ` SET tenant_id = tenant_id`, `DELETE FROM ` + table} {
			err := d.update(ctx, asA, func(c conn) ([]baas.Change, error) {
				n, err := c.exec(ctx, statement)
				if err != nil && c.dangling(err) {
					return nil, boom // rows refer to these; of what, the count below tells
				}
				if err == nil && int(n) != own {
					t.Errorf("%s touched %d rows of %d", statement, n, own)
				}
				if err == nil {
					err = boom
				}
				return nil, err
			})
			if !errors.Is(err, boom) {
				t.Errorf("%s: %v", statement, err)
			}
		}
		// A row can't be given to another tenant.
		err := d.update(ctx, asA, func(c conn) ([]baas.Change, error) {
			_, err := c.exec(ctx, `UPDATE `+table+` SET tenant_id = ?`, b.ID)
			return nil, err
		})
		if pgCode(err) != "42501" {
			t.Errorf("%s: giving rows to tenant B: %v", table, err)
		}
		if n := count(scope{system: true}, `SELECT COUNT(*) FROM `+table); n != all {
			t.Errorf("%s: %d of %d rows are left", table, n, all)
		}
	}
	for _, q := range []struct {
		query string
		want  int
	}{
		{`SELECT COUNT(*) FROM tenants`, 1},
		{`SELECT COUNT(*) FROM users`, 1}, // its member
		{`SELECT COUNT(*) FROM sessions`, 0},
		{`SELECT COUNT(*) FROM leases`, 0},
		{`SELECT COUNT(*) FROM plans`, 3},
	} {
		if n := count(asA, q.query); n != q.want {
			t.Errorf("%s: %d, want %d", q.query, n, q.want)
		}
	}
}

func TestRowLevelSecurityRefusesWrites(t *testing.T) {
	s, d := openPostgresForTest(t)
	ctx := context.Background()
	a, b := storetest.Fill(t, s)
	for _, statement := range []string{
		`INSERT INTO events (id, tenant_id, at, kind, level, message, message_key) VALUES ('evt_x', '` + b.ID + `', 0, '', '', '', '')`,
		`INSERT INTO idempotency (tenant_id, key, fingerprint, result, created_at) VALUES ('` + b.ID + `', 'x', '', '', 0)`,
		`INSERT INTO usage_minutes SELECT '` + b.ID + `', start, worker_id, bot_id, 1, 1, 1, 1, 1, 1, 1 FROM usage_minutes`,
		`INSERT INTO plans (id, name, limits) VALUES ('X', 'X', '{}')`,
		`INSERT INTO users (id, email, name, name_key, locale, operator, password_hash, created_at, updated_at) VALUES ('usr_x', 'x', '', '', '', true, '', 0, 0)`,
		`INSERT INTO sessions (id, user_id, hash, created_at, expires_at) SELECT 'ses_x', id, '', 0, 0 FROM users`,
		`INSERT INTO leases (name, holder, expires_at) VALUES ('controller', 'x', 0)`,
		`ALTER TABLE workers DISABLE ROW LEVEL SECURITY`,
		`ALTER TABLE workers NO FORCE ROW LEVEL SECURITY`,
		`DROP POLICY tenant ON workers`,
		`CREATE TABLE x (id TEXT)`,
		`SELECT * FROM goose_db_version`,
		`TRUNCATE events`,
	} {
		err := d.update(ctx, scope{tenant: a.ID}, func(c conn) ([]baas.Change, error) {
			_, err := c.exec(ctx, statement)
			return nil, err
		})
		if pgCode(err) != "42501" {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, statement := range []string{`UPDATE users SET operator = true`, `UPDATE plans SET limits = '{}'`, `DELETE FROM plans`} {
		must(t, d.update(ctx, scope{tenant: a.ID}, func(c conn) ([]baas.Change, error) {
			n, err := c.exec(ctx, statement)
			if n != 0 {
				t.Errorf("%s touched %d rows", statement, n)
			}
			return nil, err
		}))
	}
	// Turning the policies off makes queries fail; it doesn't open anything.
	err := d.update(ctx, scope{tenant: a.ID}, func(c conn) ([]baas.Change, error) {
		if _, err := c.exec(ctx, `SET LOCAL row_security = off`); err != nil {
			return nil, err
		}
		_, err := c.exec(ctx, `SELECT * FROM workers`)
		return nil, err
	})
	if pgCode(err) != "42501" {
		t.Errorf("with row_security off: %v", err)
	}
}

// expected is nil when err is what it should be.
func expected(err error, is bool) error {
	if is {
		return nil
	}
	return errors.Join(errors.New("the wrong outcome"), err)
}

// TestPooledConnectionCarriesNothing uses one connection for everything.
func TestPooledConnectionCarriesNothing(t *testing.T) {
	s, d := openPostgresForTest(t)
	ctx := context.Background()
	a, _ := storetest.Fill(t, s)
	d.pool.SetMaxOpenConns(1)
	boom := errors.New("boom")
	for name, use := range map[string]func() error{
		"commit": func() error {
			return d.update(ctx, scope{tenant: a.ID}, func(conn) ([]baas.Change, error) { return nil, nil })
		},
		"rollback": func() error {
			err := d.update(ctx, scope{tenant: a.ID}, func(conn) ([]baas.Change, error) { return nil, boom })
			return expected(err, errors.Is(err, boom))
		},
		"system": func() error {
			return d.update(ctx, scope{system: true}, func(conn) ([]baas.Change, error) { return nil, nil })
		},
		"panic": func() (err error) {
			defer func() { err = expected(err, recover() == any(boom)) }()
			return d.view(ctx, scope{tenant: a.ID}, func(conn) error { panic(boom) })
		},
		"broken": func() error {
			err := d.update(ctx, scope{tenant: a.ID}, func(c conn) ([]baas.Change, error) {
				_, err := c.exec(ctx, "SELECT 1/0")
				return nil, err
			})
			return expected(err, pgCode(err) == "22012")
		},
	} {
		must(t, use())
		var role, tenant, system string
		var seen int
		must(t, d.pool.QueryRowContext(ctx, `SELECT CAST(current_user AS TEXT), COALESCE(current_setting('baas.tenant', true), ''),
			COALESCE(current_setting('baas.scope', true), ''), (SELECT COUNT(*) FROM workers)`).Scan(&role, &tenant, &system, &seen))
		if role != appRole || tenant != "" || system != "" || seen != 0 {
			t.Errorf("after a %s the connection is %s for tenant %q, scope %q, and sees %d Workers", name, role, tenant, system, seen)
		}
	}
}

// TestLoginRoleWithoutPower sets the database up as a role that is no administrator and owns only its database.
func TestLoginRoleWithoutPower(t *testing.T) {
	ctx := context.Background()
	openPostgresForTest(t) // makes the role that the other one may become
	s, err := Open(ctx, Config{URL: storetest.PostgresRole(t, appRole)})
	must(t, err)
	defer s.Close()
	a, b := storetest.Fill(t, s)
	must(t, s.Tenant(a.ID).View(ctx, func(tx baas.TenantTx) error {
		ws, _, err := tx.Workers().List(ctx, baas.WorkerFilter{})
		if len(ws) != 2 {
			t.Errorf("%d Workers", len(ws))
		}
		return err
	}))
	must(t, s.db.view(ctx, scope{tenant: a.ID}, func(c conn) error {
		var n int
		err := row(ctx, c, []any{&n}, `SELECT COUNT(*) FROM workers WHERE tenant_id = '`+b.ID+`'`)
		if n != 0 {
			t.Errorf("tenant A sees %d Workers of tenant B", n)
		}
		return err
	}))
}

func TestPostgresBadAddress(t *testing.T) {
	for _, url := range []string{"postgres://user:hunter2@127.0.0.1:port/x", "postgres://user:hunter2@127.0.0.1:1/x"} {
		_, err := Open(context.Background(), Config{URL: url})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
